// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// The objects of config/samples that the story is about.
const (
	shopImport = "orders-to-shop"
	ftpImport  = "items-to-ftp"
	failingRun = "march-orders"
	stockFlow  = "Nightly stock upload"
)

// sampleImports are the Imports of config/samples.
var sampleImports = []string{ftpImport, shopImport, "salesorders-to-netsuite", "customers-to-salesforce"}

// sampleRuns are its ImportRuns.
var sampleRuns = []string{"first-orders", "initial-customers"}

// tell tells the story. Every chapter checks what it shows.
func (d *demo) tell(ctx context.Context) error {
	before, err := d.platform.stored(ctx)
	if err != nil {
		return err
	}
	for i, chapter := range []struct {
		title string
		tell  func(context.Context) error
	}{
		{"What is declared comes to be", d.declare},
		{"At rest nothing is written", d.rest},
		{"A change behind Git's back is corrected", d.drift},
		{"A run tells which records failed, and why", d.invoke},
		{"What a flow uses is not deleted", d.delete},
		{"What it took", func(ctx context.Context) error { return d.account(ctx, before) }},
	} {
		d.screen.chapter(i+1, chapter.title)
		if err := chapter.tell(ctx); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return errors.Join(fmt.Errorf("chapter %d, %q: %w", i+1, chapter.title, err), d.forbidden())
		}
	}
	return nil
}

// declare applies the samples and waits until all is as declared.
func (d *demo) declare(ctx context.Context) error {
	dir, err := overlay(samples, d.dir, fmt.Sprintf(`patches:
- patch: |-
    apiVersion: integrator.io/v1alpha1
    kind: Account
    metadata: {name: default}
    spec: {baseURL: %q, scanInterval: 2s}
- patch: |-
    apiVersion: v1
    kind: Secret
    metadata: {name: integrator-token}
    stringData: {token: %q}
`, d.platform.api, d.platform.token))
	if err != nil {
		return err
	}
	d.screen.say("config/samples, with the simulator's address and token, and a scan every 2 s")
	if err := d.kubectl.show(ctx, "apply", "--validate=strict", "-k", dir); err != nil {
		return err
	}
	for _, name := range sampleImports {
		if err := await(ctx, patience, "Import "+name+" to be Ready", func(ctx context.Context) error { return d.importIs(ctx, name, "True", "Synced") }); err != nil {
			return err
		}
	}
	for _, name := range sampleRuns {
		if err := await(ctx, patience, "ImportRun "+name+" to succeed", func(ctx context.Context) error { return d.runIs(ctx, name, v1alpha1.RunSucceeded) }); err != nil {
			return err
		}
	}
	if err := await(ctx, patience, "Account default to be Ready and to have counted its imports", d.accountCounts(len(sampleImports))); err != nil {
		return err
	}
	d.screen.say("the account has more imports than that; those that nobody declares are left alone")
	if err := d.kubectl.show(ctx, "get", "accounts,imports"); err != nil {
		return err
	}
	d.screen.say("the samples' runs have waited for their imports, and were sent once")
	return d.kubectl.show(ctx, "get", "importruns")
}

// rest checks that scans go on while nothing is written, neither there nor here.
func (d *demo) rest(ctx context.Context) error {
	const scans = 3
	entries, err := d.platform.calls(ctx, 0)
	if err != nil {
		return err
	}
	last := entries[len(entries)-1].Seq
	versions, err := d.versions(ctx)
	if err != nil {
		return err
	}
	if err := await(ctx, patience, fmt.Sprintf("%d scans", scans), func(ctx context.Context) (err error) {
		entries, err = d.platform.calls(ctx, last)
		if begun := starts(entries); err == nil && len(begun) <= scans {
			return fmt.Errorf("%d and no further", len(begun))
		}
		return err
	}); err != nil {
		return err
	}
	if counts := count(entries); len(counts) != 1 || counts[call{http.MethodGet, "/v1/imports"}] == 0 {
		return fmt.Errorf("expected nothing but GET /v1/imports at rest; found\n%s", table(counts))
	}
	after, err := d.versions(ctx)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(versions, after) {
		return fmt.Errorf("expected no object to be written at rest; resourceVersions were %v and are %v", versions, after)
	}
	begun := starts(entries)
	d.screen.say("%d scans later: each took one list of the account, %d pages of it, and no other\n"+
		"call; no object in the cluster was written", scans, begun[1]-begun[0])
	return nil
}

// starts are the positions of the first pages of lists.
func starts(entries []simulator.Entry) []int {
	var positions []int
	for i, entry := range entries {
		if entry.Route == "/v1/imports" && !strings.Contains(entry.Query, "skip=") {
			positions = append(positions, i)
		}
	}
	return positions
}

// drift has Jane change an import, and shows how the operator takes back what is declared
// otherwise, and nothing else.
func (d *demo) drift(ctx context.Context) error {
	id, err := d.importID(ctx, shopImport)
	if err != nil {
		return err
	}
	d.screen.say("in the UI, Jane Doe changes %q (PUT /v1/imports/%s):\n"+
		"  http.relativeURI  to /v1/orders-test   declared: is put back\n"+
		"  description       to ask Jane first    not declared: hers to set\n"+
		"  maxAttempts       to 10                in ignoreDifferences: hers, too", shopImport, id)
	if err := d.platform.edit(ctx, id, func(document map[string]any) {
		document["http"].(map[string]any)["relativeURI"] = []any{"/v1/orders-test"}
		document["description"] = "ask Jane first"
		document["maxAttempts"] = 10
	}); err != nil {
		return err
	}
	for _, reason := range []string{"DriftDetected", "DriftCorrected"} {
		if err := await(ctx, patience, "an event "+reason+" with the path, the declared and the remote value", func(ctx context.Context) error {
			return d.hasEvent(ctx, shopImport, reason, "/http/relativeURI", `declared "/v2/orders"`, `remote "/v1/orders-test"`)
		}); err != nil {
			return err
		}
	}
	if err := d.kubectl.show(ctx, "events", "--for=import/"+shopImport); err != nil {
		return err
	}
	stored, err := d.platform.stored(ctx)
	if err != nil {
		return err
	}
	for _, field := range []struct {
		pointer  []string
		expected any
	}{
		{[]string{"http", "relativeURI"}, []any{"/v2/orders"}},
		{[]string{"description"}, "ask Jane first"},
		{[]string{"maxAttempts"}, 10.0},
	} {
		path := strings.Join(field.pointer, ".")
		found := at(stored[id], field.pointer)
		if !reflect.DeepEqual(found, field.expected) {
			return fmt.Errorf("expected the platform to have %s = %v; it has %v", path, field.expected, found)
		}
		d.screen.output(fmt.Sprintf("on the platform now: %-17s %v", path, found))
	}
	return await(ctx, patience, "Import "+shopImport+" to be Ready", func(ctx context.Context) error { return d.importIs(ctx, shopImport, "True", "Synced") })
}

// invoke runs an import with records of which some fail.
func (d *demo) invoke(ctx context.Context) error {
	d.screen.say("five orders; the shop refuses two of them and passes over one")
	if err := d.kubectl.show(ctx, "apply", "--validate=strict", "-f", "hack/demo/importrun.yaml"); err != nil {
		return err
	}
	if err := await(ctx, patience, "ImportRun "+failingRun+" to fail", func(ctx context.Context) error { return d.runIs(ctx, failingRun, v1alpha1.RunFailed) }); err != nil {
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
	written, err := d.platform.written(ctx, run.Status.ImportID)
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

// delete deletes an Import whose remote import a flow uses.
func (d *demo) delete(ctx context.Context) error {
	id, err := d.importID(ctx, ftpImport)
	if err != nil {
		return err
	}
	flow, err := d.platform.flow(ctx, stockFlow)
	if err != nil {
		return err
	}
	users := flow.Imports
	d.screen.say("in the UI, somebody lets the flow %q use the import; then its Import is deleted", stockFlow)
	flow.Imports = append(slices.Clone(users), id)
	if err := d.platform.setFlow(ctx, flow); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "delete", "import", ftpImport, "--wait=false"); err != nil {
		return err
	}
	if err := await(ctx, patience, "Import "+ftpImport+" to say what uses it", func(ctx context.Context) error {
		return d.importIs(ctx, ftpImport, "False", "DeletionBlocked", `flow "`+stockFlow+`"`)
	}); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "import", ftpImport); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "import", ftpImport, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].message}`); err != nil {
		return err
	}
	stored, err := d.platform.stored(ctx)
	if err != nil {
		return err
	}
	if stored[id] == nil {
		return fmt.Errorf("expected the platform to have the import %s that a flow uses; it has not", id)
	}

	d.screen.say("the flow lets go; the operator looks again within 30 s, or when asked to")
	flow.Imports = users
	if err := d.platform.setFlow(ctx, flow); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "annotate", "import", ftpImport, v1alpha1.AnnotationReconcileRequestedAt+"=now"); err != nil {
		return err
	}
	if err := await(ctx, patience, "Import "+ftpImport+" to be gone", func(ctx context.Context) error {
		err := d.objects.Get(ctx, named(ftpImport), &v1alpha1.Import{})
		if err == nil {
			return fmt.Errorf("it is still there")
		}
		if !apierrors.IsNotFound(err) {
			return err
		}
		return nil
	}); err != nil {
		return err
	}
	binned, err := d.platform.deleted(ctx)
	if err != nil {
		return err
	}
	if binned[id] == nil {
		return fmt.Errorf("expected the import %s in the platform's recycle bin; it is not there", id)
	}
	d.screen.say("it is deleted on the platform, which keeps it in its recycle bin for 30 days")
	return d.kubectl.show(ctx, "get", "imports")
}

// account closes the account: every write was made once, and what nobody declared is as
// it was before.
func (d *demo) account(ctx context.Context, before map[string]map[string]any) error {
	if err := await(ctx, patience, "Account default to have counted its imports", d.accountCounts(len(sampleImports)-1)); err != nil {
		return err
	}
	if err := d.kubectl.show(ctx, "get", "imports,importruns,accounts"); err != nil {
		return err
	}
	entries, err := d.platform.calls(ctx, 0)
	if err != nil {
		return err
	}
	counts := count(entries)
	for kind, expected := range map[call]int{
		{http.MethodPost, "/v1/imports"}:             len(sampleImports),
		{http.MethodPut, "/v1/imports/{id}"}:         1,
		{http.MethodDelete, "/v1/imports/{id}"}:      1,
		{http.MethodPost, "/v1/imports/{id}/invoke"}: len(sampleRuns) + 1,
	} {
		if counts[kind] != expected {
			return fmt.Errorf("expected %d calls %s %s of the operator; found\n%s", expected, kind.method, kind.route, table(counts))
		}
	}
	if err := failures(entries); err != nil {
		return err
	}
	after, err := d.platform.stored(ctx)
	if err != nil {
		return err
	}
	for id, document := range before {
		if !reflect.DeepEqual(document, after[id]) {
			return fmt.Errorf("expected the import %s, which nobody declares, to be as it was: %v; it is %v", id, document, after[id])
		}
	}
	d.screen.say("what the operator asked of the API, from the simulator's ledger: every write was\n" +
		"made once, and the account's other imports are as they were")
	d.screen.output(table(counts))
	return d.forbidden()
}

func named(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// at is the value at a path of object keys, nil where there is none.
func at(document map[string]any, path []string) any {
	var value any = document
	for _, key := range path {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}
