// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

const reasonDeletionBlocked = "DeletionBlocked"

// blockedPause is how long a deletion waits before it asks again whether the import is
// still in use. Nothing on the platform tells when a flow lets go.
const blockedPause = 30 * time.Second

// delete lets the Import go: at once when the remote import stays (Orphan) or never came
// to be, otherwise when the API has deleted it.
func (r *ImportReconciler) delete(ctx context.Context, s *importScope) error {
	if !hasFinalizer(s.object) {
		return nil
	}
	if s.object.Spec.DeletionPolicy == v1alpha1.DeletionPolicyOrphan || s.observes() {
		return r.release(ctx, s)
	}
	if s.object.Spec.Suspend {
		return waitingf(reasonSuspended, "spec.suspend is true: the import is not deleted; set it to false, or deletionPolicy to Orphan")
	}
	if remoteID(s.object) == "" && s.object.Annotations[v1alpha1.AnnotationCreatePending] == "" {
		return r.release(ctx, s)
	}
	found, err := r.locateForDeletion(ctx, s)
	if err != nil {
		return err
	}
	if found {
		err = r.deleteRemote(ctx, s)
	} else {
		err = s.doubt()
	}
	if err != nil {
		return err
	}
	return r.release(ctx, s)
}

// locateForDeletion finds the remote import as locate does. A definition that cannot be
// resolved any more does not stand in the way when the id is known.
func (r *ImportReconciler) locateForDeletion(ctx context.Context, s *importScope) (bool, error) {
	err := r.resolve(ctx, s)
	if s.session == nil {
		return false, s.deletionWaits(err)
	}
	if s.id = remoteID(s.object); s.id != "" {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return r.locate(ctx, s)
}

// deletionWaits explains what a deletion needs when the account cannot be used.
func (s *importScope) deletionWaits(err error) error {
	p := classify(err, "delete the import")
	if p == nil {
		return err
	}
	blocked := *p
	blocked.message = fmt.Sprintf("%s; the remote import is deleted when the Account works again, or left alone if you set spec.deletionPolicy to Orphan", p.message)
	return &blocked
}

// deleteRemote deletes the remote import, unless something uses it.
func (r *ImportReconciler) deleteRemote(ctx context.Context, s *importScope) error {
	gone, err := r.observe(ctx, s)
	if err != nil || gone {
		return err
	}
	found, err := s.session.client.Dependencies(ctx, s.id)
	if integrator.StatusCode(err) == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return asError(classify(err, "read what uses the import"), err)
	}
	used := users(found)
	r.showUsers(s, used)
	if len(used) > 0 {
		return blockedBy(used)
	}
	if !s.permit(callDelete) {
		return s.planned()
	}
	err = s.session.client.DeleteImport(ctx, s.id)
	switch integrator.StatusCode(err) {
	case http.StatusNotFound:
		return nil
	case http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity:
		p := classify(err, "delete the import")
		p.class, p.reason, p.after = terminal, reasonDeletionBlocked, blockedPause
		return p
	}
	if err != nil {
		return asError(classify(err, "delete the import"), err)
	}
	s.tell(normal, "Deleted", "deleted the import "+s.id)
	return nil
}

// usedByImports are the kinds of resources that imports use. The API lists them together with
// those that use the import; it refuses a deletion that a kind unknown here stands against.
var usedByImports = []string{"connections", "scripts", "stacks", "filedefinitions", "ediprofiles", "integrations"}

// users keeps what uses the import.
func users(dependencies []integrator.Dependency) []integrator.Dependency {
	return slices.DeleteFunc(dependencies, func(dependency integrator.Dependency) bool {
		return slices.Contains(usedByImports, strings.ToLower(dependency.Kind))
	})
}

// blockedBy names what uses the import. Deleting it would break that.
func blockedBy(used []integrator.Dependency) error {
	const most = 5
	var names []string
	for _, dependency := range used[:min(len(used), most)] {
		name := dependency.Name
		if name == "" {
			name = dependency.ID
		}
		names = append(names, fmt.Sprintf("%s %q", strings.TrimSuffix(dependency.Kind, "s"), drift.Cut(name, 100)))
	}
	if len(used) > most {
		names = append(names, fmt.Sprintf("and %d more", len(used)-most))
	}
	p := terminalf(reasonDeletionBlocked, "the import is in use by %s: take it out there, or set spec.deletionPolicy to Orphan", strings.Join(names, ", "))
	p.after = blockedPause
	return p
}

// release takes the finalizer off: the object goes.
func (r *ImportReconciler) release(ctx context.Context, s *importScope) error {
	return r.patchMetadata(ctx, s, metadataChange{locked: true, dropFinalizer: true})
}
