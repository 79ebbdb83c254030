// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Options of a Server; the zero value is ready for use.
type Options struct {
	// Clock gives dates, the rate limit and the waits of fault rules their time.
	// Default: the real clock.
	Clock clock.Clock
	// Random is where ids come from. Default: crypto/rand.
	Random io.Reader
	// PageSize is the number of entries in a page of a list that names no
	// `limit`. Default 3: clients have to follow links.
	PageSize int
	// RequestsPerSecond and Burst are the refill and the capacity of each
	// account's bucket. Default 300 and 1,000.
	RequestsPerSecond float64
	Burst             int
	// Choices in force at the start. Default: DefaultChoices.
	Choices *Choices
	// LedgerSize is the number of requests that the ledger remembers; the oldest
	// are forgotten. Default 200,000.
	LedgerSize int
}

// Server is the simulated API. All its methods are safe for concurrent use.
type Server struct {
	clock    clock.Clock
	random   io.Reader
	pageSize int
	handler  http.Handler
	closed   chan struct{} // releases what fault rules hold
	close    sync.Once

	mu        sync.Mutex // guards all below
	choices   Choices
	accounts  map[string]*account
	ledger    ledger
	faults    faults
	perSecond float64
	burst     int
	stateFile string
}

// New makes a simulator without accounts. It panics on options that no server
// could run with.
func New(opts Options) *Server {
	s := &Server{
		clock:     opts.Clock,
		random:    opts.Random,
		pageSize:  opts.PageSize,
		closed:    make(chan struct{}),
		choices:   DefaultChoices(),
		accounts:  map[string]*account{},
		ledger:    ledger{limit: opts.LedgerSize},
		perSecond: opts.RequestsPerSecond,
		burst:     opts.Burst,
	}
	if s.clock == nil {
		s.clock = clock.RealClock{}
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	if s.pageSize <= 0 {
		s.pageSize = 3
	}
	if s.perSecond <= 0 {
		s.perSecond = 300
	}
	if s.burst <= 0 {
		s.burst = 1000
	}
	if s.ledger.limit <= 0 {
		s.ledger.limit = 200_000
	}
	if opts.Choices != nil {
		if err := opts.Choices.validate(); err != nil {
			panic(fmt.Sprintf("simulator: choices: %v", err))
		}
		s.choices = opts.Choices.clone()
	}
	s.handler = s.routes()
	return s
}

// Handler is the API, to be served at the root of a host.
func (s *Server) Handler() http.Handler { return s.handler }

// Close lets go every request that a fault rule holds, now and from now on.
func (s *Server) Close() { s.close.Do(func() { close(s.closed) }) }

// endpoint answers an authenticated, admitted request. It runs under the
// server's mutex and waits for nothing.
type endpoint func(*call) response

// call is one request on its way through the server.
type call struct {
	seq     int64
	request *http.Request
	route   string
	account *account // nil when the request was not authenticated
	actor   actor
	refusal *response
	body    []byte
	size    int64 // of the body as received; body itself is cut at the limit

	appliedID string // the import that the request changed
	records   int    // sent to invoke
}

func (c *call) id() string        { return c.request.PathValue("id") }
func (c *call) applied(id string) { c.appliedID = id }

// invokeRoute has a limit of its own for bodies.
const invokeRoute = "/v1/imports/{id}/invoke"

// routes maps every endpoint. A path without the right method is told apart
// from a path that does not exist. The singular `/import/<id>/invoke` of the
// vendor's example is a slip of that page and not served.
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
		mux.Handle(route, s.endpoint(route, methodNotAllowed(sortedKeys(methods))))
	}
	notFound := s.endpoint("", func(c *call) response {
		return failf(http.StatusNotFound, codeNotFound, "", "%s does not exist", c.request.URL.Path)
	})
	mux.Handle("/", notFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path.Clean(r.URL.Path) { // the mux would redirect past the ledger
			notFound.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func methodNotAllowed(allowed []string) endpoint {
	return func(c *call) response {
		resp := failf(http.StatusMethodNotAllowed, codeMethodNotAllowed, "", "%s is not allowed here", c.request.Method)
		resp.header = http.Header{"Allow": allowed}
		return resp
	}
}

// endpoint wraps fn in what every request goes through: ledger, fault rules
// before, admission and fn itself, fault rules after, answer.
func (s *Server) endpoint(route string, fn endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received := s.clock.Now()
		c := &call{request: r, route: route}
		sum, err := s.readBody(c)
		s.receive(c, received, sum)
		if err != nil { // the client broke off: there is no whole request to answer
			s.finish(c, 0)
			panic(http.ErrAbortHandler)
		}
		if f := s.matchFault(PhaseBefore, c); f != nil && s.inject(w, c, f, nil) {
			return
		}
		resp := s.apply(c, fn)
		if f := s.matchFault(PhaseAfter, c); f != nil && s.inject(w, c, f, &resp) {
			return
		}
		s.send(w, c, resp)
	})
}

// readBody reads the whole body, keeps it up to the limit and returns its
// SHA-256, "" when there is none.
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

// receive finds out who calls and opens the ledger entry.
func (s *Server) receive(c *call, received time.Time, sum string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.account, c.actor, c.refusal = s.authenticate(c.request)
	if value := c.request.Header.Get(UserHeader); value != "" && c.refusal == nil {
		person, err := parseUserHeader(value)
		if err != nil {
			refusal := failf(http.StatusBadRequest, codeInvalidHeader, "", "%v", err)
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
	c.seq = s.ledger.open(entry)
}

// apply admits the request and lets its endpoint act: all at once, as seen from
// other requests.
func (s *Server) apply(c *call, fn endpoint) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	resp := s.admit(c)
	if resp == nil {
		r := fn(c)
		resp = &r
	}
	if c.appliedID != "" {
		if err := s.saveLocked(); err != nil {
			*resp = failf(http.StatusInternalServerError, codeStateNotSaved, "", "%v", err)
		}
	}
	s.ledger.update(c.seq, func(e *Entry) {
		e.Applied, e.AppliedID, e.Records = c.appliedID != "", c.appliedID, c.records
	})
	return *resp
}

// admit returns the refusal of a request that does not reach its endpoint.
func (s *Server) admit(c *call) *response {
	refuse := func(resp response) *response { return &resp }
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
			return refuse(failf(http.StatusUnsupportedMediaType, codeUnsupportedType, "", "Content-Type must be application/json"))
		}
	}
	limit := s.choices.MaxDocumentBytes
	if c.route == invokeRoute {
		limit = s.choices.MaxInvokeBytes
	}
	if c.size > limit {
		return refuse(failf(http.StatusRequestEntityTooLarge, codeTooLarge, "", "the body has %d bytes, the limit is %d", c.size, limit))
	}
	return nil
}

// tokenInfo is GET /v1/tokenInfo. It tells the token's owner whoever uses it.
func (s *Server) tokenInfo(c *call) response {
	_, owner, _ := s.authenticate(c.request)
	return answer(http.StatusOK, Document{"_userId": owner.user.ID, "scope": "*"})
}

// newID makes an id of 24 hex characters, of which the first eight are the time.
func (s *Server) newID() string {
	return fmt.Sprintf("%08x%s", s.clock.Now().Unix()&0xffffffff, s.randomHex(16))
}

func (s *Server) randomHex(digits int) string {
	buf := make([]byte, (digits+1)/2)
	if _, err := io.ReadFull(s.random, buf); err != nil {
		panic(fmt.Sprintf("simulator: no random bytes: %v", err))
	}
	return hex.EncodeToString(buf)[:digits]
}
