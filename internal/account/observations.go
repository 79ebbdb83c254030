// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account/shared"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// observation is what the last complete scan, or a later call of our own, saw of an import.
type observation struct {
	// lastModified as the API gave it; "" when the import was not in the list.
	lastModified string
	// scan is the number of that scan, or of the last that had begun before the call.
	scan int
}

// marked are the imports with one ownership marker.
type marked struct {
	// ids are sorted. A call of our own whose outcome is unknown may have made another.
	ids []string
	// scan is the number of the scan that saw them, or that was the last when a call of our own did.
	scan int
}

// maxCopies is how many copies status lists.
const maxCopies = 16

// Observations remember what was last seen of an account's imports. They are safe for concurrent use.
type Observations struct {
	owner ownership.Owner

	mu sync.Mutex
	// scan is the number of the scan that began last. former is that of the last one that began with a
	// former credential.
	scan, former int
	// byID has the managed imports.
	byID map[string]observation
	// marked are the imports of the account that have an ownership marker, by marker.
	marked map[string]marked
	// list is what the last complete scan saw, without what byID has of it. sources has the _sourceId of those
	// imports in it that are clones, by id.
	list    shared.List
	sources map[string]string
	// scanned: a scan with the present credential has reached its end.
	scanned bool
	// missing are the Imports that have read their remote import themselves and found last that there
	// is none of this id.
	missing map[types.UID]string
	// arrived are the Imports that another operator had, with the number of the scan that had begun last when
	// they came here: that operator may have created what such a scan did not see.
	arrived map[types.UID]int
	// awaiting are the Imports that are created only once a list was read to its end.
	awaiting map[types.NamespacedName]bool
	// outdated: a scan since the last list read single imports. demanded is the number of the first scan whose
	// list is new enough for whoever demanded one, 0 if nobody does; demand has it read.
	outdated bool
	demanded int
	demand   func()
}

// NewObservations returns observations of an account that nobody has seen yet.
func NewObservations(owner ownership.Owner) *Observations {
	return &Observations{owner: owner, byID: map[string]observation{}, marked: map[string]marked{}, missing: map[types.UID]string{}, arrived: map[types.UID]int{}, awaiting: map[types.NamespacedName]bool{}, demand: func() {}}
}

// Note records what a call of our own saw of an import.
func (o *Observations) Note(id, lastModified string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byID[id] = observation{lastModified: lastModified, scan: o.scan}
}

// NoteMarker records that a call of our own saw an Import's ownership marker, on the import of this
// id, or that it may have created one with it: then id is "". Another text is ignored.
func (o *Observations) NoteMarker(text, id string) {
	if !ownership.IsMarker(text) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := o.marked[text]
	if id != "" && !slices.Contains(seen.ids, id) {
		seen.ids = slices.Sorted(slices.Values(append(slices.Clone(seen.ids), id)))
	}
	o.marked[text] = marked{ids: seen.ids, scan: o.scan}
}

// MarkerSeen reports whether the account was last seen to have an import with the ownership marker
// of the Import.
func (o *Observations) MarkerSeen(object *v1alpha1.Import) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.ContainsFunc(o.owner.Markers(object), func(text string) bool { _, ok := o.marked[text]; return ok })
}

// NewCredential records that scans which began until now say nothing of the account any more. What they
// saw stays, because the account should be the same.
func (o *Observations) NewCredential() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.former, o.scanned = o.scan, false
}

// Scanned reports whether a scan with the present credential has ever reached its end.
func (o *Observations) Scanned() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.scanned
}

// Arrive records that another operator had an Import until now.
func (o *Observations) Arrive(uid types.UID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.arrived[uid] = o.scan
}

// ScannedFor reports whether the last scan with the present credential that reached its end read the list, and
// one says something of an Import: it began when no other operator had the Import any longer.
func (o *Observations) ScannedFor(uid types.UID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, waits := o.arrived[uid]
	return o.scanned && !o.outdated && !waits
}

// Refresh has the list read at once if the last scan read single imports: whoever asks for a look at an Import
// is to see what only the list shows of it.
func (o *Observations) Refresh() {
	o.demandList(func() bool { return o.outdated })
}

// DemandList has the list read at once, because a call of our own contradicts the last one. The first list is read
// anyway.
func (o *Observations) DemandList() {
	o.demandList(func() bool { return o.scanned })
}

// demandList has the list read at once if it is needed, for all that demand it before it begins. Whether it is
// needed is asked with the lock held.
func (o *Observations) demandList(needed func() bool) {
	o.mu.Lock()
	demands := needed() && o.demanded == 0
	if demands {
		o.demanded = o.scan + 1
	}
	o.mu.Unlock()
	if demands {
		o.demand()
	}
}

// needsList reports whether somebody waits for the list.
func (o *Observations) needsList() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.scanned || o.demanded != 0 || len(o.arrived) > 0 || len(o.awaiting) > 0
}

// Created are the imports of the account that have the Import's ownership marker and are no clones
// that somebody made.
func (o *Observations) Created(object *v1alpha1.Import) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(o.idsWithMarker(object), func(id string) bool {
		return o.owner.IsForeignClone(object, integrator.Import{ID: id, SourceID: o.sources[id]})
	})
}

// Namesakes are the imports of this name that had an externalId when the account was scanned last.
// Of each only the id, the name, the externalId and the _sourceId are known.
func (o *Observations) Namesakes(name string) []integrator.Import {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.list.Namesakes(name)
}

// Marked are the imports with this ownership marker. Of each only the id and the marker are known.
func (o *Observations) Marked(marker string) (found []integrator.Import) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range o.marked[marker].ids {
		found = append(found, integrator.Import{ID: id, ExternalID: marker})
	}
	return found
}

// Copies are the imports of the account that have the Import's ownership marker, and are not its
// own.
func (o *Observations) Copies(object *v1alpha1.Import) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.copies(object)
}

// idsWithMarker are the imports that have an ownership marker of the Import, sorted.
func (o *Observations) idsWithMarker(object *v1alpha1.Import) []string {
	var ids []string
	for _, text := range o.owner.Markers(object) {
		ids = append(ids, o.marked[text].ids...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (o *Observations) copies(object *v1alpha1.Import) []string {
	own := ownership.RemoteID(object)
	if own == "" {
		// One of them may be its own.
		return object.Status.Copies
	}
	others := slices.DeleteFunc(o.idsWithMarker(object), func(id string) bool { return id == own })
	return others[:min(len(others), maxCopies)]
}

// Changed reports whether the import was last seen with another lastModified. One that nobody has
// seen since the start counts as unchanged, because the first scan will show it.
func (o *Observations) Changed(id, lastModified string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen, ok := o.byID[id]
	return ok && seen.lastModified != lastModified
}

// RecordRead records that an Import has read its remote import itself, and whether it was found.
func (o *Observations) RecordRead(object *v1alpha1.Import, id string, found bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if found {
		delete(o.missing, object.UID)
		return
	}
	o.missing[object.UID] = id
	for _, text := range o.owner.Markers(object) {
		if seen, ok := o.marked[text]; ok {
			seen.ids = slices.DeleteFunc(slices.Clone(seen.ids), func(other string) bool { return other == id })
			o.marked[text] = seen
		}
	}
}

// FoundMissing reports whether the Import did not find its remote import when it read it last.
func (o *Observations) FoundMissing(object *v1alpha1.Import, id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.missing[object.UID] == id
}

// AwaitScan has an Import reconciled once a list that begins from now on was read to its end. The first one is
// read anyway; a later one is read at once, for all that wait for it.
func (o *Observations) AwaitScan(key types.NamespacedName) {
	o.demandList(func() bool {
		o.awaiting[key] = true
		return o.scanned
	})
}

// takeAwaiting returns those that wait for the end of a list, which has come.
func (o *Observations) takeAwaiting() []types.NamespacedName {
	o.mu.Lock()
	defer o.mu.Unlock()
	keys := slices.Collect(maps.Keys(o.awaiting))
	clear(o.awaiting)
	return keys
}

// differs reports whether the scanner saw something else than the Import when it read last, or than
// its status shows. What was deleted and restored has the lastModified that it had.
func (o *Observations) differs(object *v1alpha1.Import, id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen, ok := o.byID[id]
	missing := o.missing[object.UID] == id
	if !slices.Equal(o.copies(object), object.Status.Copies) {
		return true
	}
	if !ok || seen.lastModified == "" {
		return ok && !missing && object.Status.LastModified != ""
	}
	return missing || seen.lastModified != object.Status.LastModified
}

// begin starts a scan and returns its number. What is noted from now on is newer than what the scan
// reads.
func (o *Observations) begin() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.scan++
	return o.scan
}

// complete takes over what scan number scan saw of the managed ids, and of the imports that something
// identifies. What was noted since it began is newer and stays; all that is no longer managed is
// forgotten. A scan with a former credential is left out.
func (o *Observations) complete(scan int, managed []string, list shared.List) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if scan <= o.former {
		return
	}
	o.scanned, o.outdated = true, false
	if scan >= o.demanded {
		o.demanded = 0
	}
	maps.DeleteFunc(o.arrived, func(_ types.UID, began int) bool { return began < scan })
	byID := make(map[string]observation, len(managed))
	for _, id := range managed {
		if noted, ok := o.byID[id]; ok && noted.scan >= scan {
			byID[id] = noted
			continue
		}
		byID[id] = observation{lastModified: list.Modified[id], scan: scan}
	}
	o.byID = byID
	maps.DeleteFunc(o.marked, func(_ string, seen marked) bool { return seen.scan < scan })
	o.list, o.sources = list, list.Sources()
	o.list.Modified = nil
	for remote := range list.Identified() {
		for _, text := range []string{remote.ExternalID, remote.Name} {
			if ownership.IsMarker(text) {
				ids := append(slices.Clone(o.marked[text].ids), remote.ID)
				slices.Sort(ids)
				o.marked[text] = marked{ids: slices.Compact(ids), scan: scan}
			}
		}
	}
	maps.DeleteFunc(o.missing, func(_ types.UID, id string) bool { _, managed := byID[id]; return !managed })
}

// completeSingles takes over what scan number scan saw of the imports that it read one by one. What only a list
// shows stays as it was, and is no longer of this moment.
func (o *Observations) completeSingles(scan int, list shared.List) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if scan <= o.former {
		return
	}
	o.outdated = true
	for id := range list.Singles {
		if noted, ok := o.byID[id]; !ok || noted.scan < scan {
			o.byID[id] = observation{lastModified: list.Modified[id], scan: scan}
		}
	}
}

// searches reports whether the next steps of an Import depend on the whole account: it is not known whether its
// remote import was created, or the one that it manages was not found.
func (o *Observations) searches(object *v1alpha1.Import, id string) bool {
	switch {
	case !object.DeletionTimestamp.IsZero(), ownership.Observes(object):
		return false
	case id == "":
		return ownership.CreatePending(object)
	default:
		return o.FoundMissing(object, id)
	}
}
