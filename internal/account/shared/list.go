// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// List is what one scan saw. It goes to several Accounts, and nobody changes it.
type List struct {
	// Modified is the lastModified of every import, by id.
	Modified map[string]string
	// Pages is how many pages the API gave it in.
	Pages int
	// Singles are the imports that were read one by one instead of the list, nil if it is the list. Nothing
	// is known of any other; one that was not found is not in Modified.
	Singles map[string]bool
	// identified are in the order of their names without white space around them, and of those with one name,
	// in that of the list. A map by name would take several times the memory, for as long as the list is the last.
	identified []identity
}

// identity is an import that something identifies: an externalId, or a name that is an ownership marker.
type identity struct{ id, name, externalID, sourceID string }

func (i identity) remote() integrator.Import {
	return integrator.Import{ID: i.id, Name: i.name, ExternalID: i.externalID, SourceID: i.sourceID}
}

// Whole reports whether it shows all imports of the account.
func (l List) Whole() bool { return l.Singles == nil }

// NewList returns the list of these imports: lastModified by id, and those that something identifies.
func NewList(modified map[string]string, identified ...integrator.Import) List {
	all := make([]identity, len(identified))
	for i, remote := range identified {
		all[i] = identity{remote.ID, remote.Name, remote.ExternalID, remote.SourceID}
	}
	return newList(modified, all)
}

func newList(modified map[string]string, identified []identity) List {
	slices.SortStableFunc(identified, func(a, b identity) int { return compareName(a, strings.TrimSpace(b.name)) })
	return List{Modified: modified, identified: identified}
}

func compareName(i identity, name string) int {
	return strings.Compare(strings.TrimSpace(i.name), name)
}

// Identified are the imports that something identifies. Of each, only the id, the name, the externalId and the
// _sourceId are known.
func (l List) Identified() iter.Seq[integrator.Import] {
	return func(yield func(integrator.Import) bool) {
		for _, one := range l.identified {
			if !yield(one.remote()) {
				return
			}
		}
	}
}

// Namesakes are those of them that have a name, whatever white space is around it.
func (l List) Namesakes(name string) (found []integrator.Import) {
	name = strings.TrimSpace(name)
	first, _ := slices.BinarySearchFunc(l.identified, name, compareName)
	for _, one := range l.identified[first:] {
		if compareName(one, name) != 0 {
			break
		}
		found = append(found, one.remote())
	}
	return found
}

// Finder finds imports by id, of which something is known if something identifies them.
func (l List) Finder() func(id string) integrator.Import {
	byID := make(map[string]int, len(l.identified))
	for i, one := range l.identified {
		byID[one.id] = i
	}
	return func(id string) integrator.Import {
		if i, ok := byID[id]; ok {
			return l.identified[i].remote()
		}
		return integrator.Import{ID: id}
	}
}

// Sources has the _sourceId of those of them that are clones, by id.
func (l List) Sources() map[string]string {
	sources := map[string]string{}
	for _, one := range l.identified {
		if one.sourceID != "" {
			sources[one.id] = one.sourceID
		}
	}
	return sources
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
	identified []identity
}

func (c *collector) add(document integrator.Import) {
	if c.modified == nil {
		c.modified = map[string]string{}
	}
	c.modified[document.ID] = document.LastModified
	if document.ExternalID != "" || ownership.IsMarker(document.Name) {
		c.identified = append(c.identified, identity{document.ID, document.Name, document.ExternalID, document.SourceID})
	}
}

func (c *collector) list() List { return newList(c.modified, slices.Clone(c.identified)) }
