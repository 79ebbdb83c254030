// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Where the remote import is: remembered, or made by a create whose answer was lost, or gone.
// What is done about it is decided in import_policy.go.

const (
	reasonCreateUnconfirmed = "CreateUnconfirmed"
	reasonAmbiguousCreate   = "AmbiguousCreate"
)

func (r *ImportReconciler) known(s *importScope) known {
	return known{object: s.object, at: r.Clock.Now(), grace: r.CreateUnconfirmedTimeout, marked: s.session != nil && s.session.observed.marked(s.object)}
}

// locate takes the steps to the id of the remote import. It returns doLook once that is in s.id,
// otherwise what is to be done without one.
func (r *ImportReconciler) locate(ctx context.Context, s *importScope) (importStep, error) {
	for k := r.known(s); ; {
		next := k.locate()
		switch next {
		case doLook, doAdopt, doRemember:
			s.id = remoteID(s.object)
		}
		switch next {
		case doReread:
			if err := r.reread(ctx, s); err != nil {
				return doNothing, err
			}
			// What was written until now is not from the future.
			k.object, k.live, k.at = s.object, true, r.Clock.Now()
		case doRenew:
			name, _ := s.desired.document["name"].(string)
			if err := r.intend(ctx, s, name, ""); err != nil {
				return doNothing, err
			}
			return doNothing, unconfirmed(r.CreateUnconfirmedTimeout, nil)
		case doSearch:
			pending, _ := intentOf(s.object, k.at)
			if err := r.search(ctx, s, &k, pending); err != nil {
				return doNothing, err
			}
		case doAwait:
			pending, _ := intentOf(s.object, k.at)
			return doNothing, unconfirmed(k.rest(pending), nil)
		case doChoose:
			return doNothing, ambiguous(k.found)
		case doTake:
			return doLook, r.take(ctx, s, k.found[0])
		case doRemember:
			// Missing as after a restore that kept only the status.
			return doLook, r.remember(ctx, s)
		default:
			return next, nil
		}
	}
}

// remember puts the finalizer and the id annotation back where they are missing.
func (r *ImportReconciler) remember(ctx context.Context, s *importScope) error {
	if s.observes() || s.object.Annotations[v1alpha1.AnnotationID] == s.id && hasFinalizer(s.object) {
		return nil
	}
	return r.patchMetadata(ctx, s, metadataChange{locked: true, finalizer: true, annotations: map[string]any{v1alpha1.AnnotationID: s.id}})
}

// recreate makes the remote import again after somebody deleted it, unless another that was made
// for this Import is still there.
func (r *ImportReconciler) recreate(ctx context.Context, s *importScope) error {
	next, err := r.replace(ctx, s, s.successor())
	switch {
	case err != nil:
		return err
	case next == doTake:
		return r.settleOn(ctx, s)
	case next == doRefuse:
		return r.observeAnother(ctx, s)
	default:
		return r.make(ctx, s)
	}
}

// replace takes over another import that was made for this Import, in the place of the one that is
// gone. It returns doTake once that is in s.id, otherwise what is to be done without one.
func (r *ImportReconciler) replace(ctx context.Context, s *importScope, wanted intent) (importStep, error) {
	s.gone = s.id
	for k := r.known(s); ; {
		switch next := k.replace(); next {
		case doSearch:
			if err := r.search(ctx, s, &k, wanted); err != nil {
				return doNothing, err
			}
		case doChoose:
			return doNothing, ambiguous(k.found)
		case doTake:
			return next, r.take(ctx, s, k.found[0])
		default:
			return next, nil
		}
	}
}

// successor is what an import can be found by that was made for this Import after the one that is
// gone: as by an operator that wrote to a newer state of etcd than the one that was restored. By
// its mark, or else, if the one that is gone was made here, by a declared externalId and the name.
func (s *importScope) successor() intent {
	wanted := intent{ExternalID: marker(s.object)}
	lived, err := time.Parse(time.RFC3339, s.before.Status.LastModified)
	if s.object.Spec.Adopt != nil || err != nil {
		return wanted
	}
	wanted.Name, _ = s.desired.document["name"].(string)
	wanted.ExternalID, _ = s.desired.document["externalId"].(string)
	// Both times are of the API's clock: see isCandidate.
	wanted.Time = lived.Add(clockSkew)
	return wanted
}

// observeAnother goes on with the import that has the externalId to observe by now. That one is
// made again on the platform is told by nobody.
func (r *ImportReconciler) observeAnother(ctx context.Context, s *importScope) error {
	s.object.Status.LastModified = ""
	missing := terminalf(reasonRemoteDeleted, "the import %s does not exist any more%s, and managementPolicy is Observe: it is not created again", s.gone, r.culprit(ctx, s, s.gone))
	if adopt := s.object.Spec.Adopt; adopt == nil || adopt.ID != "" || !onlyObserved(s.object) {
		return missing
	}
	missing.after = backoffMax
	id, err := r.adoptee(ctx, s)
	if p, ok := errors.AsType[*problem](err); ok && p.reason == reasonAdoptionNotFound || id == s.gone {
		return missing
	}
	if err != nil {
		return err
	}
	s.id, s.object.Status.ID = id, id
	return r.settleOn(ctx, s)
}

// settleOn compares with the import that was found in the place of the one that is gone.
func (r *ImportReconciler) settleOn(ctx context.Context, s *importScope) error {
	gone, err := r.observe(ctx, s)
	if err != nil {
		return err
	}
	if gone {
		return unconfirmed(backoffBase, nil)
	}
	return r.correct(ctx, s)
}

// take keeps the id of the one import that was found.
func (r *ImportReconciler) take(ctx context.Context, s *importScope, id string) error {
	s.id = id
	s.tell(normal, "Recovered", "found the import "+s.id+" that was created for this Import before")
	return r.writeDown(ctx, s)
}

// ambiguous says that several imports were found, or one that need not be ours.
func ambiguous(found []string) *problem {
	if len(found) == 1 {
		p := terminalf(reasonAmbiguousCreate, "the import of this Import was deleted, and the account has another with its externalId and name: %s; delete that one, or delete this Import with deletionPolicy Orphan and create it again with spec.adopt", found[0])
		p.after = backoffMax
		return p
	}
	p := terminalf(reasonAmbiguousCreate, "the account has %d imports that may be this one: %s; delete all but one of them",
		len(found), drift.Cut(strings.Join(found, ", "), 300))
	p.after = backoffMax
	return p
}

// unconfirmed says that a creation may or may not have happened.
func unconfirmed(after time.Duration, cause error) *problem {
	p := waitingf(reasonCreateUnconfirmed, "the answer to the creation was lost; it is looked for in the account before another is made")
	p.after, p.cause = after, cause
	if status := integrator.StatusCode(cause); status != 0 {
		p.message = fmt.Sprintf("the API answered the creation with %d, which does not tell whether it was made; it is looked for in the account before another is made", status)
	}
	return p
}

// search reads the account's list once more for what was made for this Import. Imports that
// another Import manages are left out.
func (r *ImportReconciler) search(ctx context.Context, s *importScope, k *known, pending intent) error {
	if k.searches == 0 {
		k.at = r.Clock.Now()
	}
	var ids []string
	k.unsure = false
	for document, err := range s.session.client.ListImports(ctx, integrator.ListOptions{Include: []string{"externalId", "createdAt"}}) {
		if err != nil {
			return err
		}
		if document.ID == s.gone {
			// A gateway's 404, a token that does not see it, or a read that is behind.
			return &problem{class: transient, reason: reasonUnexpectedResponse, message: fmt.Sprintf(
				"the API answers 404 for the import %s, and its list has it: it is not taken for deleted, and looked at again", s.gone)}
		}
		if !isCandidate(s.object, pending, document) {
			continue
		}
		owner, err := r.ownerOf(ctx, s, document.ID)
		if err != nil {
			return err
		}
		if owner == nil && !slices.Contains(ids, document.ID) {
			ids = append(ids, document.ID)
			k.unsure = k.unsure || !isMarked(s.object, document)
		}
	}
	k.searches, k.found = k.searches+1, ids
	return nil
}

// ownerOf returns another Import, of any namespace, whose status says that it manages the
// import of this id, or nil. Annotations do not count: anybody may have written them.
func (r *ImportReconciler) ownerOf(ctx context.Context, s *importScope, id string) (*v1alpha1.Import, error) {
	others, err := r.importsWith(ctx, s, id)
	return ownerAmong(others, id), err
}

// importsWith lists the other Imports, of any namespace, that remember or claim this id.
func (r *ImportReconciler) importsWith(ctx context.Context, s *importScope, id string) ([]v1alpha1.Import, error) {
	var imports v1alpha1.ImportList
	if err := r.List(ctx, &imports, client.MatchingFields{indexImportID: id}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(imports.Items, func(item v1alpha1.Import) bool { return item.UID == s.object.UID }), nil
}
