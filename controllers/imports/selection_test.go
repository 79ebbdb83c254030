// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// sharing is an API server with an Import of a shard, and the reconciler of the operator that has shard a.
func sharing(t *testing.T, shard string) (client.WithWatch, *Reconciler, *v1alpha1.Import) {
	t.Helper()
	selector, err := labels.Parse("shard=a")
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "orders", UID: "a", Labels: map[string]string{"shard": shard}}}
	object.Spec.AccountRef.Name = "default"
	api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(object).WithStatusSubresource(object).Build()
	r := &Reconciler{
		Client: api, Live: api, Registry: account.NewRegistry(t.Context(), api, clock.RealClock{}, account.Options{}),
		Recorder: events.NewFakeRecorder(10), Clock: clock.RealClock{}, Selection: watch.Select(selector),
	}
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		t.Fatal(err)
	}
	return api, r, object
}

// Whatever has enqueued an Import, one of another operator is left alone.
func TestReconcilesItsOwn(t *testing.T) {
	for shard, want := range map[string]bool{"a": true, "b": false} {
		t.Run(shard, func(t *testing.T) {
			api, r, object := sharing(t, shard)
			if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(object)}); err != nil {
				t.Fatal(err)
			}
			if err := api.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
			// That there is no Account is what the status of its own says.
			if got := len(object.Status.Conditions) > 0; got != want {
				t.Errorf("the status is %+v", object.Status)
			}
		})
	}
}

// What moves to another operator while it is reconciled is not written to any more.
func TestMovedMeanwhile(t *testing.T) {
	for name, write := range map[string]func(*Reconciler, *scope) error{
		"Status": func(r *Reconciler, s *scope) error { return reportNone(r.objects(), s) },
		"Read past the cache": func(r *Reconciler, s *scope) error {
			_, err := r.objects().readUnchanged(t.Context(), s)
			return err
		},
		"Metadata": func(r *Reconciler, s *scope) error {
			return r.objects().patchMetadata(t.Context(), s, metadataChange{locked: true, finalizer: true})
		},
	} {
		for shard, conflict := range map[string]bool{"a": name == "Metadata", "b": true} {
			t.Run(name+" "+shard, func(t *testing.T) {
				api, r, object := sharing(t, "a")
				s := &scope{object: object, before: object.DeepCopy()}
				live := object.DeepCopy()
				live.Labels = map[string]string{"shard": shard, "team": "erp"}
				if err := api.Update(t.Context(), live); err != nil {
					t.Fatal(err)
				}
				if err := write(r, s); apierrors.IsConflict(err) != conflict {
					t.Errorf("got %v, conflict wanted: %t", err, conflict)
				}
			})
		}
	}
}

// The end of a creation is written wherever the Import is by then, and nothing after it.
func TestMovedAtTheEnd(t *testing.T) {
	api, r, object := sharing(t, "a")
	s := &scope{object: object, before: object.DeepCopy()}
	live := object.DeepCopy()
	live.Labels = map[string]string{"shard": "b"}
	if err := api.Update(t.Context(), live); err != nil {
		t.Fatal(err)
	}
	change := metadataChange{annotations: map[string]any{v1alpha1.AnnotationID: "id"}}
	if err := r.objects().patchWhile(t.Context(), s, change, func(_, _ *v1alpha1.Import) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if _, err := r.finish(t.Context(), s, nil); err != nil {
		t.Fatal(err)
	}
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(object), live); err != nil {
		t.Fatal(err)
	}
	if live.Annotations[v1alpha1.AnnotationID] != "id" || len(live.Status.Conditions) > 0 {
		t.Errorf("annotations %v, status %+v", live.Annotations, live.Status)
	}
}
