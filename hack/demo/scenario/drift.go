// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"reflect"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// correctDrift lets Jane change an import, and shows that the operator restores the declared
// fields, and no others.
func correctDrift(ctx context.Context, r *runner.Runner) error {
	production := r.Platform.Production
	id, err := r.ImportID(ctx, runner.Key(shopImport))
	if err != nil {
		return err
	}
	r.Terminal.Explain("in the UI, Jane Doe changes %q (PUT /v1/imports/%s):\n"+
		"  http.relativeURI  to /v1/orders-test   declared: is restored\n"+
		"  description       to ask Jane first    not declared: hers to set\n"+
		"  maxAttempts       to 10                in ignoreDifferences: hers to set, too", shopImport, id)
	if err := production.Edit(ctx, id, func(document map[string]any) {
		document["http"].(map[string]any)["relativeURI"] = []any{"/v1/orders-test"}
		document["description"] = "ask Jane first"
		document["maxAttempts"] = 10
	}); err != nil {
		return err
	}
	const changed = `/http/relativeURI/0 (declared "/v2/orders", remote "/v1/orders-test")`
	for reason, note := range map[string]string{
		v1alpha1.ReasonDriftDetected:  "the remote import was changed by " + platform.JaneEmail + " (ui): " + changed,
		v1alpha1.ReasonDriftCorrected: "restored what is declared: " + changed,
	} {
		if err := local.Await(ctx, local.Patience, fmt.Sprintf("an event %s with the note %q", reason, note), func(ctx context.Context) error {
			return r.CheckEvent(ctx, shopImport, reason, note)
		}); err != nil {
			return err
		}
	}
	if err := r.Kubectl.Show(ctx, "events", "--for=import/"+shopImport); err != nil {
		return err
	}
	r.Terminal.Explain("the platform's audit log has the author and all changes")
	if err := showAuthor(ctx, r, shopImport, "description", "http.relativeURI", "maxAttempts"); err != nil {
		return err
	}
	if err := checkCorrected(ctx, r, id); err != nil {
		return err
	}
	return r.AwaitSynced(ctx, runner.Key(shopImport))
}

// checkCorrected checks that the declared field was restored on the platform, and no other.
func checkCorrected(ctx context.Context, r *runner.Runner, id string) error {
	stored, err := r.Platform.Production.Stored(ctx)
	if err != nil {
		return err
	}
	for _, field := range []struct {
		path     []string
		expected any
	}{
		{[]string{"http", "relativeURI"}, []any{"/v2/orders"}},
		{[]string{"description"}, "ask Jane first"},
		{[]string{"maxAttempts"}, 10.0},
	} {
		if err := r.ShowStoredField(stored[id], field.expected, field.path...); err != nil {
			return err
		}
	}
	return nil
}

// showAuthor shows the last change of an import, and returns an error unless it is Jane's change
// of these fields.
func showAuthor(ctx context.Context, r *runner.Runner, name string, fields ...string) error {
	object, err := r.Import(ctx, runner.Key(name))
	if err != nil {
		return err
	}
	if object.Status.Audit == nil || object.Status.Audit.LastEvent == nil {
		return fmt.Errorf("expected the Import %s to show the last change; status.audit is %+v", name, object.Status.Audit)
	}
	found := *object.Status.Audit.LastEvent
	if expected := (v1alpha1.AuditEvent{Time: found.Time, Event: "update", Source: "ui", User: platform.JaneEmail, Fields: fields}); !reflect.DeepEqual(found, expected) {
		return fmt.Errorf("expected the last change of the Import %s to be %+v; found %+v", name, expected, found)
	}
	return r.Kubectl.Show(ctx, "get", "import", name, "-o", "jsonpath-as-json={.status.audit.lastEvent}")
}

// reportDrift lets Jane change an import whose driftPolicy is Report. Her change stays, and
// declaring the same value ends the drift.
func reportDrift(ctx context.Context, r *runner.Runner) error {
	production := r.Platform.Production
	last, err := production.LastRequest(ctx)
	if err != nil {
		return err
	}
	id, err := r.ImportID(ctx, runner.Key(customersImport))
	if err != nil {
		return err
	}
	r.Terminal.Explain("Jane changes salesforce.operation of %q to update; its driftPolicy is Report", customersImport)
	if err := production.Edit(ctx, id, func(document map[string]any) {
		document["salesforce"].(map[string]any)["operation"] = "update"
	}); err != nil {
		return err
	}
	if err := local.Await(ctx, local.Patience, "Import "+customersImport+" to report the drift", func(ctx context.Context) error {
		object, err := r.Import(ctx, runner.Key(customersImport))
		if err != nil {
			return err
		}
		return runner.CheckDifferences(object.Status.Drift, v1alpha1.Difference{Path: "/salesforce/operation", Declared: `"upsert"`, Remote: `"update"`})
	}); err != nil {
		return err
	}
	if err := showWide(ctx, r, customersImport, "/salesforce/operation", platform.JaneEmail); err != nil {
		return err
	}
	r.Terminal.Explain("her change is right, so it is declared as well; nothing has to be written")
	if err := r.Kubectl.Show(ctx, "patch", "import", customersImport, "--type=merge", "-p",
		`{"spec":{"definition":{"salesforce":{"operation":"update"}}}}`); err != nil {
		return err
	}
	if err := r.AwaitSynced(ctx, runner.Key(customersImport)); err != nil {
		return err
	}
	if err := showWide(ctx, r, customersImport, "", platform.JaneEmail); err != nil {
		return err
	}
	return production.CheckWrites(ctx, last, map[platform.Endpoint]int{})
}

// showWide shows an Import with all columns of the table, and returns an error unless they have
// this drift and this author of the last change.
func showWide(ctx context.Context, r *runner.Runner, name, drift, author string) error {
	output, err := r.Kubectl.ShowOutput(ctx, "get", "import", name, "-o", "wide")
	if err != nil {
		return err
	}
	for header, expected := range map[string]string{"DRIFT": drift, "LAST-CHANGED-BY": author} {
		if found := runner.Cell(output, name, header); found != expected {
			return fmt.Errorf("expected the column %s of the Import %s to have %q; it has %q", header, name, expected, found)
		}
	}
	return nil
}
