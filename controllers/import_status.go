// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

const reasonSynced = "Synced"

// converged takes over what the API answered as the last known state of the remote.
func (s *importScope) converged(remote integrator.Import) {
	status := &s.object.Status
	status.ID = s.id
	status.AdaptorType = drift.Cut(remote.AdaptorType, 64)
	status.APIIdentifier = drift.Cut(remote.APIIdentifier, 64)
	status.ConnectionID = drift.Cut(remote.ConnectionID, 64)
	status.CreatedAt = drift.Cut(remote.CreatedAt, 64)
	status.LastModified = drift.Cut(remote.LastModified, 64)
	status.DesiredHash = s.desired.hash
	status.OwnedFields = s.desired.fields
	status.Drift = nil
	status.NotAccepted = nil
	status.DifferencesHash = ""
}

// forgetRemote takes back all that status says of a remote import that is gone.
func (s *importScope) forgetRemote() {
	s.object.Status = v1alpha1.ImportStatus{
		Audit:                  s.object.Status.Audit,
		ObservedGeneration:     s.object.Status.ObservedGeneration,
		LastHandledReconcileAt: s.object.Status.LastHandledReconcileAt,
		Conditions:             s.object.Status.Conditions,
	}
}

// compared tells that the last pass came to an end: the status speaks of a comparison
// with the remote, whatever it found.
func compared(status *v1alpha1.ImportStatus) bool {
	ready := apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && status.LastModified != "" &&
		(ready.Status == metav1.ConditionTrue || ready.Reason == reasonNotAccepted)
}

// standing is what the last pass came to, where nothing has changed since.
func (s *importScope) standing() error {
	if plan := s.object.Status.Plan; plan != nil && len(plan.Calls) > 0 {
		s.calls, s.differences = plan.Calls, plan.Differences
		return s.planned()
	}
	ready := apimeta.FindStatusCondition(s.object.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Status == metav1.ConditionTrue {
		return nil
	}
	return &problem{class: terminal, reason: ready.Reason, message: ready.Message}
}

// requested is the value of the annotation that asks for a look, as status answers it.
func requested(object *v1alpha1.Import) string {
	return drift.Cut(object.Annotations[v1alpha1.AnnotationReconcileRequestedAt], 256)
}

// debugLater is said of an import whose debugUntil waits.
const debugLater = "; spec.debugUntil is more than an hour ahead, and is set by itself once it is not"

// setStatus sets the conditions from the outcome of the pass. later tells that debugUntil waits.
func (s *importScope) setStatus(p *problem, later bool) {
	status, generation := &s.object.Status, s.object.Generation
	if p != nil && s.keepsReady(p) {
		return
	}
	status.ObservedGeneration = generation
	status.Plan = nil
	if s.dryRun() && (p == nil || p.reason == reasonDryRun) {
		status.Plan = &v1alpha1.ImportPlan{Calls: s.calls, Differences: s.differences}
	}
	if p == nil || p.class == terminal || p.reason == reasonDryRun {
		status.LastHandledReconcileAt = requested(s.object)
	}
	note := map[bool]string{true: debugLater}[later]
	switch {
	case p == nil && !s.object.DeletionTimestamp.IsZero():
		return
	case p == nil && len(status.Drift) > 0:
		message := "the remote differs, and is left so by driftPolicy Report or managementPolicy Observe: " + describe(status.Drift, len(status.Drift))
		setReady(&status.Conditions, generation, reasonSynced, "the remote import is observed; it differs from what is declared, see status.drift"+note)
		setCondition(&status.Conditions, generation, v1alpha1.ConditionDrifted, metav1.ConditionTrue, "DriftReported", message)
		return
	case p == nil:
		setReady(&status.Conditions, generation, reasonSynced, "the remote import is as declared"+note)
	default:
		setProblem(&status.Conditions, generation, p)
	}
	apimeta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionDrifted)
}

// keepsReady tells that a passing trouble of the Account says nothing of an import that
// was in sync: thousands of Imports need not be rewritten for each outage.
func (s *importScope) keepsReady(p *problem) bool {
	status := &s.object.Status
	return p.reason == reasonAccountNotReady && p.class == waiting &&
		status.ObservedGeneration == s.object.Generation && s.object.DeletionTimestamp.IsZero() &&
		apimeta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) &&
		requested(s.object) == status.LastHandledReconcileAt
}

// patchStatus writes the status if it changed, over the one that was read: a status that
// another process wrote meanwhile is a conflict.
func (r *ImportReconciler) patchStatus(ctx context.Context, s *importScope) error {
	if equality.Semantic.DeepEqual(s.before.Status, s.object.Status) {
		return nil
	}
	base := s.object.DeepCopy()
	base.Status = s.before.Status
	data, err := client.MergeFrom(base).Data(s.object)
	if err != nil {
		return err
	}
	var patch map[string]any
	if err := json.Unmarshal(data, &patch); err != nil || patch["status"] == nil {
		return err
	}
	version := s.object.ResourceVersion
	return retry.OnError(retry.DefaultRetry, func(err error) bool { return apierrors.IsConflict(err) && version != "" }, func() error {
		body, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"uid": s.object.UID, "resourceVersion": version}, "status": patch["status"],
		})
		if err != nil {
			return err
		}
		err = r.Status().Patch(ctx, s.object, client.RawPatch(types.MergePatchType, body))
		if apierrors.IsConflict(err) {
			version = r.sameStatus(ctx, s)
		}
		return err
	})
}

// sameStatus returns the version that the Import has now if its status is still the one that
// was read: somebody changed a label, say. Otherwise "".
func (r *ImportReconciler) sameStatus(ctx context.Context, s *importScope) string {
	live := &v1alpha1.Import{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live); err != nil ||
		live.UID != s.object.UID || !equality.Semantic.DeepEqual(live.Status, s.before.Status) {
		return ""
	}
	return live.ResourceVersion
}

// metadataChange is a change of an Import's metadata alone; the spec is never written.
type metadataChange struct {
	// locked refuses the change when the object is not the version that was read.
	locked bool
	// finalizer adds ours, dropFinalizer takes it off.
	finalizer, dropFinalizer bool
	// annotations to set; nil takes one off.
	annotations map[string]any
}

// patchMetadata makes the change as one merge patch of just these fields. The uid goes
// along, so that a new object of the same name is never taken for the old one.
func (r *ImportReconciler) patchMetadata(ctx context.Context, s *importScope, change metadataChange) error {
	metadata := map[string]any{"uid": s.object.UID}
	if change.locked {
		metadata["resourceVersion"] = s.object.ResourceVersion
	}
	if len(change.annotations) > 0 {
		metadata["annotations"] = change.annotations
	}
	if change.finalizer && !hasFinalizer(s.object) {
		metadata["finalizers"] = append(slices.Clone(s.object.Finalizers), v1alpha1.Finalizer)
		metadata["resourceVersion"] = s.object.ResourceVersion
	}
	if change.dropFinalizer {
		metadata["finalizers"] = slices.DeleteFunc(slices.Clone(s.object.Finalizers), func(name string) bool { return name == v1alpha1.Finalizer })
	}
	body, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	patched := &v1alpha1.Import{}
	patched.Namespace, patched.Name = s.object.Namespace, s.object.Name
	if err := r.Patch(ctx, patched, client.RawPatch(types.MergePatchType, body)); err != nil {
		return fmt.Errorf("write the Import's metadata: %w", err)
	}
	// The generation stays the one that this pass has looked at.
	generation := s.object.Generation
	s.object.ObjectMeta = patched.ObjectMeta
	s.object.Generation = generation
	return nil
}

// patchWhile makes the change for the version that this pass has, or, if others wrote the object
// meanwhile, for the one that it is by now, as long as that may still have it. It is tried again
// while Kubernetes does not answer.
func (r *ImportReconciler) patchWhile(ctx context.Context, s *importScope, change metadataChange, may func(ours, live *v1alpha1.Import) bool) error {
	change.locked = true
	ours := s.object.DeepCopy()
	passing := func(err error) bool { return !apierrors.IsNotFound(err) && !errors.Is(err, errOvertaken) }
	return retry.OnError(retry.DefaultBackoff, passing, func() error {
		err := r.patchMetadata(ctx, s, change)
		if !apierrors.IsConflict(err) {
			return err
		}
		live := &v1alpha1.Import{}
		if err := r.Live.Get(ctx, client.ObjectKeyFromObject(ours), live); err != nil {
			return fmt.Errorf("read the Import: %w", err)
		}
		if live.UID != ours.UID || !may(ours, live) {
			return errors.Join(errOvertaken, err)
		}
		s.object.ResourceVersion, s.object.Finalizers = live.ResourceVersion, live.Finalizers
		return err
	})
}

// errOvertaken tells that another process went on with the object.
var errOvertaken = errors.New("another process went on with the Import")

// reread replaces the object by the version that the API server has now.
func (r *ImportReconciler) reread(ctx context.Context, s *importScope) error {
	live, err := r.unchanged(ctx, s)
	if err != nil {
		return err
	}
	s.object, s.before = live, live.DeepCopy()
	return nil
}

// unchanged reads the version that the API server has now. It is a conflict when that is another
// object, or declares something else than this pass has looked at.
func (r *ImportReconciler) unchanged(ctx context.Context, s *importScope) (*v1alpha1.Import, error) {
	live := &v1alpha1.Import{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live); err != nil {
		return nil, fmt.Errorf("read the Import: %w", err)
	}
	if live.UID != s.object.UID || live.Generation != s.object.Generation {
		return nil, apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("imports").GroupResource(), live.Name,
			errors.New("the Import changed meanwhile"))
	}
	return live, nil
}

func hasFinalizer(object client.Object) bool {
	return slices.Contains(object.GetFinalizers(), v1alpha1.Finalizer)
}

// released tells that the finalizer is off an object that is being deleted: there is no
// status to write any more.
func (s *importScope) released() bool {
	return !s.object.DeletionTimestamp.IsZero() && !hasFinalizer(s.object)
}
