// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

func TestPace(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	// refusal is a 429 after so many requests since the last one, with a pause of a second.
	type refusal struct {
		seconds float64
		sent    int
	}
	// found are those of an account in which 20 a second are left.
	found := []refusal{{0, 100}, {2, 40}, {12, 201}}
	for name, tc := range map[string]struct {
		reason   string
		full     float64
		refusals []refusal
		after    float64
		want     float64
	}{
		"None":        {"all of the rate is used", 100, nil, 5, 100},
		"First":       {"nobody knows how much is left", 100, []refusal{{0, 100}}, 7, 50 * (begin + 0.03*6/20)},
		"OnTheirWay":  {"those of requests that were on their way count once", 100, []refusal{{0, 100}, {0.1, 1}, {0.2, 1}}, 9.2, 50 * (begin + 0.03*8/20)},
		"MakingUp":    {"what was gained by the pause is used", 100, found, 14, 20 * makingUp},
		"Estimated":   {"so much has succeeded", 100, found, 18.1, 20 * (begin + 0.03*5.1/20)},
		"Climbs":      {"all of it in the end", 100, found, 33, 20},
		"Grows":       {"the others may have stopped", 100, found, 39, 20 * math.E},
		"Recovers":    {"all of the rate in the end", 100, found, 41, 100},
		"LittleToDo":  {"that little has succeeded says little", 100, []refusal{{0, 100}, {10, 2}}, 18, 25 * (begin + 0.03*7/20)},
		"Window":      {"nothing was gained by the pause", 100, append(found[:3:3], refusal{14, 25}), 15.1, 20 * begin},
		"Least":       {"something is always tried", 100, []refusal{{0, 9}, {2, 1}, {4, 1}, {6, 1}, {8, 1}, {10, 1}, {12, 1}, {14, 1}}, 35, leastRate},
		"SlowAccount": {"not more than the Account names", 0.5, []refusal{{0, 1}, {2, 1}}, 9, 0.5},
		"Paused":      {"a pause does not count as time without a 429", 100, []refusal{{0, 100}}, 0.5, 50 * makingUp},
	} {
		t.Run(name, func(t *testing.T) {
			p := pace{full: tc.full}
			for _, r := range tc.refusals {
				for range r.sent {
					p.spent()
				}
				p.refused(at(r.seconds), at(r.seconds+1))
			}
			if got := p.at(at(tc.after)); math.Abs(got-tc.want) > 0.3 {
				t.Errorf("%s: %.2f requests a second, not %.2f", tc.reason, got, tc.want)
			}
		})
	}
}

// TestPaceBurst: little is saved up while the rate is less than full, and nothing where nothing is gained by waiting.
func TestPaceBurst(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		p    pace
		want int
	}{
		{pace{full: 100}, 80},
		{pace{full: 100, base: 20, since: now.Add(-steady)}, 10},
		{pace{full: 1000, base: 500, since: now.Add(-steady)}, 80},
		{pace{full: 100, base: 1, since: now.Add(-steady)}, 1},
		{pace{full: 100, base: 20, since: now.Add(-steady), window: 1}, 1},
	} {
		if got := tc.p.burst(now, 80); got != tc.want {
			t.Errorf("%+v: %d at once, not %d", tc.p, got, tc.want)
		}
	}
}

// platform is a limit of requests, at a clock of milliseconds.
type platform interface {
	// take reports whether a request of now is permitted.
	take(now int) bool
}

// tokens is a bucket with a burst.
type tokens struct {
	perSecond, burst, level float64
	last                    int
}

func (b *tokens) take(now int) bool {
	b.level = min(b.burst, b.level+b.perSecond*float64(now-b.last)/1000)
	b.last = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// window counts the requests of each second.
type window struct{ perSecond, second, taken int }

func (w *window) take(now int) bool {
	if now/1000 != w.second {
		w.second, w.taken = now/1000, 0
	}
	w.taken++
	return w.taken <= w.perSecond
}

// sliding counts the requests of the last second.
type sliding struct {
	perSecond int
	taken     []int
}

func (s *sliding) take(now int) bool {
	for len(s.taken) > 0 && s.taken[0] <= now-1000 {
		s.taken = s.taken[1:]
	}
	if len(s.taken) >= s.perSecond {
		return false
	}
	s.taken = append(s.taken, now)
	return true
}

// span is what happened in some time.
type span struct{ left, used, refused float64 }

func (s span) share() float64 { return s.used / s.left }

func (s span) refusedShare() float64 {
	if s.refused == 0 {
		return 0
	}
	return s.refused / (s.used + s.refused)
}

// permitted is how many requests a second the platform permits.
const permitted = 300

// play makes requests for some seconds, as fast as the pace permits, while others make theirs. It returns what
// happened in each second.
func play(p *pace, limits platform, others func(second float64) float64, seconds int) []span {
	const latency = 50 // of a response, in milliseconds
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(now int) time.Time { return start.Add(time.Duration(now) * time.Millisecond) }
	bucket := rate.NewLimiter(rate.Limit(p.full), int(p.full))
	spans := make([]span, seconds)
	var theirs float64
	random, next := rand.New(rand.NewPCG(1, 2)), 1.0 //nolint:gosec // the same numbers each time
	resumes := 0
	type response struct {
		at int
		ok bool
	}
	var responses []response
	for now := range seconds * 1000 {
		second := &spans[now/1000]
		wanted := others(float64(now) / 1000)
		second.left += max(0, permitted-wanted) / 1000
		for theirs += wanted / 1000; theirs >= next; next = 0.5 + random.Float64() {
			theirs -= next
			limits.take(now)
		}
		for len(responses) > 0 && responses[0].at <= now {
			if !responses[0].ok {
				resumes = max(resumes, now+1000)
				p.refused(at(now), at(resumes))
			}
			responses = responses[1:]
		}
		if now < resumes {
			continue
		}
		bucket.SetLimitAt(at(now), rate.Limit(p.at(at(now))))
		bucket.SetBurstAt(at(now), p.burst(at(now), int(p.full)))
		for len(responses) < 16 && bucket.AllowN(at(now), 1) {
			p.spent()
			ok := limits.take(now)
			responses = append(responses, response{now + latency, ok})
			if ok {
				second.used++
			} else {
				second.refused++
			}
		}
	}
	return spans
}

func sum(spans []span) (total span) {
	for _, s := range spans {
		total.left += s.left
		total.used += s.used
		total.refused += s.refused
	}
	return total
}

// TestPaceBesideOthers: what others leave is used, with few 429s, whatever the limit is like.
func TestPaceBesideOthers(t *testing.T) {
	constant := func(n float64) func(float64) float64 { return func(float64) float64 { return n } }
	bursty := func(second float64) float64 {
		if math.Mod(second, 4) < 2 {
			return 290
		}
		return 250
	}
	bucket := func() platform { return &tokens{perSecond: permitted, burst: permitted} }
	large := func() platform { return &tokens{perSecond: permitted, burst: 1000} }
	fixed := func() platform { return &window{perSecond: permitted} }
	slides := func() platform { return &sliding{perSecond: permitted} }
	for name, tc := range map[string]struct {
		limits func() platform
		others func(float64) float64
		// used is the least part of what is left in five minutes, inTen in ten seconds; refused is the largest part
		// of the requests.
		used, inTen, refused float64
	}{
		"Bucket":         {bucket, constant(270), 0.98, 0.8, 0.006},
		"LargeBucket":    {large, constant(270), 0.98, 0.8, 0.006},
		"BucketHalf":     {bucket, constant(150), 0.98, 0.9, 0.002},
		"BucketBursty":   {bucket, bursty, 0.95, 0.5, 0.01},
		"BucketAlmost":   {bucket, constant(295), 0.95, 0.5, 0.02},
		"Window":         {fixed, constant(270), 0.7, 0.5, 0.01},
		"WindowHalf":     {fixed, constant(150), 0.6, 0.5, 0.005},
		"SlidingWindow":  {slides, constant(270), 0.55, 0.4, 0.01},
		"SlidingHalf":    {slides, constant(150), 0.55, 0.5, 0.005},
		"NobodyElse":     {bucket, constant(0), 0.95, 0.6, 0.002},
		"WindowIsBursty": {fixed, bursty, 0.35, 0.2, 0.01},
	} {
		t.Run(name, func(t *testing.T) {
			spans := play(&pace{full: permitted}, tc.limits(), tc.others, 320)[20:]
			all, ten, refused := sum(spans).share(), 1.0, sum(spans).refusedShare()
			for from := 0; from < len(spans); from += 10 {
				ten = min(ten, sum(spans[from:from+10]).share())
			}
			t.Logf("used %.1f %%, in ten seconds %.0f %% at least; refused %.2f %%", 100*all, 100*ten, 100*refused)
			if all < tc.used || ten < tc.inTen || refused > tc.refused {
				t.Errorf("used %.1f %% of what is left, in ten seconds %.0f %% at least; refused %.2f %% of the requests", 100*all, 100*ten, 100*refused)
			}
		})
	}
}

// TestPaceWhenOthersChange: all of the rate is used again within half a minute after others have stopped, and what
// others leave is found within some seconds after they have begun.
func TestPaceWhenOthersChange(t *testing.T) {
	for name, limits := range map[string]func() platform{
		"Bucket":  func() platform { return &tokens{perSecond: permitted, burst: permitted} },
		"Window":  func() platform { return &window{perSecond: permitted} },
		"Sliding": func() platform { return &sliding{perSecond: permitted} },
	} {
		t.Run(name, func(t *testing.T) {
			others := func(second float64) float64 {
				if second < 60 || second >= 180 {
					return 0
				}
				return 270
			}
			spans := play(&pace{full: 250}, limits(), others, 240)
			begun, stopped := sum(spans[60:70]), sum(spans[212:])
			t.Logf("in the first ten seconds beside others %.0f, refused %.0f; half a minute after them %.0f a second", begun.used, begun.refused, stopped.used/28)
			if begun.refused > 60 || begun.used < 100 {
				t.Errorf("in the first ten seconds beside others, of 300 that are left, %.0f are used, and %.0f are refused", begun.used, begun.refused)
			}
			if perSecond := stopped.used / 28; perSecond < 0.95*250 {
				t.Errorf("half a minute after others have stopped, %.0f requests a second are made", perSecond)
			}
		})
	}
}
