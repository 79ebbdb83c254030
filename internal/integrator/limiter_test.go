// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(10, 2, 100)
		start := time.Now()
		for range 12 {
			release, err := l.acquire(t.Context(), false, 0)
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("12 requests at 10 a second and a burst of 2 took %s, want 1s", got)
		}
		l.SetLimits(1, 1, 100)
		start = time.Now()
		for range 3 {
			release, err := l.acquire(t.Context(), false, 0)
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		if got := time.Since(start); got != 3*time.Second {
			t.Errorf("3 requests at 1 a second took %s, want 3s", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := l.acquire(ctx, false, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		if l.all.held != 0 {
			t.Errorf("%d places are held by nobody", l.all.held)
		}
	})
}

func TestLimiterDefaults(t *testing.T) {
	for _, rps := range []float64{0, -1, math.NaN(), math.Inf(-1)} {
		l := NewLimiter(rps, 0, -3)
		if l.bucket.Limit() != DefaultRequestsPerSecond || l.bucket.Burst() != DefaultBurst || l.all.max != DefaultMaxInFlight {
			t.Errorf("NewLimiter(%v, 0, -3): %v, %d, %d, want the defaults", rps, l.bucket.Limit(), l.bucket.Burst(), l.all.max)
		}
	}
	if l := NewLimiter(math.Inf(1), 1, 1); l.bucket.Limit() != maxRequestsPerSecond {
		t.Errorf("an infinite rate becomes %v, want %v", l.bucket.Limit(), float64(maxRequestsPerSecond))
	}
}

// TestInFlight counts the requests that are under way at once.
func TestInFlight(t *testing.T) {
	tests := []struct {
		name   string
		max    int
		invoke bool
		want   int
	}{
		{name: "calls take all places", max: 8, want: 8},
		{name: "invocations leave a quarter", max: 8, invoke: true, want: 6},
		{name: "invocations leave at least one", max: 2, invoke: true, want: 1},
		{name: "of one place they take it", max: 1, invoke: true, want: 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := NewLimiter(1000, 1000, tc.max)
				var entered atomic.Int32
				done := make(chan struct{})
				for range 20 {
					go func() {
						release, err := l.acquire(t.Context(), tc.invoke, 0)
						if err != nil {
							t.Error(err)
							return
						}
						entered.Add(1)
						<-done
						release()
					}()
				}
				synctest.Wait()
				if got := int(entered.Load()); got != tc.want {
					t.Errorf("%d of 20 are under way, want %d", got, tc.want)
				}
				if tc.invoke && tc.max > 1 {
					release, err := l.acquire(t.Context(), false, 0)
					if err != nil {
						t.Errorf("a short call beside the invocations: %v", err)
					}
					release()
				}
				close(done)
				synctest.Wait()
				if got := int(entered.Load()); got != 20 {
					t.Errorf("%d of 20 came through, want all", got)
				}
				if l.all.held != 0 || l.invokes.held != 0 {
					t.Errorf("%d and %d places are held by nobody", l.all.held, l.invokes.held)
				}
			})
		})
	}
}

// TestPause lets one client of an account meet a 429, and looks at another of the same account.
func TestPause(t *testing.T) {
	tests := []struct {
		name, header string
		want         time.Duration
	}{
		{"seconds", "7", 7 * time.Second},
		{"without the header", "", time.Second},
		{"garbage", "later", time.Second},
		{"zero", "0", time.Second},
		{"negative", "-1", time.Second},
		{"huge", "999999999", time.Hour},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var hits atomic.Int32
				limited := true
				l := NewLimiter(0, 0, 0)
				share := func(cfg *Config) { cfg.Limiter = l }
				handler := func(w http.ResponseWriter, _ *http.Request) {
					hits.Add(1)
					if !limited {
						answer(200, `{"_userId":"u"}`)(w, nil)
						return
					}
					if tc.header != "" {
						w.Header().Set("Retry-After", tc.header)
					}
					answer(429, `{"errors":[{"code":"rate_limited","message":"Too many requests."}]}`)(w, nil)
				}
				first, second := serveInMemory(t, handler, share), serveInMemory(t, handler, share)

				_, err := first.TokenInfo(t.Context())
				if e := apiError(t, err); e.StatusCode != 429 || !e.Sent || e.RetryAfter != tc.want || len(e.Errors) != 1 {
					t.Errorf("the first call: %+v", e)
				}
				limited = false
				_, err = second.TokenInfo(t.Context())
				if e := apiError(t, err); e.StatusCode != 429 || e.Sent || e.RetryAfter != tc.want || l.PausedFor() != tc.want {
					t.Errorf("while paused: %+v, paused for %s", e, l.PausedFor())
				}
				if err := wait(t.Context(), tc.want-1); err != nil {
					t.Fatal(err)
				}
				_, err = first.TokenInfo(t.Context())
				if e := apiError(t, err); e.Sent || e.RetryAfter != 1 {
					t.Errorf("a nanosecond before the end: %+v", e)
				}
				if err := wait(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				if _, err := second.TokenInfo(t.Context()); err != nil || hits.Load() != 2 || l.PausedFor() != 0 {
					t.Errorf("after the pause: %v, %d requests, paused for %s", err, hits.Load(), l.PausedFor())
				}
			})
		})
	}
}

func TestPauseNeverGetsShorter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(0, 0, 0)
		l.pause(time.Minute)
		l.pause(time.Second)
		if got := l.PausedFor(); got != time.Minute {
			t.Errorf("paused for %s, want 1m", got)
		}
	})
}

// TestPausedWhileQueued stops a call that waits for its turn when another meets a 429.
func TestPausedWhileQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(0, 0, 1)
		release, err := l.acquire(t.Context(), false, 0)
		if err != nil {
			t.Fatal(err)
		}
		short, patient := make(chan error, 1), make(chan time.Duration, 1)
		start := time.Now()
		go func() {
			_, err := l.acquire(t.Context(), false, 0)
			short <- err
		}()
		go func() {
			release, err := l.acquire(t.Context(), false, forever)
			if err != nil {
				t.Error(err)
				return
			}
			release()
			patient <- time.Since(start)
		}()
		synctest.Wait()
		l.pause(time.Minute)
		release()
		if paused, ok := errors.AsType[*pausedError](<-short); !ok || paused.rest != time.Minute {
			t.Error("the waiting call was not told of the pause")
		}
		if got := <-patient; got != time.Minute {
			t.Errorf("the patient call went after %s, want 1m", got)
		}
	})
}

// TestBusy: the only place is taken by an invocation of minutes. A short call does not wait for
// it, a scan and another invocation do.
func TestBusy(t *testing.T) {
	tests := map[string]struct {
		invoke   bool
		patience time.Duration
		took     time.Duration
		busy     bool
	}{
		"short":      {took: placeWait, busy: true},
		"list":       {patience: listImports.patience, took: placeWait, busy: true},
		"scan":       {patience: forever, took: time.Minute},
		"invocation": {invoke: true, took: time.Minute},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := NewLimiter(0, 0, 1)
				release, err := l.acquire(t.Context(), true, 0)
				if err != nil {
					t.Fatal(err)
				}
				time.AfterFunc(time.Minute, release)
				start := time.Now()
				release, err = l.acquire(t.Context(), tc.invoke, tc.patience)
				if took := time.Since(start); took != tc.took {
					t.Errorf("it waited for %s, want %s", took, tc.took)
				}
				if paused, busy := errors.AsType[*pausedError](err); busy != tc.busy || busy && *paused != (pausedError{rest: placePause, why: ErrBusy}) {
					t.Errorf("got error %v, want busy: %t", err, tc.busy)
				}
				if err == nil {
					release()
				}
				_ = wait(t.Context(), time.Hour)
				if l.all.held != 0 || l.all.waiting.Len() != 0 {
					t.Errorf("%d places are taken still, %d wait", l.all.held, l.all.waiting.Len())
				}
			})
		})
	}
}

// TestListWaitsOutThePause: a scan is not lost for a 429.
func TestListWaitsOutThePause(t *testing.T) {
	tests := []struct {
		name    string
		refused int // how many times the second page is refused
		pause   string
		// impatient is a list within a reconcile.
		impatient bool
		timeout   time.Duration
		want      int // imports
		took      time.Duration
		status    int
		sent      bool
	}{
		{name: "four refusals", refused: 4, timeout: time.Hour, want: 2, took: 12 * time.Second},
		{name: "five refusals", refused: 5, timeout: time.Hour, want: 1, took: 12 * time.Second, status: 429, sent: true},
		{name: "the context ends first", refused: 4, timeout: 4 * time.Second, want: 1, took: 4 * time.Second},
		{name: "a long pause", refused: 1, pause: "60", timeout: time.Hour, want: 2, took: time.Minute},
		{name: "four refusals, impatient", impatient: true, refused: 4, timeout: time.Hour, want: 2, took: 12 * time.Second},
		{name: "a long pause, impatient", impatient: true, refused: 1, pause: "60", timeout: time.Hour, want: 1, status: 429},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				refused := 0
				c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
					switch {
					case r.URL.Query().Get("skip") == "":
						answer(200, `[{"_id":"a"}]`, "Link", `</v1/imports?skip=1>; rel="next"`)(w, r)
					case refused < tc.refused:
						refused++
						answer(429, "", "Retry-After", cmp.Or(tc.pause, "3"))(w, r)
					default:
						answer(200, `[{"_id":"b"}]`)(w, r)
					}
				})
				ctx, cancel := context.WithTimeout(t.Context(), tc.timeout)
				defer cancel()
				start, got := time.Now(), 0
				var failed error
				for _, err := range c.ListImports(ctx, ListOptions{Patient: !tc.impatient}) {
					if err != nil {
						failed = err
					} else {
						got++
					}
				}
				if got != tc.want || time.Since(start) != tc.took {
					t.Errorf("%d imports after %s, want %d after %s", got, time.Since(start), tc.want, tc.took)
				}
				switch {
				case tc.want == 2:
					if failed != nil {
						t.Error(failed)
					}
				case StatusCode(failed) != tc.status || apiError(t, failed).Sent != tc.sent:
					t.Errorf("error %+v, want status %d, Sent %t", failed, tc.status, tc.sent)
				}
				if tc.status == 0 && tc.want == 1 && !errors.Is(failed, context.DeadlineExceeded) {
					t.Errorf("error %v, want context.DeadlineExceeded", failed)
				}
			})
		})
	}
}

// drip sends one byte of a body at a time.
func drip(w http.ResponseWriter, r *http.Request, every time.Duration, body string) {
	w.Header().Set("Content-Type", "application/json")
	for i := range len(body) {
		if err := wait(r.Context(), every); err != nil {
			return
		}
		_, _ = w.Write([]byte{body[i]})
		_ = http.NewResponseController(w).Flush()
	}
}

// TestTimeouts: the client's timeout covers header and body of every call but Invoke, which has
// its context's deadline and nothing else.
func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.Method == http.MethodPatch || r.Method == http.MethodDelete {
				_ = wait(r.Context(), time.Hour) // a hang; these do not look at a body
				return
			}
			drip(w, r, time.Minute, `[{"statusCode":200,"id":1}]`)
		})
		for op, call := range calls(c) {
			if op == invokeImport.op() {
				continue
			}
			start := time.Now()
			err := call(t.Context())
			if op == replaceConnection.op() && err == nil {
				continue // the status came at once and is all the answer there is
			}
			if e := apiError(t, err); !errors.Is(err, context.DeadlineExceeded) || !e.Sent || time.Since(start) != DefaultTimeout {
				t.Errorf("%s: %+v after %s, want DeadlineExceeded after %s", op, e, time.Since(start), DefaultTimeout)
			}
		}

		start := time.Now()
		got, err := c.Invoke(t.Context(), testID, InvokeRequest{Data: []json.RawMessage{[]byte("{}")}})
		if err != nil || len(got.Records) != 1 || time.Since(start) != 27*time.Minute {
			t.Errorf("Invoke without a deadline: %+v, %v after %s, want one record after 27m", got, err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		start = time.Now()
		_, err = c.Invoke(ctx, testID, InvokeRequest{Data: []json.RawMessage{[]byte("{}")}})
		if e := apiError(t, err); !errors.Is(err, context.DeadlineExceeded) || !e.Sent || !e.NotUnderstood() || time.Since(start) != 10*time.Minute {
			t.Errorf("Invoke with a deadline: %+v after %s", e, time.Since(start))
		}
	})
}
