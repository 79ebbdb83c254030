// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

const (
	// labeledValues is how many values of the label one list may ask for: the selector is a part of the URL.
	labeledValues = 64
	// labeledRest is how long no list begins after one, in times of what it took, and labeledRestMost at most.
	labeledRest, labeledRestMost = 3, time.Second
	// labeledTimeout bounds a list: nobody who asked for it has to wait for it.
	labeledTimeout = 30 * time.Second
)

// Labeled lists Imports by the label of their remote import. The API server looks through all Imports for each
// list, so that 10,000 lists of 10,000 Imports would keep it busy for minutes: those who ask at the same time
// share a list. One that has begun is never shared with somebody who asks later: what was written before the
// call is in the list. The zero value is ready for use, by several goroutines.
type Labeled struct {
	clock clock.RealClock

	mu sync.Mutex
	// waiting are the lists that have not begun. running reports whether somebody begins them.
	waiting []*labeledList
	running bool
}

// labeledList is one list, for all who want one of its values.
type labeledList struct {
	values sets.Set[string]
	// ended is closed when there are imports by their labels, or err.
	ended   chan struct{}
	imports map[string][]*v1alpha1.Import
	err     error
}

// List returns the Imports that have one of the values as their label, from a list that begins after the call.
// reader is the same in all calls; it reads past the cache. The Imports must not be changed.
func (l *Labeled) List(ctx context.Context, reader client.Reader, values ...string) (found []*v1alpha1.Import, err error) {
	list := l.join(reader, values)
	select {
	case <-list.ended:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	for _, value := range sets.List(sets.New(values...)) {
		found = append(found, list.imports[value]...)
	}
	return found, list.err
}

// join adds values to the next list that has room for them.
func (l *Labeled) join(reader client.Reader, values []string) *labeledList {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.waiting) - 1
	if last < 0 || len(l.waiting[last].values)+len(values) > labeledValues {
		l.waiting = append(l.waiting, &labeledList{values: sets.New[string](), ended: make(chan struct{})})
		last++
	}
	list := l.waiting[last]
	list.values.Insert(values...)
	if !l.running {
		l.running = true
		go l.run(reader)
	}
	return list
}

// run begins one list after the other, with a rest after each, until nobody waits for any.
func (l *Labeled) run(reader client.Reader) {
	for {
		l.mu.Lock()
		if len(l.waiting) == 0 {
			l.running = false
			l.mu.Unlock()
			return
		}
		list := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.mu.Unlock()

		began := l.clock.Now()
		list.read(reader)
		close(list.ended)
		l.clock.Sleep(min(labeledRest*l.clock.Since(began), labeledRestMost))
	}
}

func (l *labeledList) read(reader client.Reader) {
	ctx, cancel := context.WithTimeout(context.Background(), labeledTimeout)
	defer cancel()
	requirement, err := labels.NewRequirement(v1alpha1.LabelRemoteImport, selection.In, l.values.UnsortedList())
	if err != nil {
		l.err = err
		return
	}
	var all v1alpha1.ImportList
	if err := reader.List(ctx, &all, client.MatchingLabelsSelector{Selector: labels.NewSelector().Add(*requirement)}); err != nil {
		l.err = fmt.Errorf("list the Imports by the label of their remote import: %w", err)
		return
	}
	l.imports = map[string][]*v1alpha1.Import{}
	for i := range all.Items {
		label := all.Items[i].Labels[v1alpha1.LabelRemoteImport]
		l.imports[label] = append(l.imports[label], &all.Items[i])
	}
}
