// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// An Account's deletion and an Import's creation may happen at once, each seeing an old
// version of the other: what the cache shows is put here beside what the API server has.

func cluster(objects ...client.Object) client.WithWatch {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithIndex(&v1alpha1.Import{}, indexImportAccount, func(object client.Object) []string {
			return []string{object.(*v1alpha1.Import).Spec.AccountRef.Name}
		}).Build()
}

func accountFor(leaving bool) *v1alpha1.Account {
	account := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "default", Finalizers: []string{v1alpha1.AccountFinalizer}}}
	if leaving {
		account.DeletionTimestamp = &metav1.Time{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	return account
}

func importOf(account, name string, finalizers ...string) *v1alpha1.Import {
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, Finalizers: finalizers}}
	object.Spec.AccountRef.Name = account
	return object
}

func TestHoldOfALeavingAccount(t *testing.T) {
	cases := map[string]struct {
		reason       string
		cached, live []client.Object
		want         []string
	}{
		"Unused": {"nothing needs it",
			nil, nil, nil},
		"NeverMade": {"an Import without a finalizer has nothing to delete",
			[]client.Object{importOf("default", "a")}, []client.Object{importOf("default", "a")}, nil},
		"OfAnother": {"an Import of another Account does not count",
			[]client.Object{importOf("other", "a", v1alpha1.Finalizer)}, []client.Object{importOf("other", "a", v1alpha1.Finalizer)}, nil},
		"InUse": {"those that need it are named in order",
			[]client.Object{importOf("default", "b", v1alpha1.Finalizer), importOf("default", "a", v1alpha1.Finalizer)}, nil, []string{"a", "b"}},
		"CacheBehind": {"an Import that just put its finalizer down is not in the cache yet",
			[]client.Object{importOf("default", "a")}, []client.Object{importOf("default", "a", v1alpha1.Finalizer)}, []string{"a"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			account := accountFor(true)
			r := &AccountReconciler{
				Client: cluster(append(tc.cached, account)...), Live: cluster(append(tc.live, account)...),
				Accounts: NewAccounts(t.Context(), nil, clock.RealClock{}, false, false),
			}
			if err := r.Get(t.Context(), client.ObjectKeyFromObject(account), account); err != nil {
				t.Fatal(err)
			}
			got, err := r.hold(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s:\n%s", tc.reason, diff)
			}
			err = r.Get(t.Context(), client.ObjectKeyFromObject(account), &v1alpha1.Account{})
			if gone := client.IgnoreNotFound(err) == nil && err != nil; gone != (len(tc.want) == 0) {
				t.Errorf("%s: gone = %t (%v)", tc.reason, gone, err)
			}
		})
	}
}

func TestPostAsksWhetherTheAccountStays(t *testing.T) {
	broken := interceptor.NewClient(cluster(), interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return errors.New("no answer")
		},
	})
	cases := map[string]struct {
		reason string
		live   client.Reader
		called bool
	}{
		"Stays":     {"the Account is there", cluster(accountFor(false)), true},
		"Leaving":   {"the cache does not show yet that it is being deleted", cluster(accountFor(true)), false},
		"Gone":      {"it is gone already", cluster(), false},
		"NotToRead": {"nobody knows", broken, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := importOf("default", "a", v1alpha1.Finalizer)
			pending := `{"externalId":"k8s/1","name":"a","time":"` + time.Now().UTC().Format(time.RFC3339) + `"}`
			object.Annotations = map[string]string{v1alpha1.AnnotationCreatePending: pending}
			r := &ImportReconciler{Client: cluster(object), Live: tc.live, Clock: clock.RealClock{}, CreateUnconfirmedTimeout: time.Minute}
			if err := r.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
			called := false
			s := &importScope{object: object, before: object.DeepCopy(), session: &session{}}
			err := r.post(t.Context(), s, func(context.Context, *importScope) error {
				called = true
				return errors.New("it never became a request")
			})
			if err == nil || called != tc.called {
				t.Errorf("%s: called = %t, error %v", tc.reason, called, err)
			}
			if err := r.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
			if pending := object.Annotations[v1alpha1.AnnotationCreatePending]; pending != "" {
				t.Errorf("%s: the intent to create is still there", tc.reason)
			}
		})
	}
}
