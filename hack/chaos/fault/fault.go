// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package fault has what can go wrong: faults that are injected at one write, and noise that
// disturbs the traffic of a manager from the beginning to the end of a scenario.
package fault

import (
	"fmt"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
)

// Fault is one thing that may happen to one write.
type Fault struct {
	Name string
	// Kubernetes and Remote say where it may happen: at writes to Kubernetes, to the API, or both.
	Kubernetes, Remote bool
	// Kills is true when the process does not survive it.
	Kills bool
	// Election is true when it needs a second manager that can take over.
	Election bool

	inject func(*site)
}

// Injection is a fault at one write, which is named by its ID.
type Injection struct {
	Write string
	Fault Fault
}

// System is what a fault can do to the system under test, beyond the write at which it is injected.
type System interface {
	// Kill ends the process of a manager; the next one starts at once.
	Kill(manager int)
	// KillAfter gives a manager its last answer and kills it.
	KillAfter(manager int, answer func())
	// Freeze stops a manager where it is.
	Freeze(manager int)
	// TakeOver freezes a leader until another manager leads, and then lets it go on.
	TakeOver(manager int)
	// Leader is the number of the manager that was last seen to write to Kubernetes.
	Leader() int
	// RotateToken revokes the token of the account; its owner stores another one a moment later.
	RotateToken()
	// ReplayLists has the next process read the lists that an earlier one got.
	ReplayLists()
	// Throttled records that the API asked for a pause.
	Throttled(from time.Time, pause time.Duration)
	// RedirectTarget is the address that redirects lead to.
	RedirectTarget() string
	// Recorder has the writes so far.
	Recorder() *proxy.Recorder
}

// Inject has the fault happen to a write.
func (f Fault) Inject(x *proxy.Exchange, system System) { f.inject(&site{Exchange: x, system: system}) }

// Possible reports whether the fault can happen to a write.
func (f Fault) Possible(w proxy.Write) bool {
	if w.Remote() {
		return f.Remote
	}
	return f.Kubernetes
}

// Named returns the fault with a name.
func Named(name string) (Fault, error) {
	for _, f := range All {
		if f.Name == name {
			return f, nil
		}
	}
	return Fault{}, fmt.Errorf("unknown fault %q", name)
}
