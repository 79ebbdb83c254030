// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-openapi/jsonpointer"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/records"
)

// Values of a definition from Secrets and ConfigMaps. They go into the document that is sent
// and compared, and into nothing that is shown, hashed or logged.

const (
	reasonValueNotFound = "ValueNotFound"
	reasonInvalidValue  = "InvalidValue"
)

// value is one of spec.valuesFrom, read.
type value struct {
	path string
	// version of the object that it comes from. It changes with the content, and tells
	// nothing of it.
	version string
	content any
}

// values reads spec.valuesFrom. What is not there is waited for.
func (r *ImportReconciler) values(ctx context.Context, object *v1alpha1.Import) ([]value, error) {
	var values []value
	keys := keyReader{live: r.Live, namespace: object.Namespace, reason: reasonValueNotFound}
	for _, source := range object.Spec.ValuesFrom {
		key := keyOf(source.SecretKeyRef, source.ConfigMapKeyRef)
		content, version, err := keys.read(ctx, key)
		if err != nil {
			return nil, err
		}
		parsed, err := parseValue(content, source.Format)
		if err != nil {
			return nil, terminalf(reasonInvalidValue, "spec.valuesFrom, path %s: key %q of %s %q is %v; correct it there", source.Path, key.ref.Key, key.kind, key.ref.Name, err)
		}
		values = append(values, value{path: source.Path, version: fmt.Sprintf("%s %s %q %s", key.kind, version, key.ref.Key, source.Format), content: parsed})
	}
	return values, nil
}

// parseValue reads the content of a key. The error repeats nothing of it.
func parseValue(content []byte, format v1alpha1.ValueFormat) (any, error) {
	switch {
	case !utf8.Valid(content):
		return nil, errors.New("not UTF-8 text")
	case format != v1alpha1.ValueFormatJSON:
		return string(content), nil
	}
	var valid json.RawMessage
	if err := json.Unmarshal(content, &valid); err != nil {
		return nil, fmt.Errorf("not JSON: %s", records.Position(err))
	}
	return drift.ParseValue(valid)
}

// reserve makes the places of the values in the document, and remembers where they are.
func (d *desired) reserve(values []value) error {
	for _, v := range values {
		if field := fieldOf(v.path); slices.Contains(serverOwned, field) {
			return terminalf(reasonInvalidDefinition, "spec.valuesFrom, path %s: the server makes %s itself; remove it from spec.valuesFrom", v.path, field)
		}
		if err := drift.Set(d.document, v.path, nil); err != nil {
			return terminalf(reasonInvalidValue, "spec.valuesFrom, path %s does not fit the definition: %v; correct the path or the definition", v.path, err)
		}
		d.secrets = append(d.secrets, v.path)
	}
	return nil
}

// fill puts the values in their places.
func (d *desired) fill(values []value) error {
	for _, v := range values {
		if err := drift.Set(d.document, v.path, v.content); err != nil {
			return err
		}
	}
	return nil
}

// fieldOf is the field of the document that a path is in.
func fieldOf(path string) string {
	field, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return jsonpointer.Unescape(field)
}

// versionOf tells whether any value may have changed. An alias may stand in a value: that
// the Account's changed counts too.
func versionOf(values []value, ids map[string]v1alpha1.ID) string {
	sum := sha256.New()
	for _, v := range values {
		_, _ = fmt.Fprintf(sum, "%s %s\n", v.path, v.version)
	}
	// A map of strings can always be encoded, with its keys sorted.
	encoded, _ := json.Marshal(ids)
	_, _ = sum.Write(encoded)
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

// changed tells that what is declared has changed since it was compared last. A Secret that
// is another version than then may only have been touched: it counts when the remote differs
// where its values go, or cannot be compared there.
func (s *importScope) changed(found []drift.Difference, released []string) bool {
	if !s.specChanged() || !s.onlyVersionsChanged() {
		return s.specChanged()
	}
	secrets := s.desired.secrets
	return s.rewritesValues() ||
		slices.ContainsFunc(found, func(d drift.Difference) bool { return drift.Touches(d.Path, secrets) }) ||
		slices.ContainsFunc(released, func(path string) bool { return drift.Touches(path, secrets) })
}

// onlyVersionsChanged tells that all is declared as before, but for the versions of the
// Secrets and ConfigMaps.
func (s *importScope) onlyVersionsChanged() bool {
	before, _, had := strings.Cut(s.object.Status.DesiredHash, ".")
	now, _, has := strings.Cut(s.desired.hash, ".")
	return before == now && had && has
}

// rewrites tells that what is declared has to be written although no comparison can tell: it
// changed, and it has fields that the API masks.
func (s *importScope) rewrites() bool {
	if s.onlyVersionsChanged() {
		return s.specChanged() && s.rewritesValues()
	}
	return s.specChanged() && s.declaresWriteOnly()
}

// rewritesValues tells that a value goes where the API masks it.
func (s *importScope) rewritesValues() bool {
	return slices.ContainsFunc(s.desired.secrets, func(path string) bool { return drift.Touches(path, writeOnly) })
}

// failed is the problem that an error of the API makes.
func (s *importScope) failed(err error, what string) error {
	err = s.discreet(err)
	return asError(classify(err, what), err)
}

// discreet takes the API's words, which could repeat a value, out of the error of an Import
// that has values from elsewhere. Codes and names of fields stay.
func (s *importScope) discreet(err error) error {
	if len(s.object.Spec.ValuesFrom) == 0 {
		return err
	}
	return withoutWords(err, true)
}
