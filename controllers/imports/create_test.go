// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// cluster is an API server with these objects.
func cluster(t *testing.T, objects ...client.Object) client.WithWatch {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func accountObject(deleting bool) *v1alpha1.Account {
	object := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "default", Finalizers: []string{v1alpha1.AccountFinalizer}}}
	if deleting {
		object.DeletionTimestamp = &metav1.Time{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	return object
}

// An Account's deletion and an Import's creation may happen at once: after its finalizer was written, the
// Import looks again whether the Account is being deleted.
func TestCreateRequiresTheAccount(t *testing.T) {
	unreadable := interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
		if _, is := object.(*v1alpha1.Account); is {
			return errors.New("no answer")
		}
		return c.Get(ctx, key, object, options...)
	}}
	cases := map[string]struct {
		reason  string
		account []client.Object
		faults  interceptor.Funcs
		called  bool
	}{
		"Exists":     {"the Account is there", []client.Object{accountObject(false)}, interceptor.Funcs{}, true},
		"Deleting":   {"it is being deleted by now", []client.Object{accountObject(true)}, interceptor.Funcs{}, false},
		"Deleted":    {"it does not exist any more", nil, interceptor.Funcs{}, false},
		"Unreadable": {"nobody knows", nil, unreadable, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.WriteHeader(http.StatusUnprocessableEntity)
			}))
			t.Cleanup(api.Close)
			remote, err := integrator.New(integrator.Config{BaseURL: api.URL, Token: "token", AllowHTTP: true})
			if err != nil {
				t.Fatal(err)
			}
			object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a", Finalizers: []string{v1alpha1.Finalizer}}}
			object.Spec.AccountRef.Name = "default"
			pending := `{"externalId":"k8s/1","name":"a","time":"` + time.Now().UTC().Format(time.RFC3339) + `"}`
			object.Annotations = map[string]string{v1alpha1.AnnotationCreatePending: pending}
			r := &Reconciler{Client: interceptor.NewClient(cluster(t, append(tc.account, object)...), tc.faults), Clock: clock.RealClock{}, CreateUnconfirmedTimeout: time.Minute}
			if err := r.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
			s := &scope{object: object, before: object.DeepCopy(), desired: &definition.Desired{Document: map[string]any{"name": "a"}},
				session: &account.Session{Client: remote, Observations: account.NewObservations(ownership.Owner{})}}
			machine, pass := importstate.New(), importstate.Pass{Object: object, Step: importstate.StepCreate, Now: r.Clock.Now(), Timeout: time.Minute}
			for err == nil && !pass.Ended() {
				pass, err = machine.Advance(t.Context(), pass, effects{r, s})
			}
			if called := calls.Load() > 0; err == nil || called != tc.called {
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
