// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSchedule(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	minutely, hourly := Pace{Interval: time.Minute, Patience: 3 * time.Minute}, Pace{Interval: time.Hour, Patience: 3 * time.Hour}
	seenBefore := func(pace Pace, quiet time.Duration) seen { return seen{pace: pace, begun: true, quiet: ago(quiet)} }
	type plan struct {
		Begin   bool
		Overdue []int
		Wait    time.Duration
	}
	for name, tc := range map[string]struct {
		reason string
		from   schedule
		want   plan
	}{
		"Nobody": {"nobody watches",
			schedule{}, plan{}},
		"First": {"who has seen no scan does not wait for the interval",
			schedule{ended: ago(time.Second), watchers: []seen{seenBefore(minutely, 0), {pace: hourly, quiet: now}}},
			plan{Begin: true, Wait: 3 * time.Minute}},
		"FirstWhileRunning": {"but for the end of the scan that had begun before",
			schedule{running: true, watchers: []seen{seenBefore(minutely, 0), {pace: hourly, quiet: now}}},
			plan{Wait: 3 * time.Minute}},
		"NotYet": {"one interval passes from the end of a scan",
			schedule{ended: ago(20 * time.Second), watchers: []seen{seenBefore(minutely, 20*time.Second)}},
			plan{Wait: 40 * time.Second}},
		"Due": {"then comes the next",
			schedule{ended: ago(time.Minute), watchers: []seen{seenBefore(minutely, time.Minute)}},
			plan{Begin: true, Wait: 2 * time.Minute}},
		"Jitter": {"a little later",
			schedule{ended: ago(time.Minute), jitter: 0.1, watchers: []seen{seenBefore(minutely, time.Minute)}},
			plan{Wait: 6 * time.Second}},
		"Shortest": {"the shortest interval holds for all",
			schedule{ended: ago(time.Minute), watchers: []seen{seenBefore(hourly, time.Minute), seenBefore(minutely, time.Minute), seenBefore(hourly, time.Minute)}},
			plan{Begin: true, Wait: 2 * time.Minute}},
		"Overdue": {"to each by the patience that it has itself",
			schedule{running: true, watchers: []seen{seenBefore(hourly, 3*time.Minute), seenBefore(minutely, 3*time.Minute)}},
			plan{Overdue: []int{1}, Wait: 3*time.Hour - 3*time.Minute}},
		"OverdueOnce": {"once",
			schedule{running: true, watchers: []seen{{pace: minutely, begun: true, quiet: ago(time.Hour), told: true}}},
			plan{}},
		"OverdueAndDue": {"and scans go on",
			schedule{ended: ago(time.Minute), watchers: []seen{seenBefore(minutely, 3*time.Minute)}},
			plan{Begin: true, Overdue: []int{0}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got plan
			got.Begin, got.Overdue, got.Wait = tc.from.next(now)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestJittered(t *testing.T) {
	for range 1000 {
		if got := jittered(); got < 0 || got > scanJitter {
			t.Fatalf("the jitter is %v", got)
		}
	}
}
