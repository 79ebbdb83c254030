// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"k8s.io/utils/clock"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
)

// Limits are the part of the platform's rate limit that an Account names.
type Limits struct {
	RequestsPerSecond float64
	MaxInFlight       int32
}

// Share is the part of the limits that one of several operators uses. One request in flight is the least.
func (l Limits) Share(part float64) Limits {
	if part == 1 {
		return l
	}
	return Limits{
		RequestsPerSecond: cmp.Or(l.RequestsPerSecond, limit.DefaultRequestsPerSecond) * part,
		MaxInFlight:       max(1, int32(float64(cmp.Or(l.MaxInFlight, limit.DefaultMaxInFlight))*part)),
	}
}

func (l Limits) burst() int {
	if l.RequestsPerSecond == 0 {
		return 0
	}
	return max(1, int(l.RequestsPerSecond))
}

// Pool has everything that is shared. It is safe for concurrent use.
type Pool struct {
	// ctx ends the scanners.
	ctx   context.Context
	clock clock.Clock
	read  func(ctx context.Context, remote *integrator.Client, ids []string) (List, error)

	mu    sync.Mutex
	byKey map[Key]*group
}

// group are the Accounts of one key, and what they share.
type group struct {
	client  *integrator.Client
	limiter *limit.Limiter
	members []*Member
	// scanner is nil while nobody watches.
	scanner *scanner
}

// Member is one Account in its group. The methods of a nil Member do nothing.
type Member struct {
	pool  *Pool
	key   Key
	group *group
	// client is the group's, with an observer of its own.
	client *integrator.Client
	// limits and watching are guarded by Pool.mu. watching is nil while it does not watch.
	limits   Limits
	watching *watching
}

// Usage is the usage of the group's permits: those of all its members.
func (m *Member) Usage() limit.Usage { return m.group.limiter.Usage() }

// NewPool returns a pool whose scanners end with ctx.
func NewPool(ctx context.Context, clock clock.Clock) *Pool {
	return &Pool{ctx: ctx, clock: clock, read: read, byKey: map[Key]*group{}}
}

// Join makes an Account a member of the group of its key. connect makes the client with the group's
// limiter; it is called for the first member alone. observer observes the Account's own requests.
//
// former is what the Account was a member of before, or nil. If the Account is alone in the group, a
// pause of the same server goes along: it may be for the same account of the platform.
func (p *Pool) Join(key Key, limits Limits, former *Member, observer func(integrator.Observation), connect func(*limit.Limiter) (*integrator.Client, error)) (*Member, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.byKey[key]
	if g == nil {
		g = &group{limiter: limit.New(limits.RequestsPerSecond, limits.burst(), int(limits.MaxInFlight))}
		if former != nil && former.key.BaseURL == key.BaseURL {
			if rest := former.group.limiter.PausedFor(); rest > 0 {
				g.limiter.Pause(rest)
			}
		}
		var err error
		if g.client, err = connect(g.limiter); err != nil {
			return nil, err
		}
		p.byKey[key] = g
	}
	m := &Member{pool: p, key: key, group: g, client: g.client.WithObserver(observer), limits: limits}
	g.members = append(g.members, m)
	g.setLimits()
	return m, nil
}

// Client returns the Account's client. It shares the limiter and the connections of the group.
func (m *Member) Client() *integrator.Client { return m.client }

// SetLimits changes what the Account names.
func (m *Member) SetLimits(limits Limits) {
	if m == nil {
		return
	}
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	m.limits = limits
	m.group.setLimits()
}

// Watch has the scans told to a watcher. The first begins at once, or when the present one has ended.
func (m *Member) Watch(watcher Watcher, pace Pace) {
	if m == nil {
		return
	}
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	m.unwatch()
	g := m.group
	m.watching = &watching{watcher: watcher, client: m.client, seen: seen{pace: pace, quiet: m.pool.clock.Now()}}
	if g.scanner == nil {
		ctx, cancel := context.WithCancel(m.pool.ctx)
		g.scanner = &scanner{pool: m.pool, cancel: cancel, changed: make(chan struct{}, 1)}
		defer func(s *scanner) { go s.run(ctx) }(g.scanner)
	}
	g.scanner.watchers = append(g.scanner.watchers, m.watching)
	g.scanner.wake()
	g.setLimits()
}

// SetPace changes how often the Account wants to be scanned.
func (m *Member) SetPace(pace Pace) {
	if m == nil {
		return
	}
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	if m.watching != nil && m.watching.pace != pace {
		m.watching.pace, m.watching.told = pace, false
		m.group.scanner.wake()
	}
}

// DemandList has the whole list read at once, or when the present scan has ended. Several demands until then
// share it. It does nothing while the Account does not watch.
func (m *Member) DemandList() {
	if m == nil {
		return
	}
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	if m.watching != nil {
		m.watching.begun = false
		m.group.scanner.wake()
	}
}

// Unwatch ends that the watcher is told of scans. With the last one the scanner ends.
func (m *Member) Unwatch() {
	if m == nil {
		return
	}
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	m.unwatch()
	if m.group.scanner == nil {
		m.client.Close()
	}
	m.group.setLimits()
}

// Leave ends the membership. With the last one, everything that was shared ends.
func (m *Member) Leave() {
	if m == nil {
		return
	}
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	m.unwatch()
	g := m.group
	g.members = slices.DeleteFunc(g.members, func(other *Member) bool { return other == m })
	if len(g.members) > 0 {
		g.setLimits()
		return
	}
	m.client.Close()
	if m.pool.byKey[m.key] == g {
		delete(m.pool.byKey, m.key)
	}
}

// unwatch is Unwatch with Pool.mu held.
func (m *Member) unwatch() {
	s := m.group.scanner
	if m.watching == nil {
		return
	}
	s.watchers = slices.DeleteFunc(s.watchers, func(other *watching) bool { return other == m.watching })
	m.watching = nil
	if len(s.watchers) == 0 {
		s.cancel()
		m.group.scanner = nil
		return
	}
	s.wake()
}

// setLimits gives the limiter the largest limits that a member names. While some watch, those count
// alone: one that is suspended makes no calls.
func (g *group) setLimits() {
	limits := largest(g.members, func(m *Member) bool { return m.watching != nil })
	if limits == (Limits{}) {
		limits = largest(g.members, func(*Member) bool { return true })
	}
	g.limiter.SetLimits(limits.RequestsPerSecond, limits.burst(), int(limits.MaxInFlight))
}

// largest returns the largest limits of those members that count.
func largest(members []*Member, counts func(*Member) bool) (limits Limits) {
	for _, m := range members {
		if counts(m) {
			limits.RequestsPerSecond = max(limits.RequestsPerSecond, m.limits.RequestsPerSecond)
			limits.MaxInFlight = max(limits.MaxInFlight, m.limits.MaxInFlight)
		}
	}
	return limits
}
