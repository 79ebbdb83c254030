// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unsafe"

	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/records"
)

const (
	// maxRunData bounds what is held of one run, in bytes: twice what its ConfigMaps can have
	// uncompressed.
	maxRunData = 64 << 20
	// maxRunRecords bounds the number of its records, each of which takes recordSize bytes beside
	// its text.
	maxRunRecords = 1_000_000
	recordSize    = int(unsafe.Sizeof(json.RawMessage{}))
)

// payload is what a run sends.
type payload struct {
	records  []json.RawMessage
	settings json.RawMessage
	batches  []records.Batch
	// secret tells that some of it, or of the import's definition, comes from a Secret.
	secret bool
	// digest tells whether it is still what was sent before.
	digest string
}

//nolint:gosec // far fewer records than 2^31 fit into a run
func (p *payload) total() int32 { return int32(len(p.records)) }

// gather collects the records from data and dataFrom, in order, and divides them into
// batches. Data that cannot be sent ends the run; a source that is not there is waited for.
// It is done once for all the batches of a pass.
func (r *ImportRunReconciler) gather(ctx context.Context, s *runScope, at claim) (*outcome, error) {
	if s.payload != nil {
		return nil, nil
	}
	spec, gathered, identity := &s.object.Spec, &payload{secret: s.secretImport}, newDigest()
	for _, record := range spec.Data {
		gathered.records = append(gathered.records, record.Raw)
		identity.add(record.Raw)
	}
	budget := maxRunData
	keys := keyReader{live: r.Live, namespace: s.object.Namespace, reason: reasonDataNotFound}
	for i, source := range spec.DataFrom {
		content, version, err := keys.read(ctx, keyOf(source.SecretKeyRef, source.ConfigMapKeyRef))
		if err != nil {
			return nil, err
		}
		content, parsed, err := r.unpack(s, content, budget, maxRunRecords-len(gathered.records))
		if errors.Is(err, records.ErrTooMuch) {
			return invalid(s, at, "the data is more than the %d MiB and %d records that one run can have, from dataFrom[%d] on: split it over several ImportRuns", maxRunData>>20, maxRunRecords, i), nil
		}
		if _, wait := errors.AsType[*problem](err); wait {
			return nil, err
		}
		if err != nil {
			return invalid(s, at, "dataFrom[%d] is %v", i, err), nil
		}
		budget -= len(content)
		gathered.records = append(gathered.records, parsed...)
		if source.SecretKeyRef != nil {
			gathered.secret = true
			// What little a Secret holds could be guessed from a hash of it.
			content = []byte(version + "/" + source.SecretKeyRef.Key)
		}
		identity.add(content)
	}
	if spec.Settings != nil {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(spec.Settings.Raw, &object); err != nil || object == nil {
			return invalid(s, at, "settings is not a JSON object"), nil
		}
		gathered.settings = spec.Settings.Raw
		identity.add(spec.Settings.Raw)
	}
	if len(gathered.records) == 0 {
		return invalid(s, at, "there are no records in data and dataFrom"), nil
	}
	var err error
	if gathered.batches, err = records.Divide(gathered.records, gathered.settings, int(ptr.Deref(spec.BatchSize, 0))); err != nil {
		return invalid(s, at, "%v", err), nil
	}
	gathered.digest = identity.sum()
	s.payload = gathered
	return nil, nil
}

// unpack makes records of a source, of which there is room for so many bytes and records. One
// run at a time: what is decompressed is not counted until it is there.
func (r *ImportRunReconciler) unpack(s *runScope, source []byte, room, number int) (content []byte, parsed []json.RawMessage, err error) {
	r.unpacking.Lock()
	defer r.unpacking.Unlock()
	if content, err = records.Decompress(source, room); err != nil {
		return nil, nil, err
	}
	if err := r.hold(s, len(content)); err != nil {
		return nil, nil, err
	}
	if parsed, err = records.Parse(content, number); err != nil {
		return nil, nil, err
	}
	return content, parsed, r.hold(s, len(parsed)*recordSize)
}

// invalid ends a run whose data cannot be sent.
func invalid(s *runScope, at claim, format string, args ...any) *outcome {
	because := fmt.Sprintf(format, args...)
	if at.Batch == 0 && !at.Uncertain {
		return standing(s.object, at).end(v1alpha1.RunFailed, reasonInvalidData, "%s; nothing was sent", because)
	}
	return stop(s.object, at, v1alpha1.RunFailed, reasonInvalidData, because)
}
