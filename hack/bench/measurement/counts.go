// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package measurement

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
)

// errMoreRequests: what an object costs in requests has grown.
var errMoreRequests = errors.New("more requests than the bound")

// count is what one object may cost in requests, at most: to Kubernetes for itself, and the events, and to the
// API.
type count struct {
	name                    string
	kubernetes, events, api int
}

var (
	countOfCreation = count{"creation", 4, 2, 1}
	countOfAdoption = count{"adoption", kubernetesPerAdoption, 2, apiPerAdoption}
	countOfRun      = count{"run", 4, 1, 1}
	// countAtRest is of all objects together, while the account is scanned.
	countAtRest = count{"at rest, all together", 0, 0, 0}
)

// restFor is how long nothing may be asked but the scans.
const restFor = 5 * time.Second

// measureCounts counts the requests of one object of each kind, and fails when one costs more than it may.
// Times play no part, so it says the same on any machine.
func measureCounts(ctx context.Context, b *Bench) error {
	n := b.Sizes[0]
	var rows []string
	var over error
	add := func(of count, kubernetes float64, c cost) {
		got := []float64{c.per(kubernetes), c.per(c.kubernetes.Events), c.per(float64(c.single))}
		for i, bound := range []int{of.kubernetes, of.events, of.api} {
			// A conflict with another write is made good by one more request.
			if math.Round(got[i]) > float64(bound) {
				over = errMoreRequests
			}
		}
		rows = append(rows, fmt.Sprintf("%s\t%d\t%.2f\t%d\t%.2f\t%d\t%.2f\t%d\t", of.name, c.objects, got[0], of.kubernetes, got[1], of.events, got[2], of.api))
	}
	err := b.in(ctx, func(e *environment.Environment) error {
		existing, adopted := adoptions("adopted", n)
		if err := e.AddAccount(ctx, existing); err != nil {
			return err
		}
		created := creations("import", n)
		c, err := costOf(ctx, e, n, func() (time.Duration, error) { return e.ApplyUntilReady(ctx, created) })
		if err != nil {
			return err
		}
		add(countOfCreation, c.kubernetes.Imports, c)
		if c, err = costOf(ctx, e, n, func() (time.Duration, error) { return e.ApplyUntilReady(ctx, adopted) }); err != nil {
			return err
		}
		add(countOfAdoption, c.kubernetes.Imports, c)
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("run-%d", i))
		}
		if c, err = costOf(ctx, e, n, func() (time.Duration, error) { return e.RunUntilEnded(ctx, "import-0", names...) }); err != nil {
			return err
		}
		add(countOfRun, c.kubernetes.Runs, c)
		if c, err = costOf(ctx, e, 1, func() (time.Duration, error) { return idle(ctx) }); err != nil {
			return err
		}
		add(countAtRest, c.kubernetes.Imports+c.kubernetes.Runs, c)
		return nil
	})
	if err != nil {
		return err
	}
	b.table("\tobjects\tKubernetes requests each\tbound\tevents each\tbound\tAPI requests each\tbound\t", rows)
	return over
}

func idle(ctx context.Context) (time.Duration, error) {
	select {
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-time.After(restFor):
		return restFor, nil
	}
}
