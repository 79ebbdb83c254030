// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runner

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

// The checks below return nil when the cluster is as expected, and otherwise an error that
// describes what was found. local.Await repeats them.

// CheckImport checks that the Import's Ready condition has the status, the reason and all of the
// text, and that it is about the latest generation.
func (r *Runner) CheckImport(ctx context.Context, key types.NamespacedName, status metav1.ConditionStatus, reason string, text ...string) error {
	object, err := r.Import(ctx, key)
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

// AwaitSynced waits until the Import is Ready with its latest spec.
func (r *Runner) AwaitSynced(ctx context.Context, key types.NamespacedName) error {
	return local.Await(ctx, local.Patience, "Import "+key.String()+" to be Ready", func(ctx context.Context) error {
		return r.CheckImport(ctx, key, metav1.ConditionTrue, v1alpha1.ReasonSynced)
	})
}

// Import returns the Import.
func (r *Runner) Import(ctx context.Context, key types.NamespacedName) (*v1alpha1.Import, error) {
	object := &v1alpha1.Import{}
	return object, r.Objects.Get(ctx, key, object)
}

// ImportID returns the id of the Import's remote import.
func (r *Runner) ImportID(ctx context.Context, key types.NamespacedName) (string, error) {
	object, err := r.Import(ctx, key)
	if err != nil {
		return "", err
	}
	if object.Status.ID == "" {
		return "", fmt.Errorf("the Import %s has no id", key)
	}
	return object.Status.ID, nil
}

// CheckRunPhase checks that the ImportRun is in the phase.
func (r *Runner) CheckRunPhase(ctx context.Context, name string, phase v1alpha1.RunPhase) error {
	var run v1alpha1.ImportRun
	if err := r.Objects.Get(ctx, Key(name), &run); err != nil {
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

// CheckAccountCounts returns a check that the Account is Ready, and that its last scan found
// this number of imports, and of managed ones among them.
func (r *Runner) CheckAccountCounts(imports, managed int) func(context.Context) error {
	return func(ctx context.Context) error {
		var account v1alpha1.Account
		if err := r.Objects.Get(ctx, Key("default"), &account); err != nil {
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
			return fmt.Errorf("%d imports, %d of them managed", *status.Imports, *status.Managed)
		}
		return nil
	}
}

// CheckEvent checks that the Import has an event with the reason and all of the text.
func (r *Runner) CheckEvent(ctx context.Context, name, reason string, text ...string) error {
	events, err := r.Plane.Clients.EventsV1().Events(Namespace).List(ctx, metav1.ListOptions{})
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
	return fmt.Errorf("events of that reason: %q", notes)
}

func containsAll(message string, text []string) bool {
	return !slices.ContainsFunc(text, func(part string) bool { return !strings.Contains(message, part) })
}

// ResourceVersions returns the resourceVersion of every object of the operator's kinds.
func (r *Runner) ResourceVersions(ctx context.Context) (map[string]string, error) {
	versions := map[string]string{}
	for _, list := range []client.ObjectList{&v1alpha1.AccountList{}, &v1alpha1.ImportList{}, &v1alpha1.ImportRunList{}} {
		if err := r.Objects.List(ctx, list); err != nil {
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

// CheckDifferences checks that the differences are those expected.
func CheckDifferences(found []v1alpha1.Difference, expected ...v1alpha1.Difference) error {
	if !reflect.DeepEqual(found, expected) {
		return fmt.Errorf("expected the differences %+v; found %+v", expected, found)
	}
	return nil
}

// ShowStoredField shows a field of an import on the platform, and returns an error unless it has
// the expected value. path are the object keys that lead to it.
func (r *Runner) ShowStoredField(document map[string]any, expected any, path ...string) error {
	name, found := strings.Join(path, "."), valueAt(document, path)
	if !reflect.DeepEqual(found, expected) {
		return fmt.Errorf("expected the platform to have %s = %v; it has %v", name, expected, found)
	}
	r.Terminal.Output(fmt.Sprintf("on the platform now: %-17s %v", name, found))
	return nil
}

// valueAt returns the value at a path of object keys, nil if there is none.
func valueAt(document map[string]any, path []string) any {
	var value any = document
	for _, key := range path {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}
