// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"context"
	"errors"
	"net/http"
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
	// Singles are the imports that were read one by one instead of the list, nil if it is the list. Nothing
	// is known of any other; one that was not found is not in Modified.
	Singles map[string]bool
}

// Whole reports whether it shows all imports of the account.
func (l List) Whole() bool { return l.Singles == nil }

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

// read reads the imports of these ids, or the whole list if there are none, or if that fails because of one
// of them: it may be too large, or not for this token, and the list has no more of it than its times.
func read(ctx context.Context, remote *integrator.Client, ids []string) (List, error) {
	if len(ids) > 0 {
		list, err := readSingles(ctx, remote, ids)
		if err == nil || !isOfOneImport(err) {
			return list, err
		}
	}
	return readList(ctx, remote)
}

// isOfOneImport reports whether another call may succeed although this one failed.
func isOfOneImport(err error) bool {
	switch integrator.StatusCode(err) {
	case 0, http.StatusUnauthorized, http.StatusTooManyRequests:
		return false
	default:
		return true
	}
}

// readSingles reads imports one by one.
func readSingles(ctx context.Context, remote *integrator.Client, ids []string) (List, error) {
	var collected collector
	singles := make(map[string]bool, len(ids))
	for _, id := range ids {
		document, err := integrator.ReadForScan(ctx, remote, id)
		switch {
		case integrator.IsNotFound(err), errors.Is(err, integrator.ErrInvalidArgument): // no import can have this id
		case err != nil:
			return List{}, err
		default:
			collected.add(document)
		}
		singles[id] = true
	}
	list := collected.list()
	list.Singles = singles
	return list, nil
}

// readList reads the whole list once. A list that does not reach its end is evidence of nothing.
func readList(ctx context.Context, remote *integrator.Client) (List, error) {
	var collected collector
	pages := 0
	options := integrator.ListOptions{Include: []string{"lastModified", "externalId", "_sourceId"}, UnlimitedWait: true, Pages: &pages}
	for document, err := range remote.ListImports(ctx, options) {
		if err != nil {
			return List{}, err
		}
		collected.add(document)
	}
	list := collected.list()
	list.Pages = pages
	return list, nil
}

// collector makes a list of imports, with what a scan is for.
type collector struct {
	modified   map[string]string
	identified []integrator.Import
}

func (c *collector) add(document integrator.Import) {
	if c.modified == nil {
		c.modified = map[string]string{}
	}
	c.modified[document.ID] = document.LastModified
	if document.ExternalID != "" || ownership.IsMarker(document.Name) {
		c.identified = append(c.identified, integrator.Import{ID: document.ID, Name: document.Name, ExternalID: document.ExternalID, SourceID: document.SourceID})
	}
}

func (c *collector) list() List { return NewList(c.modified, c.identified...) }
