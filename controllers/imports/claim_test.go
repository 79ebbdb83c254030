// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

const contestedID = "64a0000000000000000000c1"

// contender is an Import that adopts the import of contestedID, and has claimed it.
func contender(name, version string, change ...func(*v1alpha1.Import)) *v1alpha1.Import {
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: name, UID: types.UID(name), ResourceVersion: version, Annotations: map[string]string{v1alpha1.AnnotationAdoptPending: contestedID},
		Labels: map[string]string{v1alpha1.LabelRemoteImport: contestedID},
	}}
	object.Spec.AccountRef.Name = "default"
	object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: contestedID}
	for _, change := range change {
		change(object)
	}
	return object
}

// creates has an Import create what may be the import of contestedID.
func creates(object *v1alpha1.Import) {
	object.Spec.Adopt = nil
	object.Annotations = map[string]string{v1alpha1.AnnotationCreatePending: `{"token":"t","externalId":"orders","time":"2026-01-01T00:00:00Z"}`}
	object.Labels = map[string]string{v1alpha1.LabelRemoteImport: ownership.IntentLabel("orders")}
}

// holds has an Import manage it that was created later than the one that claims it.
func holds(object *v1alpha1.Import) {
	object.CreationTimestamp = metav1.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	object.Annotations, object.Finalizers = map[string]string{v1alpha1.AnnotationID: contestedID}, []string{v1alpha1.Finalizer}
	object.Status.ID, object.Status.Management = contestedID, v1alpha1.ManagementStateManaged
}

func letsGo(object *v1alpha1.Import) { object.Annotations, object.Labels = nil, nil }

// cacheOf is a cache with these objects, which counts the writes.
func cacheOf(t *testing.T, writes *int, objects ...client.Object) client.Client {
	t.Helper()
	objects = slices.DeleteFunc(objects, func(object client.Object) bool { return object == nil })
	builder := fake.NewClientBuilder().WithScheme(scheme.All()).WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			*writes++
			return c.Patch(ctx, object, patch, options...)
		},
	})
	if err := watch.SetupIndexes(t.Context(), indexBuilder{builder}, ownership.Owner{}); err != nil {
		t.Fatal(err)
	}
	return builder.Build()
}

// adopts has the Import of a name make the steps of an adoption until it does not go on.
func adopts(t *testing.T, r *Reconciler, name string) (importstate.Adoption, error) {
	t.Helper()
	object := &v1alpha1.Import{}
	if err := r.Get(t.Context(), types.NamespacedName{Namespace: "ns", Name: name}, object); err != nil {
		t.Fatal(err)
	}
	s := &scope{object: object, before: object.DeepCopy()}
	s.remote.ID, s.remote.ExternalID = contestedID, "orders"
	machine := importstate.NewAdoption()
	adoption := machine.Start(importstate.Adoption{Contest: ownership.Contest{Object: object, Remote: s.remote, Now: r.Clock.Now()}})
	for {
		next, err := machine.Advance(t.Context(), adoption, effects{r, s})
		if err != nil || next.Step == importstate.AdoptionClaim || next.Step == importstate.AdoptionTakeOver {
			return next, err
		}
		adoption = next
	}
}

// TestWithdrawnOnce: a claim that was withdrawn for an Import that the cache does not show yet is not made again until the
// cache shows what has become of that one.
func TestWithdrawnOnce(t *testing.T) {
	rival := func(version string, change ...func(*v1alpha1.Import)) client.Object {
		return contender("first", version, change...)
	}
	second := func(change ...func(*v1alpha1.Import)) client.Object {
		object := contender("second", "6", change...)
		object.CreationTimestamp = metav1.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		return object
	}
	for name, c := range map[string]struct {
		reason string
		// live is the rival past the cache. before is what the cache shows of it when the claim is withdrawn; after is
		// what it shows once time has passed.
		live, before, after client.Object
		passed              time.Duration
		claims              bool
	}{
		"Absent":       {"its creation has not come", rival("7"), nil, nil, 0, false},
		"Older":        {"its claim has not come", rival("7"), rival("5", letsGo), rival("5", letsGo), 0, false},
		"Shown":        {"the cache shows its claim", rival("7"), nil, rival("7"), 0, false},
		"LetGo":        {"it has let go since", rival("7"), nil, rival("8", letsGo), 0, true},
		"NeverShown":   {"it was deleted before the cache saw it", rival("7"), nil, nil, withdrawnPause, true},
		"ShownTooLate": {"however long it took, its claim stands", rival("7"), nil, rival("7"), withdrawnPause, false},
		"Creates":      {"the cache has what it creates, but not by the id", rival("7", creates), rival("7", creates), rival("8", creates), withdrawnPause, false},
		"Created":      {"it has created another", rival("7", creates), rival("7", creates), rival("8", letsGo), 0, true},
		"HoldsAbsent":  {"it was created later, and was faster", rival("7", holds), nil, nil, 0, false},
		"HoldsOlder":   {"that it has the import has not come", rival("7", holds), rival("5", letsGo), rival("5", letsGo), 0, false},
		"HoldsNoMore":  {"it was deleted before the cache saw it", rival("7", holds), nil, nil, withdrawnPause, true},
	} {
		t.Run(name, func(t *testing.T) {
			writes, clock := 0, clocktesting.NewFakeClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
			r := &Reconciler{Client: cacheOf(t, &writes, second(), c.before), Live: cacheOf(t, &writes, second(), c.live), Clock: clock}
			r.Registry = account.NewRegistry(t.Context(), r.Live.(client.Client), clock, account.Options{})
			if _, err := adopts(t, r, "second"); err == nil || writes != 1 {
				t.Fatalf("it ends with %v after %d writes, and does not withdraw its claim", err, writes)
			}
			r.Client = cacheOf(t, &writes, second(letsGo), c.after)
			clock.Step(c.passed)
			next, err := adopts(t, r, "second")
			if claims := next.Step == importstate.AdoptionClaim; claims != c.claims || (err == nil) != c.claims || writes != 1 {
				t.Errorf("%s: it ends with %v at step %d after %d writes", c.reason, err, next.Step, writes)
			}
		})
	}
}
