// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
)

// The manager watches a whole cluster. Its gate shows it one namespace for that: so many
// stages share a control plane, and no two managers see each other's objects.

// resourcePath is what the path of a request to an API server names.
type resourcePath struct {
	group     string // as it begins the path: /api/v1 or /apis/integrator.io/v1alpha1
	namespace string
	resource  string
	name      string
	sub       string
}

// parsePath reads a path. ok is false for what is no resource, such as discovery.
func parsePath(path string) (p resourcePath, ok bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	prefix := 2
	if parts[0] == "apis" {
		prefix = 3
	}
	if parts[0] != "api" && parts[0] != "apis" || len(parts) <= prefix {
		return p, false
	}
	p.group = "/" + strings.Join(parts[:prefix], "/")
	rest := parts[prefix:]
	if rest[0] == "namespaces" && len(rest) > 2 {
		p.namespace, rest = rest[1], rest[2:]
	}
	for i, field := range []*string{&p.resource, &p.name, &p.sub} {
		if i < len(rest) {
			*field = rest[i]
		}
	}
	return p, true
}

// shared are resources that the manager looks at in every namespace.
var shared = map[string]bool{"accounts": true, "imports": true, "importruns": true, "secrets": true, "configmaps": true}

// confine has a request for all namespaces ask for one.
func confine(r *http.Request, namespace string) {
	if p, ok := parsePath(r.URL.Path); ok && p.namespace == "" && shared[p.resource] && p.name == "" {
		r.URL.Path = p.group + "/namespaces/" + namespace + "/" + p.resource
		r.URL.RawPath = ""
	}
}

// kubernetesWrite names a write to Kubernetes, such as patch.imports.orders.status. Events
// and leases are not among them: nothing depends on the one, and the other has a campaign
// of its own.
func kubernetesWrite(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return ""
	}
	p, ok := parsePath(r.URL.Path)
	if !ok || p.resource == "events" || p.resource == "leases" || strings.HasPrefix(p.group, "/apis/auth") {
		return ""
	}
	verb := strings.ToLower(r.Method)
	if verb == "post" {
		verb = "create"
	}
	parts := []string{verb, p.resource}
	for _, part := range []string{p.name, p.sub} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ".")
}

// newKubernetesGate returns the gate of one manager process to the API server.
func newKubernetesGate(s *stage, manager int, config *rest.Config) (*gate, error) {
	target, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(s.identity(config))
	if err != nil {
		return nil, err
	}
	g := &gate{stage: s, manager: manager, name: kubernetesWrite}
	aim := func(r *http.Request) {
		confine(r, s.namespace)
		r.URL.Scheme, r.URL.Host, r.Host, r.RequestURI = target.Scheme, target.Host, target.Host, ""
		r.Header.Del("Authorization")
	}
	g.forward = func(r *http.Request) (*answer, error) {
		aim(r)
		response, err := transport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer func() { _ = response.Body.Close() }() // it was read to its end
		body, err := io.ReadAll(response.Body)
		s.notice(r, response.StatusCode)
		return &answer{response.StatusCode, response.Header, body}, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { aim(p.Out) },
		Transport:     transport,
		FlushInterval: -1, // watches are streams
		ModifyResponse: func(response *http.Response) error {
			s.notice(response.Request, response.StatusCode)
			return s.weather.bend(response)
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     quiet,
	}
	g.pass = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p, ok := parsePath(r.URL.Path); ok && p.name == "" && (p.resource == "secrets" || p.resource == "configmaps") &&
			!strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadata") {
			s.trace.forbidden("the contents of all " + p.resource + " are read")
		}
		if s.weather.answer(w, r) {
			return
		}
		proxy.ServeHTTP(w, r)
	})
	return g, nil
}

// notice keeps what the API server denied.
func (s *stage) notice(r *http.Request, status int) {
	// An API server that has just started denies everything for a moment.
	if status == http.StatusForbidden && s.plan.outage == nil {
		s.trace.forbidden(fmt.Sprintf("%s %s", r.Method, r.URL.Path))
	}
}

func (g *gate) kubernetes() bool { return g != g.stage.remote }
