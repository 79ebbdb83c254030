// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
)

// Injector decides for every write what is done to it.
type Injector struct {
	injections []Injection
	noise      *Noise

	mu sync.Mutex
	// armed is true once the prelude is over: from then on things go wrong.
	armed bool
	// injected is how many of the injections have been made, first how many writes there were
	// when the first one was.
	injected, first int
	// wait, if any, delays the write with the number pauseAt, counted from when it was armed.
	wait            func(context.Context)
	pauseAt, writes int
}

// NewInjector returns an injector that is not armed yet.
func NewInjector(injections []Injection, noise *Noise) *Injector {
	return &Injector{injections: injections, noise: noise}
}

// Arm has things go wrong from now on.
func (i *Injector) Arm() { i.set(true) }

// Disarm has nothing go wrong any more.
func (i *Injector) Disarm() { i.set(false) }

func (i *Injector) set(armed bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.armed = armed
}

// Armed reports whether things go wrong now.
func (i *Injector) Armed() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.armed
}

// PauseAt delays the n-th write, from 0, until wait returns. It replaces all injections.
func (i *Injector) PauseAt(n int, wait func(context.Context)) { i.pauseAt, i.wait = n, wait }

// Done reports whether every injection has been made.
func (i *Injector) Done() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.injected == len(i.injections)
}

// First is how many writes there were when the first injection was made.
func (i *Injector) First() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.first
}

// Next returns what is done to a write, nil for nothing. Each injection waits until the one before
// it has been made.
func (i *Injector) Next(w *proxy.Write, system System) func(*proxy.Exchange) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.armed {
		return nil
	}
	if i.wait != nil {
		i.writes++
		if i.writes-1 != i.pauseAt {
			return nil
		}
		return func(x *proxy.Exchange) {
			i.wait(context.Background())
			x.Send(x.Apply())
		}
	}
	if i.injected < len(i.injections) && i.injections[i.injected].Write == w.ID() {
		next := i.injections[i.injected]
		i.injected++
		if i.injected == 1 {
			i.first, _ = system.Recorder().Counts()
		}
		return func(x *proxy.Exchange) { next.Fault.Inject(x, system) }
	}
	if strings.Contains(w.Key, ".imports.") && !w.Remote() && i.noise.conflict() {
		return func(x *proxy.Exchange) { x.Refuse(http.StatusConflict, nil) }
	}
	if f, ok := i.noise.random(w); ok {
		return func(x *proxy.Exchange) { f.Inject(x, system) }
	}
	return nil
}
