// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admin is the admin interface of the simulator.
package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// endpoint answers a request with a value, or with 204 if the value is nil.
type endpoint func(r *http.Request) (any, error)

// Handler returns the admin interface, whose endpoints are listed in the documentation of the package
// simulator. It has no authentication: serve it on loopback only.
func Handler(s *simulator.Server) http.Handler {
	mux := http.NewServeMux()
	for pattern, fn := range map[string]endpoint{
		"GET /healthz": func(*http.Request) (any, error) { return nil, nil },

		"GET /accounts":              func(*http.Request) (any, error) { return s.Accounts(), nil },
		"POST /accounts":             taking(s.AddAccount),
		"GET /accounts/{account}":    account(s),
		"DELETE /accounts/{account}": func(r *http.Request) (any, error) { return nil, s.RemoveAccount(accountIn(r)) },

		"POST /accounts/{account}/tokens":        takingIn(s.AddToken),
		"POST /accounts/{account}/tokens/revoke": takingIn(func(account string, t simulator.Token) error { return s.RevokeToken(account, t.Token) }),
		"POST /accounts/{account}/connections":   takingIn(s.AddConnection),
		"DELETE /accounts/{account}/connections/{id}": func(r *http.Request) (any, error) {
			return nil, s.RemoveConnection(accountIn(r), r.PathValue("id"))
		},
		"POST /accounts/{account}/flows": takingIn(s.AddFlow),
		"DELETE /accounts/{account}/flows/{id}": func(r *http.Request) (any, error) {
			return nil, s.RemoveFlow(accountIn(r), r.PathValue("id"))
		},

		"GET /accounts/{account}/imports":              func(r *http.Request) (any, error) { return allShown(s.Imports(accountIn(r))), nil },
		"POST /accounts/{account}/imports":             seedImport(s),
		"GET /accounts/{account}/imports/{id}/written": written(s),
		"GET /accounts/{account}/recycle-bin":          func(r *http.Request) (any, error) { return allShown(s.RecycleBin(accountIn(r))), nil },
		"POST /accounts/{account}/recycle-bin/{id}/restore": func(r *http.Request) (any, error) {
			return nil, s.Restore(accountIn(r), r.PathValue("id"))
		},

		"GET /choices":   func(*http.Request) (any, error) { return s.Choices(), nil },
		"PATCH /choices": taking(func(patch json.RawMessage) error { return mergeChoices(s, patch) }),
		"PUT /rate":      taking(func(r rateSetting) error { return s.SetRate(r.RequestsPerSecond, r.Burst) }),

		"GET /rules":               func(*http.Request) (any, error) { return s.Rules(), nil },
		"POST /rules":              addRule(s),
		"DELETE /rules":            func(*http.Request) (any, error) { s.ClearRules(); return nil, nil },
		"DELETE /rules/{id}":       func(r *http.Request) (any, error) { return nil, s.RemoveRule(r.PathValue("id")) },
		"POST /rules/{id}/release": func(r *http.Request) (any, error) { return nil, s.ReleaseRule(r.PathValue("id")) },

		"GET /ledger":    requests(s),
		"DELETE /ledger": func(*http.Request) (any, error) { s.ClearLedger(); return nil, nil },
		"POST /reset":    func(*http.Request) (any, error) { return nil, s.Reset() },
	} {
		mux.Handle(pattern, fn)
	}
	return mux
}

// ServeHTTP answers with JSON. An error is answered with 404 if something does not exist, else with
// 400, and `{"error":"…"}`.
func (fn endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	value, err := fn(r)
	status := http.StatusOK
	switch {
	case errors.Is(err, simulator.ErrNotExist):
		status, value = http.StatusNotFound, map[string]string{"error": err.Error()}
	case err != nil:
		status, value = http.StatusBadRequest, map[string]string{"error": err.Error()}
	case value == nil:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, err := wire.Encode(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is no failure of the server
}

func accountIn(r *http.Request) string { return r.PathValue("account") }

// taking makes an endpoint of a function that takes the request's body.
func taking[T any](run func(T) error) endpoint {
	return func(r *http.Request) (any, error) {
		value, err := readJSON[T](r)
		if err != nil {
			return nil, err
		}
		return nil, run(value)
	}
}

// takingIn is taking for functions that also take the account in the path.
func takingIn[T any](run func(account string, value T) error) endpoint {
	return func(r *http.Request) (any, error) {
		return taking(func(value T) error { return run(accountIn(r), value) })(r)
	}
}

func readJSON[T any](r *http.Request) (T, error) {
	var value T
	data, err := io.ReadAll(r.Body)
	if err == nil {
		err = document.DecodeStrict(data, &value)
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

func account(s *simulator.Server) endpoint {
	return func(r *http.Request) (any, error) {
		for _, report := range s.Accounts() {
			if report.Name == accountIn(r) {
				return report, nil
			}
		}
		return nil, fmt.Errorf("account %s %w", accountIn(r), simulator.ErrNotExist)
	}
}

// mergeChoices sets the fields that a JSON object has.
func mergeChoices(s *simulator.Server, patch json.RawMessage) error {
	next := s.Choices()
	if err := document.DecodeStrict(patch, &next); err != nil {
		return err
	}
	return s.SetChoices(func(c *simulator.Choices) { *c = next })
}

func allShown(docs []simulator.Document) []simulator.Document {
	out := make([]simulator.Document, len(docs))
	for i, doc := range docs {
		out[i] = document.Shown(doc)
	}
	return out
}

func seedImport(s *simulator.Server) endpoint {
	return func(r *http.Request) (any, error) {
		doc, err := readJSON[json.RawMessage](r)
		if err != nil {
			return nil, err
		}
		id, err := s.SeedImport(accountIn(r), doc)
		return map[string]string{"_id": id}, err
	}
}

func written(s *simulator.Server) endpoint {
	return func(r *http.Request) (any, error) {
		records, count := s.Written(accountIn(r), r.PathValue("id"))
		if records == nil {
			records = []json.RawMessage{}
		}
		return map[string]any{"count": count, "records": records}, nil
	}
}

func addRule(s *simulator.Server) endpoint {
	return func(r *http.Request) (any, error) {
		rule, err := readJSON[simulator.Rule](r)
		if err != nil {
			return nil, err
		}
		id, err := s.AddRule(rule)
		return map[string]string{"id": id}, err
	}
}

func requests(s *simulator.Server) endpoint {
	return func(r *http.Request) (any, error) {
		filter, err := readFilter(r.URL.Query())
		if err != nil {
			return nil, err
		}
		entries := s.Ledger(filter)
		if entries == nil {
			entries = []simulator.Entry{}
		}
		return entries, nil
	}
}

func readFilter(query url.Values) (simulator.Filter, error) {
	var f simulator.Filter
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

// Start serves the admin interface of a simulator on an address, see simulator.Server.Start.
func Start(s *simulator.Server, address string) (baseURL string, stop func() error, err error) {
	return wire.Serve(address, Handler(s))
}
