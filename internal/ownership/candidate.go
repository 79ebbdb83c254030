// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// ClockSkew is how far the API's clock may be off ours where a creation time is compared.
const ClockSkew = 10 * time.Minute

// IsCandidate reports whether an import of the account may have been created for the Import: it
// has the Import's marker or, when the definition declares an externalId, that one, the name, and
// a creation time after the intent.
func IsCandidate(object *v1alpha1.Import, intent Intent, remote integrator.Import) bool {
	if IsMarker(remote.Name) && remote.Name != Marker(object) {
		// A clone that another Import is just making: its other fields are the original's.
		return false
	}
	return IsMarked(object, remote) ||
		remote.ExternalID == intent.ExternalID && strings.TrimSpace(remote.Name) == strings.TrimSpace(intent.Name) && createdSince(remote.CreatedAt, intent.Time.Add(-ClockSkew))
}

// IsMarked reports whether an import has the Import's marker, as its externalId or, a new clone,
// as its name.
func IsMarked(object *v1alpha1.Import, remote integrator.Import) bool {
	return remote.ExternalID == Marker(object) || remote.Name == Marker(object)
}

// createdSince reports whether the API's creation time is after since. One that cannot be read
// counts as after: a false candidate stops the creation, a missed one would double it.
func createdSince(createdAt string, since time.Time) bool {
	created, err := time.Parse(time.RFC3339, createdAt)
	return err != nil || created.After(since)
}
