// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/watch"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// invokeRoute is the route of the calls that runs make.
const invokeRoute = "/v1/imports/{id}/invoke"

// Delay has each call of a run of an account take that long. The records are written at its beginning.
func (e *Environment) Delay(ctx context.Context, account string, delay time.Duration) error {
	return local.CallSimulator(ctx, http.MethodPost, e.admin+"/rules", nil, simulator.Rule{
		Account: account, Route: invokeRoute, Phase: simulator.PhaseAfter,
		Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: delay.Milliseconds()},
	}, nil)
}

// AwaitCalls waits until as many calls of an account were delayed. They may not be answered yet.
func (e *Environment) AwaitCalls(ctx context.Context, account string, calls int) error {
	return local.Await(ctx, patience, fmt.Sprintf("%d calls of runs", calls), func(ctx context.Context) error {
		var rules []simulator.Rule
		if err := local.CallSimulator(ctx, http.MethodGet, e.admin+"/rules", nil, nil, &rules); err != nil {
			return err
		}
		made := 0
		for _, rule := range rules {
			if rule.Account == account && rule.Route == invokeRoute {
				made += rule.Fired
			}
		}
		if made < calls {
			return fmt.Errorf("%d calls", made)
		}
		return nil
	})
}

// Calls is how many calls of runs of an account were made and have ended.
func (e *Environment) Calls(ctx context.Context, account string) (int, error) {
	var entries []simulator.Entry
	query := url.Values{"account": {account}, "source": {"api"}}
	if err := local.CallSimulator(ctx, http.MethodGet, e.admin+"/ledger?"+query.Encode(), nil, nil, &entries); err != nil {
		return 0, err
	}
	return len(slices.DeleteFunc(entries, func(entry simulator.Entry) bool { return entry.Route != invokeRoute })), nil
}

// Run creates a run of one record.
func (e *Environment) Run(ctx context.Context, name, ofImport string) error {
	return e.Objects.Create(ctx, runOf(name, ofImport))
}

// RunUntilEnded creates runs of one record, and returns how long it took until all had ended. A run that
// did not succeed is an error.
func (e *Environment) RunUntilEnded(ctx context.Context, ofImport string, names ...string) (time.Duration, error) {
	return e.UntilEnded(ctx, names, func() error { return e.ApplyRuns(ctx, ofImport, names) })
}

// ApplyRuns creates runs of one record.
func (e *Environment) ApplyRuns(ctx context.Context, ofImport string, names []string) error {
	return parallel(ctx, writers, names, func(name string) error { return e.Run(ctx, name, ofImport) })
}

// UntilEnded does something, and returns how long it took until all runs had ended. A run that did not succeed
// is an error.
func (e *Environment) UntilEnded(ctx context.Context, names []string, do func() error) (time.Duration, error) {
	var failed error
	took, err := e.until(ctx, do, names, &v1alpha1.ImportRunList{}, func(event watch.Event) bool {
		run, ok := event.Object.(*v1alpha1.ImportRun)
		if !ok || run.Status.CompletionTime == nil {
			return false
		}
		if slices.Contains(names, run.Name) && run.Status.Phase != v1alpha1.RunSucceeded {
			failed = fmt.Errorf("the run %s is %s", run.Name, run.Status.Phase)
		}
		return true
	})
	return took, cmp.Or(err, failed)
}

// AwaitRun waits until a run has ended, and returns its phase.
func (e *Environment) AwaitRun(ctx context.Context, name string) (v1alpha1.RunPhase, error) {
	run := &v1alpha1.ImportRun{ObjectMeta: Meta(name)}
	err := local.Await(ctx, patience, "the run "+name+" to end", func(ctx context.Context) error {
		err := e.Objects.Get(ctx, clientKey(name), run)
		if err == nil && run.Status.CompletionTime == nil {
			err = fmt.Errorf("it is %s", run.Status.Phase)
		}
		return err
	})
	return run.Status.Phase, err
}

func runOf(name, ofImport string) *v1alpha1.ImportRun {
	run := &v1alpha1.ImportRun{ObjectMeta: Meta(name)}
	run.Spec.ImportRef = &v1alpha1.LocalReference{Name: ofImport}
	run.Spec.Data = []v1alpha1.JSON{{Raw: []byte(`{"order":"A-1"}`)}}
	return run
}
