// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// remoteAccount is an account on the platform.
type remoteAccount struct {
	platform *platform
	// token is the operator's, imports how many imports the account begins with.
	name, token string
	imports     int
}

// jane is who works in the UI.
const (
	jane      = "ui; Jane Doe <" + janeEmail + ">"
	janeEmail = "jane@example.com"
)

// admin makes a call of the admin interface. It is no call of the API, so the ledger does
// not have it.
func (a *remoteAccount) admin(ctx context.Context, method, path string, body, answer any) error {
	return a.platform.call(ctx, method, a.platform.admin+"/accounts/"+a.name+path, a.token, body, answer)
}

// stored returns the account's imports as they are stored, by id.
func (a *remoteAccount) stored(ctx context.Context) (map[string]map[string]any, error) {
	return a.documents(ctx, "/imports")
}

// deleted returns what lies in the account's recycle bin, by id.
func (a *remoteAccount) deleted(ctx context.Context) (map[string]map[string]any, error) {
	return a.documents(ctx, "/recycle-bin")
}

func (a *remoteAccount) documents(ctx context.Context, path string) (map[string]map[string]any, error) {
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

// written returns how many records have reached the destination of an import.
func (a *remoteAccount) written(ctx context.Context, id string) (int, error) {
	var log struct {
		Count int `json:"count"`
	}
	err := a.admin(ctx, http.MethodGet, "/imports/"+id+"/written", nil, &log)
	return log.Count, err
}

// edit changes an import as Jane does in the UI: the whole document is sent back.
func (a *remoteAccount) edit(ctx context.Context, id string, change func(document map[string]any)) error {
	stored, err := a.stored(ctx)
	if err != nil {
		return err
	}
	document, ok := stored[id]
	if !ok {
		return fmt.Errorf("the account has no import %s", id)
	}
	change(document)
	return a.platform.call(ctx, http.MethodPut, a.platform.api+"/v1/imports/"+id, a.token, document, nil)
}

// audit returns the audit log of an import, as Jane sees it.
func (a *remoteAccount) audit(ctx context.Context, id string) ([]simulator.AuditEntry, error) {
	var entries []simulator.AuditEntry
	err := a.platform.call(ctx, http.MethodGet, a.platform.api+"/v1/imports/"+id+"/audit", a.token, nil, &entries)
	return entries, err
}

// setFlow puts a flow into the account, in the place of the one with its id.
func (a *remoteAccount) setFlow(ctx context.Context, flow simulator.Flow) error {
	return a.admin(ctx, http.MethodPost, "/flows", flow, nil)
}

// flow returns the account's flow of that name.
func (a *remoteAccount) flow(ctx context.Context, name string) (simulator.Flow, error) {
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
