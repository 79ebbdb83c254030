// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/keyref"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/records"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
	"github.com/integrator-operator/integrator-operator/internal/status"
)

const (
	// maxRunData bounds what is kept of one run, in bytes: twice what its ConfigMaps can have
	// uncompressed.
	maxRunData = 64 << 20
	// maxRunRecords bounds the number of its records. Each takes recordSize bytes beside its text.
	maxRunRecords = 1_000_000
	recordSize    = int(unsafe.Sizeof(json.RawMessage{}))
)

// invalidData says why data cannot be sent.
type invalidData string

func (e invalidData) Error() string { return string(e) }

func invalidf(format string, args ...any) error { return invalidData(fmt.Sprintf(format, args...)) }

// gather collects what the run sends, once for all the batches of a pass. Data that cannot be sent
// ends the run; a source that does not exist is waited for.
func (w *work) gather(ctx context.Context, run *v1alpha1.ImportRun, at runstate.Claim) (*runstate.Outcome, error) {
	if w.payload != nil {
		return nil, nil
	}
	payload, err := w.readPayload(ctx, run)
	if because, ok := errors.AsType[invalidData](err); ok {
		end := runstate.Invalid(run, at, "%s", because)
		return &end, nil
	}
	if err != nil {
		return nil, err
	}
	w.payload = &payload
	return nil, nil
}

// inline is what a run has in its own spec.
type inline struct {
	records  []json.RawMessage
	settings json.RawMessage
}

// readInline reads the records and settings of the run's spec, which no cache keeps, in exactly the
// version of the run that was decided on. They are copied into one piece of memory: separate
// records would take several times their size.
func (w *work) readInline(ctx context.Context, run *v1alpha1.ImportRun) (inline, error) {
	w.r.unpacking.Lock()
	defer w.r.unpacking.Unlock()
	live := &v1alpha1.ImportRun{}
	if err := w.r.Live.Get(ctx, client.ObjectKeyFromObject(run), live); err != nil {
		return inline{}, err
	}
	if live.UID != run.UID || live.ResourceVersion != run.ResourceVersion {
		return inline{}, runstate.Superseded(run)
	}
	size := 0
	for _, record := range live.Spec.Data {
		size += len(record.Raw)
	}
	if err := w.reserveData(size + settingsSize(live) + len(live.Spec.Data)*recordSize); err != nil {
		return inline{}, err
	}
	read := inline{records: make([]json.RawMessage, 0, len(live.Spec.Data))}
	text := make([]byte, 0, size)
	for _, record := range live.Spec.Data {
		begin := len(text)
		text = append(text, record.Raw...)
		read.records = append(read.records, text[begin:len(text):len(text)])
	}
	if live.Spec.Settings != nil {
		read.settings = live.Spec.Settings.Raw
	}
	return read, nil
}

// rounded gives the places with whole numbers that Kubernetes may have rounded. Records are confidential
// where the Import's values are, so the places name nothing that is in a record.
func (d inline) rounded() []string {
	var places []string
	for i, record := range d.records {
		if records.HasRounded(record) {
			places = append(places, fmt.Sprintf("data[%d]", i))
		}
	}
	if records.HasRounded(d.settings) {
		places = append(places, "settings")
	}
	return places
}

// warnOfRounded says, when the first call is made, that numbers may not be those that were written.
func (w *work) warnOfRounded(run *v1alpha1.ImportRun) {
	const most = 4
	if len(w.rounded) == 0 {
		return
	}
	status.RecordEvent(w.r.Recorder, run, corev1.EventTypeWarning, v1alpha1.ReasonRoundedNumber,
		"there is a whole number beyond 64 bits in "+problem.SomeOf(w.rounded, most)+": Kubernetes rounds it to 17 digits, so it may not be the number that was written; write an id as text, in quotes, or put the records into dataFrom")
}

// settingsSize is the size of what goes along with each call, in bytes.
func settingsSize(run *v1alpha1.ImportRun) int {
	if run.Spec.Settings == nil {
		return 0
	}
	return len(run.Spec.Settings.Raw)
}

// readPayload reads the records of data and dataFrom, in order, and divides them into batches.
func (w *work) readPayload(ctx context.Context, run *v1alpha1.ImportRun) (runstate.Payload, error) {
	spec := &run.Spec
	payload, identity := runstate.Payload{Secret: w.secretImport}, newDigest()
	own, err := w.readInline(ctx, run)
	if err != nil {
		return payload, err
	}
	payload.Records = own.records
	for _, record := range own.records {
		identity.add(record)
	}
	w.rounded = own.rounded()
	room := maxRunData
	keys := keyref.Reader{Live: w.r.Live, Namespace: run.Namespace, Reason: v1alpha1.ReasonDataNotFound}
	for i, source := range spec.DataFrom {
		content, version, err := keys.Read(ctx, keyref.Of(source.SecretKeyRef, source.ConfigMapKeyRef))
		if err != nil {
			return payload, err
		}
		content, parsed, err := w.unpack(content, room, maxRunRecords-len(payload.Records))
		if err != nil {
			return payload, sourceError(err, i)
		}
		room -= len(content)
		payload.Records = append(payload.Records, parsed...)
		if source.SecretKeyRef != nil {
			payload.Secret = true
			// The content of a small Secret could be guessed from a hash of it.
			content = []byte(version + "/" + source.SecretKeyRef.Key)
		}
		identity.add(content)
	}
	if own.settings != nil {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(own.settings, &object); err != nil || object == nil {
			return payload, invalidf("settings is not a JSON object")
		}
		payload.Settings = own.settings
		identity.add(own.settings)
	}
	if len(payload.Records) == 0 {
		return payload, invalidf("there are no records in data and dataFrom")
	}
	batches, err := records.Divide(payload.Records, payload.Settings, int(ptr.Deref(spec.BatchSize, 0)))
	if err != nil {
		return payload, invalidf("%v", err)
	}
	payload.Batches, payload.Digest = batches, identity.sum()
	return payload, nil
}

// sourceError is an error of unpack for the source with this index.
func sourceError(err error, i int) error {
	switch {
	case errors.Is(err, records.ErrTooMuch):
		return invalidf("the data is more than the %d MiB and %d records that one run can have, from dataFrom[%d] on: split it over several ImportRuns", maxRunData>>20, maxRunRecords, i)
	case problem.As(err) != nil:
		return err
	default:
		return invalidf("dataFrom[%d] is %v", i, err)
	}
}

// unpack makes records of a source, for which there is room for so many bytes and records.
func (w *work) unpack(source []byte, room, number int) (content []byte, parsed []json.RawMessage, err error) {
	w.r.unpacking.Lock()
	defer w.r.unpacking.Unlock()
	if content, err = records.Decompress(source, room); err != nil {
		return nil, nil, err
	}
	if content, err = keyref.Text(content); err != nil {
		return nil, nil, err
	}
	if err := w.reserveData(len(content)); err != nil {
		return nil, nil, err
	}
	if parsed, err = records.Parse(content, number); err != nil {
		return nil, nil, err
	}
	return content, parsed, w.reserveData(len(parsed) * recordSize)
}
