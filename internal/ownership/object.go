// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ownership decides which remote import belongs to which Import: who may write to it, take
// it over or delete it, and which import an unconfirmed creation may have made. All of it is pure.
package ownership

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// RemoteID is the id that the Import remembers. While a creation is unconfirmed there is none,
// whatever the status still has: the status has the id of what an intent made only beside that intent's
// token. An id annotation beside an intent was written by somebody else, unless status has it too: then
// the intent was.
func RemoteID(object *v1alpha1.Import) string {
	id, recorded := object.Annotations[v1alpha1.AnnotationID], object.Status.ID
	switch {
	case Confirmed(object):
		return recorded
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
	intent, _ := intentOf(object)
	return intent.Replaces
}

// CreatePending reports whether a create intent stands: the create may have been applied. One that came
// along with the metadata of another Import, as with a restore into a new cluster, is none.
func CreatePending(object *v1alpha1.Import) bool {
	if object.Annotations[v1alpha1.AnnotationCreatePending] == "" {
		return false
	}
	intent, err := intentOf(object)
	return err != nil || !intent.copied(object)
}

// Confirmed reports whether the status has the id of what the standing create intent made. Then no
// annotation needs to have it: the import is found again by what the intent says.
func Confirmed(object *v1alpha1.Import) bool {
	state := &object.Status
	return state.ID != "" && state.CreateToken != "" && object.Annotations[v1alpha1.AnnotationID] == "" &&
		strings.HasPrefix(object.Annotations[v1alpha1.AnnotationCreatePending], intentPrefix(state.CreateToken))
}

// intentPrefix begins the text of an intent with this token: most intents are of imports that exist, and
// need not be parsed.
func intentPrefix(token string) string { return `{"token":"` + token + `",` }

// HasFinalizer reports whether the object has the operator's finalizer for Imports.
func HasFinalizer(object metav1.Object) bool {
	return slices.Contains(object.GetFinalizers(), v1alpha1.Finalizer)
}

// HasMetadata reports whether the object's metadata has everything that keeps the remote import of
// this id: the finalizer, and the id or the confirmed intent, with the label of it.
func HasMetadata(object *v1alpha1.Import, id string) bool {
	confirmed := object.Status.ID == id && Confirmed(object)
	return HasFinalizer(object) && (confirmed || object.Annotations[v1alpha1.AnnotationID] == id) && HasLabel(object)
}

// IsComplete reports whether the object's metadata is that of an Import which manages the remote import of this
// id: it has everything that keeps the import, and no claim any more.
func IsComplete(object *v1alpha1.Import, id string) bool {
	return HasMetadata(object, id) && object.Annotations[v1alpha1.AnnotationAdoptPending] == ""
}

// rightLabel stands, in the cache, for the label that the rest of the object asks for. No label of the API server
// has this value.
const rightLabel = "="

// HasLabel reports whether the object has the label of its remote import: of its confirmed intent, or of the id in
// its annotation.
func HasLabel(object *v1alpha1.Import) bool {
	switch label := object.Labels[v1alpha1.LabelRemoteImport]; {
	case label == rightLabel:
		return true
	case Confirmed(object):
		intent, err := intentOf(object)
		return err == nil && label == IntentLabel(intent.ExternalID)
	default:
		return label == RemoteLabel(object.Annotations[v1alpha1.AnnotationID])
	}
}

// CachedLabel is the value of LabelRemoteImport that the cache has of an object, "" for none. That of nearly all
// Imports is the same: each has the label that it should.
func CachedLabel(object *v1alpha1.Import) string {
	label := object.Labels[v1alpha1.LabelRemoteImport]
	if label != "" && HasLabel(object) {
		return rightLabel
	}
	return label
}

// Observes reports whether nothing may be written to the remote import.
func Observes(object *v1alpha1.Import) bool {
	return object.Spec.ManagementPolicy == v1alpha1.ManagementPolicyObserve
}

// OnlyObserved reports whether the Import knows its remote import from observing it alone: to
// manage it, it has to adopt it first. Only the status counts, because anybody can write metadata.
func OnlyObserved(object *v1alpha1.Import) bool {
	return object.Spec.Adopt != nil && object.Status.ID != "" && object.Status.Management == v1alpha1.ManagementStateObserved
}

// Manages reports whether the Import has the remote import of this id as its own, even if only
// its annotation says so.
func Manages(object *v1alpha1.Import, id string) bool {
	return RemoteID(object) == id && !Observes(object) && !OnlyObserved(object)
}

// OwnsNothing reports whether nothing in the metadata of the Import keeps a remote import: no id, nor an intent.
// One that it only observes is not its own.
func OwnsNothing(object *v1alpha1.Import) bool {
	observes := OnlyObserved(object) && object.Annotations[v1alpha1.AnnotationID] == ""
	return (RemoteID(object) == "" || observes) && !CreatePending(object)
}

// Recorded reports whether the Import's status has the remote import of this id as its own: the
// operator wrote that after it created or claimed the import.
func Recorded(object *v1alpha1.Import, id string) bool {
	return object.Status.ID == id && object.Status.Management != v1alpha1.ManagementStateObserved
}

// RemoteLabel is the label of an Import that manages, or is adopting, the remote import of this id.
func RemoteLabel(id string) string { return strings.ToLower(id) }

// intentLabelPrefix begins the label of an intent: no id does.
const intentLabelPrefix = "x"

// IntentLabel is the label of an Import whose remote import is being created with this externalId.
func IntentLabel(externalID string) string {
	sum := sha256.Sum256([]byte(externalID))
	return intentLabelPrefix + hex.EncodeToString(sum[:20])
}

// NamedIDs are the ids that an Import remembers or claims, each once.
func NamedIDs(object *v1alpha1.Import) []string {
	var ids []string
	for _, id := range []string{RemoteID(object), object.Annotations[v1alpha1.AnnotationAdoptPending], leftID(object)} {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Intent is the value of the create-pending annotation: what the import that is being created can
// be found by, should the response be lost.
type Intent struct {
	// Token is of this intent alone. Once the import exists, status.createToken has it. It comes first:
	// see intentPrefix.
	Token string `json:"token"`
	// UID is of the Import that the intent was written for.
	UID        types.UID `json:"uid"`
	ExternalID string    `json:"externalId"`
	Name       string    `json:"name"`
	Time       time.Time `json:"time"`
	// Replaces is the id of the import that was deleted on the platform, when it is created again.
	Replaces string `json:"replaces,omitempty"`
}

// copied reports whether the intent was written for another object than this one.
func (i Intent) copied(object *v1alpha1.Import) bool { return i.UID != "" && i.UID != object.UID }

// CopiedMarker is the ownership marker in an intent that came along with the metadata of another Import,
// "" when there is none, or it is this Import's too: the account may have what that one created.
func (o Owner) CopiedMarker(object *v1alpha1.Import) string {
	intent, err := intentOf(object)
	if err != nil || !intent.copied(object) || !IsMarker(intent.ExternalID) || o.Marks(object, intent.ExternalID) {
		return ""
	}
	return intent.ExternalID
}

// intentOf reads the value of the Import's create-pending annotation, whosever it is.
func intentOf(object *v1alpha1.Import) (intent Intent, err error) {
	err = json.Unmarshal([]byte(object.Annotations[v1alpha1.AnnotationCreatePending]), &intent)
	return intent, err
}

// ParseIntent reads the Import's create intent. One that is damaged, or from the future, is not
// readable. One of another object is none.
func ParseIntent(object *v1alpha1.Import, now time.Time) (intent Intent, readable bool) {
	intent, err := intentOf(object)
	if intent.copied(object) {
		return Intent{}, false
	}
	return intent, err == nil && intent.ExternalID != "" && !intent.Time.After(now)
}

// CallUntil is when the create call of an intent ends at the latest. It counts from the intent and
// not from the call: a process may be suspended between the two, and after the timeout another
// may create the import.
func (i Intent) CallUntil(timeout time.Duration) time.Time { return i.Time.Add(timeout / 2) }
