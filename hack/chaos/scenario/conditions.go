// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/fault"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
)

// Conditions are what goes on around a scenario from its beginning to its end, where a fault is
// injected at one write.
type Conditions struct {
	Name  string
	Noise fault.NoiseConfig
	// Others, if any, is what other people do all the time.
	Others func(context.Context, *Execution)
	// Seed is what other people have done before.
	Seed func(*Execution) error
	// Watches is true when they need a manager that watches its namespaces one by one.
	Watches bool
}

// AllConditions are all of them, in the order of the report.
var AllConditions = []Conditions{
	{Name: "watch-delayed", Noise: fault.NoiseConfig{Delay: 1500 * time.Millisecond}},
	{Name: "watch-behind", Noise: fault.NoiseConfig{OtherDelay: 1500 * time.Millisecond}, Watches: true},
	{Name: "watch-cut", Noise: fault.NoiseConfig{Cut: 2}},
	{Name: "watch-gone", Noise: fault.NoiseConfig{Expired: 0.5, Cut: 3}},
	{Name: "conflicts", Noise: fault.NoiseConfig{Conflicts: 0.2}, Others: labelAll},
	{Name: "account-edited", Others: replaceForeign, Seed: seedForeign},
	{Name: "annotations-gone", Others: stripAnnotations},
	{Name: "false-404", Noise: fault.NoiseConfig{Absent: 0.3}},
}

// ConditionsNamed returns the conditions with a name.
func ConditionsNamed(name string) (*Conditions, error) {
	return find("conditions", AllConditions, name, func(c *Conditions) string { return c.Name })
}

// TouchedLabel is the label that another tool keeps.
const TouchedLabel = "touched"

// labelAll writes to the objects again and again, as a tool does that keeps labels.
func labelAll(ctx context.Context, x *Execution) {
	for i := 0; ctx.Err() == nil; i++ {
		patch := client.RawPatch(sandbox.MergePatch, fmt.Appendf(nil, `{"metadata":{"labels":{%q:"%d"}}}`, TouchedLabel, i))
		objects := []client.Object{&v1alpha1.Account{ObjectMeta: x.Meta("default")}, &v1alpha1.ImportRun{ObjectMeta: x.Meta("first")}}
		imports, _ := x.listImports(ctx) // the next round comes soon
		for _, object := range imports {
			objects = append(objects, object)
		}
		for _, object := range objects {
			_ = x.Objects.Patch(ctx, object, patch) // it may not exist
		}
		sandbox.Pause(ctx, 250*time.Millisecond)
	}
}

// stripAnnotations removes the operator's annotations from the Imports again and again. Finalizer and label
// stay, as with a tool that keeps annotations.
func stripAnnotations(ctx context.Context, x *Execution) {
	annotations := map[string]any{v1alpha1.AnnotationCreatePending: nil, v1alpha1.AnnotationAdoptPending: nil}
	if !x.Scenario.KeepsID {
		annotations[v1alpha1.AnnotationID] = nil
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	if err != nil {
		x.Fail(err)
		return
	}
	patch := client.RawPatch(sandbox.MergePatch, body)
	for ctx.Err() == nil {
		imports, _ := x.listImports(ctx) // the next round comes soon
		for _, object := range imports {
			_ = x.Objects.Patch(ctx, object, patch) // it may not exist any more
		}
		sandbox.Pause(ctx, 300*time.Millisecond)
	}
}

// seedForeign puts other people's imports into the account before there are any of ours: what is
// deleted among them shifts ours to other pages of the list.
func seedForeign(x *Execution) error {
	for range 150 {
		if err := x.addForeign(); err != nil {
			return err
		}
	}
	return nil
}

// replaceForeign deletes other people's imports and creates new ones all the time, so that the
// pages of lists shift while they are read.
func replaceForeign(ctx context.Context, x *Execution) {
	for ctx.Err() == nil {
		x.mu.Lock()
		oldest := x.foreignOrder[0]
		x.foreignOrder = x.foreignOrder[1:]
		x.mu.Unlock()
		if err := errors.Join(x.API.DeleteAs(Jane, sandbox.AccountName, oldest), x.addForeign()); err != nil {
			x.Fail(err)
			return
		}
		sandbox.Pause(ctx, 15*time.Millisecond)
	}
}

func (x *Execution) addForeign() error {
	id, err := x.API.SeedImport(sandbox.AccountName, json.RawMessage(fmt.Sprintf(`{"name":"another's","adaptorType":"HTTPImport","_connectionId":%q,"http":{"method":["POST"],"relativeURI":["/"],"body":[null]}}`, sandbox.ShopConnection)))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.foreign[id] = true
	x.foreignOrder = append(x.foreignOrder, id)
	return err
}
