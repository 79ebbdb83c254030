// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// slowReader takes a second for a list, which has the Imports that there are when it begins.
type slowReader struct {
	client.Reader
	mu sync.Mutex
	// labels are those of the Imports that there are, lists how many values each list asked for.
	labels  []string
	lists   []int
	failing error
}

func (r *slowReader) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	selector := (&client.ListOptions{}).ApplyOptions(options).LabelSelector
	r.mu.Lock()
	requirements, _ := selector.Requirements()
	r.lists = append(r.lists, requirements[0].Values().Len())
	found := &v1alpha1.ImportList{}
	for _, label := range r.labels {
		if set := map[string]string{v1alpha1.LabelRemoteImport: label}; selector.Matches(labels.Set(set)) {
			object := v1alpha1.Import{}
			object.Name, object.Labels = label, set
			found.Items = append(found.Items, object)
		}
	}
	err := r.failing
	r.mu.Unlock()
	clock.RealClock{}.Sleep(time.Second)
	*list.(*v1alpha1.ImportList) = *found
	return err
}

func (r *slowReader) add(label string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.labels, label) {
		r.labels = append(r.labels, label)
	}
}

// asked is what one call found, and when.
type asked struct {
	Found []string
	After time.Duration
	Err   string
}

func TestLabeled(t *testing.T) {
	for reason, c := range map[string]struct {
		failing error
		limit   time.Duration
		// ask asks for values after a while, and there is an Import with each from then on.
		ask  map[time.Duration][][]string
		want []asked
		// lists are how many values each list asked for.
		lists []int
	}{
		"one that asks alone does not wait": {
			ask:   map[time.Duration][][]string{0: {{"a", "b"}}},
			want:  []asked{{Found: []string{"a", "b"}, After: time.Second}},
			lists: []int{2},
		},
		"a list that has begun is not shared": {
			ask:   map[time.Duration][][]string{0: {{"a"}}, time.Millisecond: {{"b"}}, 2 * time.Millisecond: {{"c", "a"}}},
			want:  []asked{{Found: []string{"a"}, After: time.Second}, {Found: []string{"b"}, After: 3 * time.Second}, {Found: []string{"a", "c"}, After: 3 * time.Second}},
			lists: []int{1, 3},
		},
		"after a rest, the next begins at once": {
			ask:   map[time.Duration][][]string{0: {{"a"}}, time.Minute: {{"b"}}},
			want:  []asked{{Found: []string{"a"}, After: time.Second}, {Found: []string{"b"}, After: time.Minute + time.Second}},
			lists: []int{1, 1},
		},
		"all have the error, and the next list is another": {
			failing: errors.New("no"),
			ask:     map[time.Duration][][]string{0: {{"a"}}, time.Millisecond: {{"b"}, {"c"}}},
			want:    []asked{{After: time.Second, Err: "no"}, {After: 3 * time.Second, Err: "no"}, {After: 3 * time.Second, Err: "no"}},
			lists:   []int{1, 2},
		},
		"nobody waits longer than he wants": {
			limit: 100 * time.Millisecond,
			ask:   map[time.Duration][][]string{0: {{"a"}}},
			want:  []asked{{After: 100 * time.Millisecond, Err: context.DeadlineExceeded.Error()}},
			lists: []int{1},
		},
		"a value that is asked for twice is found once": {
			ask:   map[time.Duration][][]string{0: {{"a", "a"}}},
			want:  []asked{{Found: []string{"a"}, After: time.Second}},
			lists: []int{1},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reader, labeled := &slowReader{failing: c.failing}, &watch.Labeled{}
				got, began := make([]asked, len(c.want)), time.Now()
				n := 0
				var wg sync.WaitGroup
				for _, after := range slices.Sorted(maps.Keys(c.ask)) {
					clock.RealClock{}.Sleep(time.Until(began.Add(after)))
					for _, values := range c.ask[after] {
						for _, value := range values {
							reader.add(value)
						}
						at := &got[n]
						wg.Go(func() { *at = ask(t, labeled, reader, c.limit, began, values) })
						n++
						synctest.Wait()
					}
				}
				wg.Wait()
				clock.RealClock{}.Sleep(time.Hour) // the rest after the last list
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("found (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.lists, reader.lists); diff != "" {
					t.Errorf("lists (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func ask(t *testing.T, labeled *watch.Labeled, reader client.Reader, limit time.Duration, began time.Time, values []string) (a asked) {
	ctx := t.Context()
	if limit > 0 {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = limited
	}
	found, err := labeled.List(ctx, reader, values...)
	for _, object := range found {
		a.Found = append(a.Found, object.Name)
	}
	a.After = time.Since(began)
	if err != nil {
		a.Found, a.Err = nil, rootOf(err).Error()
	}
	return a
}

// rootOf is the cause of the cause.
func rootOf(err error) error {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err
}

// A selector is a part of the URL, which has an end.
func TestLabeledIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, labeled := &slowReader{}, &watch.Labeled{}
		var wg sync.WaitGroup
		for i := range 100 {
			value := fmt.Sprintf("v%d", i)
			reader.add(value)
			wg.Go(func() {
				found, err := labeled.List(t.Context(), reader, value, "x"+value, "y"+value)
				if err != nil || len(found) != 1 || found[0].Name != value {
					t.Errorf("found %v, error %v", found, err)
				}
			})
		}
		wg.Wait()
		clock.RealClock{}.Sleep(time.Hour)
		if total, most := len(reader.lists), slices.Max(reader.lists); total > 6 || most > 64 {
			t.Errorf("%d lists for 100 at once, with up to %d values", total, most)
		}
	})
}
