// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/keyref"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/records"
)

// Values of a definition from Secrets and ConfigMaps go into the document that is sent and
// compared, and into nothing that is shown, hashed or logged.

// Value is one of spec.valuesFrom, read.
type Value struct {
	// Path is the JSON pointer to where the value goes.
	Path string
	// Version of the object that the value comes from. It changes with the content, and reveals
	// nothing of it.
	Version string
	// Content is a parsed JSON value, see drift.ParseValue, or a string.
	Content any
	// Key is where the value comes from, such as: key "token" of Secret "shop".
	Key string
	// LineBreak: the value is a text that ends in a line break, and nothing says whether it belongs to
	// the value.
	LineBreak bool
}

// ReadValues reads spec.valuesFrom, past the cache. A key that does not exist is a problem of class
// Waiting, one that cannot be used is one of class Terminal; other errors are those of Kubernetes.
func ReadValues(ctx context.Context, live client.Reader, object *v1alpha1.Import) ([]Value, error) {
	var values []Value
	keys := keyref.Reader{Live: live, Namespace: object.Namespace, Reason: v1alpha1.ReasonValueNotFound}
	for _, source := range object.Spec.ValuesFrom {
		key := keyref.Of(source.SecretKeyRef, source.ConfigMapKeyRef)
		content, version, err := keys.Read(ctx, key)
		if err != nil {
			return nil, err
		}
		parsed, err := parseValue(content, source)
		if err != nil {
			return nil, problem.Terminalf(v1alpha1.ReasonInvalidValue, "spec.valuesFrom, path %s: %s is %v; correct it there", source.Path, key, err)
		}
		text, _ := parsed.(string)
		values = append(values, Value{
			Path: source.Path, Version: versionOf(source, key, version), Content: parsed, Key: key.String(),
			LineBreak: source.Format != v1alpha1.ValueFormatJSON && source.TrimSpace == nil && strings.TrimRight(text, "\r\n") != text,
		})
	}
	return values, nil
}

// versionOf changes with the content of a key, and with how it is read.
func versionOf(source v1alpha1.ValueSource, key keyref.Key, version string) string {
	text := fmt.Sprintf("%s %s %q %s", key.Kind, version, key.Ref.Key, source.Format)
	if ptr.Deref(source.TrimSpace, false) {
		text += " trimmed"
	}
	return text
}

// parseValue reads the content of a key. The error repeats nothing of it.
func parseValue(content []byte, source v1alpha1.ValueSource) (any, error) {
	content, err := keyref.Text(content)
	switch {
	case err != nil:
		return nil, err
	case !utf8.Valid(content):
		return nil, errors.New("not UTF-8 text")
	case source.Format == v1alpha1.ValueFormatJSON:
	case ptr.Deref(source.TrimSpace, false):
		return strings.TrimSpace(string(content)), nil
	default:
		return string(content), nil
	}
	var valid json.RawMessage
	if err := json.Unmarshal(content, &valid); err != nil {
		return nil, fmt.Errorf("not JSON: %s", records.Position(content, err))
	}
	return drift.ParseValue(valid)
}

// reserve makes places in the document for the values, and remembers where they are.
func (d *Desired) reserve(values []Value) error {
	for _, v := range values {
		if fields.ServerSets(v.Path) {
			return problem.Terminalf(v1alpha1.ReasonInvalidDefinition, "spec.valuesFrom, path %s: the server sets this field itself; remove it from spec.valuesFrom", v.Path)
		}
		if err := drift.Set(d.Document, v.Path, nil); err != nil {
			return problem.Terminalf(v1alpha1.ReasonInvalidValue, "spec.valuesFrom, path %s does not fit the definition: %v; correct the path or the definition", v.Path, err)
		}
		d.Secrets = append(d.Secrets, v.Path)
	}
	return nil
}

// fill puts the values into their places.
func (d *Desired) fill(values []Value) error {
	for _, v := range values {
		if err := drift.Set(d.Document, v.Path, v.Content); err != nil {
			return err
		}
	}
	return nil
}

// versionsHash changes when any value may have changed. A value may have an alias in it, so a
// change of the Account's aliases counts too.
func versionsHash(values []Value, aliases map[string]v1alpha1.ID) string {
	sum := sha256.New()
	for _, v := range values {
		_, _ = fmt.Fprintf(sum, "%s %s\n", v.Path, v.Version)
	}
	// A map of strings can always be encoded, with its keys sorted.
	encoded, _ := json.Marshal(aliases)
	_, _ = sum.Write(encoded)
	return hex.EncodeToString(sum.Sum(nil)[:12])
}
