// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"net/http"
	"strings"
)

// ResourcePath is what the path of a request to an API server names.
type ResourcePath struct {
	Group     string // as it begins the path: /api/v1 or /apis/integrator.io/v1alpha1
	Namespace string
	Resource  string
	Name      string
	Sub       string
}

// ParsePath reads a path. ok is false for what is no resource, such as discovery.
func ParsePath(path string) (p ResourcePath, ok bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	prefix := 2
	if parts[0] == "apis" {
		prefix = 3
	}
	if parts[0] != "api" && parts[0] != "apis" || len(parts) <= prefix {
		return p, false
	}
	p.Group = "/" + strings.Join(parts[:prefix], "/")
	rest := parts[prefix:]
	if rest[0] == "namespaces" && len(rest) > 2 {
		p.Namespace, rest = rest[1], rest[2:]
	}
	for i, field := range []*string{&p.Resource, &p.Name, &p.Sub} {
		if i < len(rest) {
			*field = rest[i]
		}
	}
	return p, true
}

// watched are the resources that the manager watches in every namespace.
var watched = map[string]bool{"accounts": true, "imports": true, "importruns": true, "secrets": true, "configmaps": true}

// Watched reports whether the manager watches the resource in every namespace.
func (p ResourcePath) Watched() bool { return watched[p.Resource] }

// confine turns a request for all namespaces into one for a single namespace, or, if there is a
// label selector, for the objects that it selects.
func confine(r *http.Request, namespace, selector string) {
	p, ok := ParsePath(r.URL.Path)
	if !ok || p.Namespace != "" || !p.Watched() || p.Name != "" {
		return
	}
	if selector == "" {
		r.URL.Path = p.Group + "/namespaces/" + namespace + "/" + p.Resource
		r.URL.RawPath = ""
		return
	}
	query := r.URL.Query()
	if own := query.Get("labelSelector"); own != "" {
		selector = own + "," + selector
	}
	query.Set("labelSelector", selector)
	r.URL.RawQuery = query.Encode()
}

// kubernetesWrite names a write to Kubernetes, such as patch.imports.orders.status. Events and
// leases are not among them: nothing depends on events, and leader election has faults of its
// own.
func kubernetesWrite(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return ""
	}
	p, ok := ParsePath(r.URL.Path)
	if !ok || p.Resource == "events" || p.Resource == "leases" || strings.HasPrefix(p.Group, "/apis/auth") {
		return ""
	}
	verb := strings.ToLower(r.Method)
	if verb == "post" {
		verb = "create"
	}
	parts := []string{verb, p.Resource}
	for _, part := range []string{p.Name, p.Sub} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ".")
}
