// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scenario has what users do with the operator, and what other people and the cluster do
// around them.
package scenario

import (
	"context"
	"encoding/json"
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
	// Repeats is true when its run is deleted and created again: the last one may have sent nothing.
	Repeats bool
	// Orphans is true when the remote import stays in the account after its Import is deleted.
	Orphans bool
	// Retakes is true when an object restored from a backup takes its remote import over with one
	// more write.
	Retakes bool
	// Contested is true when one of its Imports does not get the remote import, and stays Stalled.
	Contested bool
	// Races is true when it differs each time who writes what: no fault is injected at one write.
	Races bool
	// Rivals are Imports that adopt the same as another. Who of them writes what differs each time: no
	// fault is injected at their writes.
	Rivals []string
	// OnlyKills is true when there are so many writes that only the ends of a process are injected at
	// each: those of the Imports and those to the API.
	OnlyKills bool
	// AccountVaries is true when it differs each time how often the status of the Account changes, because
	// a scan may end between two steps: no fault is injected at these writes.
	AccountVaries bool
	// TwoNamespaces is true when there are Imports in two namespaces.
	TwoNamespaces bool
	// Watches is true when the manager is told to watch its namespaces, instead of all.
	Watches bool
	// KeepsID is true when the id in an annotation is all that is left of its remote import: nobody takes it
	// away.
	KeepsID bool
	// KeepsToken is true when its only remote import is deleted in the UI before the manager has seen
	// that: a token that is replaced just then may be of another account, and waits for a person.
	KeepsToken bool
	// Unrepeated is true when its users write to Kubernetes while the manager does. They would have
	// to do it again if etcd were set back to before that.
	Unrepeated bool
	// Replicas is true when two managers take part and elect a leader.
	Replicas bool
	// Shards is true when two managers share the objects by a label.
	Shards bool
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

	// deletedID is the import that somebody deleted in the account, scansBefore how many scans there
	// had been when a step began.
	deletedID   string
	scansBefore int
	// inherited is the import that one Import leaves to another, copied the last that got the ownership
	// marker of an Import without being its own.
	inherited, copied string

	// long is the call of the run that takes long.
	long longCall

	mu sync.Mutex
	// foreign are the imports of other people, foreignOrder the oldest of them first.
	foreign      map[string]bool
	foreignOrder []string
	// kept are the imports that may not be written to or deleted, as JSON by id.
	kept map[string]string
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
	return &Execution{Sandbox: s, Scenario: sc, Conditions: conditions, foreign: map[string]bool{}, kept: map[string]string{}}, nil
}

// Prepare fills the account and starts the manager, or both of them.
func (x *Execution) Prepare(ctx context.Context) error {
	if err := seedUnmanaged(x); err != nil {
		return err
	}
	x.Keep(sandbox.UnmanagedID)
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

// Keep has an import stay as it is now, to the last byte.
func (x *Execution) Keep(id string) {
	text := x.textOf(id)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.kept[id] = text
}

// Kept reports whether an import has to stay as it is.
func (x *Execution) Kept(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, kept := x.kept[id]
	return kept
}

// Changed are the imports that had to stay as they were and did not: what each is now, by id.
func (x *Execution) Changed() map[string]string {
	x.mu.Lock()
	defer x.mu.Unlock()
	changed := map[string]string{}
	for id, before := range x.kept {
		if now := x.textOf(id); now != before {
			changed[id] = now
		}
	}
	return changed
}

// letGo ends that an import has to stay as it is, and returns an error if it did not.
func (x *Execution) letGo(id string) error {
	now, changed := x.Changed()[id]
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.kept, id)
	if changed {
		return fmt.Errorf("I6: the import %s was changed: %s", id, now)
	}
	return nil
}

// textOf is the document of an import as JSON, "" when there is none.
func (x *Execution) textOf(id string) string {
	document, ok := x.API.Import(sandbox.AccountName, id)
	if !ok {
		return ""
	}
	text, err := json.Marshal(document)
	if err != nil {
		return err.Error()
	}
	return string(text)
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
