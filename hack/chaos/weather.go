// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// weather is what goes on around a scenario from its beginning to its end, where a fault
// strikes one write.
type weather struct {
	name string
	// hold is how long every event of a watch is held back.
	hold time.Duration
	// cut ends every watch after so many reads; 0 never.
	cut int
	// gone is the share of watches that are answered with 410.
	gone float64
	// conflicts is the share of writes to Kubernetes that are answered with 409.
	conflicts float64
	// absent is the share of reads of one import that are answered with 404.
	absent float64
	// faults is the share of writes, on either side, that a fault strikes.
	faults float64
	// others, if any, is what other people do all the time.
	others func(context.Context, *stage)
	// seed is what they have done before.
	seed func(*stage) error

	// hits is how many of these there were.
	hits atomic.Int64
	mu   sync.Mutex
	rng  *rand.Rand
	// lists are the first answers by path, kept for a process that is to see them again;
	// nil when nobody is. seen are the paths that this process has got.
	lists     map[string]*answer
	replaying bool
	seen      map[string]bool
}

// weathers are all of them, in the order of the report.
var weathers = []weather{
	{name: "watch-delayed", hold: 1500 * time.Millisecond},
	{name: "watch-cut", cut: 2},
	{name: "watch-gone", gone: 0.5, cut: 3},
	{name: "conflicts", conflicts: 0.2, others: labelAll},
	{name: "account-edited", others: editAccount, seed: seedStrangers},
	{name: "annotations-gone", others: stripAnnotations},
	{name: "false-404", absent: 0.3},
}

// of returns the weather for one stage, with random numbers of its own.
func (w *weather) of(seed uint64) *weather {
	return &weather{name: w.name, hold: w.hold, cut: w.cut, gone: w.gone, conflicts: w.conflicts, absent: w.absent, faults: w.faults, others: w.others, seed: w.seed,
		rng: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // repeatable, not secret
}

func (w *weather) chance(share float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return share > 0 && w.rng.Float64() < share
}

// any is one of the faults of a soak that can happen to a write, nil for none.
func (w *weather) any(target *write) func(*exchange) {
	if !w.chance(w.faults) {
		return nil
	}
	w.mu.Lock()
	name := soakNames[w.rng.IntN(len(soakNames))]
	w.mu.Unlock()
	f, err := named(faults, name, func(f *fault) string { return f.name })
	if err != nil || !f.possible(*target) {
		return nil
	}
	w.hits.Add(1)
	return f.strike
}

// answer serves a request itself when the weather has it.
func (w *weather) answer(out http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	watching := query.Has("watch")
	switch {
	case watching && query.Has("sendInitialEvents") && w.recording():
		// Without such watches lists are read as lists.
		failure(http.StatusUnprocessableEntity).writeTo(out)
		return true
	case watching && !query.Has("sendInitialEvents") && w.chance(w.gone):
		failure(http.StatusGone).writeTo(out)
		return true
	case !watching:
		if old := w.replayed(r.URL.Path); old != nil {
			old.writeTo(out)
			return true
		}
	}
	return false
}

// record keeps lists from now on; replay has the next process get what was kept.
func (w *weather) record() { w.lists = map[string]*answer{} }

func (w *weather) recording() bool { return w.lists != nil }

func (w *weather) replay() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replaying, w.seen, w.hold = true, map[string]bool{}, 2*time.Second
}

func (w *weather) replayed(path string) *answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.lists[path]
	if !w.replaying || old == nil || w.seen[path] {
		return nil
	}
	w.seen[path] = true
	return old
}

// bend changes what comes back from the API server.
func (w *weather) bend(response *http.Response) error {
	w.mu.Lock()
	hold, keep := w.hold, w.lists != nil && !w.replaying
	w.mu.Unlock()
	p, ok := parsePath(response.Request.URL.Path)
	switch {
	case !ok || !shared[p.resource] || response.StatusCode != http.StatusOK:
	case response.Request.URL.Query().Has("watch"):
		if hold > 0 || w.cut > 0 {
			response.Body = &stream{ReadCloser: response.Body, hold: hold, left: w.cut}
		}
	case keep && p.name == "":
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
		w.mu.Lock()
		defer w.mu.Unlock()
		// Under the path that the manager asks: the list of all namespaces.
		path := p.group + "/" + p.resource
		if w.lists[path] == nil {
			w.lists[path] = &answer{response.StatusCode, response.Header.Clone(), body}
		}
	}
	return nil
}

// stream is the body of a watch that comes late, or ends early.
type stream struct {
	io.ReadCloser
	hold time.Duration
	left int
	read int
}

func (s *stream) Read(p []byte) (int, error) {
	if s.left > 0 && s.read >= s.left {
		return 0, io.EOF
	}
	n, err := s.ReadCloser.Read(p)
	s.read++
	time.Sleep(s.hold)
	return n, err
}

// quiet is for those who would print what is meant to fail.
var quiet = log.New(io.Discard, "", 0)
