// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ownership decides which remote import belongs to which Import: who may write to it, take
// it over or delete it, and which import an unconfirmed creation may have made. All of it is pure.
package ownership

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// RemoteID is the id that the Import remembers. While a creation is unconfirmed there is none,
// whatever the status still has: the operator writes the id and removes the intent in one patch. An
// id beside an intent was written by somebody else, unless status has it too: then the intent was.
func RemoteID(object *v1alpha1.Import) string {
	id, recorded := object.Annotations[v1alpha1.AnnotationID], object.Status.ID
	switch {
	case !CreatePending(object):
		return cmp.Or(id, recorded)
	case id != recorded || replaces(object) == id:
		return ""
	default:
		return id
	}
}

// replaces is the id of the import in whose place the Import's create intent has another created.
func replaces(object *v1alpha1.Import) string {
	var intent Intent
	_ = json.Unmarshal([]byte(object.Annotations[v1alpha1.AnnotationCreatePending]), &intent)
	return intent.Replaces
}

// CreatePending reports whether a create intent stands: the create may have been applied.
func CreatePending(object *v1alpha1.Import) bool {
	return object.Annotations[v1alpha1.AnnotationCreatePending] != ""
}

// HasFinalizer reports whether the object has the operator's finalizer for Imports.
func HasFinalizer(object metav1.Object) bool {
	return slices.Contains(object.GetFinalizers(), v1alpha1.Finalizer)
}

// Observes reports whether nothing may be written to the remote import.
func Observes(object *v1alpha1.Import) bool {
	return object.Spec.ManagementPolicy == v1alpha1.ManagementPolicyObserve
}

// OnlyObserved reports whether the Import knows its remote import from observing it alone: to
// manage it, it has to adopt it first.
func OnlyObserved(object *v1alpha1.Import) bool {
	return object.Spec.Adopt != nil && object.Annotations[v1alpha1.AnnotationID] == "" && !HasFinalizer(object)
}

// Manages reports whether the Import has the remote import of this id as its own, even if only
// its annotation says so.
func Manages(object *v1alpha1.Import, id string) bool {
	return RemoteID(object) == id && !Observes(object) && !OnlyObserved(object)
}

// NamedIDs are the ids that an Import remembers or claims, each once.
func NamedIDs(object *v1alpha1.Import) []string {
	var ids []string
	for _, id := range []string{RemoteID(object), object.Annotations[v1alpha1.AnnotationAdoptPending]} {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Intent is the value of the create-pending annotation: what the import that is being created can
// be found by, should the response be lost.
type Intent struct {
	ExternalID string    `json:"externalId"`
	Name       string    `json:"name"`
	Time       time.Time `json:"time"`
	// Replaces is the id of the import that was deleted on the platform, when it is created again.
	Replaces string `json:"replaces,omitempty"`
}

// ParseIntent reads the Import's create intent. One that is damaged, or from the future, is not
// readable.
func ParseIntent(object *v1alpha1.Import, now time.Time) (intent Intent, readable bool) {
	err := json.Unmarshal([]byte(object.Annotations[v1alpha1.AnnotationCreatePending]), &intent)
	return intent, err == nil && intent.ExternalID != "" && !intent.Time.After(now)
}

// CallUntil is when the create call of an intent ends at the latest. It counts from the intent and
// not from the call: a process may be suspended between the two, and after the timeout another
// may create the import.
func (i Intent) CallUntil(timeout time.Duration) time.Time { return i.Time.Add(timeout / 2) }
