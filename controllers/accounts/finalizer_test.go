// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// An Account's deletion and an Import's creation may happen at once, each seeing an old version of
// the other. So what the cache shows is set apart here from what the API server has.

func cluster(objects ...client.Object) client.WithWatch {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func importOf(account, name string, finalizers ...string) *v1alpha1.Import {
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, Finalizers: finalizers}}
	object.Spec.AccountRef.Name = account
	return object
}

func TestDeletedAccountStaysWhileImportsNeedIt(t *testing.T) {
	cases := map[string]struct {
		reason       string
		cached, live []client.Object
		want         []string
	}{
		"Unused": {"nothing needs it",
			nil, nil, nil},
		"NeverCreated": {"an Import without a finalizer has nothing to delete",
			[]client.Object{importOf("default", "a")}, []client.Object{importOf("default", "a")}, nil},
		"OfAnother": {"an Import of another Account does not count",
			[]client.Object{importOf("other", "a", v1alpha1.Finalizer)}, []client.Object{importOf("other", "a", v1alpha1.Finalizer)}, nil},
		"InUse": {"those that need it are named in order",
			[]client.Object{importOf("default", "b", v1alpha1.Finalizer), importOf("default", "a", v1alpha1.Finalizer)}, nil, []string{"a", "b"}},
		"CacheBehind": {"an Import that just got its finalizer is not in the cache yet",
			[]client.Object{importOf("default", "a")}, []client.Object{importOf("default", "a", v1alpha1.Finalizer)}, []string{"a"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{
				Namespace: "ns", Name: "default", Finalizers: []string{v1alpha1.AccountFinalizer},
				DeletionTimestamp: &metav1.Time{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
			}}
			r := &Reconciler{
				Clock:  clock.RealClock{},
				Client: cluster(append(tc.cached, object)...), Live: cluster(append(tc.live, object)...),
				Registry: account.NewRegistry(t.Context(), nil, clock.RealClock{}, account.Options{}),
			}
			if err := r.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
			got, err := r.updateFinalizer(t.Context(), object)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s:\n%s", tc.reason, diff)
			}
			err = r.Get(t.Context(), client.ObjectKeyFromObject(object), &v1alpha1.Account{})
			if deleted := client.IgnoreNotFound(err) == nil && err != nil; deleted != (len(tc.want) == 0) {
				t.Errorf("%s: deleted = %t (%v)", tc.reason, deleted, err)
			}
		})
	}
}

// The finalizer of an Account is of the operator that selects it.
func TestFinalizerOfAnotherOperatorsAccount(t *testing.T) {
	selector, err := labels.Parse("shard=a")
	if err != nil {
		t.Fatal(err)
	}
	deleted := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: "deleted", Finalizers: []string{v1alpha1.AccountFinalizer},
		DeletionTimestamp: &metav1.Time{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
	}}
	for name, object := range map[string]*v1alpha1.Account{
		"is not added": {ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "default"}}, "is not removed": deleted,
	} {
		t.Run(name, func(t *testing.T) {
			c := cluster(object)
			r := &Reconciler{
				Client: c, Live: c, Clock: clock.RealClock{}, Registry: account.NewRegistry(t.Context(), nil, clock.RealClock{}, account.Options{}), Selection: watch.Select(selector),
			}
			if err := r.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
			before := object.ResourceVersion
			if users, err := r.updateFinalizer(t.Context(), object); err != nil || users != nil {
				t.Fatal(users, err)
			}
			if err := r.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil || object.ResourceVersion != before {
				t.Errorf("the Account was written: %v, version %s and not %s", err, object.ResourceVersion, before)
			}
		})
	}
}

// Another process, whose cache is behind, may just be creating: its Import gets the finalizer, and it does not
// see yet that the Account is being deleted.
func TestDeletedAccountWaitsForOtherProcesses(t *testing.T) {
	deleted := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		reason  string
		imports []client.Object
		after   time.Duration
		wait    bool
	}{
		"AtOnce":    {"an Import could be created", []client.Object{importOf("default", "a")}, time.Second, true},
		"Later":     {"by now everybody knows of the deletion", []client.Object{importOf("default", "a")}, cacheLag, false},
		"NoImports": {"there is none that could be created", []client.Object{importOf("other", "a")}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			object := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{
				Namespace: "ns", Name: "default", Finalizers: []string{v1alpha1.AccountFinalizer}, DeletionTimestamp: &metav1.Time{Time: deleted},
			}}
			all := cluster(append(tc.imports, object)...)
			r := &Reconciler{
				Client: all, Live: all, Clock: clocktesting.NewFakePassiveClock(deleted.Add(tc.after)),
				Registry: account.NewRegistry(t.Context(), nil, clock.RealClock{}, account.Options{}),
			}
			if err := r.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
			if _, err := r.updateFinalizer(t.Context(), object); errors.Is(err, errNotYet) != tc.wait || err != nil && !tc.wait {
				t.Errorf("%s: ends with %v", tc.reason, err)
			}
		})
	}
}

func TestFinalizerIsAddedOnce(t *testing.T) {
	object := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "default", Finalizers: []string{"another/one"}}}
	r := &Reconciler{Client: cluster(object), Registry: account.NewRegistry(t.Context(), nil, clock.RealClock{}, account.Options{})}
	if err := r.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		t.Fatal(err)
	}
	stale := object.DeepCopy()
	var versions []string
	for range 2 {
		if users, err := r.updateFinalizer(t.Context(), object); err != nil || users != nil {
			t.Fatal(users, err)
		}
		versions = append(versions, object.ResourceVersion)
	}
	if diff := cmp.Diff([]string{"another/one", v1alpha1.AccountFinalizer}, object.Finalizers); diff != "" {
		t.Error(diff)
	}
	if versions[0] != versions[1] {
		t.Errorf("a finalizer that is there is written again: %v", versions)
	}
	if _, err := r.updateFinalizer(t.Context(), stale); err == nil {
		t.Error("a finalizer is written to an object that somebody else wrote meanwhile")
	}
}
