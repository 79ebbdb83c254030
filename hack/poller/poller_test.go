// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/google/go-cmp/cmp"
)

func TestContains(t *testing.T) {
	tests := []struct {
		reason          string
		there, declared string
		want            bool
	}{
		{"what the platform adds is no difference", `{"name":"a","_id":"1"}`, `{"name":"a"}`, true},
		{"another value is one", `{"name":"b"}`, `{"name":"a"}`, false},
		{"a field that is not there is one", `{}`, `{"name":"a"}`, false},
		{"lists are compared item by item", `{"body":[{"x":1,"y":2}]}`, `{"body":[{"x":1}]}`, true},
		{"a longer list is a difference", `{"body":[1,2]}`, `{"body":[1]}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			var there, declared any
			for text, into := range map[string]*any{tt.there: &there, tt.declared: &declared} {
				if err := json.Unmarshal([]byte(text), into); err != nil {
					t.Fatal(err)
				}
			}
			if got := contains(there, declared); got != tt.want {
				t.Errorf("%t", got)
			}
		})
	}
}

// TestExternal: one request for each call of the reconciler, and none before there is an id.
func TestExternal(t *testing.T) {
	var requests []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r.Method+" "+r.URL.Path)
		switch {
		case r.Header.Get("Authorization") != "Bearer t":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodGet && r.URL.Path == "/v1/imports/gone":
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write([]byte(`{"_id":"5","name":"other"}`)) // the client says so
		}
	}))
	defer server.Close()
	e, object := &external{newAPI(server.URL, "t")}, &PolledImport{}
	object.Spec.Definition.Raw = []byte(`{"name":"orders"}`)
	var seen []managed.ExternalObservation
	observe := func() {
		observation, err := e.Observe(t.Context(), object)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, observation)
	}
	observe()
	if _, err := e.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	observe()
	meta.SetExternalName(object, "gone")
	observe()
	if diff := cmp.Diff([]managed.ExternalObservation{{}, {ResourceExists: true}, {}}, seen); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"POST /v1/imports", "GET /v1/imports/5", "GET /v1/imports/gone"}, requests); diff != "" {
		t.Error(diff)
	}
}
