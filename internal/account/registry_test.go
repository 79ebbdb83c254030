// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account/shared"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

var key = types.NamespacedName{Namespace: "ns", Name: "default"}

// registryOf returns a registry of a cluster with one Account, whose events nobody waits for.
func registryOf(t *testing.T) (*Registry, *clocktesting.FakeClock) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	object := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(object).Build()
	clock := clocktesting.NewFakeClock(now)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r := NewRegistry(ctx, reader, clock, Options{Network: integrator.Config{AllowHTTP: true}})
	for _, events := range []<-chan ctrlevent.GenericEvent{r.AccountEvents(), r.ImportEvents(), r.RunEvents()} {
		go func() {
			for {
				select {
				case <-events:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	return r, clock
}

// spec names an address where nobody listens.
func spec() *v1alpha1.AccountSpec {
	return &v1alpha1.AccountSpec{BaseURL: "http://127.0.0.1:1", ScanInterval: "1m", RequestsPerSecond: 100, MaxInFlight: 16}
}

func accept(t *testing.T, r *Registry) *Session {
	t.Helper()
	unchecked, err := r.Configure(key, spec(), "token", Trust{})
	if err != nil || unchecked == nil {
		t.Fatalf("the client to check is %v: %v", unchecked, err)
	}
	r.TokenAccepted(key, "u1", "v1", false)
	session, err := r.Session(t.Context(), key.Namespace, key.Name)
	if err != nil {
		t.Fatal(err)
	}
	if session.Client != unchecked || session.UserID != "u1" || session.Unverified || session.Scanned || session.Observations == nil {
		t.Errorf("the session is %+v", session)
	}
	return session
}

func TestSessionSaysWhyThereIsNone(t *testing.T) {
	r, _ := registryOf(t)
	if _, err := r.Session(t.Context(), key.Namespace, "other"); !problem.HasReason(err, v1alpha1.ReasonAccountNotFound) {
		t.Errorf("no Account: %v", err)
	}
	notReady := func(when string, class problem.Class, cause error) {
		t.Helper()
		_, err := r.Session(t.Context(), key.Namespace, key.Name)
		p := problem.As(err)
		if p == nil || p.Reason() != v1alpha1.ReasonAccountNotReady || p.Class() != class || cause != nil && !errors.Is(err, cause) {
			t.Errorf("%s: %v", when, err)
		}
	}
	notReady("before the first check", problem.Waiting, nil)
	r.Block(key, noSecret)
	notReady("without a Secret", problem.Terminal, ErrSecretDeleted)
	r.Block(key, unreachable)
	notReady("without an answer", problem.Waiting, nil)
	accept(t, r)
	r.Forget(key)
	notReady("once it was deleted", problem.Waiting, nil)
}

func TestConfigureAsksForACheckWhileBlocked(t *testing.T) {
	r, _ := registryOf(t)
	session := accept(t, r)
	if unchecked, err := r.Configure(key, spec(), "token", Trust{}); err != nil || unchecked != nil {
		t.Errorf("a usable account is checked again: %v, %v", unchecked, err)
	}
	r.Block(key, unreachable)
	if unchecked, err := r.Configure(key, spec(), "token", Trust{}); err != nil || unchecked != session.Client {
		t.Errorf("a blocked account is not checked with its client: %v, %v", unchecked, err)
	}
	if unchecked, err := r.Configure(key, spec(), "other", Trust{}); err != nil || unchecked == nil || unchecked == session.Client {
		t.Errorf("another token is not checked with a client of its own: %v, %v", unchecked, err)
	}
	if _, err := r.Configure(key, spec(), "not a token", Trust{}); err == nil {
		t.Error("a token that cannot be one is taken")
	}
}

// TestConfigureWithOtherTrust: other certificates need another client and another check, and the token
// is still of the same account.
func TestConfigureWithOtherTrust(t *testing.T) {
	r, _ := registryOf(t)
	session := accept(t, r)
	other := Trust{Roots: x509.NewCertPool(), Version: [32]byte{1}}
	unchecked, err := r.Configure(key, spec(), "token", other)
	if err != nil || unchecked == nil || unchecked == session.Client {
		t.Fatalf("other certificates are not used with a client of their own: %v, %v", unchecked, err)
	}
	if _, err := r.Session(t.Context(), key.Namespace, key.Name); !problem.HasReason(err, v1alpha1.ReasonAccountNotReady) {
		t.Errorf("before the check: %v", err)
	}
	r.TokenAccepted(key, "u1", "v1", true)
	session, err = r.Session(t.Context(), key.Namespace, key.Name)
	if err != nil || session.Client != unchecked || session.Unverified {
		t.Errorf("the session is %+v, %v", session, err)
	}
	if unchecked, err := r.Configure(key, spec(), "token", other); err != nil || unchecked != nil {
		t.Errorf("the same certificates are checked again: %v, %v", unchecked, err)
	}
	if unchecked, err := r.Configure(key, spec(), "token", Trust{}); err != nil || unchecked == nil {
		t.Errorf("without certificates of its own, it is not checked again: %v, %v", unchecked, err)
	}
}

func TestRejectionLasts(t *testing.T) {
	r, clock := registryOf(t)
	session := accept(t, r)
	r.TokenRejected(session, rejected)
	if p := r.BeginCheck(key, Check{}); p == nil || p.RetryAfter() != time.Minute || p.Reason() != v1alpha1.ReasonTokenRejected {
		t.Errorf("the rejection is %v", p)
	}
	clock.Step(time.Minute)
	if p := r.BeginCheck(key, Check{}); p != nil {
		t.Errorf("the rejection is still %v", p)
	}
}

func TestLastSession(t *testing.T) {
	r, _ := registryOf(t)
	if last, deleting := r.LastSession(key); last != nil || deleting {
		t.Errorf("an account that is not known has a last session: %v", last)
	}
	session := accept(t, r)
	if last, _ := r.LastSession(key); last != nil {
		t.Error("a usable account has a last session")
	}
	r.SetDeleting(key, true)
	r.Block(key, noSecret)
	last, deleting := r.LastSession(key)
	if last == nil || last.Client != session.Client || !deleting {
		t.Fatalf("the last session is %v, deleting %t", last, deleting)
	}
	r.TokenRejected(last, rejected)
	if last, _ := r.LastSession(key); last != nil {
		t.Error("the last session goes on after its token was rejected")
	}
}

// waitFor waits until something is so.
func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		return is(), nil
	}); err != nil {
		t.Fatalf("waited in vain: %s", what)
	}
}

// TestNoScanEnds: after three intervals it is said, once the clock says so.
func TestNoScanEnds(t *testing.T) {
	r, clock := registryOf(t)
	session := accept(t, r)
	scanned := func() bool { return r.Summary(key).Scan != nil && clock.HasWaiters() }
	waitFor(t, "the first scan", scanned)
	clock.Step(3*time.Minute - time.Second)
	waitFor(t, "the second scan", scanned)
	if p := r.Summary(key).Problem; !problem.HasReason(p, v1alpha1.ReasonUnreachable) {
		t.Errorf("before the time: %v", p)
	}
	if session, err := r.Session(t.Context(), key.Namespace, key.Name); err != nil || session.Unwatched() != "" {
		t.Errorf("before the time: %v, %q", err, session.Unwatched())
	}
	clock.Step(time.Second)
	waitFor(t, "the problem", func() bool { return problem.HasReason(r.Summary(key).Problem, v1alpha1.ReasonScanFailing) })
	overdue, err := r.Session(t.Context(), key.Namespace, key.Name)
	if want := `; drift is not being watched: no scan of Account "default" has reached its end for more than 3m`; err != nil || overdue.Unwatched() != want {
		t.Errorf("%v, %q, want %q", err, overdue.Unwatched(), want)
	}
	if session.Unwatched() != "" || (*Session)(nil).Unwatched() != "" {
		t.Error("a session changes, or there is none")
	}
}

// TestScanLasts: a scan that neither fails nor ends is seen too.
func TestScanLasts(t *testing.T) {
	r, clock := registryOf(t)
	asked, let := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-let
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	hanging := spec()
	hanging.BaseURL = server.URL
	if _, err := r.Configure(key, hanging, "token", Trust{}); err != nil {
		t.Fatal(err)
	}
	r.TokenAccepted(key, "u1", "v1", false)
	<-asked
	clock.Step(3 * time.Minute)
	waitFor(t, "the problem", func() bool { return problem.HasReason(r.Summary(key).Problem, v1alpha1.ReasonScanFailing) })
	if text := r.Summary(key).Problem.Message(); !strings.Contains(text, "the present one has not ended") {
		t.Errorf("the message is %q", text)
	}
	close(let)
	waitFor(t, "the end of the scan", func() bool { return r.Summary(key).Problem == nil })
}

func TestScanPatience(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{time.Second: 3 * time.Minute, time.Minute: 3 * time.Minute, time.Hour: 3 * time.Hour} {
		if got := scanPatience(interval, DefaultScanPatience); got != want {
			t.Errorf("%s: %s, want %s", interval, got, want)
		}
	}
}

// TestWhyNotScanned: what waits for a scan says why there is none.
func TestWhyNotScanned(t *testing.T) {
	for want, session := range map[string]*Session{
		"": {},
		"; the scan fails: Unreachable: no answer":        {ScanProblem: unreachable, Overdue: time.Hour},
		"; no scan has reached its end for more than 60m": {Overdue: time.Hour},
	} {
		if got := session.WhyNotScanned(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		session.Unverified = true
		if p := problem.As(session.RequireVerified()); p == nil || !strings.HasSuffix(p.Message(), "of the same account"+want) {
			t.Errorf("unverified: %v", p)
		}
	}
}

func TestScanIsInTheSummary(t *testing.T) {
	r, clock := registryOf(t)
	accept(t, r)
	waitFor(t, "a scan", func() bool { return r.Summary(key).Scan != nil && clock.HasWaiters() }) // nobody listens, so it fails
	if summary := r.Summary(key); !problem.HasReason(summary.Problem, v1alpha1.ReasonUnreachable) || summary.Version != "v1" {
		t.Errorf("the summary is %+v", summary)
	}
	r.Forget(key)
	if summary := r.Summary(key); summary != (Summary{}) {
		t.Errorf("a deleted Account has a summary: %+v", summary)
	}
	waitFor(t, "the end of the scanner", func() bool { return !clock.HasWaiters() })
}

// TestRejectionIsShared: a 401 holds for all with the token, and none is told of another's call.
func TestRejectionIsShared(t *testing.T) {
	same, other := types.NamespacedName{Namespace: "same", Name: "default"}, types.NamespacedName{Namespace: "other", Name: "default"}
	private := problem.Terminalf(v1alpha1.ReasonTokenRejected, "cannot invoke the import of ns")
	for name, reject := range map[string]func(*Registry, *Session){
		"call":  func(r *Registry, s *Session) { r.TokenRejected(s, private) },
		"check": func(r *Registry, _ *Session) { r.CheckRejected(key) },
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := registryOf(t)
			session := accept(t, r)
			for k, token := range map[types.NamespacedName]string{same: "token", other: "another"} {
				if _, err := r.Configure(k, spec(), token, Trust{}); err != nil {
					t.Fatal(err)
				}
				r.TokenAccepted(k, "u1", "v1", false)
			}
			common := func() bool {
				r.mu.Lock()
				defer r.mu.Unlock()
				first, second := r.byKey[key], r.byKey[same]
				return first.observations == second.observations || first.state.client == second.state.client
			}
			if common() {
				t.Error("two Accounts have the observations or the client in common")
			}
			blocked := func(k types.NamespacedName) *problem.Problem {
				r.mu.Lock()
				defer r.mu.Unlock()
				return r.byKey[k].state.blocked
			}
			r.TokenRejected(&Session{Key: key, Client: client2}, private)
			if blocked(key) != nil || blocked(same) != nil {
				t.Error("a call with a former token blocks the Accounts")
			}
			reject(r, session)
			if p := blocked(same); !problem.HasReason(p, v1alpha1.ReasonTokenRejected) || strings.Contains(p.Error(), "invoke") {
				t.Errorf("another Account with the token is told %v", p)
			}
			if p := blocked(other); p != nil {
				t.Errorf("an Account with another token is told %v", p)
			}
		})
	}
}

// TestObservationsSurviveANewToken: what the Imports know of their remote imports is needed with it.
func TestObservationsSurviveANewToken(t *testing.T) {
	r, _ := registryOf(t)
	session := accept(t, r)
	session.Observations.Note("a", "t2")
	session.Observations.complete(session.Observations.begin(), []string{"a"}, shared.NewList(map[string]string{"a": "t2"}))
	if _, err := r.Configure(key, spec(), "rotated", Trust{}); err != nil {
		t.Fatal(err)
	}
	r.TokenAccepted(key, "u1", "v2", true)
	rotated, err := r.Session(t.Context(), key.Namespace, key.Name)
	if err != nil || rotated.Client == session.Client || rotated.Observations != session.Observations || !rotated.Observations.Changed("a", "t1") {
		t.Errorf("the session is %+v: %v", rotated, err)
	}
	if rotated.Observations.Scanned() {
		t.Error("a scan with the former token permits a creation")
	}
}
