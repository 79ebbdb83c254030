// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// FuzzRecords: the records are those that encoding/json reads, to the byte, and nothing is
// accepted that it refuses.
func FuzzRecords(f *testing.F) {
	f.Fuzz(func(t *testing.T, source []byte) {
		before := bytes.Clone(source)
		got, err := parseRecords(source)
		want, wrong := recordsByTheBook(bytes.TrimSpace(source))
		if (err != nil) != (wrong != nil) {
			t.Fatalf("got error %v, encoding/json says %v", err, wrong)
		}
		if err != nil {
			if got != nil {
				t.Errorf("%d records beside the error %v", len(got), err)
			}
			return
		}
		if len(got) != len(want) {
			t.Fatalf("%d records, want %d", len(got), len(want))
		}
		for i := range want {
			if !bytes.Equal(want[i], got[i]) {
				t.Errorf("record %d is %q, want %q", i, got[i], want[i])
			}
		}
		joined := slices.Concat([]byte("["), bytes.Join(asBytes(got), []byte(",")), []byte("]"))
		if diff := cmp.Diff(valuesOf(t, asBytes(want)...), valueOf(t, joined)); diff != "" {
			t.Errorf("the records joined again: -want, +got:\n%s", diff)
		}
		if !bytes.Equal(before, source) {
			t.Error("the source was changed")
		}
	})
}

// recordsByTheBook reads records as parseRecords promises, by copies.
func recordsByTheBook(source []byte) (records []json.RawMessage, err error) {
	if bytes.HasPrefix(source, []byte("[")) {
		return records, json.Unmarshal(source, &records)
	}
	decoder := json.NewDecoder(bytes.NewReader(source))
	for {
		var record json.RawMessage
		switch err := decoder.Decode(&record); {
		case errors.Is(err, io.EOF):
			return records, nil
		case err != nil:
			return nil, err
		}
		records = append(records, record)
	}
}

func asBytes(records []json.RawMessage) [][]byte {
	texts := make([][]byte, len(records))
	for i, record := range records {
		texts[i] = record
	}
	return texts
}

// valueOf is JSON as a value that keeps the spelling of numbers.
func valueOf(t *testing.T, text []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%q is not JSON: %v", text, err)
	}
	return value
}

func valuesOf(t *testing.T, texts ...[]byte) any {
	t.Helper()
	values := []any{}
	for _, text := range texts {
		values = append(values, valueOf(t, text))
	}
	return values
}

// FuzzDivide: the batches cover all records, in order and without a gap, no call is larger
// than the API takes, and none could have had the next record as well.
func FuzzDivide(f *testing.F) {
	blanks := bytes.Repeat([]byte(" "), maxPage+8)
	blanks[0] = '1'
	f.Fuzz(func(t *testing.T, lengths, settings []byte, size uint8) {
		if !json.Valid(settings) {
			settings = nil
		}
		request := integrator.InvokeRequest{Settings: settings}
		envelope := request.Size()
		if envelope > maxPage {
			t.Skip("the settings alone are too large")
		}
		// Three bytes a record: any length up to a little more than a page.
		var records []json.RawMessage
		tooLarge := false
		for part := range slices.Chunk(lengths[:min(len(lengths), 90)], 3) {
			length := 0
			for _, digit := range part {
				length = length<<8 | int(digit)
			}
			length = length%len(blanks) + 1
			records = append(records, blanks[:length])
			tooLarge = tooLarge || envelope+length > maxPage
		}
		batches, err := divide(records, settings, int(size))
		if (err != nil) != tooLarge {
			t.Fatalf("a record that is too large: %t, error: %v", tooLarge, err)
		}
		if err != nil {
			return
		}
		at := 0
		for i, part := range batches {
			if part.from != at || part.to < part.from || part.to == part.from && len(records) > 0 {
				t.Fatalf("batch %d is %+v, and the one before ends at %d", i, part, at)
			}
			at = part.to
			request.Data = records[part.from:part.to]
			if got := request.Size(); got > maxPage || size > 0 && len(request.Data) > int(size) {
				t.Errorf("batch %d has %d bytes and %d records", i, got, len(request.Data))
			}
			if part.to == len(records) {
				continue
			}
			request.Data = records[part.from : part.to+1]
			if got := request.Size(); got <= maxPage && (size == 0 || len(request.Data) <= int(size)) {
				t.Errorf("batch %d could have one record more: %d bytes, %d records", i, got, len(request.Data))
			}
		}
		if at != len(records) {
			t.Errorf("the batches end at %d of %d records", at, len(records))
		}
	})
}

// FuzzDecompressed: never more than the limit, what is not compressed comes as it is, and what
// was compressed comes back.
func FuzzDecompressed(f *testing.F) {
	f.Fuzz(func(t *testing.T, content []byte, room uint16) {
		limit := int(room)
		got, err := decompressed(content, limit)
		if len(got) > limit || err != nil && got != nil {
			t.Errorf("%d bytes with a limit of %d, error: %v", len(got), limit, err)
		}
		if !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
			if errors.Is(err, errTooMuchData) != (len(content) > limit) || err == nil && !bytes.Equal(content, got) {
				t.Errorf("%d plain bytes with a limit of %d: %d bytes, %v", len(content), limit, len(got), err)
			}
		}
		var zipped bytes.Buffer
		writer := gzip.NewWriter(&zipped)
		_, _ = writer.Write(content)
		_ = writer.Close()
		if got, err := decompressed(zipped.Bytes(), len(content)); err != nil || !bytes.Equal(content, got) {
			t.Errorf("%d bytes compressed: %d bytes, %v", len(content), len(got), err)
		}
		if len(content) == 0 {
			return
		}
		if _, err := decompressed(zipped.Bytes(), len(content)-1); !errors.Is(err, errTooMuchData) {
			t.Errorf("one byte more than the limit: %v", err)
		}
	})
}

// The switches of a run in FuzzClaim.
const (
	fuzzCancel = 1 << iota
	fuzzSuspend
	fuzzRetry
	fuzzBegun
	fuzzUnused
)

// fuzzRun is a run of four batches with any annotation.
func fuzzRun(text string, done, switches uint8) *v1alpha1.ImportRun {
	run := &v1alpha1.ImportRun{}
	run.Annotations = map[string]string{v1alpha1.AnnotationClaim: text}
	run.Spec.Cancel, run.Spec.Suspend = switches&fuzzCancel != 0, switches&fuzzSuspend != 0
	run.Spec.RetryLimit = ptr.To[int32](3)
	if switches&fuzzRetry != 0 {
		run.Spec.OnUnknownOutcome = v1alpha1.UnknownOutcomeRetry
	}
	if switches&fuzzBegun != 0 {
		done := int32(done % 4)
		run.Status.Phase, run.Status.StartTime = v1alpha1.RunRunning, ptr.To(metav1.NewTime(noon))
		run.Status.Batches = &v1alpha1.BatchCounts{Total: 4, Done: done}
		run.Status.Records = &v1alpha1.RecordCounts{Total: 8, Sent: 2 * done, Succeeded: 2 * done}
	}
	return run
}

// FuzzClaim: whatever stands in the annotation, a call is made only for a text that is a
// claim, never beside one that may be under way, never for a batch that was answered, and
// what comes of it can be written down and read again.
func FuzzClaim(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string, done, switches uint8) {
		current, err := parseClaim(text)
		if err == nil && text != "" && !looksLikeClaim(text) {
			t.Fatalf("%q is taken for the claim %+v", text, current)
		}
		if err != nil && current != (claim{}) {
			t.Errorf("%+v beside the error %v", current, err)
		}
		run := fuzzRun(text, done, switches)
		before := run.DeepCopy()
		self := process{holder: "me"}
		if switches&fuzzUnused != 0 && current.Token != "" {
			self.unused = []string{current.Token}
		}
		at := decide(run, self, noon)
		if diff := cmp.Diff(before, run); diff != "" {
			t.Errorf("the run was changed: -before, +after:\n%s", diff)
		}
		if at.ended != nil {
			if at.wait != nil || at.next != (claim{}) || !finished(&v1alpha1.ImportRun{Status: v1alpha1.ImportRunStatus{Phase: at.ended.phase}}) {
				t.Errorf("it ended, and more is to come: %+v", at)
			}
			return
		}
		begun := run.Status.StartTime != nil
		if err != nil || text == "" && begun {
			t.Fatalf("goes on without a claim that can be read: %+v", at)
		}
		if at.wait != nil {
			if at.next == (claim{}) && at.wait.after <= 0 && !run.Spec.Suspend {
				t.Errorf("waits for ever: %+v", at.wait)
			}
			return
		}
		mayCall(t, run, self, current, at.next)
		for _, call := range everyVerdict() {
			concluded(t, run, at.next, call)
		}
	})
}

// looksLikeClaim tells that a text is a JSON object with the field that each claim has.
func looksLikeClaim(text string) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil {
		return false
	}
	for name := range object {
		if strings.EqualFold(name, "batch") {
			return true
		}
	}
	return false
}

// mayCall holds the next call to what is known of those before.
func mayCall(t *testing.T, run *v1alpha1.ImportRun, self process, current, next claim) {
	t.Helper()
	if next.Token != "" || next.Holder != "" || next.Batch < 0 || next.Attempt < 0 || next.Spent < 0 {
		t.Errorf("the next claim is %+v", next)
	}
	if run.Spec.Cancel || run.Spec.Suspend {
		t.Error("goes on although it is canceled or suspended")
	}
	if next.Batch < current.Batch || run.Status.Batches != nil && next.Batch < int(run.Status.Batches.Done) {
		t.Errorf("goes back to batch %d", next.Batch)
	}
	underWay := current.Token != "" && !slices.Contains(self.unused, current.Token) && next.Batch == current.Batch
	if underWay && (run.Spec.OnUnknownOutcome != v1alpha1.UnknownOutcomeRetry || current.Holder == self.holder || !next.Uncertain) {
		t.Errorf("sends batch %d beside its claim %+v", next.Batch, current)
	}
}

func everyVerdict() []verdict {
	counts := v1alpha1.RecordCounts{Total: 2, Sent: 2, Succeeded: 1, Failed: 1}
	failed := &problem{class: transient, reason: reasonServerError, message: "it failed"}
	asked := &problem{class: throttled, reason: reasonThrottled, message: "later", after: time.Second}
	return []verdict{
		{fate: fateAnswered, records: counts, failures: []v1alpha1.RecordFailure{{Index: 1}}},
		{fate: fateRefused, reason: failed.reason, message: failed.message, problem: failed, retriable: true},
		{fate: fateRefused, reason: asked.reason, message: asked.message, problem: asked},
		{fate: fateFailed, records: counts, reason: failed.reason, message: failed.message, problem: failed},
		{fate: fateUnknown, records: counts, reason: reasonOutcomeUnknown, message: failed.message, problem: failed},
	}
}

// concluded lets the call of a claim come to something.
func concluded(t *testing.T, run *v1alpha1.ImportRun, next claim, call verdict) {
	t.Helper()
	sent := &payload{records: make([]json.RawMessage, 8), batches: []batch{{0, 2}, {2, 4}, {4, 6}, {6, 8}}, digest: "d"}
	s := &runScope{object: run, payload: sent}
	if s.fits(next) != nil {
		return
	}
	next.Token, next.Holder, next.Time = "t", "me", noon
	if next.Started.IsZero() {
		next.Started = noon.Add(-next.Spent)
	}
	next.Deadline = next.Started.Add(timeLimit(run))
	came := conclude(run, next, call, sent, noon)
	switch {
	case came.again == nil && came.phase == "" && came.done != next.Batch+1:
		t.Errorf("%d batches are answered after batch %d", came.done, next.Batch)
	case came.again != nil:
		again := came.next
		if again.Token != "" || again.Batch != next.Batch || !again.NotBefore.After(noon) || next.Uncertain && !again.Uncertain {
			t.Errorf("%+v is sent again as %+v", next, again)
		}
		text, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := parseClaim(string(text)); next.Attempt < math.MaxInt && (err != nil || !cmp.Equal(again, read)) {
			t.Errorf("%s is read as %+v, %v", text, read, err)
		}
	case call.fate == fateUnknown && came.phase != v1alpha1.RunUnknown, next.Uncertain && call.fate != fateAnswered && came.phase != v1alpha1.RunUnknown:
		t.Errorf("nobody knows what became of batch %d, and the run is called %s", next.Batch, came.phase)
	case came.phase == v1alpha1.RunSucceeded && call.fate != fateAnswered:
		t.Errorf("a call that was not answered makes the run succeed: %s", fmt.Sprint(came.message))
	}
}
