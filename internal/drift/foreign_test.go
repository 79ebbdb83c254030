// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRedactForeign(t *testing.T) {
	const secret = "a-long-secret"
	remote := map[string]any{
		"name": "orders", "description": "copied: " + secret,
		"http": map[string]any{"headers": []any{
			map[string]any{"name": "X-First", "value": "x"}, map[string]any{"name": "X-Key", "value": secret},
		}},
	}
	at := Foreign{Secrets: []string{"/http/headers/1/value"}}
	cases := map[string]struct {
		reason  string
		foreign Foreign
		found   Difference
		want    Difference
	}{
		"Nothing":      {"nobody else has it", Foreign{}, Difference{"/http/headers", []any{}, remote["http"]}, Difference{"/http/headers", []any{}, remote["http"]}},
		"Above":        {"the array that has the secret", at, Difference{"/http/headers", []any{}, "all"}, Difference{"/http/headers", Redacted, Redacted}},
		"Beside":       {"an element may have been inserted", at, Difference{"/http/headers/0/value", "y", "x"}, Difference{"/http/headers/0/value", Redacted, Redacted}},
		"Copied":       {"the same text elsewhere", at, Difference{"/description", "mine", "copied: " + secret}, Difference{"/description", Redacted, Redacted}},
		"Another":      {"a value of no secret", at, Difference{"/name", "mine", "orders"}, Difference{"/name", "mine", "orders"}},
		"AllValues":    {"another one manages it", Foreign{Values: true}, Difference{"/name", "mine", "orders"}, Difference{"/name", "mine", Redacted}},
		"NoValue":      {"that there is none is not a secret", Foreign{Values: true}, Difference{"/debug", true, nil}, Difference{"/debug", true, nil}},
		"SecretIsGone": {"somebody changed the import: there is no such path", Foreign{Secrets: []string{"/file/key"}}, Difference{"/name", "mine", "orders"}, Difference{"/name", "mine", "orders"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]Difference{tc.want}, RedactForeign([]Difference{tc.found}, remote, tc.foreign)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
