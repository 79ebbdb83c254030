// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Resemblance is what an import of the account has in common with the one that is to be created.
type Resemblance int

const (
	// Distinct: another name, or nothing else in common.
	Distinct Resemblance = iota
	// SameNameMarked: the name, and it has the ownership marker of another Import. That one may live
	// in this cluster.
	SameNameMarked
	// SameExternalID: the name and the externalId that the definition declares.
	SameExternalID
	// SameOrigin: whatever its name, it was created for the Import that the metadata was copied from.
	SameOrigin
)

// Resembles compares an import of the account with the one that is to be created for the Import,
// with this name and externalId. Whether an Import of this cluster manages it, the caller asks.
func (o Owner) Resembles(object *v1alpha1.Import, name, externalID string, remote integrator.Import) Resemblance {
	switch {
	case remote.ExternalID != "" && remote.ExternalID == o.CopiedMarker(object):
		return SameOrigin
	case strings.TrimSpace(remote.Name) != strings.TrimSpace(name), remote.ExternalID == "", o.Marks(object, remote.ExternalID):
		return Distinct
	case IsMarker(remote.ExternalID):
		return SameNameMarked
	case remote.ExternalID == externalID:
		return SameExternalID
	default:
		return Distinct
	}
}
