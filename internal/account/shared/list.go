// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"context"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// List is what one scan saw. It goes to several Accounts, and nobody changes it.
type List struct {
	// Modified is the lastModified of every import, by id.
	Modified map[string]string
	// Identified are the imports that something identifies: an externalId, or a name that is an
	// ownership marker. Of each, only the id, the name, the externalId and the _sourceId are known.
	Identified []integrator.Import
	// Namesakes are the same, by name without white space around it. Sources has the _sourceId of those
	// that are clones, by id.
	Namesakes map[string][]integrator.Import
	Sources   map[string]string
	// Pages is how many pages the API gave it in.
	Pages int
}

// NewList returns the list of these imports: lastModified by id, and those that something identifies.
func NewList(modified map[string]string, identified ...integrator.Import) List {
	list := List{Modified: modified, Identified: identified, Namesakes: map[string][]integrator.Import{}, Sources: map[string]string{}}
	for _, remote := range identified {
		name := strings.TrimSpace(remote.Name)
		list.Namesakes[name] = append(list.Namesakes[name], remote)
		if remote.SourceID != "" {
			list.Sources[remote.ID] = remote.SourceID
		}
	}
	return list
}

// readList reads the whole list once. A list that does not reach its end is evidence of nothing.
func readList(ctx context.Context, remote *integrator.Client) (List, error) {
	modified, identified := map[string]string{}, []integrator.Import(nil)
	pages := 0
	options := integrator.ListOptions{Include: []string{"lastModified", "externalId", "_sourceId"}, UnlimitedWait: true, Pages: &pages}
	for document, err := range remote.ListImports(ctx, options) {
		if err != nil {
			return List{}, err
		}
		modified[document.ID] = document.LastModified
		if document.ExternalID != "" || ownership.IsMarker(document.Name) {
			identified = append(identified, integrator.Import{ID: document.ID, Name: document.Name, ExternalID: document.ExternalID, SourceID: document.SourceID})
		}
	}
	list := NewList(modified, identified...)
	list.Pages = pages
	return list, nil
}
