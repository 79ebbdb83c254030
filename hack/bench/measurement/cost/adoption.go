// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
)

var (
	errBusy   = errors.New("it writes to Kubernetes, or reads from it")
	errCostly = errors.New("an adoption costs more requests than it may")
)

const (
	// An adoption may cost that many requests to Kubernetes, events aside, and to the API. Of many, each has a small
	// part of a list, and some say in their status that they wait.
	kubernetesPerAdoption = 3.6
	apiPerAdoption        = 3.1
)

// measureAdoption compares the adoption of imports with their creation, and many of them with few.
func measureAdoption(ctx context.Context, b *bench.Bench) error {
	var created, adopted []cost
	for _, n := range b.Sizes {
		for _, of := range []struct {
			adopts bool
			into   *[]cost
		}{{false, &created}, {true, &adopted}} {
			c, err := becomeReady(ctx, b, n, of.adopts)
			if err != nil {
				return err
			}
			*of.into = append(*of.into, c)
		}
	}
	printCosts(b, created, adopted)
	for _, c := range adopted {
		if c.per(c.kubernetes.Imports.All()) > kubernetesPerAdoption || c.per(float64(c.single)) > apiPerAdoption {
			return errCostly
		}
	}
	return nil
}

// becomeReady has n Imports become Ready that create their imports, or adopt them.
func becomeReady(ctx context.Context, b *bench.Bench, n int, adopts bool) (c cost, err error) {
	var existing []json.RawMessage
	imports := bench.Creations("import", n)
	if adopts {
		existing, imports = bench.Adoptions("import", n)
	}
	err = b.In(ctx, func(e *environment.Environment) error {
		if err := e.AddAccount(ctx, existing); err != nil {
			return err
		}
		c, err = costOf(ctx, e, n, func() (time.Duration, error) { return e.ApplyUntilReady(ctx, imports) })
		return err
	})
	return c, err
}

func printCosts(b *bench.Bench, created, adopted []cost) {
	fmt.Fprintf(b.Out, "Imports that become Ready: created, and adopted (%d cores)\n\n", runtime.NumCPU())
	var rows []string
	for i := range created {
		rows = append(rows, costRow("created", created[i]), costRow("adopted", adopted[i]))
	}
	b.Table("\tImports\tReady after\teach\tmanager CPU each\tAPI server CPU each\tKubernetes requests each\tof others\tevents each\tAPI requests each\tpages of lists\t", rows)
	rows = nil
	for i := range created {
		rows = append(rows, fmt.Sprintf("adoption / creation, %d\t%s", created[i].objects, ratios(adopted[i], created[i])))
	}
	if last := len(created) - 1; last > 0 {
		for _, of := range []struct {
			name  string
			costs []cost
		}{{"creation", created}, {"adoption", adopted}} {
			rows = append(rows, fmt.Sprintf("%s of %d / of %d\t%s", of.name, of.costs[last].objects, of.costs[0].objects, ratios(of.costs[last], of.costs[0])))
		}
	}
	fmt.Fprintln(b.Out)
	b.Table("ratio, each\ttime\tmanager CPU\tAPI server CPU\tKubernetes requests\tAPI requests\t", rows)
}

func costRow(name string, c cost) string {
	return fmt.Sprintf("%s\t%d\t%s\t%.1f ms\t%.1f ms\t%.1f ms\t%.2f\t%.0f\t%.2f\t%.2f\t%d\t", name, c.objects, c.took.Round(100*time.Millisecond), c.millis(c.took), c.millis(c.cpu), c.millis(c.server),
		c.per(c.kubernetes.Imports.All()), c.kubernetes.Others(), c.per(c.kubernetes.Events), c.per(float64(c.single)), c.pages)
}

// ratios are those of the costs of one object.
func ratios(c, of cost) string {
	return fmt.Sprintf("%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t", c.millis(c.took)/of.millis(of.took), c.millis(c.cpu)/of.millis(of.cpu), c.millis(c.server)/of.millis(of.server),
		c.per(c.kubernetes.Imports.All())/of.per(of.kubernetes.Imports.All()), c.per(float64(c.single))/of.per(float64(of.single)))
}
