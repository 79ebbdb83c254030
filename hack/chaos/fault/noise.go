// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
)

// NoiseConfig is what disturbs the traffic of a manager all the time. Shares are between 0 and 1.
type NoiseConfig struct {
	// Delay is how long every event of a watch is delayed.
	Delay time.Duration
	// OtherDelay is that of the watches of one namespace in one process alone: see Behind.
	OtherDelay time.Duration
	// Cut ends every watch after so many reads; 0 never.
	Cut int
	// Expired is the share of watches that are answered with 410.
	Expired float64
	// Conflicts is the share of writes to Kubernetes that are answered with 409.
	Conflicts float64
	// Absent is the share of reads of one import that are answered with 404.
	Absent float64
	// Faults is the share of writes, on either side, at which a fault is injected.
	Faults float64
}

// Noise is the noise of one sandbox, with random numbers of its own. It is a proxy.Filter.
type Noise struct {
	NoiseConfig

	// hits is how many faults were injected at random.
	hits atomic.Int64
	// found ends that imports are hidden.
	found atomic.Bool
	mu    sync.Mutex
	rng   *rand.Rand
	// lists are the first answers by path, kept for a process that is to see them again; nil when
	// nobody is. seen are the paths that this process has got.
	lists     map[string]*proxy.Answer
	replaying bool
	seen      map[string]bool
}

var _ proxy.Filter = &Noise{}

// replayDelay is how late a process that sees old lists learns what is new.
const replayDelay = 2 * time.Second

// NewNoise returns noise whose random numbers come from a seed.
func NewNoise(c NoiseConfig, seed uint64) *Noise {
	return &Noise{NoiseConfig: c, rng: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // repeatable, not secret
}

// Slows reports whether the manager waits longer after each repetition of the noise: before it watches
// again, up to 30 seconds, or before it looks at an import again that was said not to exist.
func (n *Noise) Slows() bool { return n != nil && (n.Expired > 0 || n.Absent > 0) }

// Hits is how many faults were injected at random.
func (n *Noise) Hits() int64 { return n.hits.Load() }

// HidesImport reports whether the API is to answer a read of an import with 404 now.
func (n *Noise) HidesImport() bool { return !n.found.Load() && n.chance(n.Absent) }

// ShowImports has the API hide no import any more.
func (n *Noise) ShowImports() { n.found.Store(true) }

func (n *Noise) conflict() bool { return n.chance(n.Conflicts) }

func (n *Noise) chance(share float64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return share > 0 && n.rng.Float64() < share
}

// survivable are the faults that are injected at random: a process survives them.
var survivable = []string{Lost, "reset", "500", "504-applied", "429", Conflict, "truncated", "garbage"}

// random returns a fault for a write, now and then.
func (n *Noise) random(w *proxy.Write) (Fault, bool) {
	if !n.chance(n.Faults) {
		return Fault{}, false
	}
	n.mu.Lock()
	name := survivable[n.rng.IntN(len(survivable))]
	n.mu.Unlock()
	f, err := Named(name)
	if err != nil || !f.Possible(*w) {
		return Fault{}, false
	}
	n.hits.Add(1)
	return f, true
}

// Answer answers a request itself where the noise has it.
func (n *Noise) Answer(out http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	watching := query.Has("watch")
	switch {
	case watching && query.Has("sendInitialEvents") && n.listsApart():
		// Without such watches, lists are read as lists.
		proxy.KubernetesError(http.StatusUnprocessableEntity).WriteTo(out)
		return true
	case watching && !query.Has("sendInitialEvents") && n.chance(n.Expired):
		proxy.KubernetesError(http.StatusGone).WriteTo(out)
		return true
	case !watching:
		if old := n.replayed(r.URL.Path); old != nil {
			old.WriteTo(out)
			return true
		}
	}
	return false
}

// RecordLists keeps lists from now on, so that Replay can answer with them. It has the manager
// read lists as lists, as from an API server that does not stream them.
func (n *Noise) RecordLists() { n.lists = map[string]*proxy.Answer{} }

// listsApart reports whether the manager is to read lists as lists: to keep them, or because what it sees late are
// changes, and not what there is when it starts.
func (n *Noise) listsApart() bool { return n.lists != nil || n.OtherDelay > 0 }

// Replay has the next process get the lists that were kept.
func (n *Noise) Replay() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.replaying, n.seen, n.Delay = true, map[string]bool{}, replayDelay
}

func (n *Noise) replayed(path string) *proxy.Answer {
	n.mu.Lock()
	defer n.mu.Unlock()
	old := n.lists[path]
	if !n.replaying || old == nil || n.seen[path] {
		return nil
	}
	n.seen[path] = true
	return old
}

// Modify changes what comes back from the API server.
func (n *Noise) Modify(response *http.Response) error { return n.modify(response, 0) }

// modify is Modify with a delay for a watch, where that is longer than the one of every watch.
func (n *Noise) modify(response *http.Response, delay time.Duration) error {
	n.mu.Lock()
	delay, keep := max(delay, n.Delay), n.lists != nil && !n.replaying
	n.mu.Unlock()
	p, ok := proxy.ParsePath(response.Request.URL.Path)
	switch {
	case !ok || !p.Watched() || response.StatusCode != http.StatusOK:
	case response.Request.URL.Query().Has("watch"):
		if delay > 0 || n.Cut > 0 {
			response.Body = &stream{ReadCloser: response.Body, delay: delay, limit: n.Cut}
		}
	case keep && p.Name == "":
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
		n.mu.Lock()
		defer n.mu.Unlock()
		// Under the path that the manager asks: the list of all namespaces.
		path := p.Group + "/" + p.Resource
		if n.lists[path] == nil {
			n.lists[path] = &proxy.Answer{Status: response.StatusCode, Header: response.Header.Clone(), Body: body}
		}
	}
	return nil
}

// Behind is the noise of the one process that sees a namespace late, and all others in time.
func (n *Noise) Behind(namespace string) proxy.Filter { return behind{n, namespace} }

type behind struct {
	*Noise

	namespace string
}

// Answer has the lists with which watches of other namespaces begin come late too, so that the process begins when
// others have written already, and has listed what it sees late before that.
func (b behind) Answer(out http.ResponseWriter, r *http.Request) bool {
	p, _ := proxy.ParsePath(r.URL.Path)
	query := r.URL.Query()
	if b.OtherDelay > 0 && p.Watched() && p.Namespace != b.namespace && !query.Has("watch") && query.Get("resourceVersion") == "0" {
		time.Sleep(b.OtherDelay / 2)
	}
	return b.Noise.Answer(out, r)
}

func (b behind) Modify(response *http.Response) error {
	if p, _ := proxy.ParsePath(response.Request.URL.Path); p.Namespace == b.namespace {
		return b.modify(response, b.OtherDelay)
	}
	return b.Noise.Modify(response)
}

// stream is the body of a watch that comes late, or ends early.
type stream struct {
	io.ReadCloser

	delay time.Duration
	limit int
	reads int
}

func (s *stream) Read(p []byte) (int, error) {
	if s.limit > 0 && s.reads >= s.limit {
		return 0, io.EOF
	}
	n, err := s.ReadCloser.Read(p)
	s.reads++
	time.Sleep(s.delay)
	return n, err
}
