// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// idle checks that scans go on while nothing changes, and that nothing is written, neither on the
// platform nor in the cluster.
func idle(ctx context.Context, r *runner.Runner) error {
	const scans = 3
	last, err := r.Platform.Production.LastRequest(ctx)
	if err != nil {
		return err
	}
	versions, err := r.ResourceVersions(ctx)
	if err != nil {
		return err
	}
	var entries []simulator.Entry
	if err := local.Await(ctx, local.Patience, fmt.Sprintf("%d scans", scans), func(ctx context.Context) (err error) {
		entries, err = r.Platform.Production.Requests(ctx, last)
		if started := scanStarts(entries); err == nil && len(started) <= scans {
			return fmt.Errorf("%d started", len(started))
		}
		return err
	}); err != nil {
		return err
	}
	if counts := platform.CountByEndpoint(entries); len(counts) != 1 || counts[platform.Endpoint{Method: http.MethodGet, Route: "/v1/imports"}] == 0 {
		return fmt.Errorf("expected no request but GET /v1/imports; found\n%s", platform.FormatCounts(counts))
	}
	after, err := r.ResourceVersions(ctx)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(versions, after) {
		return fmt.Errorf("expected no object to be written; resourceVersions were %v and are %v", versions, after)
	}
	started := scanStarts(entries)
	r.Terminal.Explain("%d scans later: each read one list of the account, %d pages long, and sent no\n"+
		"other request; no object in the cluster was written", scans, started[1]-started[0])
	return nil
}

// scanStarts returns the positions of the requests for the first page of a list.
func scanStarts(entries []simulator.Entry) []int {
	var positions []int
	for i, entry := range entries {
		if entry.Route == "/v1/imports" && !strings.Contains(entry.Query, "skip=") {
			positions = append(positions, i)
		}
	}
	return positions
}
