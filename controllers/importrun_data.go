// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// payload is what a run sends.
type payload struct {
	records  []json.RawMessage
	settings json.RawMessage
	// secret tells that some of it comes from a Secret.
	secret bool
}

func (p *payload) counts() v1alpha1.RecordCounts {
	//nolint:gosec // the 5 MB page holds far fewer than 2^31 records
	return v1alpha1.RecordCounts{Total: int32(len(p.records))}
}

// gather collects the records from data and dataFrom, in order. Data that cannot be sent
// ends the run; a source that is not there is waited for.
func (r *ImportRunReconciler) gather(ctx context.Context, s *runScope) (*outcome, error) {
	spec := &s.object.Spec
	for _, record := range spec.Data {
		s.payload.records = append(s.payload.records, record.Raw)
	}
	for i, source := range spec.DataFrom {
		content, err := r.read(ctx, s.object.Namespace, source)
		if err != nil {
			return nil, err
		}
		records, err := parseRecords(content)
		if err != nil {
			return invalid("dataFrom[%d] is %v", i, err), nil
		}
		s.payload.records = append(s.payload.records, records...)
		s.payload.secret = s.payload.secret || source.SecretKeyRef != nil
	}
	if spec.Settings != nil {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(spec.Settings.Raw, &object); err != nil || object == nil {
			return invalid("settings is not a JSON object"), nil
		}
		s.payload.settings = spec.Settings.Raw
	}
	size := len(s.payload.settings)
	for _, record := range s.payload.records {
		size += len(record) + 1
	}
	switch {
	case len(s.payload.records) == 0:
		return invalid("there are no records in data and dataFrom"), nil
	case size > maxPage:
		return invalid("the records are %d bytes, more than the %d that the API takes in one call: split them over several ImportRuns", size, maxPage), nil
	}
	return nil, nil
}

func invalid(format string, args ...any) *outcome {
	return &outcome{phase: v1alpha1.RunFailed, reason: reasonInvalidData,
		message: fmt.Sprintf(format, args...) + "; nothing was sent"}
}

// read returns the content of one source of data.
func (r *ImportRunReconciler) read(ctx context.Context, namespace string, source v1alpha1.DataSource) ([]byte, error) {
	keys := keyReader{live: r.Live, namespace: namespace, reason: reasonDataNotFound}
	content, _, err := keys.read(ctx, keyOf(source.SecretKeyRef, source.ConfigMapKeyRef))
	return content, err
}

func contentOf(object client.Object, key string) ([]byte, bool) {
	switch typed := object.(type) {
	case *corev1.Secret:
		content, ok := typed.Data[key]
		return content, ok
	case *corev1.ConfigMap:
		if text, ok := typed.Data[key]; ok {
			return []byte(text), true
		}
		content, ok := typed.BinaryData[key]
		return content, ok
	default:
		return nil, false
	}
}
