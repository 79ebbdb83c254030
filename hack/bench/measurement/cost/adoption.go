// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
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
		last := len(created) - 1
		b.Record.Add(values("creations", created[last], created[0])...)
		b.Record.Add(slices.Concat(besideCreations(adopted[last], created[last]), values("adoptions", adopted[last], adopted[0]))...)
	}
	printCosts(b, created, adopted)
	for _, c := range adopted {
		if c.per(c.kubernetes.Imports.All()) > kubernetesPerAdoption || c.per(float64(c.single)) > apiPerAdoption {
			return errCostly
		}
	}
	return nil
}

// many is the number of adoptions that are to take no longer than as many creations.
const many = 10_000

// besideCreations is how long adoptions take beside as many creations.
func besideCreations(adopted, created cost) []report.Value {
	v := report.Value{Key: key("adoptions", "all Ready after", "s", adopted), Value: adopted.took.Seconds(), Bound: created.took.Seconds(), BoundOf: "as many creations"}
	if adopted.objects >= many {
		v.Target = report.RatioAtMost(1)
	}
	return []report.Value{v}
}

// values are what one object costs, beside one of the fewest.
func values(of string, c, fewest cost) (all []report.Value) {
	if of == "creations" {
		all = append(all, report.Value{Key: key(of, "all Ready after", "s", c), Value: c.took.Seconds()})
	}
	cpu := report.Value{Key: key(of, "time of the manager's processors each", "ms", c), Value: c.millis(c.cpu)}
	if fewest.objects < c.objects {
		cpu.Bound, cpu.BoundOf = fewest.millis(fewest.cpu), fmt.Sprintf("where there are %d", fewest.objects)
	}
	return append(all, cpu,
		report.Value{Key: key(of, "time of the API server's processors each", "ms", c), Value: c.millis(c.server)},
		report.Value{Key: key(of, "requests to Kubernetes each, without events", "requests", c), Value: c.per(c.kubernetes.Imports.All())},
		report.Value{Key: key(of, "requests to the API each", "requests", c), Value: c.per(float64(c.single))})
}

func key(of, name, unit string, c cost) report.Key {
	return report.Key{Table: "adoption", Row: fmt.Sprintf("%d %s", c.objects, of), System: "operator", Name: name, Objects: c.objects, Unit: unit}
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
