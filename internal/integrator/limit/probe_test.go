// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pass lets time pass, at the clock of synctest.
func pass(d time.Duration) { <-time.After(d) }

// paused returns a limiter after a 429, and requests that wait for the end of its pause: each is sent
// to the channel once it is permitted.
func paused(t *testing.T, pause time.Duration, requests int) (l *Limiter, permitted chan func()) {
	t.Helper()
	l, permitted = New(100, 100, 16), make(chan func(), requests)
	l.Pause(pause)
	for range requests {
		go func() {
			release, err := l.Acquire(t.Context(), Request{MaxWait: NoMaxWait})
			if err != nil {
				t.Error(err)
				return
			}
			permitted <- release
		}()
	}
	return l, permitted
}

// TestProbe: which requests are sent, in a time in which each of them wants to be.
func TestProbe(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const open, first, waits = "sent", "sent first", "waits"
	for name, tc := range map[string]struct {
		reason string
		play   func(p *probe)
		after  time.Duration
		want   [2]string // of two requests at once
	}{
		"NoPause":     {"nobody waits where there was no 429", func(*probe) {}, 0, [2]string{open, open}},
		"Pause":       {"one goes first", func(p *probe) { p.expect() }, 0, [2]string{first, waits}},
		"TwoPauses":   {"also after two", func(p *probe) { p.expect(); p.expect() }, 0, [2]string{first, waits}},
		"UnderWay":    {"nobody passes it", func(p *probe) { p.expect(); p.begin(now) }, probePatience - 1, [2]string{waits, waits}},
		"Long":        {"but it may take long", func(p *probe) { p.expect(); p.begin(now) }, probePatience, [2]string{open, open}},
		"Ended":       {"then all follow", func(p *probe) { p.expect(); p.end(p.begin(now)) }, 0, [2]string{open, open}},
		"EndedTwice":  {"its end counts once", func(p *probe) { p.expect(); n := p.begin(now); p.end(n); p.expect(); p.end(n) }, 0, [2]string{first, waits}},
		"Rejected":    {"after another 429, another one goes first", func(p *probe) { p.expect(); n := p.begin(now); p.expect(); p.end(n) }, 0, [2]string{first, waits}},
		"EndsLate":    {"and is not let pass by the end of the former", func(p *probe) { p.expect(); n := p.begin(now); p.expect(); p.begin(now); p.end(n) }, 0, [2]string{waits, waits}},
		"EarlierEnds": {"nor by a request of before the pause", func(p *probe) { n := p.begin(now); p.expect(); p.begin(now); p.end(n) }, 0, [2]string{waits, waits}},
	} {
		t.Run(name, func(t *testing.T) {
			p := probe{}
			tc.play(&p)
			at := now.Add(tc.after)
			var got [2]string
			for i := range got {
				switch {
				case p.rest(at) > 0:
					got[i] = waits
				case p.begin(at) > 0:
					got[i] = first
				default:
					got[i] = open
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestOneGoesFirst(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		// end is how the first request ends.
		end  func(l *Limiter, release func())
		want int
	}{
		"Answered": {"it was not answered with 429, so the others follow",
			func(_ *Limiter, release func()) { release() }, 4},
		"RejectedAgain": {"it was, so they wait for the next pause",
			func(l *Limiter, release func()) { l.Pause(time.Minute); release() }, 0},
		"Unanswered": {"nobody waits for it while it is answered as before",
			func(*Limiter, func()) { pass(probePatience - time.Millisecond) }, 0},
		"UnansweredForLong": {"a 429 would have come by now",
			func(*Limiter, func()) { pass(probePatience) }, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, permitted := paused(t, time.Minute, 5)
				pass(time.Minute)
				synctest.Wait()
				if len(permitted) != 1 {
					t.Fatalf("%d requests are sent when the pause ends, want 1", len(permitted))
				}
				tc.end(l, <-permitted)
				synctest.Wait()
				if len(permitted) != tc.want {
					t.Errorf("%s: %d follow, want %d", tc.reason, len(permitted), tc.want)
				}
				pass(2 * time.Minute) // every request of the test comes to its end
			})
		})
	}
}

// TestEveryPauseHasOneGoFirst: also the second, which began while a request went first.
func TestEveryPauseHasOneGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, permitted := paused(t, time.Minute, 3)
		for range 3 {
			pass(time.Minute)
			synctest.Wait()
			if len(permitted) != 1 {
				t.Fatalf("%d requests are sent when the pause ends, want 1", len(permitted))
			}
			release := <-permitted
			l.Pause(time.Minute)
			release()
		}
	})
}

// TestLateEnd: a request that went first before another pause says nothing of that.
func TestLateEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, permitted := paused(t, time.Minute, 3)
		pass(time.Minute)
		synctest.Wait()
		former := <-permitted
		l.Pause(time.Second)
		pass(time.Second)
		synctest.Wait()
		first := <-permitted
		former()
		synctest.Wait()
		if len(permitted) != 0 {
			t.Error("the end of a request of the pause before lets the others follow")
		}
		first()
		synctest.Wait()
		if len(permitted) != 1 {
			t.Error("the other request does not follow")
		}
	})
}

// TestFirstIsCancelled: one that is cancelled while another goes first says so, and takes no place.
func TestFirstIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, permitted := paused(t, time.Minute, 1)
		pass(time.Minute)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Acquire(ctx, Request{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		(<-permitted)()
		if held(l).taken != 0 {
			t.Errorf("%d places were not released", held(l).taken)
		}
	})
}
