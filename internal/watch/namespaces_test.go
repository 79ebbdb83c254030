// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// ledger is a reader with one Import in each namespace, which notes what is listed.
type ledger struct {
	client.Reader
	namespaces []string
	fails      map[string]error
	listed     []string
}

func (l *ledger) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	chosen := (&client.ListOptions{}).ApplyOptions(options)
	l.listed = append(l.listed, chosen.Namespace)
	imports, _ := list.(*v1alpha1.ImportList)
	for _, name := range l.namespaces {
		if chosen.Namespace == "" || chosen.Namespace == name {
			imports.Items = append(imports.Items, v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "orders"}})
		}
	}
	return l.fails[chosen.Namespace]
}

var errForbidden = errors.New("forbidden")

func TestReaderIn(t *testing.T) {
	for reason, tc := range map[string]struct {
		watched []string
		options []client.ListOption
		fails   map[string]error
		listed  []string
		found   []string
		err     error
	}{
		"all namespaces are one list": {
			listed: []string{""}, found: []string{"a", "b", "c"},
		},
		"of some namespaces, each is listed on its own": {
			watched: []string{"a", "c"}, options: []client.ListOption{client.MatchingLabels{"x": "y"}},
			listed: []string{"a", "c"}, found: []string{"a", "c"},
		},
		"a list of one namespace stays one, also in pages": {
			watched: []string{"a", "c"}, options: []client.ListOption{client.InNamespace("a"), client.Limit(1)},
			listed: []string{"a"}, found: []string{"a"},
		},
		"what cannot be listed is not left out": {
			watched: []string{"a", "c"}, fails: map[string]error{"c": errForbidden}, listed: []string{"a", "c"}, err: errForbidden,
		},
		"pages of several namespaces are refused, instead of a part": {
			watched: []string{"a", "c"}, options: []client.ListOption{client.Limit(1)}, err: errPaged,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			reader := &ledger{namespaces: []string{"a", "b", "c"}, fails: tc.fails}
			var list v1alpha1.ImportList
			err := ReaderIn(reader, tc.watched).List(t.Context(), &list, tc.options...)
			if !errors.Is(err, tc.err) {
				t.Errorf("%s: got error %v, want %v", reason, err, tc.err)
			}
			var found []string
			for i := range list.Items {
				found = append(found, list.Items[i].Namespace)
			}
			if diff := cmp.Diff(tc.listed, reader.listed); diff != "" {
				t.Errorf("%s: lists (-want +got)\n%s", reason, diff)
			}
			if diff := cmp.Diff(tc.found, found); diff != "" {
				t.Errorf("%s: found (-want +got)\n%s", reason, diff)
			}
		})
	}
}

func TestCacheIn(t *testing.T) {
	if got := CacheIn(nil); got != nil {
		t.Errorf("no namespaces stand for all: got %v", got)
	}
	got := CacheIn([]string{"a", "b"})
	if _, hasA := got["a"]; !hasA || len(got) != 2 {
		t.Errorf("got %v", got)
	}
}
