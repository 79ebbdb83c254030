// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// What has to hold before an import is created, and what it is a clone of.

// scanPause is how often an Import checks whether the account was scanned.
const scanPause = 15 * time.Second

// mayCreate reports, as an error, why nothing can be created now.
func (o objects) mayCreate(ctx context.Context, s *scope, p importstate.Pass) error {
	if p.Deleted == "" {
		if err := s.session.RequireVerified(); err != nil {
			return err
		}
	}
	if !p.Scanned {
		// An earlier process, or another cluster, may have created it.
		s.session.Observations.AwaitScan(client.ObjectKeyFromObject(s.object))
		return problem.Waitingf(v1alpha1.ReasonProgressing, "the account is scanned once before an import is created: it may have the import already%s", s.session.WhyNotScanned()).
			// The scan may have ended just before this waited for it.
			WithRetryAfter(scanPause)
	}
	if s.session.Deleting {
		return account.BeingDeleted(s.object.Spec.AccountRef.Name)
	}
	return o.requireNoNamesake(ctx, s, p)
}

// requireNoNamesake refuses to create beside an import of the same name that was created from the same
// manifest before, and that no Import here manages: it has the ownership marker of an Import that does
// not exist here, or the externalId that the definition declares. A new cluster from the same Git
// would double every import, and the flows would go on using those of the old one.
func (o objects) requireNoNamesake(ctx context.Context, s *scope, p importstate.Pass) error {
	if s.object.Annotations[v1alpha1.AnnotationAllowNamesake] == "true" {
		return nil
	}
	similar := s.session.Observations.Namesakes(s.desired.Name())
	if marker := s.owner.CopiedMarker(s.object); marker != "" {
		similar = append(similar, s.session.Observations.Marked(marker)...)
	}
	for _, remote := range similar {
		if remote.ID == p.Deleted || p.Deleted != "" && !ownership.IsMarker(remote.ExternalID) {
			// It is the import that was deleted, or that one existed beside it.
			continue
		}
		if managed, err := o.managedHere(ctx, s, remote); err != nil {
			return err
		} else if managed || s.resembles(remote) == ownership.Distinct {
			continue
		}
		// The scan is not of this moment.
		live, err := s.session.Client.GetImport(ctx, remote.ID)
		if integrator.IsNotFound(err) {
			// A 404 alone is not believed: the next list says whether it is gone.
			s.session.Observations.DemandList()
			return problem.Transientf(v1alpha1.ReasonUnexpectedResponse, "the API answers 404 for the import %s of the same name, but its last list has it: nothing is created before the next list; it will be retried. To create another import all the same, set the annotation %s to \"true\"",
				remote.ID, v1alpha1.AnnotationAllowNamesake)
		}
		if err != nil {
			return s.failed(err, "read the import of the same name")
		}
		if resemblance := s.resembles(live); resemblance != ownership.Distinct {
			return namesakeExists(s.object, live, resemblance)
		}
	}
	return nil
}

// managedHere reports whether an Import of this cluster has an import of the account, or is the one
// that its ownership marker names.
func (o objects) managedHere(ctx context.Context, s *scope, remote integrator.Import) (bool, error) {
	if ownership.IsMarker(remote.ExternalID) {
		owners, err := watch.ImportsWithMarker(ctx, o, s.owner, remote.ExternalID)
		return len(owners) > 0, err
	}
	others, err := o.importsWith(ctx, s, remote.ID)
	return ownership.OwnerAmong(others, remote.ID) != nil, err
}

// namesakeExists is the problem that the account has an import that was created from the same manifest.
func namesakeExists(object *v1alpha1.Import, remote integrator.Import, resemblance ownership.Resemblance) *problem.Problem {
	which, what := "of this name", "with the ownership marker of an Import that does not exist here"
	switch resemblance { //nolint:exhaustive // of the others the first words are right, or there is no problem
	case ownership.SameExternalID:
		what = "with the externalId of the definition, and no Import here manages it"
	case ownership.SameOrigin:
		which = "that was created for an Import with this metadata"
	}
	takeOver := ""
	if object.Spec.Adopt == nil && object.Spec.CloneFrom == nil { // admission refuses it beside these
		takeOver = ". To take it over, set spec.adopt.id to " + remote.ID + " and spec.adopt.mode to Override"
	}
	return problem.Terminalf(v1alpha1.ReasonOwnershipConflict,
		"the account has an import %s, %s, %s (externalId %s): nothing is created%s; to create another import beside it, set the annotation %s to \"true\"",
		which, remote.ID, what, ownership.ShownMarker(object, remote.ExternalID), takeOver, v1alpha1.AnnotationAllowNamesake).WithRetryAfter(problem.BackoffMax)
}

// requireAccount confirms that the Account is not being deleted. It is asked after the Import's finalizer
// was written. The Account's controller looks for that past the cache before it releases the Account: either
// it sees the finalizer, or the cache, from which it knows of the deletion, shows that here. In another
// process the cache may be behind; so the Account's controller waits until none should be.
func requireAccount(ctx context.Context, r *Reconciler, s *scope) error {
	var object v1alpha1.Account
	if err := r.Get(ctx, s.accountKey(), &object); client.IgnoreNotFound(err) != nil {
		return err
	} else if err != nil || !object.DeletionTimestamp.IsZero() {
		return account.BeingDeleted(s.object.Spec.AccountRef.Name)
	}
	return nil
}

// A clone is made by the API, which takes a name and connections for it and keeps the rest, the
// original's externalId too. Until the first update gives it the declared name and the marker, its
// name is the marker: by that it is found again when the response was lost.

// cloneSource is what an import is cloned from.
type cloneSource struct {
	// id is the import to clone, connections replace its own.
	id          string
	connections map[string]string
}

// findCloneSource finds what spec.cloneFrom names.
func (o objects) findCloneSource(ctx context.Context, s *scope) (*cloneSource, error) {
	from := s.object.Spec.CloneFrom
	connections, err := connectionMap(s.session, from.ConnectionMap)
	if err != nil {
		return nil, err
	}
	if from.ImportRef == nil {
		return &cloneSource{id: string(from.ID), connections: connections}, nil
	}
	var source v1alpha1.Import
	err = o.Get(ctx, client.ObjectKey{Namespace: s.object.Namespace, Name: from.ImportRef.Name}, &source)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return nil, err
	case err != nil || source.Status.ID == "":
		return nil, problem.Waitingf(v1alpha1.ReasonCloneSourceNotReady, "waiting for Import %q, which spec.cloneFrom names, to have a remote import", from.ImportRef.Name)
	case source.Spec.AccountRef != s.object.Spec.AccountRef:
		return nil, problem.Terminalf(v1alpha1.ReasonInvalidDefinition, "spec.cloneFrom.importRef: Import %q is in Account %q; a clone can only be made within one account", from.ImportRef.Name, source.Spec.AccountRef.Name)
	default:
		return &cloneSource{id: source.Status.ID, connections: connections}, nil
	}
}

// requireNoMask refuses a clone of an import of which the update that follows would write a mask. An
// import that is not there is left to the call that clones it.
func requireNoMask(ctx context.Context, s *scope, id string) error {
	if s.object.Spec.MaskedFields == v1alpha1.MaskedFieldsSend {
		return nil
	}
	original, err := s.session.Client.GetImport(ctx, strings.ToLower(id))
	if integrator.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return s.failed(err, "read the import to clone")
	}
	return importstate.RefusedClone(s.object, s.desired, original)
}

// connectionMap is spec.cloneFrom.connectionMap with its aliases resolved.
func connectionMap(session *account.Session, declared map[string]v1alpha1.ConnectionReference) (map[string]string, error) {
	resolved := map[string]string{}
	for from, to := range declared {
		var pair [2]string
		for i, text := range []string{from, string(to)} {
			id, ok := definition.ResolveAlias(session.Aliases, text)
			if !ok {
				return nil, problem.Terminalf(v1alpha1.ReasonUnknownAlias, "spec.cloneFrom.connectionMap: Account %q has no alias for %s in spec.aliases; %s",
					session.Key.Name, drift.Cut(text, 64), definition.ExistingAliases(session.Aliases))
			}
			pair[i] = id
		}
		resolved[pair[0]] = pair[1]
	}
	return resolved, nil
}
