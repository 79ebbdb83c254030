// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// Complaints about the state of the cluster: nil when it is as expected.

// importIs complains until the Import's Ready condition has the status, the reason and
// all of the text, and speaks of the latest generation.
func (d *demo) importIs(ctx context.Context, key types.NamespacedName, status metav1.ConditionStatus, reason string, text ...string) error {
	object, err := d.imported(ctx, key)
	if err != nil {
		return err
	}
	ready := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return fmt.Errorf("it has no condition Ready yet")
	}
	if ready.Status != status || ready.Reason != reason || !containsAll(ready.Message, text) || ready.ObservedGeneration != object.Generation {
		return fmt.Errorf("condition Ready %s, %s: %s (generation %d of %d)", ready.Status, ready.Reason, ready.Message, ready.ObservedGeneration, object.Generation)
	}
	return nil
}

// synced waits until the Import is Ready, with the latest of its spec.
func (d *demo) synced(ctx context.Context, key types.NamespacedName) error {
	return local.Await(ctx, local.Patience, "Import "+key.String()+" to be Ready", func(ctx context.Context) error {
		return d.importIs(ctx, key, metav1.ConditionTrue, "Synced")
	})
}

// imported returns the Import.
func (d *demo) imported(ctx context.Context, key types.NamespacedName) (*v1alpha1.Import, error) {
	object := &v1alpha1.Import{}
	return object, d.objects.Get(ctx, key, object)
}

// importID returns the id of the Import's remote import.
func (d *demo) importID(ctx context.Context, key types.NamespacedName) (string, error) {
	object, err := d.imported(ctx, key)
	if err != nil {
		return "", err
	}
	if object.Status.ID == "" {
		return "", fmt.Errorf("the Import %s has no id", key)
	}
	return object.Status.ID, nil
}

// runIs complains until the ImportRun is in the phase.
func (d *demo) runIs(ctx context.Context, name string, phase v1alpha1.RunPhase) error {
	var run v1alpha1.ImportRun
	if err := d.objects.Get(ctx, named(name), &run); err != nil {
		return err
	}
	if run.Status.Phase != phase {
		message := ""
		if succeeded := apimeta.FindStatusCondition(run.Status.Conditions, v1alpha1.ConditionSucceeded); succeeded != nil {
			message = succeeded.Message
		}
		return fmt.Errorf("phase %q: %s", run.Status.Phase, message)
	}
	return nil
}

// accountCounts complains until the Account is Ready and its last scan has found so many
// imports, and so many of them managed.
func (d *demo) accountCounts(imports, managed int) func(context.Context) error {
	return func(ctx context.Context) error {
		var account v1alpha1.Account
		if err := d.objects.Get(ctx, named("default"), &account); err != nil {
			return err
		}
		status := &account.Status
		if !apimeta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) {
			return fmt.Errorf("conditions %+v", status.Conditions)
		}
		if status.Imports == nil || status.Managed == nil {
			return fmt.Errorf("no counts yet")
		}
		if int(*status.Imports) != imports || int(*status.Managed) != managed {
			return fmt.Errorf("%d imports, of which %d managed", *status.Imports, *status.Managed)
		}
		return nil
	}
}

// hasEvent complains until the Import has an event with the reason and all of the text.
func (d *demo) hasEvent(ctx context.Context, name, reason string, text ...string) error {
	events, err := d.plane.Clients.EventsV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var notes []string
	for _, event := range events.Items {
		if event.Regarding.Name != name || event.Reason != reason {
			continue
		}
		if containsAll(event.Note, text) {
			return nil
		}
		notes = append(notes, event.Note)
	}
	return fmt.Errorf("of that reason: %q", notes)
}

func containsAll(message string, text []string) bool {
	return !slices.ContainsFunc(text, func(part string) bool { return !strings.Contains(message, part) })
}

// versions returns the resourceVersion of every object of the operator's kinds.
func (d *demo) versions(ctx context.Context) (map[string]string, error) {
	versions := map[string]string{}
	for _, list := range []client.ObjectList{&v1alpha1.AccountList{}, &v1alpha1.ImportList{}, &v1alpha1.ImportRunList{}} {
		if err := d.objects.List(ctx, list); err != nil {
			return nil, err
		}
		items, err := apimeta.ExtractList(list)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			object, err := apimeta.Accessor(item)
			if err != nil {
				return nil, err
			}
			versions[fmt.Sprintf("%T %s/%s", item, object.GetNamespace(), object.GetName())] = object.GetResourceVersion()
		}
	}
	return versions, nil
}

// differ complains unless the differences are those expected.
func differ(found []v1alpha1.Difference, expected ...v1alpha1.Difference) error {
	if !reflect.DeepEqual(found, expected) {
		return fmt.Errorf("expected the differences %+v; found %+v", expected, found)
	}
	return nil
}
