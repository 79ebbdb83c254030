// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package platform runs the simulator of the integrator.io API for the demo. It acts on it as a
// person in the UI does, and checks what the operator asked of it.
package platform

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// Platform is the simulator, seen from two sides: the API, which people and programs use, and
// the admin interface, which shows what really happened.
type Platform struct {
	// Seed is the file of the accounts to start with, Binary the simulator's program.
	Seed, Binary string
	Processes    *local.Processes

	// API and Admin are the base URLs of the two sides. Start sets them.
	API, Admin string
	// Production is the account that the scenarios work in, Staging the second one. Start sets
	// them.
	Production, Staging *Account
}

// Start starts the simulator with the seed and waits until it serves.
func (p *Platform) Start(ctx context.Context) error {
	if err := p.readSeed(); err != nil {
		return err
	}
	var err error
	p.API, p.Admin, err = p.Processes.StartSimulator(ctx, p.Binary, "--seed="+p.Seed)
	return err
}

// Flags are those with which the manager's commands may call the simulator.
func (p *Platform) Flags() []string {
	return []string{"--allow-http", "--allowed-api-hosts=" + strings.TrimPrefix(p.API, "http://")}
}

// readSeed finds the accounts to work in: the first two of the seed that have a token.
func (p *Platform) readSeed() error {
	content, err := os.ReadFile(p.Seed)
	if err != nil {
		return err
	}
	seed, err := simulator.ReadSeed(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s: %w", p.Seed, err)
	}
	var accounts []*Account
	for _, account := range seed.Accounts {
		if len(account.Tokens) > 0 {
			accounts = append(accounts, &Account{platform: p, Name: account.Name, Token: account.Tokens[0].Token, Imports: len(account.Imports)})
		}
	}
	if len(accounts) < 2 {
		return fmt.Errorf("%s: two accounts with a token are needed", p.Seed)
	}
	p.Production, p.Staging = accounts[0], accounts[1]
	return nil
}

// call sends body as JSON to the simulator and decodes the answer into answer, unless that is
// nil. Requests to the API count as Jane's.
func (p *Platform) call(ctx context.Context, method, url, token string, body, answer any) error {
	header := http.Header{}
	header.Set("Authorization", "Bearer "+token)
	header.Set(simulator.UserHeader, Jane)
	return local.CallSimulator(ctx, method, url, header, body, answer)
}
