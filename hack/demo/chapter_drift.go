// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// drift has Jane change an import, and shows how the operator takes back what is declared
// otherwise, and nothing else.
func (d *demo) drift(ctx context.Context) error {
	production := d.platform.production
	id, err := d.importID(ctx, named(shopImport))
	if err != nil {
		return err
	}
	d.screen.say("in the UI, Jane Doe changes %q (PUT /v1/imports/%s):\n"+
		"  http.relativeURI  to /v1/orders-test   declared: is put back\n"+
		"  description       to ask Jane first    not declared: hers to set\n"+
		"  maxAttempts       to 10                in ignoreDifferences: hers, too", shopImport, id)
	if err := production.edit(ctx, id, func(document map[string]any) {
		document["http"].(map[string]any)["relativeURI"] = []any{"/v1/orders-test"}
		document["description"] = "ask Jane first"
		document["maxAttempts"] = 10
	}); err != nil {
		return err
	}
	const changed = `/http/relativeURI/0 (declared "/v2/orders", remote "/v1/orders-test")`
	for reason, note := range map[string]string{
		"DriftDetected":  "the remote import was changed by " + janeEmail + " (ui): " + changed,
		"DriftCorrected": "put back what is declared: " + changed,
	} {
		if err := local.Await(ctx, local.Patience, fmt.Sprintf("an event %s that says %q", reason, note), func(ctx context.Context) error {
			return d.hasEvent(ctx, shopImport, reason, note)
		}); err != nil {
			return err
		}
	}
	if err := d.kubectl.show(ctx, "events", "--for=import/"+shopImport); err != nil {
		return err
	}
	d.screen.say("the platform's audit log knows who it was, and all that was changed")
	if err := d.showAuthor(ctx, shopImport, "description", "http.relativeURI", "maxAttempts"); err != nil {
		return err
	}
	if err := d.corrected(ctx, id); err != nil {
		return err
	}
	return d.synced(ctx, named(shopImport))
}

// corrected checks that what is declared was put back on the platform, and nothing else.
func (d *demo) corrected(ctx context.Context, id string) error {
	stored, err := d.platform.production.stored(ctx)
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
		if err := d.showStored(stored[id], field.expected, field.pointer...); err != nil {
			return err
		}
	}
	return nil
}

// showStored shows a field of an import on the platform, and complains unless it is as
// expected.
func (d *demo) showStored(document map[string]any, expected any, pointer ...string) error {
	path, found := strings.Join(pointer, "."), at(document, pointer...)
	if !reflect.DeepEqual(found, expected) {
		return fmt.Errorf("expected the platform to have %s = %v; it has %v", path, expected, found)
	}
	d.screen.output(fmt.Sprintf("on the platform now: %-17s %v", path, found))
	return nil
}

// showAuthor shows the last change of an import, which is Jane's, of these fields.
func (d *demo) showAuthor(ctx context.Context, name string, fields ...string) error {
	object, err := d.imported(ctx, named(name))
	if err != nil {
		return err
	}
	if object.Status.Audit == nil || object.Status.Audit.LastEvent == nil {
		return fmt.Errorf("expected the Import %s to know the last change; status.audit is %+v", name, object.Status.Audit)
	}
	found := *object.Status.Audit.LastEvent
	if expected := (v1alpha1.AuditEvent{Time: found.Time, Event: "update", Source: "ui", User: janeEmail, Fields: fields}); !reflect.DeepEqual(found, expected) {
		return fmt.Errorf("expected the last change of the Import %s to be %+v; found %+v", name, expected, found)
	}
	return d.kubectl.show(ctx, "get", "import", name, "-o", "jsonpath-as-json={.status.audit.lastEvent}")
}
