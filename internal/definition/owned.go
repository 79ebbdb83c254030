// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// Owned are the fields that were applied last, as the status has them.
func Owned(state *v1alpha1.ImportStatus) drift.Owned {
	return drift.Owned{Fields: state.OwnedFields, Hashes: state.OwnedFieldHashes, Untracked: int(state.UntrackedFields)}
}

// SetOwned puts the fields that were applied into the status.
func SetOwned(state *v1alpha1.ImportStatus, owned drift.Owned) {
	state.OwnedFields, state.OwnedFieldHashes = owned.Fields, owned.Hashes
	state.UntrackedFields = int64(owned.Untracked)
}
