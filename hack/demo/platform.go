// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// platform is the simulator of integrator.io, seen from its two sides: the API, as people
// and programs use it, and the admin interface, which knows what really happened.
type platform struct {
	seed      string
	binary    string
	processes *local.Processes

	// api and admin are base URLs.
	api, admin string
	// production is the account that the story is about, staging another one.
	production, staging *remoteAccount
}

// start starts the simulator with the seed and waits until it serves.
func (p *platform) start(ctx context.Context) error {
	if err := p.readSeed(); err != nil {
		return err
	}
	if _, err := p.processes.Start("simulator", p.binary, os.Environ(),
		"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--seed="+p.seed); err != nil {
		return err
	}
	return local.Await(ctx, local.Patience, "the simulator to print its URLs", func(context.Context) error {
		log := p.processes.Log("simulator")
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

// readSeed finds the accounts to work in: the first two of the seed.
func (p *platform) readSeed() error {
	content, err := os.ReadFile(p.seed)
	if err != nil {
		return err
	}
	seed, err := simulator.ReadSeed(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s: %w", p.seed, err)
	}
	var accounts []*remoteAccount
	for _, account := range seed.Accounts {
		if len(account.Tokens) > 0 {
			accounts = append(accounts, &remoteAccount{platform: p, name: account.Name, token: account.Tokens[0].Token, imports: len(account.Imports)})
		}
	}
	if len(accounts) < 2 {
		return fmt.Errorf("%s: two accounts with a token are needed", p.seed)
	}
	p.production, p.staging = accounts[0], accounts[1]
	return nil
}

// call sends JSON to the simulator and reads JSON into answer. Calls of the API are
// Jane's.
func (p *platform) call(ctx context.Context, method, url, token string, body, answer any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
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
