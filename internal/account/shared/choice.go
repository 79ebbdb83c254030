// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import "time"

// A scan reads the list of the account's imports, page by page, or, where that takes fewer calls, each
// import alone that an Import has. Reads of single imports show what happened to these, and nothing of
// the rest of the account: no copy, no import of the same name, nothing that was created and whose
// response was lost. So whoever needs that gets the list, and a list is read from time to time anyway.
const (
	// singleScans is how many scans in a row may read single imports: every tenth reads the list.
	singleScans = 9
	// listLife is how long after the last list another one is read at the latest.
	listLife = time.Hour
)

// Wants is what a watcher needs of a scan.
type Wants struct {
	// List: it needs to know of the whole account.
	List bool
	// IDs are the imports that it watches.
	IDs []string
}

// choice decides how the account is scanned. Its zero value reads the list.
type choice struct {
	// pages is how many pages the last list had, 0 if there was none, and listed when it ended.
	pages  int
	listed time.Time
	// singles are the scans of single imports since then.
	singles int
	// barred is for how many further lists no import is read alone, because that failed.
	barred int
}

// most returns how many imports a scan may read one by one at most, 0 if it has to read the list.
func (c choice) most(now time.Time) int {
	if c.barred > 0 || c.singles >= singleScans || now.Sub(c.listed) >= listLife {
		return 0
	}
	return max(0, c.pages-1)
}

// single returns the imports that are read one by one, most at most: that takes fewer calls than the list, and
// nobody needs that. It returns none if the list is to be read. A scan makes one call at least, which shows that
// the token is still accepted.
func single(wanted []Wants, most int) (ids []string) {
	distinct := map[string]bool{}
	for _, wants := range wanted {
		if wants.List {
			return nil
		}
		for _, id := range wants.IDs {
			if !distinct[id] {
				distinct[id] = true
				ids = append(ids, id)
			}
			if len(ids) > most {
				return nil
			}
		}
	}
	return ids
}

// ended returns the choice after a scan. Where single imports were asked for and the list came, they could
// not be read.
func (c choice) ended(asked bool, list List, err error, now time.Time) choice {
	if asked {
		c.singles++
	}
	if err != nil || list.Singles != nil {
		return c
	}
	c.pages, c.listed, c.singles, c.barred = list.Pages, now, 0, max(0, c.barred-1)
	if asked {
		c.barred = singleScans
	}
	return c
}
