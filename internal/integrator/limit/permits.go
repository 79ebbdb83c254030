// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// Object names an object that is reconciled.
type Object struct{ Namespace, Name string }

// claimWithin is how long a permit is kept for an object that was notified. An object that exists is
// reconciled at once.
const claimWithin = time.Minute

// QueuedError reports that an object waits for a permit. It will be notified.
type QueuedError struct {
	// Waited is how long it has waited.
	Waited time.Duration
}

func (*QueuedError) Error() string { return "the object waits for a permit" }

// Permits are the permits of all accounts of a process. A permit lets one object make its calls: it holds a
// place of its account, and one of the process's. Its first call finds a token in the account's bucket.
// The further ones take theirs without waiting, and the next permits wait until the rate is met again. After a
// 429, there is a token for each call that it is likely to make.
type Permits struct {
	notify func(Object)

	mu     sync.Mutex
	shares *Shares[*Limiter]
	// full are the limiters that wait for a place of the process.
	full map[*Limiter]bool
	// byObject says of which limiter an object has, or waits for, a permit.
	byObject map[Object]*Limiter
	notices  []Object
	noticed  chan struct{}
}

// NewPermits returns so many permits at once, of objects of the weight 1. notify is called, by Run, with
// each object that is granted one after it waited.
func NewPermits(size int, notify func(Object)) *Permits {
	return &Permits{
		notify: notify, shares: NewShares[*Limiter](size),
		full: map[*Limiter]bool{}, byObject: map[Object]*Limiter{}, noticed: make(chan struct{}, 1),
	}
}

// Run notifies the objects, until ctx ends.
func (t *Permits) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.noticed:
		}
		t.mu.Lock()
		notices := t.notices
		t.notices = nil
		t.mu.Unlock()
		for _, object := range notices {
			t.notify(object)
		}
	}
}

// send has an object notified.
func (t *Permits) send(object Object) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notices = append(t.notices, object)
	select {
	case t.noticed <- struct{}{}:
	default:
	}
}

// Permit is the permit of one object.
type Permit struct {
	permits *Permits
	limiter *Limiter
	object  Object
	weight  int
	since   time.Time

	// asked: the object is being asked about right now, and needs no notice. granted: it has the permit.
	// claimed: the object knows. The limiter's lock guards these.
	asked, granted, claimed bool
	// requests are those that were made with it, unspent the tokens that are kept for others. goesFirst is the
	// number of the first request if it goes first after a pause: see probe.
	requests, unspent int
	goesFirst         int
	expiry            *time.Timer
}

// Take takes a permit for an object, of the account of a limiter. The caller gives it back with Release.
// weight is how much the object takes of the process's memory, compared with others.
//
// If it has to wait, the error is a *QueuedError, and the object is notified when it is granted the permit:
// it then takes it with another call. If no calls are made for the account, or if it is paused for longer
// than PlaceWait, the error is a *RejectedError.
func (t *Permits) Take(l *Limiter, object Object, class Class, weight int) (*Permit, error) {
	t.mu.Lock()
	before := t.byObject[object]
	t.byObject[object] = l
	t.mu.Unlock()
	if before != nil && before != l {
		before.leave(object)
	}
	permit, err := l.takePermit(t, object, class, weight)
	if _, rejected := err.(*RejectedError); rejected { //nolint:errorlint // it is not wrapped
		t.Leave(object)
	}
	return permit, err
}

// Waits reports whether an object waits for a permit.
func (t *Permits) Waits(object Object) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, waits := t.byObject[object]
	return waits
}

// Waiting returns about how many objects wait for a permit: those that have one are among them.
func (t *Permits) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byObject)
}

// Leave gives up what an object waits for, or was granted and has not taken.
func (t *Permits) Leave(object Object) {
	t.mu.Lock()
	l := t.byObject[object]
	delete(t.byObject, object)
	t.mu.Unlock()
	if l != nil {
		l.leave(object)
	}
}

// grant takes a place of the process. Without one, the limiter is asked again when there is.
func (t *Permits) grant(l *Limiter, permit *Permit) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shares.Take(l, permit.weight, 0) {
		return true
	}
	t.full[l] = true
	return false
}

// giveBack gives back a place of the process, and has those asked that wait for one: first the account
// that has the fewest.
func (t *Permits) giveBack(l *Limiter, permit *Permit) {
	t.mu.Lock()
	t.shares.Give(l, permit.weight)
	type account struct {
		limiter *Limiter
		permits int
	}
	accounts := []account{{l, t.shares.Taken(l)}}
	for other := range t.full {
		if other != l {
			accounts = append(accounts, account{other, t.shares.Taken(other)})
		}
	}
	clear(t.full)
	t.mu.Unlock()
	slices.SortFunc(accounts, func(a, b account) int { return cmp.Compare(a.permits, b.permits) })
	for _, account := range accounts {
		account.limiter.readmit()
	}
}

func (l *Limiter) takePermit(t *Permits, object Object, class Class, weight int) (*Permit, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.byObject[object]
	if w == nil || !w.permit.granted {
		if refused := l.refusal(ClassCorrection, PlaceWait); refused != nil {
			return nil, refused
		}
	}
	if w == nil {
		w = &waiter{class: class, permit: &Permit{permits: t, limiter: l, object: object, weight: weight, since: time.Now()}}
		l.byObject[object] = w
		l.waiting.add(w)
	} else if !w.permit.granted {
		l.waiting.raise(w, class)
	}
	permit := w.permit
	permit.asked = true
	l.admit()
	permit.asked = false
	if !permit.granted {
		return nil, &QueuedError{Waited: time.Since(permit.since)}
	}
	permit.claimed = true
	if permit.expiry != nil {
		permit.expiry.Stop()
	}
	return permit, nil
}

// grantPermit grants a permit to an object, and so many tokens. The caller holds the lock, and has taken the places.
func (l *Limiter) grantPermit(w *waiter, tokens int) {
	permit := w.permit
	permit.granted, permit.unspent = true, tokens
	permit.goesFirst = l.probe.begin(time.Now())
	l.granted[permit] = true
	l.unspent += tokens
	if permit.asked {
		return
	}
	permit.expiry = time.AfterFunc(claimWithin, permit.expire)
	permit.permits.send(permit.object)
}

// spent: a request is made with the permit. The caller holds the limiter's lock.
func (permit *Permit) spent(l *Limiter) {
	permit.requests++
	if permit.unspent > 0 {
		permit.unspent--
		l.unspent--
	}
}

// keepNone has a permit whose first request was made keep no tokens for others. The caller holds the limiter's lock.
func (permit *Permit) keepNone(l *Limiter) {
	if permit.requests > 0 {
		l.unspent -= permit.unspent
		permit.unspent = 0
	}
}

// averageOf is of about how many permits the average of their requests is.
const averageOf = 32

// ended: no more requests are made with the permit. The caller holds the limiter's lock.
func (permit *Permit) ended(l *Limiter) {
	l.unspent -= permit.unspent
	permit.unspent = 0
	switch made := float64(permit.requests); {
	case made == 0:
	case l.perPermit == 0: // the first one
		l.perPermit = made
	default:
		l.perPermit += (made - l.perPermit) / averageOf
	}
}

// expire takes the permit back from an object that does not come.
func (permit *Permit) expire() {
	l := permit.limiter
	l.mu.Lock()
	w := l.byObject[permit.object]
	if w == nil || w.permit != permit || permit.claimed {
		l.mu.Unlock()
		return
	}
	l.forget(w)
	l.mu.Unlock()
	permit.permits.end(permit)
}

// leave drops what an object waits for, or was granted and has not taken.
func (l *Limiter) leave(object Object) {
	l.mu.Lock()
	w := l.byObject[object]
	if w == nil || w.permit.claimed {
		l.mu.Unlock()
		return
	}
	granted := w.permit.granted
	l.forget(w)
	l.mu.Unlock()
	if granted {
		w.permit.permits.giveBack(l, w.permit)
	}
}

// forget drops a permit, and gives back the account's place if it has one.
func (l *Limiter) forget(w *waiter) {
	permit := w.permit
	delete(l.byObject, permit.object)
	l.waiting.remove(w)
	if permit.expiry != nil {
		permit.expiry.Stop()
	}
	if permit.granted {
		permit.ended(l)
		l.probe.end(permit.goesFirst)
		delete(l.granted, permit)
		l.taken--
	}
}

// Release gives the permit back.
func (permit *Permit) Release() {
	l := permit.limiter
	l.mu.Lock()
	l.forget(&waiter{permit: permit})
	l.mu.Unlock()
	permit.permits.end(permit)
}

// end gives back the place of a permit that its account has forgotten.
func (t *Permits) end(permit *Permit) {
	t.mu.Lock()
	if t.byObject[permit.object] == permit.limiter {
		delete(t.byObject, permit.object)
	}
	t.mu.Unlock()
	t.giveBack(permit.limiter, permit)
}

type permitKey struct{}

// In returns a context whose requests to the account are made with the permit.
func (permit *Permit) In(ctx context.Context) context.Context {
	return context.WithValue(ctx, permitKey{}, permit)
}

func permitOf(ctx context.Context) *Permit {
	permit, _ := ctx.Value(permitKey{}).(*Permit)
	return permit
}
