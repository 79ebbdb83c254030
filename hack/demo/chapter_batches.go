// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const (
	batchedRun     = "april-orders"
	batchedFile    = "hack/demo/importrun_batches.yaml"
	batchedBatches = 3
)

// batches sends a run in several calls, and creates it again.
func (d *demo) batches(ctx context.Context) error {
	before, err := d.platform.production.last(ctx)
	if err != nil {
		return err
	}
	d.screen.say("seven orders from a ConfigMap, three a call")
	if err := d.kubectl.show(ctx, "apply", "--validate=strict", "-f", batchedFile); err != nil {
		return err
	}
	run, err := d.succeeded(ctx, batchedRun, "RecordsAccepted")
	if err != nil {
		return err
	}
	if counts, expected := *run.Status.Records, (v1alpha1.RecordCounts{Total: 7, Sent: 7, Succeeded: 7}); counts != expected || run.Status.Progress != "3/3" {
		return fmt.Errorf("expected %+v in 3/3 batches; found %+v in %s", expected, counts, run.Status.Progress)
	}
	if err := d.kubectl.show(ctx, "get", "importrun", batchedRun); err != nil {
		return err
	}
	d.screen.say("the shop's full answers are in a Secret that goes with the run")
	if err := d.kubectl.show(ctx, "get", "secret", run.Spec.ResponseSecretName, "-o", `go-template={{range $key, $value := .data}}{{$key}} {{len $value}}{{"\n"}}{{end}}`); err != nil {
		return err
	}

	d.screen.say("somebody deletes the run, and Git creates it again: it has succeeded already")
	if err := d.kubectl.show(ctx, "delete", "importrun", batchedRun); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "apply", "--validate=strict", "-f", batchedFile); err != nil {
		return err
	}
	if _, err := d.succeeded(ctx, batchedRun, "AlreadySucceeded"); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "importrun", batchedRun, "-o", `jsonpath={.status.conditions[?(@.type=="Succeeded")].message}`); err != nil {
		return err
	}
	if err := d.platform.production.wrote(ctx, before, map[call]int{invoke: batchedBatches}); err != nil {
		return err
	}

	d.screen.say("it goes away by itself when it is given a time to live")
	if err := d.kubectl.show(ctx, "patch", "importrun", batchedRun, "--type=merge", "-p", `{"spec":{"ttlSecondsAfterFinished":0}}`); err != nil {
		return err
	}
	return local.Await(ctx, local.Patience, "ImportRun "+batchedRun+" to be gone", func(ctx context.Context) error {
		err := d.objects.Get(ctx, named(batchedRun), &v1alpha1.ImportRun{})
		if err == nil {
			return fmt.Errorf("it is still there")
		}
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}

// succeeded waits until the run has succeeded, for this reason.
func (d *demo) succeeded(ctx context.Context, name, reason string) (*v1alpha1.ImportRun, error) {
	run := &v1alpha1.ImportRun{}
	err := local.Await(ctx, local.Patience, "ImportRun "+name+" to succeed: "+reason, func(ctx context.Context) error {
		if err := d.objects.Get(ctx, named(name), run); err != nil {
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
