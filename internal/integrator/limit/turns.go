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

// claimWithin is how long a turn is kept for an object that was notified. An object that exists is
// reconciled at once.
const claimWithin = time.Minute

// QueuedError reports that an object waits for its turn. It will be notified.
type QueuedError struct {
	// Waited is how long it has waited.
	Waited time.Duration
}

func (*QueuedError) Error() string { return "it is not the object's turn yet" }

// Turns are the turns of all accounts of a process. A turn lets one object make its calls: it holds a
// place of its account, and one of the process's. Its first call finds a token in the account's bucket.
// The further ones take theirs without waiting, and the next turns wait until the rate is met again.
type Turns struct {
	notify func(Object)

	mu     sync.Mutex
	shares *Shares[*Limiter]
	// full are the limiters that wait for a place of the process.
	full map[*Limiter]bool
	// byObject says of which limiter an object has, or waits for, a turn.
	byObject map[Object]*Limiter
	notices  []Object
	noticed  chan struct{}
}

// NewTurns returns so many turns at once, of objects of the weight 1. notify is called, by Run, with
// each object whose turn has come.
func NewTurns(size int, notify func(Object)) *Turns {
	return &Turns{
		notify: notify, shares: NewShares[*Limiter](size),
		full: map[*Limiter]bool{}, byObject: map[Object]*Limiter{}, noticed: make(chan struct{}, 1),
	}
}

// Run notifies the objects, until ctx ends.
func (t *Turns) Run(ctx context.Context) {
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
func (t *Turns) send(object Object) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notices = append(t.notices, object)
	select {
	case t.noticed <- struct{}{}:
	default:
	}
}

// Turn is the turn of one object.
type Turn struct {
	turns   *Turns
	limiter *Limiter
	object  Object
	weight  int
	since   time.Time

	// asked: the object is being asked about right now, and needs no notice. granted: it is its turn.
	// claimed: the object knows. The limiter's lock guards these.
	asked, granted, claimed bool
	// first: no request was made in it yet.
	first  bool
	expiry *time.Timer
}

// Take takes the turn of an object in the account of a limiter. The caller gives it back with Release.
// weight is how much the object takes of the process's memory, compared with others.
//
// If it is not its turn, the error is a *QueuedError, and the object is notified when it is: it then
// takes its turn with another call. If no calls are made for the account, or if it is paused for longer
// than PlaceWait, the error is a *RejectedError.
func (t *Turns) Take(l *Limiter, object Object, class Class, weight int) (*Turn, error) {
	t.mu.Lock()
	before := t.byObject[object]
	t.byObject[object] = l
	t.mu.Unlock()
	if before != nil && before != l {
		before.leave(object)
	}
	turn, err := l.takeTurn(t, object, class, weight)
	if _, rejected := err.(*RejectedError); rejected { //nolint:errorlint // it is not wrapped
		t.Leave(object)
	}
	return turn, err
}

// Waits reports whether an object waits for its turn.
func (t *Turns) Waits(object Object) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, waits := t.byObject[object]
	return waits
}

// Leave gives up what an object waits for, or was granted and has not taken.
func (t *Turns) Leave(object Object) {
	t.mu.Lock()
	l := t.byObject[object]
	delete(t.byObject, object)
	t.mu.Unlock()
	if l != nil {
		l.leave(object)
	}
}

// grant takes a place of the process. Without one, the limiter is asked again when there is.
func (t *Turns) grant(l *Limiter, turn *Turn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shares.Take(l, turn.weight, 0) {
		return true
	}
	t.full[l] = true
	return false
}

// giveBack gives back a place of the process, and has those asked that wait for one: first the account
// that has the fewest.
func (t *Turns) giveBack(l *Limiter, turn *Turn) {
	t.mu.Lock()
	t.shares.Give(l, turn.weight)
	type account struct {
		limiter *Limiter
		turns   int
	}
	accounts := []account{{l, t.shares.Taken(l)}}
	for other := range t.full {
		if other != l {
			accounts = append(accounts, account{other, t.shares.Taken(other)})
		}
	}
	clear(t.full)
	t.mu.Unlock()
	slices.SortFunc(accounts, func(a, b account) int { return cmp.Compare(a.turns, b.turns) })
	for _, account := range accounts {
		account.limiter.readmit()
	}
}

func (l *Limiter) takeTurn(t *Turns, object Object, class Class, weight int) (*Turn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.byObject[object]
	if w == nil || !w.turn.granted {
		if refused := l.refusal(ClassCorrection, PlaceWait); refused != nil {
			return nil, refused
		}
	}
	if w == nil {
		w = &waiter{class: class, turn: &Turn{turns: t, limiter: l, object: object, weight: weight, since: time.Now()}}
		l.byObject[object] = w
		l.waiting.add(w)
	} else if !w.turn.granted {
		l.waiting.raise(w, class)
	}
	turn := w.turn
	turn.asked = true
	l.admit()
	turn.asked = false
	if !turn.granted {
		return nil, &QueuedError{Waited: time.Since(turn.since)}
	}
	turn.claimed = true
	if turn.expiry != nil {
		turn.expiry.Stop()
	}
	return turn, nil
}

// grantTurn gives a waiter its turn. The caller holds the lock, and has taken the places.
func (l *Limiter) grantTurn(w *waiter) {
	turn := w.turn
	turn.granted, turn.first = true, true
	l.turns++
	l.unspent++
	if turn.asked {
		return
	}
	turn.expiry = time.AfterFunc(claimWithin, turn.expire)
	turn.turns.send(turn.object)
}

// spent: the turn makes a request. The caller holds the limiter's lock.
func (turn *Turn) spent(l *Limiter) {
	if turn.first {
		turn.first = false
		l.unspent--
	}
}

// expire takes the turn back from an object that does not come.
func (turn *Turn) expire() {
	l := turn.limiter
	l.mu.Lock()
	expired := !turn.claimed && l.byObject[turn.object] != nil && l.byObject[turn.object].turn == turn
	l.mu.Unlock()
	if expired {
		turn.turns.Leave(turn.object)
	}
}

// leave drops what an object waits for, or was granted and has not taken.
func (l *Limiter) leave(object Object) {
	l.mu.Lock()
	w := l.byObject[object]
	if w == nil || w.turn.claimed {
		l.mu.Unlock()
		return
	}
	granted := w.turn.granted
	l.forget(w)
	l.mu.Unlock()
	if granted {
		w.turn.turns.giveBack(l, w.turn)
	}
}

// forget drops a turn, and gives back the account's place if it has one.
func (l *Limiter) forget(w *waiter) {
	turn := w.turn
	delete(l.byObject, turn.object)
	l.waiting.remove(w)
	if turn.expiry != nil {
		turn.expiry.Stop()
	}
	if turn.granted {
		turn.spent(l)
		l.turns--
		l.taken--
	}
}

// Release ends the turn.
func (turn *Turn) Release() {
	l := turn.limiter
	l.mu.Lock()
	l.forget(&waiter{turn: turn})
	l.mu.Unlock()
	turn.turns.mu.Lock()
	if turn.turns.byObject[turn.object] == l {
		delete(turn.turns.byObject, turn.object)
	}
	turn.turns.mu.Unlock()
	turn.turns.giveBack(l, turn)
}

type turnKey struct{}

// In returns a context whose requests to the account are those of the turn.
func (turn *Turn) In(ctx context.Context) context.Context {
	return context.WithValue(ctx, turnKey{}, turn)
}

func turnOf(ctx context.Context) *Turn {
	turn, _ := ctx.Value(turnKey{}).(*Turn)
	return turn
}
