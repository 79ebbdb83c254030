// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"reflect"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// dryRun edits an Import that has the dry-run annotation, and then removes the annotation.
func dryRun(ctx context.Context, r *runner.Runner) error {
	production := r.Platform.Production
	last, err := production.LastRequest(ctx)
	if err != nil {
		return err
	}
	id, err := r.ImportID(ctx, runner.Key(netsuiteImport))
	if err != nil {
		return err
	}
	r.Terminal.Explain("with this annotation, a change is only planned")
	if err := r.Kubectl.Show(ctx, "annotate", "import", netsuiteImport, v1alpha1.AnnotationDryRun+"=true"); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "patch", "import", netsuiteImport, "--type=merge", "-p",
		`{"spec":{"definition":{"netsuite_da":{"batchSize":100}}}}`); err != nil {
		return err
	}
	if err := awaitPlan(ctx, r); err != nil {
		return err
	}
	if err := showProductionField(ctx, r, id, 50.0, "netsuite_da", "batchSize"); err != nil {
		return err
	}
	if err := production.CheckWrites(ctx, last, map[platform.Endpoint]int{}); err != nil {
		return err
	}

	r.Terminal.Explain("without it, the change is made")
	if err := r.Kubectl.Show(ctx, "annotate", "import", netsuiteImport, v1alpha1.AnnotationDryRun+"-"); err != nil {
		return err
	}
	if err := r.AwaitSynced(ctx, runner.Key(netsuiteImport)); err != nil {
		return err
	}
	if err := showProductionField(ctx, r, id, 100.0, "netsuite_da", "batchSize"); err != nil {
		return err
	}
	return production.CheckWrites(ctx, last, map[platform.Endpoint]int{platform.Update: 1})
}

// awaitPlan waits for the plan and shows it.
func awaitPlan(ctx context.Context, r *runner.Runner) error {
	expected := &v1alpha1.ImportPlan{
		Calls:       []string{"PUT /v1/imports/{id}"},
		Differences: []v1alpha1.Difference{{Path: "/netsuite_da/batchSize", Declared: "100", Remote: "50"}},
	}
	if err := local.Await(ctx, local.Patience, "Import "+netsuiteImport+" to show what would be called", func(ctx context.Context) error {
		object, err := r.Import(ctx, runner.Key(netsuiteImport))
		if err != nil {
			return err
		}
		suspended := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionSuspended)
		if !reflect.DeepEqual(object.Status.Plan, expected) || suspended == nil || suspended.Reason != v1alpha1.ReasonDryRun || suspended.ObservedGeneration != object.Generation {
			return fmt.Errorf("the plan %+v, the condition Suspended %+v", object.Status.Plan, suspended)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "get", "import", netsuiteImport, "-o", `jsonpath={.status.conditions[?(@.type=="Suspended")].message}`); err != nil {
		return err
	}
	return r.Kubectl.Show(ctx, "get", "import", netsuiteImport, "-o", "jsonpath-as-json={.status.plan}")
}

// showProductionField shows a field of an import of the production account, and returns an error
// unless it has the expected value.
func showProductionField(ctx context.Context, r *runner.Runner, id string, expected any, path ...string) error {
	stored, err := r.Platform.Production.Stored(ctx)
	if err != nil {
		return err
	}
	return r.ShowStoredField(stored[id], expected, path...)
}
