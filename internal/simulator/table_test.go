// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator/corpus"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// TestTable: every line of the table is true of the simulator. A document with the field, in each of its
// types and values, is stored and answered as the line says.
func TestTable(t *testing.T) {
	h := newHarness(t)
	must(t, h.AddConnection("acme", Connection{ID: corpus.Connection}))
	must(t, h.SetRate(1e9, 1e9))
	for field := range fields.All() {
		for i, line := range corpus.Lines(field) {
			t.Run(fmt.Sprintf("%s %d", corpus.Title(field), i), func(t *testing.T) {
				h := h.in(t)
				body, err := wire.Encode(line.Document)
				must(t, err)
				stored := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", string(body)))
				got, found := corpus.At(stored, field)
				switch {
				case line.Sample.Ignored:
					if found && document.Equal(got, line.Sample.Sent) {
						t.Error("the server took its own field from a document")
					}
				case field.Masked:
					if secrets := fmt.Sprint(got); strings.Contains(secrets, "UPPER:UPPER") {
						t.Errorf("a secret is shown: %s", secrets)
					}
				case isDropped(field, line.Sample.Sent):
					if found {
						t.Errorf("stored: %v", got)
					}
				default:
					if diff := cmp.Diff(line.Sample.Stored, withoutDefaults(field, line.Sample.Stored, document.DeepCopy(got))); diff != "" {
						t.Errorf("sent %#v (-want +stored):\n%s", line.Sample.Sent, diff)
					}
				}
				again := h.doc(h.expect(http.StatusOK, http.MethodGet, "/v1/imports/"+document.Text(stored, "_id"), ""))
				h.same(stored, again)
			})
		}
	}
}

func isDropped(field *fields.Field, sent any) bool {
	list, isList := sent.([]any)
	empties := map[string]bool{"/file/lookups": true, "/mapping/lists": true, "/parsers": true}
	return isList && len(list) == 0 && empties[field.Path]
}

// withoutDefaults leaves out of an object that was sent empty what the server added.
func withoutDefaults(field *fields.Field, want, got any) any {
	if field.Free {
		return got
	}
	sent, wasObject := want.(document.Document)
	stored, isObject := got.(document.Document)
	if list, ok := want.([]any); ok && len(list) == 1 {
		if answered, ok := got.([]any); ok && len(answered) == 1 {
			return []any{withoutDefaults(field.Elements(), list[0], answered[0])}
		}
	}
	if !wasObject || !isObject || len(sent) > 0 {
		return got
	}
	for name := range stored {
		if member := field.Member(name); member != nil && (member.Default != nil || field.IsServer(name)) {
			delete(stored, name)
		}
	}
	return stored
}

// TestTableDefaults: a field that is left out of an object gets the default of its line.
func TestTableDefaults(t *testing.T) {
	h := newHarness(t)
	must(t, h.AddConnection("acme", Connection{ID: corpus.Connection}))
	for field := range fields.All() {
		if field.Default == nil || strings.Contains(field.Path, "*") {
			continue
		}
		t.Run(corpus.Title(field), func(t *testing.T) {
			h := h.in(t)
			doc := corpus.Base(corpus.AdaptorFor(field.Path), "defaults")
			tokens := fields.Tokens(field.Path)
			object := doc
			for _, token := range tokens[:len(tokens)-1] {
				document.SetDefault(object, token, Document{})
				object = document.Object(object, token)
			}
			delete(object, tokens[len(tokens)-1])
			body, err := wire.Encode(doc)
			must(t, err)
			stored := h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports", string(body)))
			got, _ := corpus.At(stored, field)
			encoded, err := wire.Encode(field.Default)
			must(t, err)
			want, err := document.Decode(encoded)
			must(t, err)
			h.same(want, got)
		})
	}
}
