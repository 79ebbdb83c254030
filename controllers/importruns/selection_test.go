// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"testing"

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

// Whatever has enqueued a run, one of another operator is left alone.
func TestReconcilesItsOwn(t *testing.T) {
	selector, err := labels.Parse("shard=a")
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for shard, want := range map[string]v1alpha1.RunPhase{"a": v1alpha1.RunWaiting, "b": ""} {
		t.Run(shard, func(t *testing.T) {
			run := &v1alpha1.ImportRun{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "first", UID: "a", Labels: map[string]string{"shard": shard}}}
			run.Spec.ImportRef = &v1alpha1.LocalReference{Name: "orders"}
			api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(run).WithStatusSubresource(run).Build()
			calls := NewCalls(1)
			r := &Reconciler{
				Client: api, Live: api, Direct: api, Registry: account.NewRegistry(t.Context(), api, clock.RealClock{}, account.Options{}),
				Recorder: events.NewFakeRecorder(10), Clock: clock.RealClock{}, Calls: calls, Selection: watch.Select(selector),
				budget: &calls.budget, unpacking: &calls.unpacking,
			}
			if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(run)}); err != nil {
				t.Fatal(err)
			}
			if err := api.Get(t.Context(), client.ObjectKeyFromObject(run), run); err != nil {
				t.Fatal(err)
			}
			// A run waits for its Import.
			if run.Status.Phase != want {
				t.Errorf("the status is %+v", run.Status)
			}
		})
	}
}
