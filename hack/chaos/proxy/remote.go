// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"net/http"
	"regexp"
	"strings"
)

// RemoteOptions configure a proxy to the API.
type RemoteOptions struct {
	Controller Controller
	Recorder   *Recorder
	// API serves the requests.
	API http.Handler
	// Override returns the answer to a read instead of that of the API; nil to pass it on.
	Override func(*http.Request) *Answer
}

// NewRemote starts a proxy to the API.
func NewRemote(o RemoteOptions) (*Proxy, error) {
	p := &Proxy{
		controller: o.Controller,
		recorder:   o.Recorder,
		name: func(r *http.Request) string {
			o.Recorder.request(r.Method == http.MethodGet && r.URL.Path == "/v1/imports" && !r.URL.Query().Has("skip"), readAlone(r))
			return remoteWrite(r)
		},
		forward: func(r *http.Request) (*Answer, error) { return serveWhole(o.API, r) },
		rest: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if a := o.Override(r); a != nil {
				a.WriteTo(w)
				return
			}
			o.API.ServeHTTP(w, r)
		}),
	}
	return p, p.listen()
}

// readAlone is the id of the import that a request reads, "" if it is another request.
func readAlone(r *http.Request) string {
	id, ok := strings.CutPrefix(r.URL.Path, "/v1/imports/")
	if !ok || r.Method != http.MethodGet || strings.Contains(id, "/") {
		return ""
	}
	return id
}

var remoteID = regexp.MustCompile(`[0-9a-f]{24}`)

// remoteWrite names a write to the API, such as POST.imports.id.invoke.
func remoteWrite(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return ""
	}
	path := remoteID.ReplaceAllString(strings.TrimPrefix(r.URL.Path, "/v1/"), "id")
	return r.Method + "." + strings.ReplaceAll(path, "/", ".")
}
