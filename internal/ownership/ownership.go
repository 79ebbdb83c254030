// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Use is what an Import wants with a remote import.
type Use int

const (
	// UseManage: compare with the import that the Import remembers, and write to it.
	UseManage Use = iota
	// UseAdopt: take over an import that the Import does not have yet.
	UseAdopt
	// UseDelete: delete the import that the Import remembers.
	UseDelete
)

// Verdict is whether the Import may do that, or why not.
type Verdict int

const (
	// Permitted: nothing stands against it.
	Permitted Verdict = iota
	// IntegrationApp: an integration app owns the import and updates it.
	IntegrationApp
	// ForeignMarker: the import has the ownership marker of another Import.
	ForeignMarker
	// OtherImport: another Import of this cluster manages the import.
	OtherImport
	// ForeignClone: somebody cloned an import of the Import, and the clone kept its marker.
	ForeignClone
	// NotCreatedHere: the id comes from an annotation, which anybody can copy, and nothing on the
	// platform shows that the import was created for this Import.
	NotCreatedHere
)

// Evidence is what is known of a remote import and those who may have it.
type Evidence struct {
	Owner  Owner
	Object *v1alpha1.Import
	Remote integrator.Import
	// Others are the other Imports, of any namespace, that remember or claim the remote import.
	Others []v1alpha1.Import
	// ExternalID is what the definition declares, or else the marker; "" when the definition could
	// not be resolved.
	ExternalID string
	// Changed: the definition is not the one that was compared with the remote import last.
	Changed bool
}

// Decision is a verdict and, for OtherImport, the Import that manages the remote import.
type Decision struct {
	Verdict Verdict
	By      *v1alpha1.Import
}

// Decide reports whether the Import may use the remote import in this way.
func Decide(use Use, e Evidence) Decision {
	object, id, marker := e.Object, e.Remote.ID, e.Remote.ExternalID
	clone := e.Owner.IsNewClone(object, e.Remote)
	foreign := IsMarker(marker) && !e.Owner.Marks(object, marker) && !clone
	switch {
	case Observes(object):
		return Decision{}
	case e.Remote.ConnectorID != "":
		return Decision{Verdict: IntegrationApp}
	case clone && use == UseManage:
		return Decision{}
	case foreign && !e.Overrides():
		return Decision{Verdict: ForeignMarker}
	case foreign || use == UseAdopt:
		// Here an annotation of another Import of the namespace counts: it stops a takeover, and cannot
		// start one.
		return otherImport(e.Others, Contest{Object: object, Remote: e.Remote}.Holds)
	case e.Owner.Marks(object, marker) && !e.Owner.IsForeignClone(object, e.Remote), use == UseManage && Recorded(object, id) && !e.Changed:
		return Decision{}
	}
	if owned := otherImport(e.Others, func(other *v1alpha1.Import) bool { return ManagesByStatus(other, id) }); owned.Verdict != Permitted {
		return owned
	}
	switch {
	case clone, Recorded(object, id), e.NamedByAdopt():
		return Decision{}
	case e.Owner.IsForeignClone(object, e.Remote):
		return Decision{Verdict: ForeignClone}
	case marker != "" && marker == e.ExternalID:
		return Decision{}
	default:
		return Decision{Verdict: NotCreatedHere}
	}
}

// Overrides reports whether the remote import may have another Import's marker: spec.adopt names
// it with mode Override, and nothing has been applied to it yet. A deletion never overrides.
func (e Evidence) Overrides() bool {
	adopt := e.Object.Spec.Adopt
	return adopt != nil && adopt.Mode == v1alpha1.AdoptionModeOverride && e.NamedByAdopt() &&
		e.Object.DeletionTimestamp.IsZero() && e.ExternalID != "" && e.Changed && len(e.Object.Status.OwnedFields) == 0
}

// overrode reports whether spec.adopt would permit another Import's marker, had the Import not
// applied its definition to the remote import before: it did, or its status was restored.
func (e Evidence) overrode() bool {
	object := *e.Object
	applied := len(object.Status.OwnedFields) > 0
	object.Status.OwnedFields, e.Object, e.Changed = nil, &object, true
	return applied && e.Overrides()
}

// NamedByAdopt reports whether spec.adopt names the remote import.
func (e Evidence) NamedByAdopt() bool {
	adopt := e.Object.Spec.Adopt
	return adopt != nil && (strings.EqualFold(string(adopt.ID), e.Remote.ID) || adopt.ExternalID != "" && adopt.ExternalID == e.Remote.ExternalID)
}

// OwnerAmong is the Import whose status records that it manages the remote import of this id, nil
// when there is none. Annotations do not count, because anybody may have written them.
func OwnerAmong(others []v1alpha1.Import, id string) *v1alpha1.Import {
	return otherImport(others, func(other *v1alpha1.Import) bool { return ManagesByStatus(other, id) }).By
}

// ManagesByStatus reports whether the Import has the remote import of this id as its own, and its
// status records that.
func ManagesByStatus(other *v1alpha1.Import, id string) bool {
	return Recorded(other, id) && Manages(other, id)
}

func otherImport(others []v1alpha1.Import, has func(*v1alpha1.Import) bool) Decision {
	for i := range others {
		if has(&others[i]) {
			return Decision{Verdict: OtherImport, By: &others[i]}
		}
	}
	return Decision{}
}
