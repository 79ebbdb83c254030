// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"encoding/json"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

func TestIdentify(t *testing.T) {
	session := func(token string) *account.Session {
		client, err := integrator.New(integrator.Config{BaseURL: "https://api.integrator.io", Token: token})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		return &account.Session{Client: client}
	}
	payload := func(settings string, records ...string) runstate.Payload {
		p := runstate.Payload{Settings: json.RawMessage(settings)}
		for _, record := range records {
			p.Records = append(p.Records, json.RawMessage(record))
		}
		return p
	}
	own := session("a")
	of := identify(own, payload(`{"s":1}`, `{"a":1}`, `{"b":2}`))
	for name, tc := range map[string]struct {
		reason  string
		payload runstate.Payload
		same    bool
	}{
		"Same":          {"the same data", payload(`{"s":1}`, `{"a":1}`, `{"b":2}`), true},
		"Blanks":        {"another layout of the same values", payload(`{ "s": 1 }`, "{\n \"a\": 1}", `{"b": 2}`), true},
		"Value":         {"another value", payload(`{"s":1}`, `{"a":1}`, `{"b":3}`), false},
		"Text":          {"blanks in a text are part of it", payload(`{"s":1}`, `{"a ":1}`, `{"b":2}`), false},
		"Order":         {"another order", payload(`{"s":1}`, `{"b":2}`, `{"a":1}`), false},
		"More":          {"a record more", payload(`{"s":1}`, `{"a":1}`, `{"b":2}`, `{}`), false},
		"Settings":      {"other settings", payload(`{"s":2}`, `{"a":1}`, `{"b":2}`), false},
		"Settings gone": {"none is not the same as an empty object", payload(``, `{"a":1}`, `{"b":2}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := identify(own, tc.payload); (got == of) != tc.same {
				t.Errorf("%s: %+v and %+v", tc.reason, of, got)
			}
		})
	}
	if other := identify(session("b"), payload(`{"s":1}`, `{"a":1}`, `{"b":2}`)); other.Hash == of.Hash || other.KeyID == of.KeyID {
		t.Errorf("another token gives %+v", other)
	}
}
