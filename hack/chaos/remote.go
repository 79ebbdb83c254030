// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
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
		pass:    handler,
	}
}
