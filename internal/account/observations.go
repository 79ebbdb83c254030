// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// observation is what the last complete scan, or a later call of our own, saw of an import.
type observation struct {
	// lastModified as the API gave it; "" when the import was not in the list.
	lastModified string
	// scan is the number of that scan, or of the last that had begun before the call.
	scan int
}

// Observations remember what was last seen of an account's imports. They are safe for concurrent use.
type Observations struct {
	mu sync.Mutex
	// scan is the number of the scan that began last.
	scan int
	// byID has the managed imports.
	byID map[string]observation
	// markers are the ownership markers in the account, with the number of the scan that saw them, or
	// that was the last when a call of our own did.
	markers map[string]int
	// missing are the Imports that have read their remote import themselves and found last that there
	// is none of this id.
	missing map[types.UID]string
	// awaiting are the Imports that are created only once a scan has reached its end.
	awaiting map[types.NamespacedName]bool
}

// NewObservations returns observations of an account that nobody has seen yet.
func NewObservations() *Observations {
	return &Observations{byID: map[string]observation{}, markers: map[string]int{}, missing: map[types.UID]string{}, awaiting: map[types.NamespacedName]bool{}}
}

// Note records what a call of our own saw of an import.
func (o *Observations) Note(id, lastModified string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byID[id] = observation{lastModified: lastModified, scan: o.scan}
}

// NoteMarker records that a call of our own saw an Import's ownership marker. Another text is ignored.
func (o *Observations) NoteMarker(text string) {
	if !ownership.IsMarker(text) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.markers[text] = o.scan
}

// MarkerSeen reports whether the account was last seen to have an import that was created for the
// Import.
func (o *Observations) MarkerSeen(object *v1alpha1.Import) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.markers[ownership.Marker(object)]
	return ok
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
	} else {
		o.missing[object.UID] = id
	}
}

// FoundMissing reports whether the Import did not find its remote import when it read it last.
func (o *Observations) FoundMissing(object *v1alpha1.Import, id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.missing[object.UID] == id
}

// AwaitScan has an Import reconciled once the next scan has reached its end.
func (o *Observations) AwaitScan(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.awaiting[key] = true
}

// takeAwaiting returns those that wait for the end of a scan, which has come.
func (o *Observations) takeAwaiting() []types.NamespacedName {
	o.mu.Lock()
	defer o.mu.Unlock()
	keys := slices.Collect(maps.Keys(o.awaiting))
	clear(o.awaiting)
	return keys
}

// differs reports whether the scanner saw something else than the Import when it read last. What was
// deleted and restored has the lastModified that it had.
func (o *Observations) differs(object *v1alpha1.Import, id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen, ok := o.byID[id]
	missing := o.missing[object.UID] == id
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

// complete takes over what scan number scan saw of the managed ids, and of ownership markers. What
// was noted since it began is newer and stays; all that is no longer managed is forgotten.
func (o *Observations) complete(scan int, managed []string, listed map[string]string, markers []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	byID := make(map[string]observation, len(managed))
	for _, id := range managed {
		if noted, ok := o.byID[id]; ok && noted.scan >= scan {
			byID[id] = noted
			continue
		}
		byID[id] = observation{lastModified: listed[id], scan: scan}
	}
	o.byID = byID
	maps.DeleteFunc(o.markers, func(_ string, noted int) bool { return noted < scan })
	for _, marker := range markers {
		o.markers[marker] = scan
	}
	maps.DeleteFunc(o.missing, func(_ types.UID, id string) bool { _, managed := byID[id]; return !managed })
}
