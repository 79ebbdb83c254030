// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// managed counts the imports in the account that one of its Imports manages, each once: the Import's
// policy is Manage, its status records the import, the list has it, and no ownership marker there
// says that it is somebody else's. listed are the ids of the list, identified the imports with
// an externalId.
func managed(owner ownership.Owner, imports []v1alpha1.Import, listed map[string]string, identified []integrator.Import) int {
	byID := make(map[string]integrator.Import, len(identified))
	for _, remote := range identified {
		byID[remote.ID] = remote
	}
	counted := map[string]bool{}
	for i := range imports {
		object := &imports[i]
		id := object.Status.ID
		if _, found := listed[id]; id == "" || !found || !ownership.ManagesByStatus(object, id) {
			continue
		}
		remote := byID[id]
		remote.ID = id
		if ownership.Decide(ownership.UseManage, ownership.Evidence{Owner: owner, Object: object, Remote: remote}).Verdict == ownership.Permitted {
			counted[id] = true
		}
	}
	return len(counted)
}
