// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names of the classes in the tables below.
var names = map[string]Class{
	"check": ClassCheck, "change": ClassChange, "look": ClassLook, "run": ClassRun, "new": ClassNew, "correction": ClassCorrection, "scan": ClassScan,
}

func TestQueue(t *testing.T) {
	cases := map[string]struct {
		reason string
		// waiting has the waiters in the order in which they come.
		waiting string
		// raised is the index of one that is asked about again, with the class to.
		raised int
		to     string
		// blocked are classes that may not go.
		blocked string
		want    string
	}{
		"Classes": {
			reason:  "a person first, the scanner last; the fourth is of the kind that did not go for longest, or has waited longest",
			waiting: "scan correction new run look change check",
			want:    "check6 change5 look4 scan0 run3 new2 correction1",
		},
		"FirstCome": {
			reason:  "within a class it is first come, first served",
			waiting: "look look look look look look",
			want:    "look0 look1 look2 look3 look4 look5",
		},
		"NoStarvation": {
			reason:  "the last class gets a quarter, however many come before it",
			waiting: "look look scan look look look look scan look look",
			want:    "look0 look1 look3 scan2 look4 look5 look6 scan7 look8 look9",
		},
		"Backlog": {
			reason:  "the pages of a scan do not wait for all objects that came before them",
			waiting: "new new new new new new new new scan scan correction new new new new",
			want:    "new0 new1 new2 scan8 new3 new4 new5 correction10 new6 new7 new11 scan9 new12 new13 new14",
		},
		"Raised": {
			reason: "what a person changes while it waits becomes more urgent", waiting: "new look look correction",
			raised: 3, to: "change", want: "change3 look1 look2 new0",
		},
		"NotLowered": {
			reason: "what waits keeps the class that it had", waiting: "change look",
			raised: 0, to: "correction", want: "change0 look1",
		},
		"Blocked": {
			reason: "what may not go keeps nobody else waiting", waiting: "run look run scan correction",
			blocked: "run look", want: "correction4 scan3",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var q queue
			index := map[*waiter]int{}
			var waiters []*waiter
			for i, class := range strings.Fields(tc.waiting) {
				w := &waiter{class: names[class]}
				q.add(w)
				index[w] = i
				waiters = append(waiters, w)
			}
			if tc.to != "" {
				q.raise(waiters[tc.raised], names[tc.to])
			}
			var got []string
			for {
				w := q.next(func(w *waiter) bool {
					for _, class := range strings.Fields(tc.blocked) {
						if names[class] == w.class {
							return false
						}
					}
					return true
				})
				if w == nil {
					break
				}
				q.take(w)
				for name, class := range names {
					if class == w.class {
						got = append(got, fmt.Sprint(name, index[w]))
					}
				}
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestShares(t *testing.T) {
	cases := map[string]struct {
		reason string
		size   int
		// takes are by whom, one place after the other as long as there is one; a digit is a number of places.
		takes string
		leave int
		want  map[string]int
	}{
		"One":      {reason: "one alone leaves a part to the others", size: 96, takes: "a", want: map[string]int{"a": 56}},
		"Few":      {reason: "of few places too", size: 6, takes: "a", want: map[string]int{"a": 4}},
		"Single":   {reason: "the only place is for whoever comes", size: 1, takes: "a b", want: map[string]int{"a": 1}},
		"Two":      {reason: "the second one finds places", size: 96, takes: "a b", want: map[string]int{"a": 56, "b": 19}},
		"Left":     {reason: "an eighth is for those that have none", size: 8, takes: "a b c d e f g h i", want: map[string]int{"a": 5, "b": 2, "c": 1}},
		"Heavy":    {reason: "what is heavy takes several places", size: 16, takes: "a4", want: map[string]int{"a": 12}},
		"TooHeavy": {reason: "and no more than half of all", size: 16, takes: "a99 b99", want: map[string]int{"a": 8, "b": 8}},
		"Leave":    {reason: "what can wait leaves more", size: 16, takes: "a b c", leave: 8, want: map[string]int{"a": 4, "b": 2, "c": 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, got := NewShares[string](tc.size), map[string]int{}
			for _, by := range strings.Fields(tc.takes) {
				places := 0
				for _, digit := range by[1:] {
					places = 10*places + int(digit-'0')
				}
				places = max(1, places)
				for s.Take(by[:1], places, tc.leave) {
					got[by[:1]] = s.Taken(by[:1])
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			for by, taken := range got {
				for range taken {
					s.Give(by, 1)
				}
			}
			if s.free != tc.size || len(s.taken) != 0 {
				t.Errorf("%d of %d places are free in the end, %d have some", s.free, tc.size, len(s.taken))
			}
		})
	}
	t.Run("Many", func(t *testing.T) {
		s := NewShares[int](96)
		for range 96 {
			for by := range 40 {
				s.Take(by, 1, 0)
			}
		}
		if !s.Take(99, 1, 0) {
			t.Error("forty that take what they get leave nothing to another")
		}
	})
}
