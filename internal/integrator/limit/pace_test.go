// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"math"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	// refusals are the times of 429s, each with a pause of a second.
	for name, tc := range map[string]struct {
		reason   string
		full     float64
		refusals []float64
		after    float64
		want     float64
	}{
		"None":         {"all of the rate is used", 100, nil, 5, 100},
		"First":        {"nobody knows how much is left", 100, []float64{0}, 1, 50},
		"OnTheirWay":   {"those of requests that were on their way count once", 100, []float64{0, 0.1, 0.2}, 1.2, 50},
		"Soon":         {"still far too much", 100, []float64{0, 1.5}, 2.5, 0.5 * 50 * (1 + growth*0.5)},
		"Later":        {"near what is left", 100, []float64{0, 6}, 7, 0.85 * 50 * (1 + growth*5)},
		"Grows":        {"slowly more again", 100, []float64{0}, 6, 60},
		"GrowsFaster":  {"the others may have stopped", 100, []float64{0}, 13, 50 * 1.4 * 1.15 * 1.15},
		"Recovers":     {"all of it in the end", 100, []float64{0}, 20, 100},
		"Least":        {"something is always tried", 100, []float64{0, 1.1, 2.2, 3.3, 4.4, 5.5, 6.6, 7.7, 8.8}, 9.8, leastRate},
		"SlowAccount":  {"not more than the Account names", 0.5, []float64{0, 1.1}, 2.1, 0.5},
		"BetweenPause": {"a pause does not count as time without a 429", 100, []float64{0}, 0.5, 50},
	} {
		t.Run(name, func(t *testing.T) {
			p := pace{full: tc.full}
			for _, seconds := range tc.refusals {
				p.refused(at(seconds), at(seconds+1))
			}
			if got := p.at(at(tc.after)); math.Abs(got-tc.want) > 0.5 {
				t.Errorf("%s: %.1f requests a second, not %.1f", tc.reason, got, tc.want)
			}
		})
	}
}

// Others use nine tenths of what the platform permits: the rest is used, and few requests are refused.
func TestPaceBesideOthers(t *testing.T) {
	const permitted, byOthers, seconds = 300.0, 270.0, 120
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := pace{full: permitted}
	var tokens, due float64
	var sent, refused, counted int
	var resumes time.Time
	const tick = time.Millisecond
	for range seconds * int(time.Second/tick) {
		now = now.Add(tick)
		// The bucket is that of the platform: what is not used within a second is lost.
		tokens = min(permitted, tokens+(permitted-byOthers)*tick.Seconds())
		if counted++; counted == 20*int(time.Second/tick) {
			sent, refused = 0, 0 // by then it has found what is left
		}
		if now.Before(resumes) {
			continue
		}
		if due += p.at(now) * tick.Seconds(); due < 1 {
			continue
		}
		due--
		if tokens >= 1 {
			tokens--
			sent++
			continue
		}
		refused++
		resumes = now.Add(time.Second)
		p.refused(now, resumes)
	}
	left := (permitted - byOthers) * (seconds - 20)
	if part := float64(sent) / left; part < 0.95 {
		t.Errorf("%.0f %% of what is left is used", 100*part)
	}
	if part := float64(refused) / float64(sent+refused); part > 0.01 {
		t.Errorf("%.1f %% of the requests are refused", 100*part)
	}
}
