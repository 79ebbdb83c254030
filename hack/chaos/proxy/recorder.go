// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"strconv"
	"sync"
	"time"
)

// Write is one write of a manager, to Kubernetes or to the API. Key and N name it:
// "patch.imports.orders" and 2 is the second write of its kind in a sandbox, whichever process
// made it.
type Write struct {
	Key string
	N   int
	At  time.Time
	// Status of the answer of its side; 0 when the write never got there.
	Status int
}

// ID names the write in a plan.
func (w *Write) ID() string { return w.Key + "." + strconv.Itoa(w.N) }

// Remote reports whether a write goes to the API: its key begins with an HTTP method.
func (w *Write) Remote() bool { return w.Key[0] >= 'A' && w.Key[0] <= 'Z' }

// Recorder keeps what passed the proxies of a sandbox.
type Recorder struct {
	mu     sync.Mutex
	writes []*Write
	counts map[string]int
	// requests are the times at which requests reached the API, scans the number of lists that
	// were begun. alone are the imports that were read since one was read again, and again how often
	// that happened: at rest, that is a scan of single imports.
	requests []time.Time
	scans    int
	alone    map[string]bool
	again    int
	// refused are the requests that Kubernetes answered with 403.
	refused []string
}

// NewRecorder returns an empty recorder.
func NewRecorder() *Recorder { return &Recorder{counts: map[string]int{}} }

func (r *Recorder) begin(key string) *Write {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[key]++
	w := &Write{Key: key, N: r.counts[key], At: time.Now()}
	r.writes = append(r.writes, w)
	return w
}

func (r *Recorder) answered(w *Write, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.Status = status
}

func (r *Recorder) forbidden(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = append(r.refused, what)
}

// request records a request to the API, whether it begins a list, and which import it reads, "" for none.
func (r *Recorder) request(beginsScan bool, read string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, time.Now())
	switch {
	case beginsScan:
		r.scans++
	case read == "":
	case r.alone == nil || r.alone[read]:
		r.again++
		r.alone = map[string]bool{read: true}
	default:
		r.alone[read] = true
	}
}

// Singles returns how many scans of single imports there were so far, if nothing else has read any.
func (r *Recorder) Singles() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.again
}

// Counts returns how many writes and scans there were so far.
func (r *Recorder) Counts() (writes, scans int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.writes), r.scans
}

// Since returns copies of the writes from number n on.
func (r *Recorder) Since(n int) []Write {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Write
	for _, w := range r.writes[min(n, len(r.writes)):] {
		out = append(out, *w)
	}
	return out
}

// RequestsBetween returns the times of the requests to the API in a span.
func (r *Recorder) RequestsBetween(from, to time.Time) (times []time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range r.requests {
		if at.After(from) && at.Before(to) {
			times = append(times, at)
		}
	}
	return times
}

// Refusals returns the requests that the manager may not make, but made.
func (r *Recorder) Refusals() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.refused...)
}
