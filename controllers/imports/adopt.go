// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Adoption takes over an import that exists in the account. Match takes over only one that agrees
// with the definition, and writes nothing; Override writes what is declared.

func (r *Reconciler) adopt(ctx context.Context, s *scope) (err error) {
	if err := s.requireVerifiedCredential(); err != nil {
		return err
	}
	observes := ownership.Observes(s.object)
	if !observes {
		s.object.Status.Drift = nil
	}
	id, err := importToAdopt(ctx, s)
	if err != nil {
		return err
	}
	if err := readToAdopt(ctx, s, id); err != nil {
		return err
	}
	document, err := parseResponse(s.remote)
	if err != nil {
		return err
	}
	s.settleMarker()
	matches := s.object.Spec.Adopt.Mode != v1alpha1.AdoptionModeOverride
	found := s.compare(document)
	switch {
	case observes:
	case len(found) > 0 && matches:
		if err := r.objects().requireAdoptable(ctx, s); err != nil {
			return err
		}
		s.object.Status.Drift = definition.ShownDifferences(found)
		return notAdoptable(v1alpha1.ReasonAdoptionMismatch, "the import %s differs from the definition, nothing was written: %s; declare what it has, or adopt it with mode Override",
			id, definition.Describe(s.object.Status.Drift, len(found)))
	case s.dryRun():
		return r.planAdoption(ctx, s, found)
	}
	if err := r.takeOver(ctx, s); err != nil {
		return err
	}
	r.refreshUsers(ctx, s)
	if matches && !observes {
		s.converged()
		return r.debug(ctx, s)
	}
	return r.correct(ctx, s)
}

// readToAdopt reads the import to adopt into the scope.
func readToAdopt(ctx context.Context, s *scope, id string) error {
	answer, err := s.session.Client.GetImport(ctx, id)
	// For the scanner an import that was observed before is read like any other.
	observedBefore := s.object.Status.ID == id
	if integrator.IsNotFound(err) && !integrator.Error(err).Unexplained() {
		if observedBefore {
			s.session.Observations.RecordRead(s.object, id, false)
		}
		return notAdoptable(v1alpha1.ReasonAdoptionNotFound, "the account has no import %s: correct spec.adopt.id", id)
	}
	if err != nil {
		return s.failed(err, "read the import to adopt")
	}
	if s.remote = answer; observedBefore {
		s.recordRemote(answer)
	}
	return nil
}

// planAdoption shows what Override would write.
func (r *Reconciler) planAdoption(ctx context.Context, s *scope, found []drift.Difference) error {
	if err := r.objects().requireAdoptable(ctx, s); err != nil {
		return err
	}
	s.calls = callsFor(found, nil, s.declaresWriteOnly() && s.object.Spec.Adopt.Mode == v1alpha1.AdoptionModeOverride)
	s.differences = definition.ShownDifferences(found)
	return s.planned()
}

// notAdoptable is a problem that a change on the platform can end, without an event.
func notAdoptable(reason, format string, args ...any) error {
	return problem.Terminalf(reason, format, args...).WithRetryAfter(problem.BackoffMax)
}

// importToAdopt is the id of the import that spec.adopt names.
func importToAdopt(ctx context.Context, s *scope) (string, error) {
	adopt := s.object.Spec.Adopt
	if adopt.ID != "" {
		return strings.ToLower(string(adopt.ID)), nil
	}
	var ids []string
	for document, err := range s.session.Client.ListImports(ctx, integrator.ListOptions{Include: []string{"externalId"}}) {
		if err != nil {
			return "", err
		}
		if document.ExternalID == adopt.ExternalID {
			ids = append(ids, document.ID)
		}
	}
	switch len(ids) {
	case 0:
		return "", notAdoptable(v1alpha1.ReasonAdoptionNotFound, "the account has no import with externalId %q: correct spec.adopt.externalId", drift.Cut(adopt.ExternalID, 100))
	case 1:
		return ids[0], nil
	default:
		return "", notAdoptable(v1alpha1.ReasonAdoptionAmbiguous, "the account has %d imports with externalId %q: %s; name one by spec.adopt.id",
			len(ids), drift.Cut(adopt.ExternalID, 100), drift.Cut(strings.Join(ids, ", "), 300))
	}
}

// observeAnother goes on with the import that has the externalId to observe by now. No event says
// that it was created again on the platform.
func (r *Reconciler) observeAnother(ctx context.Context, s *scope, pass importstate.Pass) error {
	s.object.Status.LastModified = ""
	missing := problem.Terminalf(v1alpha1.ReasonRemoteDeleted, "the import %s was deleted on the platform%s, and managementPolicy is Observe: it is not created again",
		pass.Deleted, lastChangedBy(ctx, s, pass.Deleted))
	if adopt := s.object.Spec.Adopt; adopt == nil || adopt.ID != "" || !ownership.OnlyObserved(s.object) {
		return missing
	}
	missing = missing.WithRetryAfter(problem.BackoffMax)
	id, err := importToAdopt(ctx, s)
	if problem.HasReason(err, v1alpha1.ReasonAdoptionNotFound) || id == pass.Deleted {
		return missing
	}
	if err != nil {
		return err
	}
	s.object.Status.ID = id
	found, err := effects{r, s}.Read(ctx, importstate.Pass{ID: id})
	if err != nil {
		return err
	}
	if !found {
		return importstate.Unconfirmed(problem.BackoffBase, nil)
	}
	return r.correct(ctx, s)
}

// takeOver writes the id into the object, unless the import is somebody else's.
func (r *Reconciler) takeOver(ctx context.Context, s *scope) error {
	id := s.remote.ID
	if ownership.Observes(s.object) {
		s.object.Status.ID = id
		s.session.Observations.Note(id, s.remote.LastModified)
		return nil
	}
	if s.session.Deleting {
		return account.BeingDeleted(s.object.Spec.AccountRef.Name)
	}
	if err := r.objects().requireAdoptable(ctx, s); err != nil {
		return err
	}
	if err := r.objects().claim(ctx, s); err != nil {
		return err
	}
	change := metadataChange{locked: true, finalizer: true, annotations: map[string]any{
		v1alpha1.AnnotationID: id, v1alpha1.AnnotationAdoptPending: nil,
	}}
	if err := r.objects().patchMetadata(ctx, s, change); err != nil {
		return err
	}
	if err := r.objects().requireAccount(ctx, s); err != nil {
		// The Account may be released before its controller sees the finalizer.
		undo := metadataChange{locked: true, dropFinalizer: true, annotations: map[string]any{v1alpha1.AnnotationID: nil}}
		return cmp.Or(r.objects().patchMetadata(ctx, s, undo), err)
	}
	s.object.Status.ID = id
	s.session.Observations.Note(id, s.remote.LastModified)
	s.event(normal, v1alpha1.ReasonAdopted, "took over the import "+id)
	return nil
}

// requireAdoptable refuses an import that is another's: of an integration app, of another cluster,
// or of another Import here, even if only its annotation says so.
func (o objects) requireAdoptable(ctx context.Context, s *scope) error {
	others, err := o.importsWith(ctx, s, s.remote.ID)
	if err != nil {
		return err
	}
	return s.refusal(ownership.UseAdopt, ownership.Decide(ownership.UseAdopt, s.evidence(others)))
}

// claim returns nil when no other Import has the remote import, or is about to adopt it. The
// protocol is described in package ownership.
func (o objects) claim(ctx context.Context, s *scope) error {
	for {
		rival, err := o.strongestRival(ctx, s)
		if err != nil {
			return err
		}
		switch step := ownership.DecideClaim(s.object, s.remote, rival); step {
		case ownership.ClaimWrite:
			change := metadataChange{locked: true, annotations: map[string]any{v1alpha1.AnnotationAdoptPending: s.remote.ID}}
			if err := o.patchMetadata(ctx, s, change); err != nil {
				return err
			}
		case ownership.ClaimTake:
			return nil
		case ownership.ClaimWithdraw:
			if err := o.withdrawClaim(ctx, s); err != nil {
				return err
			}
			return s.contested(rival)
		case ownership.ClaimWait:
			return s.contested(rival)
		default:
			return fmt.Errorf("imports: unknown step %d of a claim", step)
		}
	}
}

// withdrawClaim removes the claim.
func (o objects) withdrawClaim(ctx context.Context, s *scope) error {
	if s.object.Annotations[v1alpha1.AnnotationAdoptPending] == "" {
		return nil
	}
	return o.patchMetadata(ctx, s, metadataChange{locked: true, annotations: map[string]any{v1alpha1.AnnotationAdoptPending: nil}})
}

// strongestRival returns the Import of any namespace that stands against the claim: from the cache
// before the claim is written, past it afterwards. The metadata shows who may; only those are read
// whole.
func (o objects) strongestRival(ctx context.Context, s *scope) (rival *v1alpha1.Import, err error) {
	if s.object.Annotations[v1alpha1.AnnotationAdoptPending] != s.remote.ID {
		known, err := o.importsWith(ctx, s, s.remote.ID)
		for i := range known {
			rival = ownership.Stronger(rival, &known[i], s.remote)
		}
		return rival, err
	}
	const page = 500
	for next := ""; ; {
		imports := &metav1.PartialObjectMetadataList{}
		imports.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ImportList"))
		if err := o.live.List(ctx, imports, client.Limit(page), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("list the Imports that may have the import %s: %w", s.remote.ID, err)
		}
		for i := range imports.Items {
			other, err := o.possibleRival(ctx, s, &imports.Items[i])
			if err != nil {
				return nil, err
			}
			rival = ownership.Stronger(rival, other, s.remote)
		}
		if next = imports.Continue; next == "" {
			return rival, nil
		}
	}
}

// possibleRival reads the Import of this metadata if it may be a rival, else it returns nil.
func (o objects) possibleRival(ctx context.Context, s *scope, metadata *metav1.PartialObjectMetadata) (*v1alpha1.Import, error) {
	other := &v1alpha1.Import{ObjectMeta: metadata.ObjectMeta}
	switch {
	case other.UID == s.object.UID:
		return nil, nil
	case ownership.MayCreate(other, s.remote):
		return other, nil
	case !slices.Contains(ownership.NamedIDs(other), s.remote.ID):
		return nil, nil
	}
	if err := o.live.Get(ctx, client.ObjectKeyFromObject(other), other); apierrors.IsNotFound(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the Import %s in namespace %s: %w", other.Name, other.Namespace, err)
	}
	return other, nil
}

// contested says that another Import has the import, or is about to have it.
func (s *scope) contested(rival *v1alpha1.Import) error {
	id := s.remote.ID
	if ownership.Manages(rival, id) {
		// No event says when that one lets go.
		return notAdoptable(v1alpha1.ReasonOwnershipConflict, "the import %s is managed by Import %s in namespace %s: delete that one with deletionPolicy Orphan first",
			id, rival.Name, rival.Namespace)
	}
	if ownership.MayCreate(rival, s.remote) {
		return problem.Transientf(v1alpha1.ReasonAdoptionConflict,
			"Import %s in namespace %s is just creating an import that may be %s; it will be retried", rival.Name, rival.Namespace, id)
	}
	return problem.Transientf(v1alpha1.ReasonAdoptionConflict,
		"Import %s in namespace %s is about to adopt the import %s too: one of the two gets it; it will be retried", rival.Name, rival.Namespace, id)
}
