// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// rest checks that scans go on while nothing is written, neither there nor here.
func (d *demo) rest(ctx context.Context) error {
	const scans = 3
	last, err := d.platform.production.last(ctx)
	if err != nil {
		return err
	}
	versions, err := d.versions(ctx)
	if err != nil {
		return err
	}
	var entries []simulator.Entry
	if err := local.Await(ctx, local.Patience, fmt.Sprintf("%d scans", scans), func(ctx context.Context) (err error) {
		entries, err = d.platform.production.calls(ctx, last)
		if begun := starts(entries); err == nil && len(begun) <= scans {
			return fmt.Errorf("%d and no further", len(begun))
		}
		return err
	}); err != nil {
		return err
	}
	if counts := count(entries); len(counts) != 1 || counts[call{http.MethodGet, "/v1/imports"}] == 0 {
		return fmt.Errorf("expected nothing but GET /v1/imports at rest; found\n%s", table(counts))
	}
	after, err := d.versions(ctx)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(versions, after) {
		return fmt.Errorf("expected no object to be written at rest; resourceVersions were %v and are %v", versions, after)
	}
	begun := starts(entries)
	d.screen.say("%d scans later: each took one list of the account, %d pages of it, and no other\n"+
		"call; no object in the cluster was written", scans, begun[1]-begun[0])
	return nil
}

// starts are the positions of the first pages of lists.
func starts(entries []simulator.Entry) []int {
	var positions []int
	for i, entry := range entries {
		if entry.Route == "/v1/imports" && !strings.Contains(entry.Query, "skip=") {
			positions = append(positions, i)
		}
	}
	return positions
}
