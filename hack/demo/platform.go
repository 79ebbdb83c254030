// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// platform is the simulator of integrator.io, seen from its two sides: the API, as people
// and programs use it, and the admin interface, which knows what really happened.
type platform struct {
	seed      string
	binary    string
	processes *processes

	// api and admin are base URLs.
	api, admin string
	// account is the name of the account that the demo works in, token the one of the
	// operator, imports how many imports the account begins with.
	account, token string
	imports        int
}

// jane is who works in the UI.
const jane = "ui; Jane Doe <jane@example.com>"

// start starts the simulator with the seed and waits until it serves.
func (p *platform) start(ctx context.Context) error {
	if err := p.readSeed(); err != nil {
		return err
	}
	if _, err := p.processes.start("simulator", p.binary, os.Environ(),
		"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--seed="+p.seed); err != nil {
		return err
	}
	return await(ctx, patience, "the simulator to print its URLs", func(context.Context) error {
		log := p.processes.log("simulator")
		for line := range strings.Lines(log) {
			name, url, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch name {
			case "api":
				p.api = url
			case "admin":
				p.admin = url
			}
		}
		if p.api == "" || p.admin == "" {
			return fmt.Errorf("%q", log)
		}
		return nil
	})
}

// readSeed finds the account to work in: the first of the seed.
func (p *platform) readSeed() error {
	content, err := os.ReadFile(p.seed)
	if err != nil {
		return err
	}
	seed, err := simulator.ReadSeed(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s: %w", p.seed, err)
	}
	if len(seed.Accounts) == 0 || len(seed.Accounts[0].Tokens) == 0 {
		return fmt.Errorf("%s: the first account needs a token", p.seed)
	}
	first := seed.Accounts[0]
	p.account, p.token, p.imports = first.Name, first.Tokens[0].Token, len(first.Imports)
	return nil
}

// stored returns the account's imports as they are stored, by id. It is no call of the
// API, so the ledger does not have it.
func (p *platform) stored(ctx context.Context) (map[string]map[string]any, error) {
	return p.documents(ctx, "imports")
}

// deleted returns what lies in the account's recycle bin, by id.
func (p *platform) deleted(ctx context.Context) (map[string]map[string]any, error) {
	return p.documents(ctx, "recycle-bin")
}

func (p *platform) documents(ctx context.Context, what string) (map[string]map[string]any, error) {
	var documents []map[string]any
	if err := p.call(ctx, http.MethodGet, p.admin+"/accounts/"+p.account+"/"+what, nil, &documents); err != nil {
		return nil, err
	}
	byID := map[string]map[string]any{}
	for _, document := range documents {
		id, _ := document["_id"].(string)
		byID[id] = document
	}
	return byID, nil
}

// written returns how many records have reached the destination of an import.
func (p *platform) written(ctx context.Context, id string) (int, error) {
	var log struct {
		Count int `json:"count"`
	}
	err := p.call(ctx, http.MethodGet, p.admin+"/accounts/"+p.account+"/imports/"+id+"/written", nil, &log)
	return log.Count, err
}

// edit changes an import as Jane does in the UI: the whole document is sent back.
func (p *platform) edit(ctx context.Context, id string, change func(document map[string]any)) error {
	stored, err := p.stored(ctx)
	if err != nil {
		return err
	}
	document, ok := stored[id]
	if !ok {
		return fmt.Errorf("the account has no import %s", id)
	}
	change(document)
	return p.call(ctx, http.MethodPut, p.api+"/v1/imports/"+id, document, nil)
}

// setFlow puts a flow into the account, in the place of the one with its id.
func (p *platform) setFlow(ctx context.Context, flow simulator.Flow) error {
	return p.call(ctx, http.MethodPost, p.admin+"/accounts/"+p.account+"/flows", flow, nil)
}

// flow returns the account's flow of that name.
func (p *platform) flow(ctx context.Context, name string) (simulator.Flow, error) {
	var account struct {
		Flows []simulator.Flow `json:"flows"`
	}
	if err := p.call(ctx, http.MethodGet, p.admin+"/accounts/"+p.account, nil, &account); err != nil {
		return simulator.Flow{}, err
	}
	i := slices.IndexFunc(account.Flows, func(flow simulator.Flow) bool { return flow.Name == name })
	if i < 0 {
		return simulator.Flow{}, fmt.Errorf("the account has no flow %q", name)
	}
	return account.Flows[i], nil
}

// calls returns what the operator asked of the API, oldest first, leaving out the entries
// up to number after.
func (p *platform) calls(ctx context.Context, after int64) ([]simulator.Entry, error) {
	query := url.Values{"account": {p.account}, "source": {"api"}, "after": {fmt.Sprint(after)}}
	var entries []simulator.Entry
	err := p.call(ctx, http.MethodGet, p.admin+"/ledger?"+query.Encode(), nil, &entries)
	return entries, err
}

// call sends JSON to the simulator and reads JSON into answer. Calls of the API are
// Jane's.
func (p *platform) call(ctx context.Context, method, url string, body, answer any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set(simulator.UserHeader, jane)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, request.URL.Path, response.Status, content)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(content, answer)
}

// call is one kind of call: method and route.
type call struct{ method, route string }

// count counts calls by kind.
func count(entries []simulator.Entry) map[call]int {
	counts := map[call]int{}
	for _, entry := range entries {
		counts[call{entry.Method, entry.Route}]++
	}
	return counts
}

// table shows counted calls, reading ones first.
func table(counts map[call]int) string {
	kinds := make([]call, 0, len(counts))
	for kind := range counts {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b call) int {
		return cmp.Or(cmp.Compare(a.method, b.method), cmp.Compare(a.route, b.route))
	})
	var text strings.Builder
	for _, kind := range kinds {
		fmt.Fprintf(&text, "%-7s %-32s %5d\n", kind.method, kind.route, counts[kind])
	}
	return text.String()
}

// failures names the calls that the API did not answer with success.
func failures(entries []simulator.Entry) error {
	var failed []error
	for _, entry := range entries {
		if entry.Status >= http.StatusBadRequest {
			failed = append(failed, fmt.Errorf("%s %s was answered with %d", entry.Method, entry.Path, entry.Status))
		}
	}
	return errors.Join(failed...)
}
