// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account/shared"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// managed counts the imports in the account that one of its Imports manages, each once: the Import's
// policy is Manage, its status records the import, the list has it, and no ownership marker there
// says that it is somebody else's.
func managed(owner ownership.Owner, imports []*v1alpha1.Import, list shared.List) int {
	find := list.Finder()
	counted := map[string]bool{}
	for _, object := range imports {
		id := object.Status.ID
		if _, found := list.Modified[id]; id == "" || !found || !ownership.ManagesByStatus(object, id) {
			continue
		}
		remote := find(id)
		if ownership.Decide(ownership.UseManage, ownership.Evidence{Owner: owner, Object: object, Remote: remote}).Verdict == ownership.Permitted {
			counted[id] = true
		}
	}
	return len(counted)
}
