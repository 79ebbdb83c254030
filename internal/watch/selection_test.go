// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

func selecting(t *testing.T, selector string) *watch.Selection {
	t.Helper()
	parsed, err := labels.Parse(selector)
	if err != nil {
		t.Fatal(err)
	}
	return watch.Select(parsed)
}

func labeled(shard string) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) { object.Labels = map[string]string{"shard": shard, "other": "x"} }
}

func TestSelection(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, selector string
		object           *v1alpha1.Import
		want             bool
		kept             map[string]string
	}{
		"All":       {"without a selector, every object is selected", "", anImport(), true, nil},
		"One":       {"it has the label", "shard=a", anImport(labeled("a")), true, map[string]string{"shard": "a"}},
		"Another":   {"it has another value", "shard=a", anImport(labeled("b")), false, map[string]string{"shard": "b"}},
		"None":      {"it has no label", "shard=a", anImport(), false, map[string]string{}},
		"TheRest":   {"somebody has to have those without a label", "!shard", anImport(), true, map[string]string{}},
		"NoRest":    {"it has the label", "!shard", anImport(labeled("a")), false, map[string]string{"shard": "a"}},
		"SeveralOf": {"a selector may name several labels", "shard in (a,b),other=x", anImport(labeled("b")), true, map[string]string{"shard": "b", "other": "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			selection := selecting(t, tc.selector)
			if got := selection.Has(tc.object); got != tc.want {
				t.Errorf("%s: %t", tc.reason, got)
			}
			if diff := cmp.Diff(tc.kept, selection.Labels(tc.object.Labels)); diff != "" {
				t.Errorf("the labels that count: %s", diff)
			}
			if got := selection.Cached(tc.object); got != tc.want {
				t.Errorf("%s: the cache says %t", tc.reason, got)
			}
		})
	}
}

func TestArrived(t *testing.T) {
	ours, theirs := anImport(labeled("a")), anImport(labeled("b"))
	again := anImport(labeled("a"), func(object *v1alpha1.Import) { object.UID = "another" })
	for name, tc := range map[string]struct {
		reason   string
		selector string
		cached   []*v1alpha1.Import
		object   *v1alpha1.Import
		want     []bool
	}{
		"Alone":    {"nobody else has it where everything is selected", "", []*v1alpha1.Import{ours, theirs}, ours, []bool{false}},
		"New":      {"nobody had it before", "shard=a", []*v1alpha1.Import{ours}, ours, []bool{false}},
		"Moved":    {"another operator had it; that is said once", "shard=a", []*v1alpha1.Import{ours, theirs, ours}, ours, []bool{true, false}},
		"Returned": {"the reconciler need not see each of the versions", "shard=a", []*v1alpha1.Import{ours, theirs, ours, ours}, ours, []bool{true}},
		"Recreated": {"the one that another operator had was deleted", "shard=a",
			[]*v1alpha1.Import{theirs, again}, again, []bool{false}},
	} {
		t.Run(name, func(t *testing.T) {
			selection := selecting(t, tc.selector)
			for _, version := range tc.cached {
				selection.Cached(version)
			}
			var got []bool
			for range tc.want {
				got = append(got, selection.Arrived(tc.object))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
	selection := selecting(t, "shard=a")
	selection.Cached(theirs)
	selection.Moved().Delete(deleted(theirs))
	if selection.Arrived(ours) {
		t.Error("what is deleted is remembered")
	}
}

func TestOwn(t *testing.T) {
	always, never := predicate.NewPredicateFuncs(func(client.Object) bool { return true }), predicate.NewPredicateFuncs(func(client.Object) bool { return false })
	ours, theirs := anImport(labeled("a")), anImport(labeled("b"))
	checkEvents(t, selecting(t, "shard=a").Own(always), map[string]eventCase{
		"Created":        {"it is ours", created(ours), true},
		"CreatedThere":   {"it is another operator's", created(theirs), false},
		"Updated":        {"it is ours", updated(ours, ours), true},
		"UpdatedThere":   {"it is another operator's", updated(theirs, theirs), false},
		"Came":           {"this operator goes on with it", updated(theirs, ours), true},
		"Went":           {"this operator forgets it", updated(ours, theirs), true},
		"Deleted":        {"this operator forgets it", deleted(ours), true},
		"DeletedThere":   {"it is another operator's", deleted(theirs), false},
		"Generic":        {"it is ours", notified(ours), true},
		"GenericOfThose": {"it is another operator's", notified(theirs), false},
	})
	checkEvents(t, selecting(t, "shard=a").Own(never), map[string]eventCase{
		"Came":    {"no other predicate knows of labels", updated(theirs, ours), true},
		"Went":    {"no other predicate knows of labels", updated(ours, theirs), true},
		"Updated": {"the other predicate decides", updated(ours, ours), false},
		"Created": {"the other predicate decides", created(ours), false},
	})
	checkEvents(t, selecting(t, "").Own(always), map[string]eventCase{"All": {"everything is ours", updated(theirs, theirs), true}})
	checkEvents(t, selecting(t, "").Own(never), map[string]eventCase{"All": {"the other predicate decides", updated(theirs, ours), false}})
}

// A run has no labels in the cache but those that select it.
func TestLabelsOfRuns(t *testing.T) {
	run := &v1alpha1.ImportRun{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"shard": "a", "large": "x"}}}
	selection := selecting(t, "shard in (a,b)")
	run.Labels = selection.Labels(run.Labels)
	if !selection.Has(run) || len(run.Labels) != 1 {
		t.Errorf("the labels are %v", run.Labels)
	}
}
