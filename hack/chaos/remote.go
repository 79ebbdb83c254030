// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"path"
	"regexp"
	"strings"
)

var remoteID = regexp.MustCompile(`[0-9a-f]{24}`)

// remoteWrite names a write to the API, such as POST.imports.id.invoke.
func remoteWrite(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return ""
	}
	path := remoteID.ReplaceAllString(strings.TrimPrefix(r.URL.Path, "/v1/"), "id")
	return r.Method + "." + strings.ReplaceAll(path, "/", ".")
}

// newRemoteGate returns the gate to the stage's account.
func newRemoteGate(s *stage) *gate {
	handler := s.sim.Handler()
	return &gate{
		stage: s,
		name: func(r *http.Request) string {
			s.trace.heard(r.Method == http.MethodGet && r.URL.Path == "/v1/imports" && !r.URL.Query().Has("skip"))
			return remoteWrite(r)
		},
		forward: func(r *http.Request) (*answer, error) { return serveWhole(handler, r) },
		pass: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s.denies(r) {
				notFound(path.Base(r.URL.Path)).writeTo(w)
				return
			}
			handler.ServeHTTP(w, r)
		}),
	}
}

// denies tells that the weather has the API say of an import that it is not there.
func (s *stage) denies(r *http.Request) bool {
	s.mu.Lock()
	armed := s.armed
	s.mu.Unlock()
	return armed && r.Method == http.MethodGet && path.Dir(r.URL.Path) == "/v1/imports" && s.weather.chance(s.weather.absent)
}

// notFound is the API's own 404 for an import that the account's list can bear out, and that of a
// gateway for one that nothing was known of before.
func notFound(id string) *answer {
	if id == originalID {
		return page(http.StatusNotFound)
	}
	return refusal(http.StatusNotFound)
}
