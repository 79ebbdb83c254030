// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// The objects of config/samples that the story is about.
const (
	shopImport      = "orders-to-shop"
	ftpImport       = "items-to-ftp"
	netsuiteImport  = "salesorders-to-netsuite"
	customersImport = "customers-to-salesforce"
	copiedImport    = "orders-copy"
)

// sampleImports are the Imports of config/samples.
var sampleImports = []string{ftpImport, shopImport, netsuiteImport, customersImport}

// sampleRuns are its ImportRuns.
var sampleRuns = []string{"first-orders", "initial-customers"}

// tell tells the story. Every chapter checks what it shows.
func (d *demo) tell(ctx context.Context) error {
	before, err := d.platform.production.stored(ctx)
	if err != nil {
		return err
	}
	for i, chapter := range []struct {
		title string
		tell  func(context.Context) error
	}{
		{"What is declared comes to be", d.declare},
		{"At rest nothing is written", d.rest},
		{"A change behind Git's back is corrected, and its author named", d.drift},
		{"Or it is only reported, until Git has it too", d.tolerate},
		{"A change is looked at before it is made", d.plan},
		{"A run tells which records failed, and why", d.invoke},
		{"A large run goes in batches, and only once", d.batches},
		{"What is there already is taken over", d.adopt},
		{"A copy writes through another connection", d.copy},
		{"The same manifest serves another account", d.environments},
		{"The rest of the account comes under Git", d.export},
		{"What a flow uses is not deleted", d.delete},
		{"What it took", func(ctx context.Context) error { return d.account(ctx, before) }},
	} {
		d.screen.chapter(i+1, chapter.title)
		if err := chapter.tell(ctx); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return errors.Join(fmt.Errorf("chapter %d, %q: %w", i+1, chapter.title, err), d.forbidden())
		}
	}
	return nil
}

func named(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// at is the value at a path of object keys, nil where there is none.
func at(document map[string]any, path ...string) any {
	var value any = document
	for _, key := range path {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}
