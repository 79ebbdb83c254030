// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// Account is one account of the platform.
type Account struct {
	platform *Platform
	// Token is the operator's.
	Name, Token string
	// Imports is how many imports the account starts with.
	Imports int
}

// Jane is the person who works in the UI: the value of simulator.UserHeader.
const (
	Jane      = "ui; Jane Doe <" + JaneEmail + ">"
	JaneEmail = "jane@example.com"
)

// admin sends a request to the admin interface. Such requests are not in the ledger, which has
// those to the API only.
func (a *Account) admin(ctx context.Context, method, path string, body, answer any) error {
	return a.platform.call(ctx, method, a.platform.Admin+"/accounts/"+a.Name+path, a.Token, body, answer)
}

// Stored returns the account's imports as they are stored, by id.
func (a *Account) Stored(ctx context.Context) (map[string]map[string]any, error) {
	return a.documents(ctx, "/imports")
}

// Deleted returns the imports in the account's recycle bin, by id.
func (a *Account) Deleted(ctx context.Context) (map[string]map[string]any, error) {
	return a.documents(ctx, "/recycle-bin")
}

func (a *Account) documents(ctx context.Context, path string) (map[string]map[string]any, error) {
	var documents []map[string]any
	if err := a.admin(ctx, http.MethodGet, path, nil, &documents); err != nil {
		return nil, err
	}
	byID := map[string]map[string]any{}
	for _, document := range documents {
		id, _ := document["_id"].(string)
		byID[id] = document
	}
	return byID, nil
}

// Written returns how many records have reached the destination of an import.
func (a *Account) Written(ctx context.Context, id string) (int, error) {
	var log struct {
		Count int `json:"count"`
	}
	err := a.admin(ctx, http.MethodGet, "/imports/"+id+"/written", nil, &log)
	return log.Count, err
}

// Edit changes an import as Jane does in the UI: the whole document is sent back.
func (a *Account) Edit(ctx context.Context, id string, change func(document map[string]any)) error {
	stored, err := a.Stored(ctx)
	if err != nil {
		return err
	}
	document, ok := stored[id]
	if !ok {
		return fmt.Errorf("the account has no import %s", id)
	}
	change(document)
	return a.platform.call(ctx, http.MethodPut, a.platform.API+"/v1/imports/"+id, a.Token, document, nil)
}

// Audit returns the audit log of an import, as Jane sees it.
func (a *Account) Audit(ctx context.Context, id string) ([]simulator.AuditEntry, error) {
	var entries []simulator.AuditEntry
	err := a.platform.call(ctx, http.MethodGet, a.platform.API+"/v1/imports/"+id+"/audit", a.Token, nil, &entries)
	return entries, err
}

// SetFlow adds a flow to the account, or replaces the one with its id.
func (a *Account) SetFlow(ctx context.Context, flow simulator.Flow) error {
	return a.admin(ctx, http.MethodPost, "/flows", flow, nil)
}

// Flow returns the account's flow of that name.
func (a *Account) Flow(ctx context.Context, name string) (simulator.Flow, error) {
	var account struct {
		Flows []simulator.Flow `json:"flows"`
	}
	if err := a.admin(ctx, http.MethodGet, "", nil, &account); err != nil {
		return simulator.Flow{}, err
	}
	i := slices.IndexFunc(account.Flows, func(flow simulator.Flow) bool { return flow.Name == name })
	if i < 0 {
		return simulator.Flow{}, fmt.Errorf("the account has no flow %q", name)
	}
	return account.Flows[i], nil
}
