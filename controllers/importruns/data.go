// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unsafe"

	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/keyref"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/records"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
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

// readPayload reads the records of data and dataFrom, in order, and divides them into batches.
func (w *work) readPayload(ctx context.Context, run *v1alpha1.ImportRun) (runstate.Payload, error) {
	spec := &run.Spec
	payload, identity := runstate.Payload{Secret: w.secretImport}, newDigest()
	for _, record := range spec.Data {
		payload.Records = append(payload.Records, record.Raw)
		identity.add(record.Raw)
	}
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
	if spec.Settings != nil {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(spec.Settings.Raw, &object); err != nil || object == nil {
			return payload, invalidf("settings is not a JSON object")
		}
		payload.Settings = spec.Settings.Raw
		identity.add(spec.Settings.Raw)
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
	if err := w.reserveData(len(content)); err != nil {
		return nil, nil, err
	}
	if parsed, err = records.Parse(content, number); err != nil {
		return nil, nil, err
	}
	return content, parsed, w.reserveData(len(parsed) * recordSize)
}
