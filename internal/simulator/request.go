// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// endpoint answers an authenticated, admitted request. It runs with the server's mutex held and waits
// for nothing.
type endpoint func(*call) wire.Response

// call is a request that is being served.
type call struct {
	seq     int64
	request *http.Request
	route   string
	account *account // nil if the request was not authenticated
	actor   actor
	refusal *wire.Response
	body    []byte
	size    int64 // of the body as received. body itself is cut at the limit

	appliedID string // the import that the request changed
	records   int    // sent to invoke
}

func (c *call) id() string        { return c.request.PathValue("id") }
func (c *call) applied(id string) { c.appliedID = id }

// invokeRoute has its own limit of body size.
const invokeRoute = "/v1/imports/{id}/invoke"

// routes maps every endpoint. A wrong method is answered differently from a path that does not exist.
// The singular `/import/<id>/invoke` in the vendor's example is a mistake of that page and not served.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for route, methods := range map[string]map[string]endpoint{
		"/v1/tokenInfo":                      {http.MethodGet: s.tokenInfo},
		"/v1/imports":                        {http.MethodGet: s.listImports, http.MethodPost: s.createImport},
		"/v1/imports/{id}":                   {http.MethodGet: s.getImport, http.MethodPut: s.putImport, http.MethodPatch: s.patchImport, http.MethodDelete: s.deleteImport},
		"/v1/imports/{id}/clone":             {http.MethodPost: s.cloneImport},
		"/v1/imports/{id}/audit":             {http.MethodGet: s.listAudit},
		invokeRoute:                          {http.MethodPost: s.invokeImport},
		"/v1/imports/{id}/replaceConnection": {http.MethodPut: s.replaceConnection},
		"/v1/imports/{id}/dependencies":      {http.MethodGet: s.dependencies},
	} {
		for method, fn := range methods {
			mux.Handle(method+" "+route, s.endpoint(route, fn))
		}
		mux.Handle(route, s.endpoint(route, methodNotAllowed(document.SortedKeys(methods))))
	}
	notFound := s.endpoint("", func(c *call) wire.Response {
		return wire.Failf(http.StatusNotFound, wire.CodeNotFound, "", "%s does not exist", c.request.URL.Path)
	})
	mux.Handle("/", notFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if base := s.Choices().BasePath; base != "" && strings.HasPrefix(r.URL.Path, base+"/") {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = strings.TrimPrefix(r.URL.Path, base), ""
		}
		if r.URL.Path != path.Clean(r.URL.Path) { // the mux would redirect without a ledger entry
			notFound.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func methodNotAllowed(allowed []string) endpoint {
	return func(c *call) wire.Response {
		resp := wire.Failf(http.StatusMethodNotAllowed, wire.CodeMethodNotAllowed, "", "%s is not allowed here", c.request.Method)
		resp.Header = http.Header{"Allow": allowed}
		return resp
	}
}

// endpoint wraps fn in the steps of every request: ledger entry, fault rules before, admission and fn
// itself, fault rules after, answer.
func (s *Server) endpoint(route string, fn endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received := s.clock.Now()
		c := &call{request: r, route: route}
		sum, err := s.readBody(c)
		s.receive(c, received, sum)
		if err != nil { // the client disconnected: the request is not complete
			s.finish(c, 0)
			panic(http.ErrAbortHandler)
		}
		if f := s.matchRule(PhaseBefore, c); f != nil && s.inject(w, c, f, nil) {
			return
		}
		resp := s.apply(c, fn)
		if f := s.matchRule(PhaseAfter, c); f != nil && s.inject(w, c, f, &resp) {
			return
		}
		wire.Send(w, c.request, resp, func(status int) { s.finish(c, status) })
	})
}

// readBody reads the whole body, keeps it up to the limit, and returns its SHA-256, "" if it is
// empty.
func (s *Server) readBody(c *call) (string, error) {
	choices := s.Choices()
	limit := max(choices.MaxDocumentBytes, choices.MaxInvokeBytes) + 1
	hash := sha256.New()
	var kept bytes.Buffer
	tee := io.TeeReader(c.request.Body, hash)
	n, err := io.Copy(&kept, io.LimitReader(tee, limit))
	if err == nil {
		var rest int64
		rest, err = io.Copy(io.Discard, tee)
		n += rest
	}
	c.body, c.size = kept.Bytes(), n
	if n == 0 {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), err
}

// receive authenticates the request and opens its ledger entry.
func (s *Server) receive(c *call, received time.Time, sum string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.account, c.actor, c.refusal = s.authenticate(c.request)
	if value := c.request.Header.Get(UserHeader); value != "" && c.refusal == nil {
		person, err := parseUserHeader(value)
		if err != nil {
			refusal := wire.Failf(http.StatusBadRequest, wire.CodeInvalidHeader, "", "%v", err)
			c.refusal = &refusal
		} else {
			c.actor = person
		}
	}
	entry := Entry{
		Method: c.request.Method, Path: c.request.URL.Path, Route: c.route, Query: c.request.URL.RawQuery,
		User: c.actor.user.Email, Source: c.actor.source, RemoteAddr: c.request.RemoteAddr,
		Received: received, BodyBytes: c.size, BodySHA256: sum,
	}
	if c.account != nil {
		entry.Account = c.account.name
	}
	c.seq = s.ledger.Open(entry)
}

// apply admits the request and runs its endpoint. For other requests, both happen at once.
func (s *Server) apply(c *call, fn endpoint) wire.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	resp := s.admit(c)
	if resp == nil {
		r := fn(c)
		resp = &r
	}
	if c.appliedID != "" {
		if err := s.saveLocked(); err != nil {
			*resp = wire.Failf(http.StatusInternalServerError, wire.CodeStateNotSaved, "", "%v", err)
		}
	}
	s.ledger.Update(c.seq, func(e *Entry) {
		e.Applied, e.AppliedID, e.Records = c.appliedID != "", c.appliedID, c.records
	})
	return *resp
}

// admit returns the refusal of a request that must not reach its endpoint, or nil.
func (s *Server) admit(c *call) *wire.Response {
	refuse := func(resp wire.Response) *wire.Response { return &resp }
	if c.account == nil {
		return c.refusal
	}
	if wait := s.take(c.account); wait > 0 {
		return refuse(rateLimited(wait))
	}
	if c.refusal != nil {
		return c.refusal
	}
	if method := c.request.Method; method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
		media, _, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
		if err != nil || media != "application/json" {
			return refuse(wire.Failf(http.StatusUnsupportedMediaType, wire.CodeUnsupportedType, "", "Content-Type must be application/json"))
		}
	}
	limit := s.choices.MaxDocumentBytes
	if c.route == invokeRoute {
		limit = s.choices.MaxInvokeBytes
	}
	if c.size > limit {
		return refuse(wire.Failf(http.StatusRequestEntityTooLarge, wire.CodeTooLarge, "", "the body has %d bytes, the limit is %d", c.size, limit))
	}
	return nil
}

// tokenInfo is GET /v1/tokenInfo. It answers with the token's user, whatever UserHeader says.
func (s *Server) tokenInfo(c *call) wire.Response {
	_, owner, _ := s.authenticate(c.request)
	return wire.Answer(http.StatusOK, Document{"_userId": owner.user.ID, "scope": "*"})
}
