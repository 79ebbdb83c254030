// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// What the user is told when an Import may not use a remote import, and the way out.

// Refusal explains why the Import may not use the remote import; nil when it may.
func Refusal(use Use, e Evidence) error {
	decision := Decide(use, e)
	wayOut := "to have one of its own created, delete this Import with deletionPolicy Orphan and create it again without the annotation " + v1alpha1.AnnotationID
	if e.Object.Spec.Adopt == nil && e.Object.Spec.CloneFrom == nil { // admission refuses it beside these
		wayOut += ", or to take it over, set spec.adopt with mode Override"
	}
	id := e.Remote.ID
	switch decision.Verdict {
	case Permitted:
		return nil
	case IntegrationApp:
		return problem.Terminalf(v1alpha1.ReasonOwnedByIntegrationApp, "the import %s belongs to an integration app, which updates it: it is not managed", id)
	case ForeignMarker:
		marker := ShownMarker(e.Object, e.Remote.ExternalID)
		if former := markedBy(e.Remote.ExternalID, e.Object); former != "" {
			return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s has the ownership marker of this Import with the owner id %s (externalId %s): start the operator with --owner-id=%s, or with --former-owner-ids=%s to have the marker replaced",
				id, former, marker, former, former)
		}
		if use == UseAdopt {
			return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s has the ownership marker of another Import (externalId %s): delete this Import and create it again with mode Override, once that one does not manage the import any more", id, marker).
				WithRetryAfter(problem.BackoffMax)
		}
		if e.overrode() {
			return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s has the ownership marker of another Import (externalId %s). This Import had the import before, so spec.adopt does not take it back again. If no other cluster manages it, empty this Import's status: kubectl patch import %s --subresource=status --type=merge -p '{\"status\":null}'",
				id, marker, e.Object.Name)
		}
		return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s has the ownership marker of another Import (externalId %s): %s", id, marker, wayOut)
	case OtherImport:
		switch {
		case use == UseAdopt || e.Overrides():
			return Contested(Contest{Object: e.Object, Remote: e.Remote}, decision.By)
		case use == UseDelete:
			return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s is managed by %s too: it is not deleted; set spec.deletionPolicy to Orphan in one of them",
				id, named(e.Object, decision.By)).WithCause(heldBy(decision.By))
		default:
			return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s is managed by %s: %s", id, named(e.Object, decision.By), wayOut).WithCause(heldBy(decision.By))
		}
	case ForeignClone:
		return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s is a clone of %s that was made on the platform: %s", id, drift.Cut(e.Remote.SourceID, 64), wayOut)
	case NotCreatedHere:
		return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s was not created by this Import: %s", id, wayOut)
	default:
		return fmt.Errorf("ownership: unknown verdict %d", decision.Verdict)
	}
}

// Contested is the problem that another Import has the remote import, or is about to have it.
func Contested(c Contest, rival *v1alpha1.Import) *problem.Problem {
	id, other := c.Remote.ID, named(c.Object, rival)
	switch {
	case c.Holds(rival):
		// No event says when that one lets go.
		return problem.Terminalf(v1alpha1.ReasonOwnershipConflict, "the import %s is managed by %s: delete that one with deletionPolicy Orphan first",
			id, other).WithRetryAfter(problem.BackoffMax).WithCause(heldBy(rival))
	case c.MayCreate(rival):
		return problem.Transientf(v1alpha1.ReasonAdoptionConflict,
			"%s is just creating an import that may be %s; it will be retried", other, id).WithCause(heldBy(rival))
	default:
		return problem.Transientf(v1alpha1.ReasonAdoptionConflict,
			"%s is about to adopt the import %s too: one of the two gets it; it will be retried", other, id).WithCause(heldBy(rival))
	}
}

// HeldBy is the cause of a refusal: the Import that has the remote import, or is about to have it. It
// is for the log and the metrics, which the administrator reads; the message is for one namespace.
type HeldBy struct{ Import types.NamespacedName }

func (h HeldBy) Error() string { return "Import " + h.Import.String() }

func heldBy(other *v1alpha1.Import) HeldBy {
	return HeldBy{Import: types.NamespacedName{Namespace: other.Namespace, Name: other.Name}}
}

// named is another Import in a message of this one. What other namespaces are called, and what they
// have, is not told.
func named(object, other *v1alpha1.Import) string {
	if other.Namespace == object.Namespace {
		return "Import " + other.Name
	}
	return "an Import in another namespace"
}

// ShownMarker is the externalId of a remote import in a message of the Import. A marker that names
// another namespace is shown without it.
func ShownMarker(object *v1alpha1.Import, externalID string) string {
	if _, key := ParseMarker(externalID); key.Namespace != "" && key.Namespace != object.Namespace {
		return v1alpha1.MarkerPrefix + "…, of another namespace"
	}
	return drift.Cut(externalID, 64)
}
