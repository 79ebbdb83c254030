// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// adminEndpoint answers a request to the admin interface; a nil value answers
// with 204.
type adminEndpoint func(r *http.Request) (any, error)

// AdminHandler is the admin interface that the package documentation lists. It
// has no authentication: serve it on loopback only.
func (s *Server) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	for pattern, fn := range map[string]adminEndpoint{
		"GET /healthz": func(*http.Request) (any, error) { return nil, nil },

		"GET /accounts":              func(*http.Request) (any, error) { return s.accountReports(), nil },
		"POST /accounts":             taking(s.AddAccount),
		"GET /accounts/{account}":    s.adminAccount,
		"DELETE /accounts/{account}": func(r *http.Request) (any, error) { return nil, s.RemoveAccount(accountIn(r)) },

		"POST /accounts/{account}/tokens":        takingIn(s.AddToken),
		"POST /accounts/{account}/tokens/revoke": takingIn(func(account string, t Token) error { return s.RevokeToken(account, t.Token) }),
		"POST /accounts/{account}/connections":   takingIn(s.AddConnection),
		"DELETE /accounts/{account}/connections/{id}": func(r *http.Request) (any, error) {
			return nil, s.RemoveConnection(accountIn(r), r.PathValue("id"))
		},
		"POST /accounts/{account}/flows": takingIn(s.AddFlow),
		"DELETE /accounts/{account}/flows/{id}": func(r *http.Request) (any, error) {
			return nil, s.RemoveFlow(accountIn(r), r.PathValue("id"))
		},

		"GET /accounts/{account}/imports":              func(r *http.Request) (any, error) { return allShown(s.Imports(accountIn(r))), nil },
		"POST /accounts/{account}/imports":             s.adminSeed,
		"GET /accounts/{account}/imports/{id}/written": s.adminWritten,
		"GET /accounts/{account}/recycle-bin":          func(r *http.Request) (any, error) { return allShown(s.RecycleBin(accountIn(r))), nil },
		"POST /accounts/{account}/recycle-bin/{id}/restore": func(r *http.Request) (any, error) {
			return nil, s.Restore(accountIn(r), r.PathValue("id"))
		},

		"GET /choices":   func(*http.Request) (any, error) { return s.Choices(), nil },
		"PATCH /choices": taking(s.mergeChoices),
		"PUT /rate":      taking(func(r rateSetting) error { return s.SetRate(r.RequestsPerSecond, r.Burst) }),

		"GET /rules":               func(*http.Request) (any, error) { return s.Rules(), nil },
		"POST /rules":              s.adminAddRule,
		"DELETE /rules":            func(*http.Request) (any, error) { s.ClearRules(); return nil, nil },
		"DELETE /rules/{id}":       func(r *http.Request) (any, error) { return nil, s.RemoveRule(r.PathValue("id")) },
		"POST /rules/{id}/release": func(r *http.Request) (any, error) { return nil, s.ReleaseRule(r.PathValue("id")) },

		"GET /ledger":    s.adminLedger,
		"DELETE /ledger": func(*http.Request) (any, error) { s.ClearLedger(); return nil, nil },
		"POST /reset":    func(*http.Request) (any, error) { return nil, s.Reset() },
	} {
		mux.Handle(pattern, fn)
	}
	return mux
}

// ServeHTTP answers with JSON. Mistakes of the caller get 400, or 404 for what
// does not exist, with `{"error":"…"}`.
func (fn adminEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	value, err := fn(r)
	status := http.StatusOK
	switch {
	case errors.Is(err, errNotExist):
		status, value = http.StatusNotFound, map[string]string{"error": err.Error()}
	case err != nil:
		status, value = http.StatusBadRequest, map[string]string{"error": err.Error()}
	case value == nil:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, err := encode(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is no failure of the server
}

func accountIn(r *http.Request) string { return r.PathValue("account") }

// taking makes an endpoint of a method that takes the request's body.
func taking[T any](do func(T) error) adminEndpoint {
	return func(r *http.Request) (any, error) {
		value, err := readJSON[T](r)
		if err != nil {
			return nil, err
		}
		return nil, do(value)
	}
}

// takingIn is taking for methods on the account in the path.
func takingIn[T any](do func(account string, value T) error) adminEndpoint {
	return func(r *http.Request) (any, error) {
		return taking(func(value T) error { return do(accountIn(r), value) })(r)
	}
}

func readJSON[T any](r *http.Request) (T, error) {
	var value T
	data, err := io.ReadAll(r.Body)
	if err == nil {
		err = decodeStrict(data, &value)
	}
	if err != nil {
		return value, fmt.Errorf("body: %w", err)
	}
	return value, nil
}

type rateSetting struct {
	RequestsPerSecond float64 `json:"requestsPerSecond"`
	Burst             int     `json:"burst"`
}

// accountReport is an account without its secrets.
type accountReport struct {
	Name        string       `json:"name"`
	Tokens      int          `json:"tokens"`
	Connections []Connection `json:"connections"`
	Flows       []Flow       `json:"flows"`
	Imports     int          `json:"imports"`
	RecycleBin  int          `json:"recycleBin"`
}

func (s *Server) accountReports() []accountReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []accountReport{}
	for _, name := range sortedKeys(s.accounts) {
		acct := s.accounts[name]
		out = append(out, accountReport{
			Name: name, Tokens: len(acct.tokens), Imports: len(acct.imports), RecycleBin: len(acct.bin),
			Connections: append([]Connection{}, acct.connections...), Flows: append([]Flow{}, acct.flows...),
		})
	}
	return out
}

func (s *Server) adminAccount(r *http.Request) (any, error) {
	for _, report := range s.accountReports() {
		if report.Name == accountIn(r) {
			return report, nil
		}
	}
	return nil, fmt.Errorf("account %s %w", accountIn(r), errNotExist)
}

func allShown(docs []Document) []Document {
	out := make([]Document, len(docs))
	for i, doc := range docs {
		out[i] = shown(doc)
	}
	return out
}

func (s *Server) adminSeed(r *http.Request) (any, error) {
	doc, err := readJSON[json.RawMessage](r)
	if err != nil {
		return nil, err
	}
	id, err := s.SeedImport(accountIn(r), doc)
	return map[string]string{"_id": id}, err
}

func (s *Server) adminWritten(r *http.Request) (any, error) {
	records, count := s.Written(accountIn(r), r.PathValue("id"))
	if records == nil {
		records = []json.RawMessage{}
	}
	return map[string]any{"count": count, "records": records}, nil
}

func (s *Server) adminAddRule(r *http.Request) (any, error) {
	rule, err := readJSON[Rule](r)
	if err != nil {
		return nil, err
	}
	id, err := s.AddRule(rule)
	return map[string]string{"id": id}, err
}

func (s *Server) adminLedger(r *http.Request) (any, error) {
	filter, err := readFilter(r.URL.Query())
	if err != nil {
		return nil, err
	}
	entries := s.Ledger(filter)
	if entries == nil {
		entries = []Entry{}
	}
	return entries, nil
}

func readFilter(query url.Values) (Filter, error) {
	var f Filter
	for name, values := range query {
		value := values[0]
		var err error
		switch name {
		case "account":
			f.Account = value
		case "method":
			f.Method = value
		case "route":
			f.Route = value
		case "path":
			f.Path = value
		case "id":
			f.ID = value
		case "source":
			f.Source = value
		case "applied":
			var applied bool
			applied, err = strconv.ParseBool(value)
			f.Applied = &applied
		case "status":
			f.Status, err = strconv.Atoi(value)
		case "after":
			f.AfterSeq, err = strconv.ParseInt(value, 10, 64)
		default:
			err = errors.New("no such filter")
		}
		if err != nil {
			return f, fmt.Errorf("query %s: %w", name, err)
		}
	}
	return f, nil
}
