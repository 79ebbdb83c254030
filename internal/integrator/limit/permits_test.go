// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// reconciler takes permits for objects as a controller does: it is notified, and asks again.
type reconciler struct {
	t       *testing.T
	permits *Permits
	// work is what an object does with its permit.
	work func(ctx context.Context, l *Limiter, object string)

	mu    sync.Mutex
	class map[string]Class
	of    map[string]*Limiter
	// began are the objects in the order of their permits.
	began []string
}

func newReconciler(t *testing.T, size int, work func(ctx context.Context, l *Limiter, object string)) *reconciler {
	r := &reconciler{t: t, work: work, class: map[string]Class{}, of: map[string]*Limiter{}}
	r.permits = NewPermits(size, func(o Object) { r.reconcile(o.Name) })
	go r.permits.Run(t.Context())
	return r
}

// ask reconciles an object that nobody has notified.
func (r *reconciler) ask(l *Limiter, class Class, objects ...string) {
	for _, object := range objects {
		r.mu.Lock()
		r.class[object], r.of[object] = class, l
		r.mu.Unlock()
		r.reconcile(object)
	}
}

// reconcile does not wait: it either begins the work or ends.
func (r *reconciler) reconcile(object string) {
	r.mu.Lock()
	l, class := r.of[object], r.class[object]
	r.mu.Unlock()
	permit, err := r.permits.Take(l, Object{Name: object}, class, 1)
	if err != nil {
		if _, queued := errors.AsType[*QueuedError](err); !queued {
			r.t.Errorf("%s: %v", object, err)
		}
		return
	}
	r.mu.Lock()
	r.began = append(r.began, object)
	r.mu.Unlock()
	go func() {
		defer permit.Release()
		r.work(permit.In(r.t.Context()), l, object)
	}()
}

func (r *reconciler) order() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.began)
}

// calls makes so many requests with a permit.
func calls(t *testing.T, n int, took time.Duration) func(ctx context.Context, l *Limiter, object string) {
	return func(ctx context.Context, l *Limiter, object string) {
		for range n {
			release, err := l.Acquire(ctx, Request{})
			if err != nil {
				t.Errorf("%s: %v", object, err)
				return
			}
			_ = sleep(t.Context(), took)
			l.Report(took < time.Minute)
			release()
		}
	}
}

func numbered(name string, n int) (objects []string) {
	for i := range n {
		objects = append(objects, fmt.Sprint(name, i))
	}
	return objects
}

// TestPermitsKeepTheRate: calls with a permit do not wait, and the rate is met over time.
func TestPermitsKeepTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const each, objects = 4, 10
		l := New(1, 1, 16)
		r := newReconciler(t, 96, calls(t, each, 0))
		start := time.Now()
		r.ask(l, ClassLook, numbered("look", objects)...)
		synctest.Wait()
		if got := r.order(); len(got) != 1 {
			t.Errorf("at once %v have a permit, want one", got)
		}
		_ = sleep(t.Context(), (objects-1)*each*time.Second-time.Millisecond)
		synctest.Wait()
		if got := r.order(); len(got) != objects-1 {
			t.Errorf("shortly before the end there were %d permits, want %d", len(got), objects-1)
		}
		_ = sleep(t.Context(), 2*time.Millisecond)
		synctest.Wait()
		if got := r.order(); len(got) != objects {
			t.Errorf("%d permits after %s, want %d", len(got), time.Since(start), objects)
		}
		if held(l).taken != 0 || held(l).unspent != 0 || held(l).objects != 0 || len(r.permits.byObject) != 0 {
			t.Errorf("%d places, %d tokens, %d and %d objects are left", held(l).taken, held(l).unspent, held(l).objects, len(r.permits.byObject))
		}
	})
}

// TestPermitsWithoutCalls: a permit with which no call is made takes no token.
func TestPermitsWithoutCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(1, 1, 16)
		r := newReconciler(t, 96, calls(t, 0, 0))
		start := time.Now()
		r.ask(l, ClassNew, numbered("new", 40)...)
		synctest.Wait()
		if got := len(r.order()); got != 40 || time.Since(start) != 0 {
			t.Errorf("%d permits after %s, want 40 at once", got, time.Since(start))
		}
	})
}

// TestPermitsOfOneAccount: among the objects of an account the class decides.
func TestPermitsOfOneAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(0, 0, 1)
		r := newReconciler(t, 96, calls(t, 1, time.Second))
		r.ask(l, ClassCorrection, "busy")
		r.ask(l, ClassNew, "new")
		r.ask(l, ClassLook, "look0", "look1")
		r.ask(l, ClassChange, "change")
		r.ask(l, ClassChange, "look1") // changed while it waits
		_ = sleep(t.Context(), time.Minute)
		want := []string{"busy", "change", "look1", "new", "look0"}
		if diff := cmp.Diff(want, r.order()); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
}

// TestPermitsOfManyAccounts: accounts whose calls do not end leave permits to another.
func TestPermitsOfManyAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, outage := newReconciler(t, 96, nil), make(chan struct{})
		healthy := New(0, 0, 16)
		r.work = func(ctx context.Context, l *Limiter, object string) {
			if l == healthy {
				calls(t, 1, time.Millisecond)(ctx, l, object)
				return
			}
			<-outage
			calls(t, 1, time.Millisecond)(ctx, l, object)
		}
		for i := range 40 {
			r.ask(New(0, 0, 16), ClassLook, numbered(fmt.Sprint("dead", i, "-"), 100)...)
		}
		start := time.Now()
		r.ask(healthy, ClassNew, numbered("new", 10)...)
		_ = sleep(t.Context(), time.Second)
		got := 0
		for _, object := range r.order() {
			if object[:3] == "new" {
				got++
			}
		}
		if got != 10 {
			t.Errorf("after %s, %d new objects of the healthy account had a permit, want 10", time.Since(start), got)
		}
		close(outage)
		_ = sleep(t.Context(), time.Hour)
		if got := len(r.order()); got != 40*100+10 {
			t.Errorf("%d objects had a permit in the end, want all", got)
		}
	})
}

// TestWindow: there are more permits at once as answers come, and begin anew with one after a while.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(0, 0, 8)
		r := newReconciler(t, 96, calls(t, 1, time.Second))
		asked := 0
		more := func() (began []int) {
			r.ask(l, ClassNew, numbered(fmt.Sprint("object", asked, "-"), 40)...)
			_ = sleep(t.Context(), time.Second/2)
			for asked++; held(l).permits > 0; _ = sleep(t.Context(), time.Second) {
				began = append(began, held(l).permits)
			}
			return began
		}
		want := []int{1, 2, 4, 8, 8, 8, 8, 1}
		if diff := cmp.Diff(want, more()); diff != "" {
			t.Errorf("at once, second by second: -want, +got:\n%s", diff)
		}
		if got := more(); got[0] != 8 {
			t.Errorf("soon after an answer, there are %d permits at once, want 8", got[0])
		}
		_ = sleep(t.Context(), windowAge)
		if diff := cmp.Diff(want, more()); diff != "" {
			t.Errorf("long after the last answer: -want, +got:\n%s", diff)
		}
	})
}

// TestPermitThatNobodyTakes: a permit is kept for an object for a while, and then it is the next one's.
func TestPermitThatNobodyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, other := New(0, 0, 1), New(0, 0, 1)
		var mu sync.Mutex
		var all []string
		notified := func() []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(all)
		}
		permits := NewPermits(8, func(o Object) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, o.Name)
		})
		go permits.Run(t.Context())
		first, err := permits.Take(l, Object{Name: "first"}, ClassNew, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"gone", "moved", "left", "last"} {
			if _, err := permits.Take(l, Object{Name: name}, ClassNew, 1); err == nil {
				t.Errorf("%s has a permit, and there is no place", name)
			}
		}
		permits.Leave(Object{Name: "left"})
		if permit, err := permits.Take(other, Object{Name: "moved"}, ClassNew, 1); err != nil {
			t.Errorf("in another account: %v", err)
		} else {
			permit.Release()
		}
		first.Release()
		synctest.Wait()
		if diff := cmp.Diff([]string{"gone"}, notified()); diff != "" {
			t.Errorf("notified at first: -want, +got:\n%s", diff)
		}
		_ = sleep(t.Context(), claimWithin)
		synctest.Wait()
		if diff := cmp.Diff([]string{"gone", "last"}, notified()); diff != "" {
			t.Errorf("notified at last: -want, +got:\n%s", diff)
		}
		last, err := permits.Take(l, Object{Name: "last"}, ClassCorrection, 1)
		if err != nil {
			t.Fatal(err)
		}
		last.Release()
		if held(l).taken != 0 || held(l).unspent != 0 || permits.shares.free != 8 {
			t.Errorf("%d places and %d tokens are left, %d of the process are free", held(l).taken, held(l).unspent, permits.shares.free)
		}
	})
}

// TestPermitsWhilePaused: for a short pause an object waits, a long one is the object's to report.
func TestPermitsWhilePaused(t *testing.T) {
	cases := map[string]struct {
		pause time.Duration
		// queued: the object waits, and is notified when the pause ends.
		queued bool
	}{
		"short": {pause: PlaceWait, queued: true},
		"long":  {pause: PlaceWait + 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(0, 0, 0)
				notified := make(chan Object, 1)
				permits := NewPermits(8, func(o Object) { notified <- o })
				go permits.Run(t.Context())
				l.Pause(tc.pause)
				start := time.Now()
				_, err := permits.Take(l, Object{Name: "a"}, ClassNew, 1)
				if _, queued := errors.AsType[*QueuedError](err); queued != tc.queued {
					t.Fatalf("error %v, want queued: %t", err, tc.queued)
				}
				if !tc.queued {
					if rejected, ok := errors.AsType[*RejectedError](err); !ok || rejected.RetryAfter != tc.pause || !errors.Is(err, ErrPaused) {
						t.Errorf("error %v", err)
					}
					return
				}
				<-notified
				if got := time.Since(start); got != tc.pause {
					t.Errorf("notified after %s, want %s", got, tc.pause)
				}
			})
		})
	}
}

// TestPagesWithAPermit: further pages of a list wait for the rate, other calls do not.
func TestPagesWithAPermit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(1, 1, 16)
		permit, err := NewPermits(8, func(Object) {}).Take(l, Object{Name: "a"}, ClassNew, 1)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var took []time.Duration
		for _, further := range []bool{false, false, true, true, false} {
			release, err := l.Acquire(permit.In(t.Context()), Request{Further: further})
			if err != nil {
				t.Fatal(err)
			}
			release()
			took = append(took, time.Since(start).Round(time.Millisecond))
		}
		want := []time.Duration{0, 0, 2 * time.Second, 3 * time.Second, 3 * time.Second}
		if diff := cmp.Diff(want, took); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
}

// TestCircuit reports calls, and asks what may be called.
func TestCircuit(t *testing.T) {
	cases := map[string]struct {
		reason string
		// calls: + had an answer, - had none, p is a probe that begins.
		calls string
		after time.Duration
		want  string
	}{
		"Closed":      {reason: "some calls without an answer change nothing", calls: "----", want: "check call run"},
		"Interrupted": {reason: "nor do more, with an answer in between", calls: "----+----", want: "check call run"},
		"Open":        {reason: "several in a row do: only a check may be made", calls: "-----", want: "check"},
		"Probing":     {reason: "and only one at a time", calls: "-----p", want: ""},
		"Failed":      {reason: "if it has no answer, the next may be made", calls: "-----p-", want: "check"},
		"Later":       {reason: "after a while any other short call may be the one, as where no token is checked", calls: "-----", after: probePause, want: "check call"},
		"Again":       {reason: "a call without an answer begins that while anew", calls: "------", after: probePause - 1, want: "check"},
		"Answered":    {reason: "an answer ends it", calls: "-----p+", want: "check call run"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(0, 0, 0)
				release := func() {}
				for _, call := range tc.calls {
					if call != 'p' {
						l.Report(call == '+')
						release()
						release = func() {}
						continue
					}
					var err error
					if release, err = l.Acquire(t.Context(), Request{Check: true}); err != nil {
						t.Fatal(err)
					}
				}
				_ = sleep(t.Context(), tc.after)
				var may []string
				for _, class := range []string{"check", "call", "run"} {
					asked := map[string]Class{"check": ClassCheck, "call": ClassCorrection, "run": ClassRun}[class]
					if ok, _ := l.circuit.allows(asked, time.Now()); ok {
						may = append(may, class)
					}
				}
				if got := fmt.Sprint(may); got != "["+tc.want+"]" {
					t.Errorf("%s: it may be made %s, want [%s]", tc.reason, got, tc.want)
				}
			})
		})
	}
}

// TestCircuitWhileQueued: what waits when the circuit opens is told at once.
func TestCircuitWhileQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(0, 0, 1)
		notified := make(chan Object, 1)
		permits := NewPermits(8, func(o Object) { notified <- o })
		go permits.Run(t.Context())
		dead, err := permits.Take(l, Object{Name: "dead"}, ClassNew, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := permits.Take(l, Object{Name: "next"}, ClassNew, 1); err == nil {
			t.Fatal("there is no place")
		}
		failed := make(chan error, 1)
		go func() {
			_, err := l.Acquire(t.Context(), Request{Invocation: true})
			failed <- err
		}()
		synctest.Wait()
		start := time.Now()
		for range unansweredMost {
			l.Report(false)
		}
		if err := <-failed; !errors.Is(err, ErrUnanswered) {
			t.Errorf("the invocation: %v", err)
		}
		if got := <-notified; got.Name != "next" || time.Since(start) != 0 {
			t.Errorf("notified %s after %s", got.Name, time.Since(start))
		}
		if _, err := permits.Take(l, Object{Name: "next"}, ClassNew, 1); !errors.Is(err, ErrUnanswered) {
			t.Errorf("the next permit: %v", err)
		}
		if _, err := l.Acquire(dead.In(t.Context()), Request{}); !errors.Is(err, ErrUnanswered) {
			t.Errorf("the next call with a permit: %v", err)
		}
		dead.Release()
		if !l.Usage().CircuitOpen {
			t.Error("the usage does not say that the API does not answer")
		}
		l.Report(true)
		if l.Usage().CircuitOpen {
			t.Error("the usage says after an answer that there is none")
		}
		if permit, err := permits.Take(l, Object{Name: "next"}, ClassNew, 1); err != nil {
			t.Errorf("after an answer: %v", err)
		} else {
			permit.Release()
		}
	})
}
