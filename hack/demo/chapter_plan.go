// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"reflect"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// plan edits an Import that has the annotation for a dry run, then takes it away.
func (d *demo) plan(ctx context.Context) error {
	production := d.platform.production
	last, err := production.last(ctx)
	if err != nil {
		return err
	}
	id, err := d.importID(ctx, named(netsuiteImport))
	if err != nil {
		return err
	}
	d.screen.say("with this annotation, an edit is only planned")
	if err := d.kubectl.show(ctx, "annotate", "import", netsuiteImport, v1alpha1.AnnotationDryRun+"=true"); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "patch", "import", netsuiteImport, "--type=merge", "-p",
		`{"spec":{"definition":{"netsuite_da":{"batchSize":100}}}}`); err != nil {
		return err
	}
	if err := d.planned(ctx); err != nil {
		return err
	}
	if err := d.storedIs(ctx, id, 50.0, "netsuite_da", "batchSize"); err != nil {
		return err
	}
	if err := production.wrote(ctx, last, map[call]int{}); err != nil {
		return err
	}

	d.screen.say("without it, the edit is made")
	if err := d.kubectl.show(ctx, "annotate", "import", netsuiteImport, v1alpha1.AnnotationDryRun+"-"); err != nil {
		return err
	}
	if err := d.synced(ctx, named(netsuiteImport)); err != nil {
		return err
	}
	if err := d.storedIs(ctx, id, 100.0, "netsuite_da", "batchSize"); err != nil {
		return err
	}
	return production.wrote(ctx, last, map[call]int{update: 1})
}

// planned waits for the plan and shows it.
func (d *demo) planned(ctx context.Context) error {
	expected := &v1alpha1.ImportPlan{
		Calls:       []string{"PUT /v1/imports/{id}"},
		Differences: []v1alpha1.Difference{{Path: "/netsuite_da/batchSize", Declared: "100", Remote: "50"}},
	}
	if err := local.Await(ctx, local.Patience, "Import "+netsuiteImport+" to show what would be called", func(ctx context.Context) error {
		object, err := d.imported(ctx, named(netsuiteImport))
		if err != nil {
			return err
		}
		suspended := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionSuspended)
		if !reflect.DeepEqual(object.Status.Plan, expected) || suspended == nil || suspended.Reason != "DryRun" || suspended.ObservedGeneration != object.Generation {
			return fmt.Errorf("the plan %+v, the condition Suspended %+v", object.Status.Plan, suspended)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "import", netsuiteImport, "-o", `jsonpath={.status.conditions[?(@.type=="Suspended")].message}`); err != nil {
		return err
	}
	return d.kubectl.show(ctx, "get", "import", netsuiteImport, "-o", "jsonpath-as-json={.status.plan}")
}

// storedIs reads an import of the production account from the platform, shows one field, and
// complains unless it is as expected.
func (d *demo) storedIs(ctx context.Context, id string, expected any, pointer ...string) error {
	stored, err := d.platform.production.stored(ctx)
	if err != nil {
		return err
	}
	return d.showStored(stored[id], expected, pointer...)
}
