// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator/choices"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// TestEveryLineIsThere: the short form has every line of the table too, and nothing that the API refuses.
func TestEveryLineIsThere(t *testing.T) {
	for name, test := range map[string]struct {
		named []Named
		least int
	}{"all": {All(), 1000}, "short": {Short(), 100}} {
		t.Run(name, func(t *testing.T) {
			if len(test.named) < test.least {
				t.Errorf("%d documents, want %d", len(test.named), test.least)
			}
			seen, total, largest := map[*fields.Field]bool{}, 0, 0
			for _, named := range test.named {
				note(seen, fields.Root, named.Document)
				encoded, err := json.Marshal(named.Document)
				if err != nil {
					t.Fatal(err)
				}
				total, largest = total+len(encoded), max(largest, len(encoded))
				copied := document.Copy(named.Document)
				document.KeepServerMade(copied, nil)
				if problems := document.Prepare(copied, "", choices.Default(), func(string) bool { return true }); len(problems) > 0 {
					t.Errorf("%s: %v", named.Name, problems)
				}
			}
			for field := range fields.All() {
				if !seen[field] && field.Path != "/_connectorId" {
					t.Errorf("no document has %s", field.Path)
				}
			}
			t.Logf("%d documents of %d bytes on average, the largest has %d", len(test.named), total/len(test.named), largest)
		})
	}
}

// note marks the fields that a value has.
func note(seen map[*fields.Field]bool, field *fields.Field, value any) {
	if field == nil {
		return
	}
	seen[field] = true
	switch typed := value.(type) {
	case document.Document:
		for name, below := range typed {
			if !field.IsFree() {
				note(seen, field.Member(name), below)
			}
		}
	case []any:
		for _, element := range typed {
			if !field.IsFree() {
				note(seen, field.Elements(), element)
			}
		}
	}
}

func TestDeterministic(t *testing.T) {
	if !reflect.DeepEqual(All(), All()) {
		t.Error("two calls return different documents")
	}
}
