// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/status"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// objects reads and writes Kubernetes objects for a reconcile. Of an Import it writes the status and
// the metadata, never the spec.
type objects struct {
	client.Client
	// live reads past the cache.
	live client.Reader
	// selection is which Imports are written to.
	selection *watch.Selection
}

// reportFirst takes None out of the status before metadata is written that says that something was made, or
// may be. From then on admission keeps spec.accountRef, also when that metadata is taken away. The write is
// refused if the object is not the version that was read, so spec.accountRef was not changed until then
// either.
func (o objects) reportFirst(ctx context.Context, s *scope) error {
	if !ownership.ReportsFirst(s.before) {
		return nil
	}
	if err := o.patchStatusFields(ctx, s, map[string]any{"management": nil}); err != nil {
		return err
	}
	s.object.Status.Management, s.before.Status.Management = "", ""
	return nil
}

// patchStatusFields writes fields of the status of the version that was read; nil removes one.
func (o objects) patchStatusFields(ctx context.Context, s *scope, fields map[string]any) error {
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": s.object.UID, "resourceVersion": s.object.ResourceVersion},
		"status":   fields,
	})
	if err != nil {
		return err
	}
	patched := &v1alpha1.Import{}
	patched.Namespace, patched.Name = s.object.Namespace, s.object.Name
	if err := o.Status().Patch(ctx, patched, client.RawPatch(types.MergePatchType, body)); err != nil {
		return status.WriteError("the status", err)
	}
	s.object.ResourceVersion = patched.ResourceVersion
	return nil
}

// patchStatus writes the status if it changed, over the one that was read: a status that another
// process wrote meanwhile is a conflict. written reports whether it was.
func (o objects) patchStatus(ctx context.Context, s *scope) (written bool, err error) {
	if equality.Semantic.DeepEqual(s.before.Status, s.object.Status) {
		return false, nil
	}
	// The spec is not written, so it need not be compared.
	data, err := client.MergeFrom(&v1alpha1.Import{Status: s.before.Status}).Data(&v1alpha1.Import{Status: s.object.Status})
	if err != nil {
		return false, err
	}
	var patch map[string]any
	if err := json.Unmarshal(data, &patch); err != nil || patch["status"] == nil {
		return false, err
	}
	if fields, ok := patch["status"].(map[string]any); ok && definition.StrippedStatus(&s.object.Status) {
		// They are not those that were applied, but stand for them.
		delete(fields, "ownedFields")
		delete(fields, "ownedFieldHashes")
	}
	version := s.object.ResourceVersion
	err = retry.OnError(retry.DefaultRetry, func(err error) bool { return apierrors.IsConflict(err) && version != "" }, func() error {
		body, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"uid": s.object.UID, "resourceVersion": version}, "status": patch["status"],
		})
		if err != nil {
			return err
		}
		err = o.Status().Patch(ctx, s.object, client.RawPatch(types.MergePatchType, body))
		if apierrors.IsConflict(err) {
			version = o.versionOfSameStatus(ctx, s)
		}
		return err
	})
	return true, status.WriteError("the status", err)
}

// versionOfSameStatus returns the version that the Import has now if the status can be written to
// it, otherwise "".
func (o objects) versionOfSameStatus(ctx context.Context, s *scope) string {
	live := &v1alpha1.Import{}
	if err := o.live.Get(ctx, client.ObjectKeyFromObject(s.object), live); err != nil || !ownership.CanReport(s.object, s.before, live) {
		return ""
	}
	// What was created is written wherever the Import is by now.
	if !recordsCreation(s) && !o.selection.Has(live) {
		return ""
	}
	return live.ResourceVersion
}

// metadataChange is a change of an Import's metadata alone.
type metadataChange struct {
	// locked refuses the change when the object is not the version that was read.
	locked bool
	// finalizer adds the operator's, dropFinalizer removes it.
	finalizer, dropFinalizer bool
	// annotations to set; nil removes one.
	annotations map[string]any
	// label is what ownership.RemoteLabel or IntentLabel says, noLabel removes it, "" leaves it.
	label string
}

// noLabel removes the label of the remote import.
const noLabel = "-"

// marks reports whether the change writes that a remote import exists or may come.
func (c metadataChange) marks() bool {
	for _, value := range c.annotations {
		if value != nil {
			return true
		}
	}
	return c.finalizer
}

// withdraws reports whether the change takes a claim or a takeover back, where it ends up as nothing.
func (c metadataChange) withdraws() bool {
	_, claim := c.annotations[v1alpha1.AnnotationAdoptPending]
	return c.dropFinalizer || claim && !c.marks()
}

// patchMetadata makes the change as one merge patch of just these fields. The uid goes along, so
// that a new object of the same name is never taken for the old one.
func (o objects) patchMetadata(ctx context.Context, s *scope, change metadataChange) error {
	if change.marks() {
		if err := o.reportFirst(ctx, s); err != nil {
			return err
		}
	}
	metadata := map[string]any{"uid": s.object.UID}
	if change.locked {
		metadata["resourceVersion"] = s.object.ResourceVersion
	}
	if len(change.annotations) > 0 {
		metadata["annotations"] = change.annotations
	}
	switch change.label {
	case "":
	case noLabel:
		metadata["labels"] = map[string]any{v1alpha1.LabelRemoteImport: nil}
	default:
		metadata["labels"] = map[string]any{v1alpha1.LabelRemoteImport: change.label}
	}
	if change.finalizer && !ownership.HasFinalizer(s.object) {
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
	if err := o.Patch(ctx, patched, client.RawPatch(types.MergePatchType, body)); err != nil {
		return status.WriteError("the metadata", err)
	}
	// The generation stays the one that this reconcile has read.
	generation := s.object.Generation
	s.object.ObjectMeta = patched.ObjectMeta
	s.object.Generation = generation
	s.withdrawn = change.withdraws()
	return nil
}

// patchWhile makes the change for the version that this reconcile has, or, if others wrote the
// object meanwhile, for the one that it has by now, as long as may permits. It is retried while
// Kubernetes does not answer.
func (o objects) patchWhile(ctx context.Context, s *scope, change metadataChange, may func(ours, live *v1alpha1.Import) bool) error {
	change.locked = true
	ours := s.object.DeepCopy()
	temporary := func(err error) bool { return !apierrors.IsNotFound(err) && !errors.Is(err, errOvertaken) }
	return retry.OnError(retry.DefaultBackoff, temporary, func() error {
		err := o.patchMetadata(ctx, s, change)
		if !apierrors.IsConflict(err) {
			return err
		}
		live := &v1alpha1.Import{}
		if err := o.live.Get(ctx, client.ObjectKeyFromObject(ours), live); err != nil {
			return fmt.Errorf("read the Import: %w", err)
		}
		if live.UID != ours.UID || !may(ours, live) {
			return errors.Join(errOvertaken, err)
		}
		s.object.ResourceVersion, s.object.Finalizers = live.ResourceVersion, live.Finalizers
		s.before.Status.Management = live.Status.Management
		return err
	})
}

// errOvertaken: another process went on with the object.
var errOvertaken = errors.New("another process went on with the Import")

// readUnchanged reads the version that the API server has now. It is a conflict when that is
// another object, or declares something else than this reconcile has read.
func (o objects) readUnchanged(ctx context.Context, s *scope) (*v1alpha1.Import, error) {
	live := &v1alpha1.Import{}
	if err := o.live.Get(ctx, client.ObjectKeyFromObject(s.object), live); err != nil {
		return nil, fmt.Errorf("read the Import: %w", err)
	}
	if live.UID != s.object.UID || live.Generation != s.object.Generation || !o.selection.Has(live) {
		return nil, apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("imports").GroupResource(), live.Name,
			errors.New("the Import changed meanwhile"))
	}
	return live, nil
}

// requireOwnership refuses an import that this Import may not use in this way: one of an
// integration app, of another cluster, or of another Import here.
func (o objects) requireOwnership(ctx context.Context, s *scope, use ownership.Use) error {
	others, err := o.importsWith(ctx, s, s.remote.ID)
	if err != nil {
		return err
	}
	return ownership.Refusal(use, s.evidence(others))
}

// importsWith lists the other Imports, of any namespace, that remember or claim this id.
func (o objects) importsWith(ctx context.Context, s *scope, id string) ([]v1alpha1.Import, error) {
	found, err := watch.ImportsWithID(ctx, o, id)
	if err != nil {
		return nil, err
	}
	var others []v1alpha1.Import
	for i := range found {
		if found[i].UID != s.object.UID {
			others = append(others, *found[i].DeepCopy())
		}
	}
	return others, nil
}
