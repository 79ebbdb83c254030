// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/json"
	"testing"
)

// TestString: what is read without unmarshalling is what unmarshalling gives.
func TestString(t *testing.T) {
	for _, raw := range []string{
		`"orders"`, `""`, `"a b~"`, `"Büro"`, `"\u00fc"`, `"\n"`, `"a\"b"`, `"a\\"`, `"\\"`, `"`, `"\"`, `"a"b"`, "\"\x7f\"", "\"\xff\"", "\"a\tb\"",
		`null`, `1`, `{"a":"b"}`, ``,
	} {
		var want string
		if json.Unmarshal([]byte(raw), &want) != nil {
			want = ""
		}
		if got := String(json.RawMessage(raw)); got != want {
			t.Errorf("%q: got %q, not %q", raw, got, want)
		}
	}
}
