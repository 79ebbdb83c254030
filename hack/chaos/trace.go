// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"
	"sync"
	"time"
)

// write is one write of a manager, on either side. Key and N name it: "patch.imports.orders"
// and 2 is the second of its kind in the life of a stage, whichever process made it.
type write struct {
	Key string
	N   int
	At  time.Time
	// Status of the answer of its side; 0 when the write never got there.
	Status int
}

// ID names the write in a plan.
func (w *write) ID() string { return w.Key + "." + strconv.Itoa(w.N) }

// trace is what went through the gates of a stage.
type trace struct {
	mu     sync.Mutex
	writes []*write
	counts map[string]int
	// remote are the times at which requests reached the remote side, scans the number of lists
	// that were begun.
	remote []time.Time
	scans  int
	// refused are the requests that Kubernetes answered with 403.
	refused []string
}

func newTrace() *trace { return &trace{counts: map[string]int{}} }

func (t *trace) begin(key string) *write {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[key]++
	w := &write{Key: key, N: t.counts[key], At: time.Now()}
	t.writes = append(t.writes, w)
	return w
}

func (t *trace) applied(w *write, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w.Status = status
}

func (t *trace) forbidden(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused = append(t.refused, what)
}

// heard notes a request to the remote side; first tells that it begins a scan.
func (t *trace) heard(first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remote = append(t.remote, time.Now())
	if first {
		t.scans++
	}
}

// standing is how many writes and scans there were so far.
func (t *trace) standing() (writes, scans int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.writes), t.scans
}

// since are the writes from number n on, copied.
func (t *trace) since(n int) []write {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []write
	for _, w := range t.writes[min(n, len(t.writes)):] {
		out = append(out, *w)
	}
	return out
}

// between are the times of the requests to the remote side in a span.
func (t *trace) between(from, to time.Time) (times []time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, at := range t.remote {
		if at.After(from) && at.Before(to) {
			times = append(times, at)
		}
	}
	return times
}

func (t *trace) refusals() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string{}, t.refused...)
}

func itoa(n int) string { return strconv.Itoa(n) }
