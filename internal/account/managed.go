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
// says that it is somebody else's. listed are the ids of the list, marked the imports with a marker.
func managed(imports []v1alpha1.Import, listed map[string]string, marked map[string]integrator.Import) int {
	counted := map[string]bool{}
	for i := range imports {
		object := &imports[i]
		id := object.Status.ID
		if _, found := listed[id]; id == "" || !found || !ownership.Manages(object, id) {
			continue
		}
		remote, ok := marked[id]
		if !ok {
			remote = integrator.Import{ID: id}
		}
		if ownership.Decide(ownership.UseManage, ownership.Evidence{Object: object, Remote: remote}).Verdict == ownership.Permitted {
			counted[id] = true
		}
	}
	return len(counted)
}

// markersOf are the ownership markers of the imports.
func markersOf(marked map[string]integrator.Import) []string {
	var markers []string
	for _, remote := range marked {
		for _, text := range []string{remote.ExternalID, remote.Name} {
			if ownership.IsMarker(text) {
				markers = append(markers, text)
			}
		}
	}
	return markers
}
