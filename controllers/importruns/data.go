// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
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

// invalidData says why data cannot be sent, with the reason of the run's end.
type invalidData struct{ reason, because string }

func (e invalidData) Error() string { return e.because }

func invalidf(format string, args ...any) error {
	return invalidData{v1alpha1.ReasonInvalidData, fmt.Sprintf(format, args...)}
}

// gather collects what the run sends, once for all the batches of a pass. Data that cannot be sent
// ends the run; a source that does not exist is waited for.
func (w *work) gather(ctx context.Context, run *v1alpha1.ImportRun, at runstate.Claim) (*runstate.Outcome, error) {
	if w.payload != nil {
		return nil, nil
	}
	payload, err := payloadReader{w}.readPayload(ctx, run)
	if invalid, ok := errors.AsType[invalidData](err); ok {
		end := runstate.Invalid(run, at, invalid.reason, invalid.because)
		return &end, nil
	}
	if err != nil {
		return nil, err
	}
	w.payload, w.dataID = &payload, runstate.DataID{}
	return nil, nil
}

// payloadReader reads what a run sends, for a pass.
type payloadReader struct{ *work }

// inline is what a run has in its own spec.
type inline struct {
	records  []json.RawMessage
	settings json.RawMessage
}

// hash stands for the records and settings.
func (d inline) hash() string {
	identity := newDigest()
	for _, record := range d.records {
		identity.add(record)
	}
	identity.add(d.settings)
	return identity.sum()
}

// readInline reads the records and settings of the run's spec, in exactly the version of the run that was
// decided on.
func (w payloadReader) readInline(ctx context.Context, run *v1alpha1.ImportRun) (inline, error) {
	w.r.unpacking.Lock()
	defer w.r.unpacking.Unlock()
	live, err := w.r.readWhole(ctx, run)
	if err != nil {
		return inline{}, err
	}
	return w.copyInline(live)
}

// readWhole gives the run with its records and settings, in exactly this version: past the cache, where the
// cache has none. A claim is written to the same version, so what is sent is that of the run as it then is.
func (r *Reconciler) readWhole(ctx context.Context, run *v1alpha1.ImportRun) (*v1alpha1.ImportRun, error) {
	if runstate.HasData(run) {
		return run, nil
	}
	live := &v1alpha1.ImportRun{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(run), live); err != nil {
		return nil, err
	}
	if live.UID != run.UID || live.ResourceVersion != run.ResourceVersion {
		return nil, runstate.Superseded(run)
	}
	return live, nil
}

// copyInline copies the records of a spec into one piece of memory: separate records would take several
// times their size.
func (w payloadReader) copyInline(live *v1alpha1.ImportRun) (inline, error) {
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

// readPayload reads the records of data and dataFrom, in order, selects those that are sent, and divides
// them into batches.
func (w payloadReader) readPayload(ctx context.Context, run *v1alpha1.ImportRun) (runstate.Payload, error) {
	payload := runstate.Payload{Secret: w.secretImport}
	retried, err := w.retried(ctx, run)
	if err != nil {
		return payload, err
	}
	from, err := w.findSources(ctx, run, retried)
	if err != nil {
		return payload, err
	}
	identity := newDigest()
	for _, record := range from.records {
		identity.add(record)
	}
	payload.Records, payload.DataHash = from.records, from.hash()
	if err := w.readSources(ctx, run.Namespace, from.dataFrom, &payload, identity); err != nil {
		return payload, err
	}
	if from.settings != nil {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(from.settings, &object); err != nil || object == nil {
			return payload, invalidf("settings is not a JSON object")
		}
		payload.Settings = from.settings
		identity.add(from.settings)
	}
	if retried != nil {
		if err := w.selectFailed(retried, &payload); err != nil {
			return payload, err
		}
		identity.add([]byte(retried.failed.String()))
	}
	if len(payload.Records) == 0 {
		return payload, invalidf("there are no records in data and dataFrom")
	}
	batches, err := records.Divide(payload.Records, payload.Settings, int(ptr.Deref(run.Spec.BatchSize, 0)))
	if err != nil {
		return payload, invalidf("%v", err)
	}
	payload.Batches, payload.Digest = batches, identity.sum()
	return payload, nil
}

// readSources adds the records of dataFrom to a payload, and what stands for them to the identity of all
// of it.
func (w payloadReader) readSources(ctx context.Context, namespace string, dataFrom []v1alpha1.DataSource, payload *runstate.Payload, identity digest) error {
	if len(dataFrom) == 0 {
		return nil
	}
	room, ofSources := maxRunData, newDigest()
	keys := keyref.Reader{Live: w.r.Live, Namespace: namespace, Reason: v1alpha1.ReasonDataNotFound}
	for i, source := range dataFrom {
		content, version, err := keys.Read(ctx, keyref.Of(source.SecretKeyRef, source.ConfigMapKeyRef))
		if err != nil {
			return err
		}
		content, parsed, err := w.unpack(content, room, maxRunRecords-len(payload.Records))
		if err != nil {
			return sourceError(err, i)
		}
		room -= len(content)
		payload.Records = append(payload.Records, parsed...)
		if source.SecretKeyRef != nil {
			payload.Secret = true
			// The content of a small Secret could be guessed from a hash of it.
			content = []byte(version + "/" + source.SecretKeyRef.Key)
		}
		identity.add(content)
		ofSources.add(content)
	}
	payload.SourcesHash = ofSources.sum()
	return nil
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
func (w payloadReader) unpack(source []byte, room, number int) (content []byte, parsed []json.RawMessage, err error) {
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

// digest is a hash of several parts that depends on where each part ends. Make one with newDigest.
type digest struct{ state hash.Hash }

// newDigest makes the digest of no parts.
func newDigest() digest { return digest{sha256.New()} }

// add adds a part.
func (d digest) add(part []byte) {
	_, _ = io.WriteString(d.state, strconv.Itoa(len(part))+"\n")
	_, _ = d.state.Write(part)
}

// sum is the hash of the parts that were added, 16 bytes in hexadecimal.
func (d digest) sum() string { return hex.EncodeToString(d.state.Sum(nil)[:16]) }
