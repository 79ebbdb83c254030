// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scenario has what users do with the operator, and what other people and the cluster do
// around them.
package scenario

import (
	"context"
	"fmt"
	"sync"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/cluster"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// Scenario is what users do, step by step, and what has to come of it whatever goes wrong.
type Scenario struct {
	Name string
	// Seed fills the account before all else.
	Seed func(*Execution) error
	// Prelude is played before anything goes wrong, Steps while it does.
	Prelude, Steps []Step
	// Creates is how many imports are created in the account, Deletes how many are deleted, Records
	// how many records are sent to their destination, each of them once.
	Creates, Deletes, Records int
	// Phase is how its run finishes when nothing goes wrong; Succeeded by default.
	Phase v1alpha1.RunPhase
	// Orphans is true when the remote import stays in the account after its Import is deleted.
	Orphans bool
	// Retakes is true when an object restored from a backup takes its remote import over with one
	// more write.
	Retakes bool
}

// Step is something that a user does, and what has to be true after it.
type Step struct {
	Do    func(context.Context, *Execution) error
	Until func(context.Context, *Execution) error
}

// Execution is a scenario that is played in a sandbox of its own.
type Execution struct {
	*sandbox.Sandbox

	Scenario   *Scenario
	Conditions *Conditions

	// unmanaged is the import that nobody declares, as it was at the beginning.
	unmanaged string
	// deletedID is the import that somebody deleted in the account, scansBefore how many scans there
	// had been when a step began.
	deletedID   string
	scansBefore int

	mu sync.Mutex
	// foreign are the imports of other people, foreignOrder the oldest of them first.
	foreign      map[string]bool
	foreignOrder []string
}

// New makes a sandbox for a scenario under conditions, which are nil for none.
func New(ctx context.Context, c *cluster.Cluster, sc *Scenario, conditions *Conditions, o sandbox.Options) (*Execution, error) {
	s, err := sandbox.New(ctx, c, o)
	if err != nil {
		return nil, err
	}
	if conditions == nil {
		conditions = &Conditions{}
	}
	return &Execution{Sandbox: s, Scenario: sc, Conditions: conditions, foreign: map[string]bool{}}, nil
}

// Prepare fills the account and starts the manager, or both of them.
func (x *Execution) Prepare(ctx context.Context) error {
	if err := seedUnmanaged(x); err != nil {
		return err
	}
	document, _ := x.API.Import(sandbox.AccountName, sandbox.UnmanagedID)
	x.unmanaged = fmt.Sprint(document)
	for _, seed := range []func(*Execution) error{x.Conditions.Seed, x.Scenario.Seed} {
		if seed != nil {
			if err := seed(x); err != nil {
				return err
			}
		}
	}
	return x.Start(ctx)
}

// Play plays steps in order.
func (x *Execution) Play(ctx context.Context, steps []Step) error {
	for i, step := range steps {
		if step.Do != nil {
			if err := x.Act(ctx, func(ctx context.Context) error { return step.Do(ctx, x) }); err != nil {
				return fmt.Errorf("step %d: %w", i+1, err)
			}
		}
		if step.Until != nil {
			if err := local.Await(ctx, x.Patience(), fmt.Sprintf("step %d to be completed", i+1), func(ctx context.Context) error { return step.Until(ctx, x) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// Foreign reports whether an import belongs to other people.
func (x *Execution) Foreign(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.foreign[id]
}

// UnmanagedUnchanged reports whether the import that nobody declares is as it was.
func (x *Execution) UnmanagedUnchanged() bool {
	document, ok := x.API.Import(sandbox.AccountName, sandbox.UnmanagedID)
	return ok && fmt.Sprint(document) == x.unmanaged
}

// Named returns the scenario with a name.
func Named(name string) (*Scenario, error) {
	return find("scenario", All, name, func(s *Scenario) string { return s.Name })
}

// find returns the entry of a table that has a name.
func find[T any](kind string, table []T, name string, nameOf func(*T) string) (*T, error) {
	for i := range table {
		if nameOf(&table[i]) == name {
			return &table[i], nil
		}
	}
	return nil, fmt.Errorf("unknown %s %q", kind, name)
}
