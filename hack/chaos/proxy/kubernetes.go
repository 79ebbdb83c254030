// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
)

// Filter changes what the manager reads from Kubernetes.
type Filter interface {
	// Answer answers a request itself and returns true, or returns false.
	Answer(http.ResponseWriter, *http.Request) bool
	// Modify changes an answer of the API server.
	Modify(*http.Response) error
}

// KubernetesOptions configure a proxy to the API server.
type KubernetesOptions struct {
	Controller Controller
	Recorder   *Recorder
	Filter     Filter
	// Manager is the number of the process that uses the proxy, Config who it is.
	Manager int
	Config  *rest.Config
	// Namespace is the only one that the manager sees. It watches a whole cluster: that way many
	// sandboxes share a control plane, and no two managers see each other's objects.
	Namespace string
	// Selector, if any, has the manager see the objects with these labels instead, in every namespace.
	Selector string
	// IgnoreForbidden has answers of 403 not recorded.
	IgnoreForbidden bool
}

// NewKubernetes starts the proxy of one manager process to the API server.
func NewKubernetes(o KubernetesOptions) (*Proxy, error) {
	target, err := url.Parse(o.Config.Host)
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(o.Config)
	if err != nil {
		return nil, err
	}
	k := &kubernetes{KubernetesOptions: o, target: target, transport: transport}
	k.reverse = &httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { k.aim(p.Out) },
		Transport:     transport,
		FlushInterval: -1, // watches are streams
		ModifyResponse: func(response *http.Response) error {
			k.recordForbidden(response.Request, response.StatusCode, "")
			return o.Filter.Modify(response)
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0), // its requests are meant to fail
	}
	p := &Proxy{Kubernetes: true, Manager: o.Manager, controller: o.Controller, recorder: o.Recorder,
		name: kubernetesWrite, forward: k.forward, rest: http.HandlerFunc(k.read)}
	return p, p.listen()
}

type kubernetes struct {
	KubernetesOptions

	target    *url.URL
	transport http.RoundTripper
	reverse   *httputil.ReverseProxy
}

// aim directs a request to the API server and its namespace.
func (k *kubernetes) aim(r *http.Request) {
	confine(r, k.Namespace, k.Selector)
	r.URL.Scheme, r.URL.Host, r.Host, r.RequestURI = k.target.Scheme, k.target.Host, k.target.Host, ""
	r.Header.Del("Authorization")
}

func (k *kubernetes) forward(r *http.Request) (*Answer, error) {
	k.aim(r)
	response, err := k.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	body, err := io.ReadAll(response.Body)
	by := ""
	if bytes.Contains(body, []byte("ValidatingAdmissionPolicy")) {
		by = ByPolicy
	}
	k.recordForbidden(r, response.StatusCode, by)
	return &Answer{response.StatusCode, response.Header, body}, err
}

func (k *kubernetes) read(w http.ResponseWriter, r *http.Request) {
	if p, ok := ParsePath(r.URL.Path); ok && p.Name == "" && (p.Resource == "secrets" || p.Resource == "configmaps") &&
		!strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadata") {
		k.Recorder.forbidden("the contents of all " + p.Resource + " are read")
	}
	if k.Filter.Answer(w, r) {
		return
	}
	k.reverse.ServeHTTP(w, r)
}

// ByPolicy ends the record of a request that an admission policy denied, and not the role.
const ByPolicy = " by an admission policy"

// recordForbidden records what the API server denied.
func (k *kubernetes) recordForbidden(r *http.Request, status int, by string) {
	if status == http.StatusForbidden && !k.IgnoreForbidden {
		k.Recorder.forbidden(fmt.Sprintf("%s %s%s", r.Method, r.URL.Path, by))
	}
}
