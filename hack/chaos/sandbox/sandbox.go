// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sandbox is where one plan is played: a namespace, an account of the simulated API, and
// the manager between its two proxies. Many sandboxes share a control plane.
package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/chaos/cluster"
	"github.com/integrator-operator/integrator-operator/hack/chaos/fault"
	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// Options say what a sandbox is like.
type Options struct {
	// Injector and Noise are what goes wrong.
	Injector *fault.Injector
	Noise    *fault.Noise
	// Election has two managers take part and elect a leader.
	Election bool
	// Outage is true when the control plane will be down for a while: users retry, and a
	// request that is denied is no fault of the manager, because an API server that has just
	// started denies everything for a moment.
	Outage bool
	// CreateUnconfirmedTimeout is how long the manager waits for an unanswered creation to turn up.
	CreateUnconfirmedTimeout time.Duration
	// TwoNamespaces has the manager see another namespace too.
	TwoNamespaces bool
	// Watches has the manager watch the namespaces of the sandbox, instead of all.
	Watches bool
	// Shards has two managers share the objects: those with the label that Relabel gives, and the rest.
	Shards bool
	// MetricsAddress, if any, is where the manager serves its metrics.
	MetricsAddress string
	// User, if any, is who the manager is to Kubernetes instead of its ServiceAccount; Program,
	// what is run instead of the shipped manager.
	User, Program string
}

// Sandbox is where one plan is played.
type Sandbox struct {
	Options

	Namespace string
	// Other is the second namespace, "" without one.
	Other string
	// API is the simulated API with the account.
	API *simulator.Server
	// Objects are as their users see them.
	Objects client.Client
	// History has the phases of the runs, and who managed which import.
	History *History
	// Background are goroutines that Close waits for.
	Background sync.WaitGroup

	cluster  *cluster.Cluster
	dir      string
	remote   *proxy.Proxy
	sink     *proxy.Sink
	recorder *proxy.Recorder

	// specs are as the users wrote them, by name: also while no manager runs, and mu is locked.
	specsMu sync.Mutex
	specs   map[string][]byte

	mu       sync.Mutex
	managers []*managerProcess
	closed   bool
	// lastWriter is the manager that wrote to Kubernetes last.
	lastWriter int
	// No call may be made between quietFrom and quietUntil.
	quietFrom, quietUntil time.Time
	// dying is closed when the process is dead that has had its last answer; nil without such.
	dying chan struct{}
	// failure is what went wrong in the sandbox itself.
	failure error
	token   string
	// handedOn are imports that were there before an Import that adopts them.
	handedOn map[string]bool
	// stored is closed when the token that is being rotated has been stored.
	stored   chan struct{}
	rotating sync.WaitGroup
}

// New makes an empty sandbox: no manager runs yet.
func New(ctx context.Context, c *cluster.Cluster, o Options) (*Sandbox, error) {
	s := &Sandbox{Options: o, cluster: c, recorder: proxy.NewRecorder(), token: "canary-token-" + rand.Text(), Objects: c.Objects, specs: map[string][]byte{}, handedOn: map[string]bool{OriginalID: true}}
	var err error
	if s.Namespace, err = s.newNamespace(ctx); err != nil {
		return nil, err
	}
	if o.TwoNamespaces {
		if s.Other, err = s.newNamespace(ctx); err != nil {
			return nil, err
		}
		// In the order in which the manager lists them.
		s.Namespace, s.Other = min(s.Namespace, s.Other), max(s.Namespace, s.Other)
	}
	s.dir = filepath.Join(c.Dir, s.Namespace)
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	s.API = simulator.New(simulator.Options{PageSize: PageSize})
	if err := s.API.AddAccount(simulator.AccountSpec{Name: AccountName, Tokens: []simulator.Token{{Token: s.token}}, Connections: connections}); err != nil {
		return nil, err
	}
	if s.sink, err = proxy.NewSink(); err != nil {
		return nil, err
	}
	s.remote, err = proxy.NewRemote(proxy.RemoteOptions{Controller: s, Recorder: s.recorder, API: s.API.Handler(), Override: s.override})
	if err != nil {
		return nil, err
	}
	s.History = newHistory(ctx, c.Objects, s.Within()...)
	return s, nil
}

// Start starts the manager, or both of them.
func (s *Sandbox) Start(ctx context.Context) error {
	switch {
	case s.Shards:
		return errors.Join(s.addManager(), s.addManager())
	case !s.Election:
		return s.addManager()
	}
	if err := s.allowLeases(ctx); err != nil {
		return err
	}
	return errors.Join(s.addManager(), s.addManager())
}

// Close ends all that runs in the sandbox.
func (s *Sandbox) Close() {
	s.mu.Lock()
	s.closed = true
	managers := slices.Clone(s.managers)
	s.mu.Unlock()
	s.API.Close()
	for _, m := range managers {
		m.process.Kill()
		m.proxy.Close()
	}
	s.remote.Close()
	s.sink.Close()
	s.History.stop()
	s.rotating.Wait()
	s.Background.Wait()
}

// Fail records that the sandbox itself failed.
func (s *Sandbox) Fail(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = errors.Join(s.failure, err)
}

// Failure is what went wrong in the sandbox itself.
func (s *Sandbox) Failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// RemoteAddress is where the API is for the manager, as host:port.
func (s *Sandbox) RemoteAddress() string { return s.remote.Address() }

// RedirectsFollowed is how often a redirect was followed.
func (s *Sandbox) RedirectsFollowed() int64 { return s.sink.Connections() }

// Quiet is the span in which the API asked for no call.
func (s *Sandbox) Quiet() (from, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.quietFrom, s.quietUntil
}

// HandOn records that an import is there before an Import that adopts it: see override.
func (s *Sandbox) HandOn(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handedOn[id] = true
}

// adoptable reports whether an import was there before an Import that adopts it.
func (s *Sandbox) adoptable(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handedOn[id]
}

// override has the API say of an import that it does not exist: in the API's own words, as the
// account's list can confirm it, or as a gateway does for one that is adopted.
func (s *Sandbox) override(r *http.Request) *proxy.Answer {
	id, isImport := path.Base(r.URL.Path), path.Dir(r.URL.Path) == "/v1/imports"
	switch {
	case r.Method != http.MethodGet || !isImport || !s.Injector.Armed() || !s.Noise.HidesImport():
		return nil
	case s.adoptable(id):
		return proxy.Page(http.StatusNotFound)
	default:
		return proxy.APIError(http.StatusNotFound)
	}
}

// Pause waits for a span, or until ctx ends.
func Pause(ctx context.Context, span time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(span):
	}
}

func (s *Sandbox) logName(number int) string {
	return fmt.Sprintf("%s/manager-%d", s.Namespace, number)
}
