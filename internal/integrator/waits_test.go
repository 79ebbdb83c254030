// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
)

// TestPause lets one client of an account meet a 429, and calls with another client of the same account.
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
				l := limit.New(0, 0, 0)
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

// TestListWaitsForPauses: a 429 does not end a scan.
func TestListWaitsForPauses(t *testing.T) {
	tests := []struct {
		name    string
		refused int // how many times the second page is answered with 429
		pause   string
		// short is a list within a reconcile, without UnlimitedWait.
		short   bool
		timeout time.Duration
		want    int // imports
		took    time.Duration
		status  int
		sent    bool
	}{
		{name: "four refusals", refused: 4, timeout: time.Hour, want: 2, took: 12 * time.Second},
		{name: "five refusals", refused: 5, timeout: time.Hour, want: 1, took: 12 * time.Second, status: 429, sent: true},
		{name: "the context ends first", refused: 4, timeout: 4 * time.Second, want: 1, took: 4 * time.Second},
		{name: "a long pause", refused: 1, pause: "60", timeout: time.Hour, want: 2, took: time.Minute},
		{name: "four refusals, short", short: true, refused: 4, timeout: time.Hour, want: 2, took: 12 * time.Second},
		{name: "a long pause, short", short: true, refused: 1, pause: "60", timeout: time.Hour, want: 1, status: 429},
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
				for _, err := range c.ListImports(ctx, ListOptions{UnlimitedWait: !tc.short}) {
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
				_ = wait(r.Context(), time.Hour) // a hang; these calls do not read the body
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

		c.limiter.Report(true)
		start := time.Now()
		got, err := invoke(t.Context(), c, testID, InvokeRequest{Data: []json.RawMessage{[]byte("{}")}})
		if err != nil || len(got.Records) != 1 || time.Since(start) != 27*time.Minute {
			t.Errorf("Invoke without a deadline: %+v, %v after %s, want one record after 27m", got, err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		start = time.Now()
		_, err = invoke(ctx, c, testID, InvokeRequest{Data: []json.RawMessage{[]byte("{}")}})
		if e := apiError(t, err); !errors.Is(err, context.DeadlineExceeded) || !e.Sent || !e.NotUnderstood() || time.Since(start) != 10*time.Minute {
			t.Errorf("Invoke with a deadline: %+v after %s", e, time.Since(start))
		}
	})
}

// TestUnanswered: after several calls in a row without an answer no other is made, until a check of the
// token has one. An invocation may take longer than any of them.
func TestUnanswered(t *testing.T) {
	cases := map[string]struct {
		reason string
		op     string
		// unreachable after so many calls, 0 if never.
		after int
	}{
		"Read":       {reason: "a call without an answer", op: getImport.op(), after: 5},
		"Body":       {reason: "an answer that does not end", op: listImports.op(), after: 5},
		"Invocation": {reason: "a run may be at work for long", op: invokeImport.op()},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var hits atomic.Int64
				c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
					hits.Add(1)
					_, _ = io.Copy(io.Discard, r.Body)
					switch {
					case r.URL.Path == tokenInfo.route:
						answer(200, `{"_userId":"u"}`)(w, r)
					case tc.op == listImports.op():
						drip(w, r, time.Minute, `[{"_id":"a"}]`)
					default:
						_ = wait(r.Context(), time.Hour)
					}
				})
				call := callsInARow(c)[tc.op]
				for n := 1; n <= 8; n++ {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					start := time.Now()
					err := call(ctx)
					cancel()
					unreachable := tc.after > 0 && n >= tc.after
					if errors.Is(err, ErrUnanswered) != unreachable {
						t.Errorf("%s: call %d: %v, want unreachable: %t", tc.reason, n, err, unreachable)
					}
					if refused := tc.after > 0 && n > tc.after; refused && (apiError(t, err).Sent || StatusCode(err) != 0 || time.Since(start) != 0) {
						t.Errorf("%s: call %d was not refused at once: %v after %s", tc.reason, n, err, time.Since(start))
					}
				}
				if got, want := int(hits.Load()), (map[bool]int{true: tc.after, false: 8}[tc.after > 0]); got != want {
					t.Errorf("%s: %d requests, want %d", tc.reason, got, want)
				}
				if _, err := c.TokenInfo(t.Context()); err != nil {
					t.Errorf("%s: the check of the token: %v", tc.reason, err)
				}
				if err := call(t.Context()); errors.Is(err, ErrUnanswered) {
					t.Errorf("%s: after the check: %v", tc.reason, err)
				}
			})
		})
	}
}
