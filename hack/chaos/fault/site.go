// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
)

const (
	// hanging is how long a connection to the API stays silent: longer than any call may take here.
	hanging = 18 * time.Second
	// stuck is the same for Kubernetes, where a request has no limit of its own.
	stuck = 3 * time.Second
	// throttle is the Retry-After of a 429, in seconds.
	throttle = 2
	// late and Latest bound how long after the end of its process a write in flight is applied.
	late = time.Second
	// Latest is exported for the manager's timeout, which has to be longer.
	Latest = 3 * time.Second
)

// site is where a fault is injected: the write, and the system around it.
type site struct {
	*proxy.Exchange

	system System
}

// writer is the number of the process that made the write. The proxy to the API is shared by all
// managers: there it is the leader.
func (x *site) writer() int {
	if x.Proxy.Kubernetes {
		return x.Proxy.Manager
	}
	return x.system.Leader()
}

// kill ends the process that made the write. The next one starts at once.
func (x *site) kill() { x.system.Kill(x.writer()) }

// killAfter is kill, after a last answer.
func (x *site) killAfter(answer func()) { x.system.KillAfter(x.writer(), answer) }

// awaitNextWrite waits until the next process writes to the same side, because it assumes that
// this write was not made, or for as long as a write may be in flight. On a busy machine that is
// later than on an idle one.
func (x *site) awaitNextWrite() {
	began, written := time.Now(), false
	before, _ := x.system.Recorder().Counts()
	for time.Since(began) < late || !written && time.Since(began) < Latest {
		time.Sleep(50 * time.Millisecond)
		written = slices.ContainsFunc(x.system.Recorder().Since(before), func(w proxy.Write) bool { return w.Remote() == x.Write.Remote() })
	}
}

// limit is how long a connection hangs.
func (x *site) limit() time.Duration {
	if x.Proxy.Kubernetes {
		return stuck
	}
	return hanging
}

func retryAfter(seconds int) http.Header { return http.Header{"Retry-After": {strconv.Itoa(seconds)}} }
