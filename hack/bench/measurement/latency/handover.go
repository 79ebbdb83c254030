// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package latency

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
)

const (
	// handoverBound is how long the next manager may take until it works.
	handoverBound = 3 * time.Second
	// openCall is how long the call takes that is open while the manager is replaced.
	openCall = 45 * time.Second
	// othersDuring are the Imports that are created while the call is open.
	othersDuring = 50
	// handovers without an open call are made one after the other; the slowest counts.
	handovers = 5
)

var errCallsOfRun = errors.New("the run that was open during the handover made another number of calls than one")

// measureHandover replaces the manager, and creates an Import at that moment: with nothing open, and
// with a call of a run that is not answered yet.
func measureHandover(ctx context.Context, b *bench.Bench) error {
	var rows []string
	err := b.Each(func(b *bench.Bench, manager string) error {
		return b.In(ctx, func(e *environment.Environment) error {
			if err := e.AddAccount(ctx, nil); err != nil {
				return err
			}
			var quiet time.Duration
			for i := range handovers {
				took, ended, err := handOver(ctx, e, fmt.Sprintf("quiet-%d", i), 1)
				if err != nil {
					return err
				}
				<-ended
				quiet = max(quiet, took)
			}
			rows = append(rows, handoverRow(b, manager, "nothing", 1, quiet, "-"))
			if err := e.Delay(ctx, environment.AccountName, openCall); err != nil {
				return err
			}
			for i, n := range []int{1, othersDuring} {
				open, outcome, err := handOverRun(ctx, e, fmt.Sprintf("open-%d", i), n)
				if err != nil {
					return err
				}
				rows = append(rows, handoverRow(b, manager, fmt.Sprintf("a call of %s", openCall), n, open, outcome))
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	b.Table("manager\tis open\tnew Imports\tReady after\tbound for one\trun\t", rows)
	return nil
}

// handOver replaces the manager, and returns how long the n Imports took that were created then.
func handOver(ctx context.Context, e *environment.Environment, name string, n int) (took time.Duration, ended <-chan struct{}, err error) {
	if ended, err = e.Roll(ctx); err != nil {
		return 0, nil, err
	}
	took, err = e.ApplyUntilReady(ctx, bench.Creations(name, n))
	return took, ended, err
}

// handOverRun does so while a call of a run is open, and returns also how the run ends. Each run makes one
// call.
func handOverRun(ctx context.Context, e *environment.Environment, name string, n int) (took time.Duration, outcome string, err error) {
	before, err := e.Calls(ctx, environment.AccountName)
	if err != nil {
		return 0, "", err
	}
	if err := e.Run(ctx, name, "quiet-0-0"); err != nil {
		return 0, "", err
	}
	if err := e.AwaitCalls(ctx, environment.AccountName, before+1); err != nil {
		return 0, "", err
	}
	took, ended, err := handOver(ctx, e, "beside-"+name, n)
	if err != nil {
		return 0, "", err
	}
	phase, err := e.AwaitRun(ctx, name)
	if err != nil {
		return 0, "", err
	}
	<-ended
	calls, err := e.Calls(ctx, environment.AccountName)
	if err == nil && calls != before+1 {
		err = fmt.Errorf("%w: %d", errCallsOfRun, calls-before)
	}
	return took, fmt.Sprintf("%s, %d call", phase, calls-before), err
}

func handoverRow(b *bench.Bench, manager, open string, n int, took time.Duration, run string) string {
	value := report.Value{
		Key:   report.Key{Table: "handover", Row: fmt.Sprintf("%d new Imports while the manager is replaced, %s open", n, open), System: systemOf(manager), Name: "Ready after", Objects: n, Unit: "ms"},
		Value: float64(took.Milliseconds()),
	}
	if n == 1 {
		value.Target = report.AtMost(float64(handoverBound.Milliseconds()))
	}
	b.Record.Add(value)
	return fmt.Sprintf("%s\t%s\t%d\t%d ms\t%d ms\t%s\t", manager, open, n, took.Milliseconds(), handoverBound.Milliseconds(), run)
}
