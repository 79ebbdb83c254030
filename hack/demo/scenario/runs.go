// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const failingRun = "march-orders"

// runWithFailures runs an import with five records: two fail and one is ignored.
func runWithFailures(ctx context.Context, r *runner.Runner) error {
	r.Terminal.Explain("five orders; the shop rejects two of them and ignores one")
	if err := r.Kubectl.Show(ctx, "apply", "--validate=strict", "-f", "hack/demo/manifests/importrun.yaml"); err != nil {
		return err
	}
	if err := local.Await(ctx, local.Patience, "ImportRun "+failingRun+" to fail", func(ctx context.Context) error { return r.CheckRunPhase(ctx, failingRun, v1alpha1.RunFailed) }); err != nil {
		return err
	}
	var run v1alpha1.ImportRun
	if err := r.Objects.Get(ctx, runner.Key(failingRun), &run); err != nil {
		return err
	}
	if counts, expected := *run.Status.Records, (v1alpha1.RecordCounts{Total: 5, Sent: 5, Succeeded: 2, Failed: 2, Ignored: 1}); counts != expected {
		return fmt.Errorf("expected the records to be counted as %+v; found %+v", expected, counts)
	}
	expected := []v1alpha1.RecordFailure{
		{Index: 1, StatusCode: 422, Code: "invalid_email", Message: "customer.email: nobody is not an email address"},
		{Index: 3, StatusCode: 404, Code: "unknown_sku", Message: "lines[0].sku: there is no LAMP-9"},
	}
	if !reflect.DeepEqual(run.Status.Failures, expected) {
		return fmt.Errorf("expected the failures %+v; found %+v", expected, run.Status.Failures)
	}
	// Two orders of the sample, and two of these.
	written, err := r.Platform.Production.Written(ctx, run.Status.ImportID)
	if err != nil {
		return err
	}
	if written != 4 {
		return fmt.Errorf("expected 4 orders to have reached the shop; found %d", written)
	}
	if err := r.Kubectl.Show(ctx, "get", "importruns"); err != nil {
		return err
	}
	return r.Kubectl.Show(ctx, "get", "importrun", failingRun, "-o", "jsonpath-as-json={.status.failures[*]}")
}

const (
	batchedRun     = "april-orders"
	batchedFile    = "hack/demo/manifests/importrun_batches.yaml"
	batchedBatches = 3
)

// runInBatches sends a run in several calls, and creates it again: it is not sent a second time.
func runInBatches(ctx context.Context, r *runner.Runner) error {
	before, err := r.Platform.Production.LastRequest(ctx)
	if err != nil {
		return err
	}
	r.Terminal.Explain("seven orders from a ConfigMap, three per call")
	if err := r.Kubectl.Show(ctx, "apply", "--validate=strict", "-f", batchedFile); err != nil {
		return err
	}
	run, err := awaitSucceeded(ctx, r, batchedRun, v1alpha1.ReasonRecordsAccepted)
	if err != nil {
		return err
	}
	if counts, expected := *run.Status.Records, (v1alpha1.RecordCounts{Total: 7, Sent: 7, Succeeded: 7}); counts != expected || run.Status.Progress != "3/3" {
		return fmt.Errorf("expected %+v in 3/3 batches; found %+v in %s", expected, counts, run.Status.Progress)
	}
	if err := r.Kubectl.Show(ctx, "get", "importrun", batchedRun); err != nil {
		return err
	}
	r.Terminal.Explain("the shop's full answers are in a Secret that is deleted with the run")
	if err := r.Kubectl.Show(ctx, "get", "secret", run.Spec.ResponseSecretName, "-o", `go-template={{range $key, $value := .data}}{{$key}} {{len $value}}{{"\n"}}{{end}}`); err != nil {
		return err
	}

	r.Terminal.Explain("the run is deleted, and Git creates it again: it has succeeded already")
	if err := r.Kubectl.Show(ctx, "delete", "importrun", batchedRun); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "apply", "--validate=strict", "-f", batchedFile); err != nil {
		return err
	}
	if _, err := awaitSucceeded(ctx, r, batchedRun, v1alpha1.ReasonAlreadySucceeded); err != nil {
		return err
	}
	if err := r.Kubectl.Show(ctx, "get", "importrun", batchedRun, "-o", `jsonpath={.status.conditions[?(@.type=="Succeeded")].message}`); err != nil {
		return err
	}
	if err := r.Platform.Production.CheckWrites(ctx, before, map[platform.Endpoint]int{platform.Invoke: batchedBatches}); err != nil {
		return err
	}

	r.Terminal.Explain("with a time to live, the operator deletes it")
	if err := r.Kubectl.Show(ctx, "patch", "importrun", batchedRun, "--type=merge", "-p", `{"spec":{"ttlSecondsAfterFinished":0}}`); err != nil {
		return err
	}
	return local.Await(ctx, local.Patience, "ImportRun "+batchedRun+" to be deleted", func(ctx context.Context) error {
		err := r.Objects.Get(ctx, runner.Key(batchedRun), &v1alpha1.ImportRun{})
		if err == nil {
			return fmt.Errorf("it still exists")
		}
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}

// awaitSucceeded waits until the run has succeeded with this reason, and returns it.
func awaitSucceeded(ctx context.Context, r *runner.Runner, name, reason string) (*v1alpha1.ImportRun, error) {
	run := &v1alpha1.ImportRun{}
	err := local.Await(ctx, local.Patience, "ImportRun "+name+" to succeed: "+reason, func(ctx context.Context) error {
		if err := r.Objects.Get(ctx, runner.Key(name), run); err != nil {
			return err
		}
		ready := apimeta.FindStatusCondition(run.Status.Conditions, v1alpha1.ConditionReady)
		if run.Status.Phase != v1alpha1.RunSucceeded || ready == nil || ready.Reason != reason {
			return fmt.Errorf("phase %q, conditions %+v", run.Status.Phase, run.Status.Conditions)
		}
		return nil
	})
	return run, err
}
