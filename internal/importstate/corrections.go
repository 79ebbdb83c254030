// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// MaxCorrections is how often the same drift is corrected within CorrectionsWindow.
	MaxCorrections = 5
	// CorrectionsWindow is for how long corrections are counted.
	CorrectionsWindow = 10 * time.Minute
)

// Corrections notices that somebody else undoes each correction of an import, such as an operator in
// another cluster with the same owner id. It is safe for concurrent use; its zero value is ready.
type Corrections struct {
	mu    sync.Mutex
	byUID map[types.UID]corrected
}

// corrected are the corrections of one drift.
type corrected struct {
	// hash is Comparison.Drift.
	hash  string
	times []time.Time
}

// Permit reports whether the drift with this hash may be corrected now.
func (c *Corrections) Permit(uid types.UID, hash string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.byUID[uid]
	return known.hash != hash || len(recent(known.times, now)) < MaxCorrections
}

// Note counts a correction that was made. Another drift begins anew.
func (c *Corrections) Note(uid types.UID, hash string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byUID == nil {
		c.byUID = map[types.UID]corrected{}
	}
	maps.DeleteFunc(c.byUID, func(_ types.UID, known corrected) bool { return len(recent(known.times, now)) == 0 })
	known := c.byUID[uid]
	if known.hash != hash {
		known = corrected{hash: hash}
	}
	c.byUID[uid] = corrected{hash: hash, times: append(recent(known.times, now), now)}
}

// recent are those of the times that are still counted.
func recent(times []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(times), func(at time.Time) bool { return now.Sub(at) >= CorrectionsWindow })
}
