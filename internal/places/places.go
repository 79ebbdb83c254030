// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package places hands out a bounded number of places, fairly between tenants: calls that take minutes
// must not keep those of others waiting. It does not know what a call is, and waits for nothing: a queue of
// who wants a place, and who has one.
package places

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// Group is whose place it is: a namespace, and within it an account, which others may share. Account is
// anything that can be compared.
type Group struct {
	Namespace string
	Account   any
}

// Answer is the answer to a wish for a place.
type Answer int

const (
	// Queued: the place is given later, in turn.
	Queued Answer = iota
	// AccountBusy: the same, and the account has as many places as it can use.
	AccountBusy
	// Granted: the place is there.
	Granted
)

// Places are a bounded number of places. It may be used by several goroutines.
//
// A namespace gets another place only if as many stay free as it then has. So one namespace alone has
// half of them at most, two have a third each, and one that has none finds a place free rather than
// waiting for a call of minutes to end. Likewise an account does not take the last place that its
// namespace can get while it has one. A place goes to the namespace with the fewest, there to the account
// with the fewest; where these are equal to whom it is longest that it got one, and within an account to
// who has waited longest.
type Places[K comparable] struct {
	mu   sync.Mutex
	size int
	// taken are those who have a place, waiting those who want one, in the order in which they came.
	taken   map[K]Group
	waiting []*wish[K]
	wishes  map[K]*wish[K]
	// given counts the places that were given since nobody had or wanted one, and served has at which of
	// them each namespace, and each account, got its last.
	given  int
	served map[Group]int
}

// wish is a wish for a place.
type wish[K comparable] struct {
	who   K
	group Group
	// most is how many places the account can use.
	most int
}

// New makes places. There is at least one.
func New[K comparable](size int) *Places[K] {
	return &Places[K]{size: max(1, size), taken: map[K]Group{}, wishes: map[K]*wish[K]{}, served: map[Group]int{}}
}

// Ask wants a place, of which the account can use most at a time. Whoever has one keeps it, and whoever
// waits keeps its turn. granted are others who have a place now.
func (p *Places[K]) Ask(who K, group Group, most int) (answer Answer, granted []K) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, has := p.taken[who]; has {
		return Granted, nil
	}
	most = max(1, most)
	w := p.wishes[who]
	if w != nil && w.group != group {
		p.withdraw(w)
		w = nil
	}
	// Nobody who waits can have a place: only what is new can change that.
	if w == nil || w.most != most {
		if w == nil {
			w = p.wish(who, group, most)
		}
		w.most = most
		granted = p.grant()
	}
	if i := slices.Index(granted, who); i >= 0 {
		return Granted, slices.Delete(granted, i, i+1)
	}
	if p.counts().ofAccount[group.Account] >= most {
		return AccountBusy, granted
	}
	return Queued, granted
}

// Renew gives the place back and takes it again, unless somebody who waits is to have it first. Without
// it the place is given back, and granted are those who have one now.
func (p *Places[K]) Renew(who K, most int) (kept bool, granted []K) {
	p.mu.Lock()
	defer p.mu.Unlock()
	group, has := p.taken[who]
	if !has {
		return false, nil
	}
	delete(p.taken, who)
	w := p.wish(who, group, max(1, most))
	granted = p.grant()
	if i := slices.Index(granted, who); i >= 0 {
		return true, slices.Delete(granted, i, i+1)
	}
	p.withdraw(w)
	return false, granted
}

// Leave gives the place back, or no longer wants one. granted are those who have one now.
func (p *Places[K]) Leave(who K) (granted []K) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.wishes[who]; w != nil {
		p.withdraw(w)
	}
	if _, has := p.taken[who]; !has {
		return nil
	}
	delete(p.taken, who)
	return p.grant()
}

// Retain gives back all places but those that are kept, and drops all wishes: whoever still wants one asks
// again.
func (p *Places[K]) Retain(kept func(K) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = nil
	clear(p.wishes)
	maps.DeleteFunc(p.taken, func(who K, _ Group) bool { return !kept(who) })
}

// Counts are how many have a place, and how many want one.
func (p *Places[K]) Counts() (taken, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.taken), len(p.waiting)
}

// wish adds a wish as the last one.
func (p *Places[K]) wish(who K, group Group, most int) *wish[K] {
	w := &wish[K]{who: who, group: group, most: most}
	p.waiting, p.wishes[who] = append(p.waiting, w), w
	return w
}

// withdraw removes a wish.
func (p *Places[K]) withdraw(w *wish[K]) {
	i := slices.Index(p.waiting, w)
	p.waiting = slices.Delete(p.waiting, i, i+1)
	delete(p.wishes, w.who)
}

// counts are how many places each namespace, each account of it, and each account in all have.
type counts struct {
	ofNamespace map[string]int
	ofGroup     map[Group]int
	ofAccount   map[any]int
}

func (c counts) add(group Group) {
	c.ofNamespace[group.Namespace]++
	c.ofGroup[group]++
	c.ofAccount[group.Account]++
}

func (p *Places[K]) counts() counts {
	c := counts{map[string]int{}, map[Group]int{}, map[any]int{}}
	for _, group := range p.taken {
		c.add(group)
	}
	return c
}

// grant gives away what can be given.
func (p *Places[K]) grant() (granted []K) {
	have := p.counts()
	for {
		next := p.next(have)
		if next < 0 {
			if len(p.waiting) == 0 && len(p.taken) == 0 {
				p.given = 0
				clear(p.served)
			}
			return granted
		}
		w := p.waiting[next]
		p.withdraw(w)
		p.taken[w.who] = w.group
		have.add(w.group)
		granted = append(granted, w.who)
		p.given++
		p.served[w.group], p.served[Group{Namespace: w.group.Namespace}] = p.given, p.given
	}
}

// next is the index of who is to have the next place, -1 if nobody is.
func (p *Places[K]) next(have counts) int {
	best := -1
	for i, w := range p.waiting {
		if p.permits(w, have) && (best < 0 || p.before(w.group, p.waiting[best].group, have)) {
			best = i
		}
	}
	return best
}

// permits reports whether a wish can be granted.
func (p *Places[K]) permits(w *wish[K], have counts) bool {
	free, has := p.size-len(p.taken), have.ofNamespace[w.group.Namespace]
	// With each place that it takes, its namespace has one more, and one less is free.
	left := (free - has) / 2
	switch {
	case free == 0, have.ofAccount[w.group.Account] >= w.most, has > 0 && left < 1:
		return false
	default:
		return have.ofGroup[w.group] == 0 || left > 1 || p.size <= smallest
	}
}

// before reports whether a group is to have a place before another.
func (p *Places[K]) before(a, b Group, have counts) bool {
	inA, inB := Group{Namespace: a.Namespace}, Group{Namespace: b.Namespace}
	return cmp.Or(
		cmp.Compare(have.ofNamespace[a.Namespace], have.ofNamespace[b.Namespace]), cmp.Compare(p.served[inA], p.served[inB]),
		cmp.Compare(have.ofGroup[a], have.ofGroup[b]), cmp.Compare(p.served[a], p.served[b]),
	) < 0
}

// smallest is up to how many places an account may take the last one of its namespace: it would have
// hardly any otherwise.
const smallest = 8
