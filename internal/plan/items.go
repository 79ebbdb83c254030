// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// ReasonRefused is the reason of what an API server would refuse.
const ReasonRefused = "Refused"

// noResult is the message of what was not reconciled to an end.
const noResult = "the operator came to no result"

// plan reads from memory what the reconcilers came to.
func (w *world) plan(ctx context.Context) (*Plan, error) {
	made := &Plan{Notes: w.notes}
	for _, e := range w.entries {
		item, err := w.item(ctx, e)
		if err != nil {
			return nil, err
		}
		made.Items = append(made.Items, item)
	}
	w.addUsers(ctx, made.Items)
	for _, object := range w.deleted {
		item, err := w.pruning(ctx, object)
		if err != nil {
			return nil, err
		}
		made.Items = append(made.Items, item)
	}
	return made, nil
}

func (w *world) item(ctx context.Context, e *entry) (Item, error) {
	item := Item{Kind: e.key.kind, Namespace: e.key.Namespace, Name: e.key.Name, Source: e.manifest.Source}
	if e.generated {
		item.Name = e.manifest.Object.GetGenerateName() + "…"
	}
	if e.typed == nil {
		item.Action, item.Reason, item.Message = Fail, ReasonRefused, strings.Join(e.refused, "; ")
		return item, nil
	}
	if !e.typed.GetDeletionTimestamp().IsZero() {
		item.Action, item.Message = Wait, "the object in the cluster is being deleted; it is created again once that is done"
		return item, nil
	}
	switch object := e.typed.(type) {
	case *v1alpha1.Import:
		if err := w.engine.memory.Get(ctx, e.key.NamespacedName, object); err != nil {
			return item, err
		}
		fromImport(&item, object, e)
		if object.Status.Plan == nil && item.Message == "" {
			// While its Account cannot be used, an Import stays as Ready as it was.
			item.Action, item.Reason, item.Message = Wait, v1alpha1.ReasonAccountNotReady, "it cannot be compared: "+w.unusable(ctx, object)
		}
	case *v1alpha1.Account:
		if err := w.engine.memory.Get(ctx, e.key.NamespacedName, object); err != nil {
			return item, err
		}
		item.Action = appliedOrNone(e)
		blame(&item, object.Status.Conditions)
	case *v1alpha1.ImportRun:
		if err := w.fromRun(ctx, &item, e); err != nil {
			return item, err
		}
	}
	return item, nil
}

// unusable says why the Account of an Import cannot be used.
func (w *world) unusable(ctx context.Context, object *v1alpha1.Import) string {
	account := &v1alpha1.Account{}
	if err := w.engine.memory.Get(ctx, client.ObjectKey{Namespace: object.Namespace, Name: object.Spec.AccountRef.Name}, account); err != nil {
		return err.Error()
	}
	if ready := apimeta.FindStatusCondition(account.Status.Conditions, v1alpha1.ConditionReady); ready != nil && ready.Message != "" {
		return ready.Message
	}
	return noResult
}

// appliedOrNone is the action of an object whose change does nothing on the platform.
func appliedOrNone(e *entry) Action {
	if e.changed {
		return Apply
	}
	return None
}

// fromImport says what would happen from what the Import's status says after its dry run.
func fromImport(item *Item, object *v1alpha1.Import, e *entry) {
	state := &object.Status
	item.ID = ownership.RemoteID(object)
	item.Warnings, item.IgnoredFields = state.Warnings, state.IgnoredFields
	adopting := object.Spec.Adopt != nil && item.ID == ""
	if state.Plan != nil {
		item.Calls, item.Differences = state.Plan.Calls, state.Plan.Differences
		if e.old == nil {
			withoutUID(item.Differences, string(object.UID))
		}
		if len(item.Calls) == 0 {
			item.Drift = state.Drift
		}
		item.Action = actionOf(item.Calls, adopting, e)
		return
	}
	item.Action = appliedOrNone(e)
	item.Drift = state.Drift
	if !isSuspended(item, state.Conditions) {
		blame(item, state.Conditions)
	}
}

// withoutUID leaves the uid of an Import that is not there yet out of the ownership marker: the API server makes
// another one, and each plan would differ from the last.
func withoutUID(differences []v1alpha1.Difference, uid string) {
	for i := range differences {
		differences[i].Declared = strings.ReplaceAll(differences[i].Declared, uid, "…")
	}
}

// isSuspended reports whether nothing is done because of spec.suspend, and gives the item the reason.
func isSuspended(item *Item, conditions []metav1.Condition) bool {
	suspended := apimeta.FindStatusCondition(conditions, v1alpha1.ConditionSuspended)
	if suspended != nil {
		item.Reason, item.Message = suspended.Reason, suspended.Message
	}
	return suspended != nil
}

// actionOf is the action that the planned calls come to.
func actionOf(calls []string, adopting bool, e *entry) Action {
	switch {
	case adopting:
		return Adopt
	case slices.Contains(calls, importstate.CallCreate), slices.Contains(calls, importstate.CallClone):
		return Create
	case len(calls) > 0:
		return Update
	default:
		return appliedOrNone(e)
	}
}

// blame makes the item one that fails or waits, if the conditions say so.
func blame(item *Item, conditions []metav1.Condition) {
	ready := apimeta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		item.Action, item.Message = Wait, noResult
		return
	case ready.Status != metav1.ConditionFalse:
		return
	case apimeta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled):
		item.Action = Fail
	default:
		item.Action = Wait
	}
	item.Reason, item.Message = ready.Reason, ready.Message
}

// pruned are the Imports of the cluster that would be deleted because no manifest declares them.
func (w *world) pruned() (found []*v1alpha1.Import) {
	if !w.options.Prune {
		return nil
	}
	declared := map[key]bool{}
	for _, e := range w.entries {
		declared[e.key] = true
	}
	for at, object := range w.others {
		candidate, ok := object.(*v1alpha1.Import)
		if !ok || declared[at] || !slices.Contains(w.namespaces, at.Namespace) || !candidate.DeletionTimestamp.IsZero() {
			continue
		}
		if hasLabels(candidate.Labels, w.options.PruneLabels) {
			found = append(found, candidate)
		}
	}
	slices.SortFunc(found, func(a, b *v1alpha1.Import) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return found
}

func hasLabels(labels, wanted map[string]string) bool {
	for name, value := range maps.All(wanted) {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// pruning says what the deletion of an Import would do, from what it is after the dry run of its deletion.
func (w *world) pruning(ctx context.Context, object *v1alpha1.Import) (Item, error) {
	item := Item{Kind: "Import", Namespace: object.Namespace, Name: object.Name, ID: ownership.RemoteID(object)}
	left := &v1alpha1.Import{}
	switch err := w.engine.memory.Get(ctx, client.ObjectKeyFromObject(object), left); {
	case apierrors.IsNotFound(err): // it was released
		item.Action = Release
		return item, nil
	case err != nil:
		return item, err
	}
	item.UsedBy = left.Status.UsedBy
	if left.Status.Plan != nil {
		item.Action, item.Calls = Delete, left.Status.Plan.Calls
		return item, nil
	}
	item.Action = Wait
	if blame(&item, left.Status.Conditions); item.Message == "" {
		isSuspended(&item, left.Status.Conditions)
	}
	item.Message = "the import would not be deleted: " + cmp.Or(item.Message, noResult)
	return item, nil
}
