// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

import "container/list"

// Class says what goes first within one account.
type Class int

// The classes, the most urgent first. What waits in one class is all of one kind: permits of objects,
// invocations, or requests of their own.
const (
	// ClassCheck is for checks of a token.
	ClassCheck Class = iota
	// ClassChange is for permits of objects that a person changed, or deletes.
	ClassChange
	// ClassLook is for permits of objects that a person asks to be looked at.
	ClassLook
	// ClassRun is for invocations.
	ClassRun
	// ClassOther is for other requests without a permit.
	ClassOther
	// ClassNew is for permits of objects that have no remote import yet.
	ClassNew
	// ClassCorrection is for permits of objects whose remote import changed, and for retries.
	ClassCorrection
	// ClassScan is for the scanner.
	ClassScan

	classes
)

// neglectedEvery is how often the class goes of which none went for the longest time: a class under others that never
// end still moves, by a quarter of what the account permits. It is not the oldest waiter that goes, or each page
// of a scan would wait for thousands of objects that came before it.
const neglectedEvery = 4

// waiter is what waits for the account: a permit, or a request of its own.
type waiter struct {
	class Class
	// number is the order in which the waiters came.
	number  uint64
	element *list.Element

	// permit is the permit that it waits for, nil if it is a request.
	permit *Permit
	// request is how the request is treated. ready gets nil when it has its permission, and otherwise
	// why it has not.
	request Request
	ready   chan error
	// probe: it is the one request that shows whether the API answers again.
	probe bool
	// first is the number of a request that goes first after a pause, 0 for others.
	first int
}

// queue has what waits for one account: by class, and first come, first served within a class. Its zero
// value is ready for use.
type queue struct {
	byClass [classes]list.List
	// number is that of the last waiter, taken how many were taken out by next, and went, by class, how many had
	// been when the last of it was.
	number, taken uint64
	went          [classes]uint64
}

// add puts a waiter at the end of its class.
func (q *queue) add(w *waiter) {
	q.number++
	w.number = q.number
	w.element = q.byClass[w.class].PushBack(w)
}

// remove takes a waiter out. One that does not wait is ignored.
func (q *queue) remove(w *waiter) {
	if w.element != nil {
		q.byClass[w.class].Remove(w.element)
		w.element = nil
	}
}

// raise puts a waiter at the end of a more urgent class. It never loses its place to a less urgent one.
func (q *queue) raise(w *waiter, class Class) {
	if class >= w.class {
		return
	}
	number := w.number
	q.remove(w)
	w.class = class
	q.add(w)
	w.number = number
}

// next returns the waiter that goes next among those that may: the first of the most urgent class, and
// every fourth time that of the class of which none went for the longest time. It is nil if there is none.
func (q *queue) next(may func(*waiter) bool) *waiter {
	var urgent, neglected *waiter
	for class := range q.byClass {
		front := q.byClass[class].Front()
		if front == nil {
			continue
		}
		w := front.Value.(*waiter)
		if !may(w) {
			continue
		}
		if urgent == nil {
			urgent = w
		}
		if neglected == nil || q.went[w.class] < q.went[neglected.class] || q.went[w.class] == q.went[neglected.class] && w.number < neglected.number {
			neglected = w
		}
	}
	if (q.taken+1)%neglectedEvery == 0 {
		return neglected
	}
	return urgent
}

// take takes out the waiter that next returned.
func (q *queue) take(w *waiter) {
	q.taken++
	q.went[w.class] = q.taken
	q.remove(w)
}

// all returns all waiters, the most urgent first.
func (q *queue) all() (waiters []*waiter) {
	for class := range q.byClass {
		for e := q.byClass[class].Front(); e != nil; e = e.Next() {
			waiters = append(waiters, e.Value.(*waiter))
		}
	}
	return waiters
}
