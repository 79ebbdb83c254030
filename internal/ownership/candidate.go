// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"slices"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// ClockSkew is how far the API's clock may be off ours where a creation time is compared.
const ClockSkew = 10 * time.Minute

// IsCandidate reports whether an import of the account may have been created for the Import: it
// has the Import's marker or, when the definition declares an externalId, it has that one and the
// name and is not older than the intent. What has the uid in its marker is not older than the
// Import. A clone that somebody else made is none, nor, for a deletion, what status.copies lists: the
// operator has said that it leaves those alone.
func (o Owner) IsCandidate(object *v1alpha1.Import, intent Intent, remote integrator.Import) bool {
	switch {
	case IsMarker(remote.Name) && !o.IsNewClone(object, remote):
		// A clone that another Import is just making: its other fields are the original's.
		return false
	case o.IsForeignClone(object, remote), !object.DeletionTimestamp.IsZero() && slices.Contains(object.Status.Copies, remote.ID):
		return false
	case remote.ExternalID == uidMarker(object) || remote.Name == uidMarker(object):
		return createdSince(remote.CreatedAt, object.CreationTimestamp.Add(-ClockSkew))
	case o.hasMarker(object, remote):
		return true
	default:
		return remote.ExternalID == intent.ExternalID && strings.TrimSpace(remote.Name) == strings.TrimSpace(intent.Name) &&
			createdSince(remote.CreatedAt, intent.Time.Add(-ClockSkew))
	}
}

// IsMarked reports whether an import can only have been created for the Import: it has its marker,
// as its externalId or, a new clone, as its name, and nobody else cloned it from one that has.
func (o Owner) IsMarked(object *v1alpha1.Import, remote integrator.Import) bool {
	return o.hasMarker(object, remote) && !o.IsForeignClone(object, remote)
}

func (o Owner) hasMarker(object *v1alpha1.Import, remote integrator.Import) bool {
	return o.Marks(object, remote.ExternalID) || o.IsNewClone(object, remote)
}

// IsForeignClone reports whether an import is a clone that was not made for the Import. The
// platform's clone keeps the externalId of the original, and so the ownership marker in it.
func (o Owner) IsForeignClone(object *v1alpha1.Import, remote integrator.Import) bool {
	from := object.Spec.CloneFrom
	switch {
	case remote.SourceID == "" || o.IsNewClone(object, remote):
		return false
	case from == nil:
		return true
	case from.ID != "":
		return !strings.EqualFold(string(from.ID), remote.SourceID)
	default:
		// The id of the Import's source is not at hand. A clone of its own import is another's.
		return remote.SourceID == object.Status.ID || remote.SourceID == object.Annotations[v1alpha1.AnnotationID]
	}
}

// createdSince reports whether the API's creation time is after since. One that cannot be read
// counts as after: a false candidate stops the creation, a missed one would double it.
func createdSince(createdAt string, since time.Time) bool {
	created, err := time.Parse(time.RFC3339, createdAt)
	return err != nil || created.After(since)
}
