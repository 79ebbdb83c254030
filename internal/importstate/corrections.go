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
	// hash is of the differences.
	hash  string
	times []time.Time
}

// Permit reports whether the drift with this hash may be corrected now, and counts the correction if
// so. Another drift begins anew.
func (c *Corrections) Permit(uid types.UID, hash string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byUID == nil {
		c.byUID = map[types.UID]corrected{}
	}
	old := func(at time.Time) bool { return now.Sub(at) >= CorrectionsWindow }
	maps.DeleteFunc(c.byUID, func(_ types.UID, known corrected) bool { return old(known.times[len(known.times)-1]) })
	known := c.byUID[uid]
	if known.hash != hash {
		known = corrected{hash: hash}
	}
	times := slices.DeleteFunc(slices.Clone(known.times), old)
	if len(times) >= MaxCorrections {
		return false
	}
	c.byUID[uid] = corrected{hash: hash, times: append(times, now)}
	return true
}
