// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const failingRun = "march-orders"

// invoke runs an import with records of which some fail.
func (d *demo) invoke(ctx context.Context) error {
	d.screen.say("five orders; the shop refuses two of them and passes over one")
	if err := d.kubectl.show(ctx, "apply", "--validate=strict", "-f", "hack/demo/importrun.yaml"); err != nil {
		return err
	}
	if err := local.Await(ctx, local.Patience, "ImportRun "+failingRun+" to fail", func(ctx context.Context) error { return d.runIs(ctx, failingRun, v1alpha1.RunFailed) }); err != nil {
		return err
	}
	var run v1alpha1.ImportRun
	if err := d.objects.Get(ctx, named(failingRun), &run); err != nil {
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
	// Two of the sample's orders before, and two of these.
	written, err := d.platform.production.written(ctx, run.Status.ImportID)
	if err != nil {
		return err
	}
	if written != 4 {
		return fmt.Errorf("expected 4 orders to have reached the shop; found %d", written)
	}
	if err := d.kubectl.show(ctx, "get", "importruns"); err != nil {
		return err
	}
	return d.kubectl.show(ctx, "get", "importrun", failingRun, "-o", "jsonpath-as-json={.status.failures[*]}")
}
