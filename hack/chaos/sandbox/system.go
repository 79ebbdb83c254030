// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/chaos/fault"
	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

var (
	_ proxy.Controller = &Sandbox{}
	_ fault.System     = &Sandbox{}
)

// inFlight is how long requests may still arrive that were sent before an answer was.
const inFlight = 200 * time.Millisecond

// withoutToken is how long the account has no valid token while it is rotated.
const withoutToken = 1500 * time.Millisecond

// Intercept implements proxy.Controller.
func (s *Sandbox) Intercept(p *proxy.Proxy, w *proxy.Write) func(*proxy.Exchange) {
	if p.Kubernetes {
		s.mu.Lock()
		s.lastWriter = p.Manager
		s.mu.Unlock()
	}
	return s.Injector.Next(w, s)
}

// Recorder has the writes and requests so far.
func (s *Sandbox) Recorder() *proxy.Recorder { return s.recorder }

// RedirectTarget implements fault.System.
func (s *Sandbox) RedirectTarget() string { return s.sink.Address() }

// ReplayLists implements fault.System.
func (s *Sandbox) ReplayLists() { s.Noise.Replay() }

// Leader implements fault.System.
func (s *Sandbox) Leader() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastWriter
}

// Throttled implements fault.System.
func (s *Sandbox) Throttled(from time.Time, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quietFrom, s.quietUntil = from.Add(inFlight), from.Add(pause)
}

// RotateToken implements fault.System. It does not wait: see AwaitToken.
func (s *Sandbox) RotateToken() {
	s.mu.Lock()
	old := s.token
	s.token = "canary-token-" + rand.Text()
	next := s.token
	before, stored := s.stored, make(chan struct{})
	s.stored = stored
	s.mu.Unlock()
	s.rotating.Go(func() {
		defer close(stored)
		if before != nil {
			<-before // its owner stores one token after the other
		}
		if err := s.API.RevokeToken(AccountName, old); err != nil {
			s.Fail(err)
		}
		time.Sleep(withoutToken)
		if err := s.API.AddToken(AccountName, simulator.Token{Token: next}); err != nil {
			s.Fail(err)
			return
		}
		patch := client.RawPatch(MergePatch, fmt.Appendf(nil, `{"stringData":{"token":%q}}`, next))
		s.Fail(local.Await(context.Background(), patience, "the Secret to be patched with the token", func(ctx context.Context) error {
			return s.Objects.Patch(ctx, s.TokenSecret(""), patch)
		}))
	})
}

// AwaitToken waits until tokens that are being rotated have been stored.
func (s *Sandbox) AwaitToken() { s.rotating.Wait() }

// Token is the valid token of the account.
func (s *Sandbox) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}
