// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
)

func TestWriteError(t *testing.T) {
	resource := schema.GroupResource{Group: "integrator.io", Resource: "imports"}
	answer := func(code int32, message string) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Message: message}}
	}
	cases := map[string]struct {
		reason string
		err    error
		advice string
	}{
		"Nothing":     {reason: "no error is none"},
		"Etcd":        {reason: "etcd has no room for the object", err: answer(http.StatusInternalServerError, "etcdserver: request is too large"), advice: "make the definition smaller"},
		"GRPC":        {reason: "nor has the API server's client of etcd", err: answer(http.StatusInternalServerError, "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2097999 vs. 2097152)"), advice: "make the definition smaller"},
		"Body":        {reason: "the request is larger than the API server reads", err: apierrors.NewRequestEntityTooLargeError("limit is 3145728"), advice: "make the definition smaller"},
		"Invalid":     {reason: "the schema does not fit", err: apierrors.NewInvalid(schema.GroupKind{Kind: "Import"}, "a", nil), advice: "apply the CustomResourceDefinitions"},
		"Policy":      {reason: "a webhook or policy is against it", err: apierrors.NewForbidden(resource, "a", errors.New("denied")), advice: "check the admission policies"},
		"Webhook":     {reason: "also with another code", err: apierrors.NewBadRequest("denied"), advice: "check the admission policies"},
		"Conflict":    {reason: "somebody else wrote meanwhile", err: apierrors.NewConflict(resource, "a", errors.New("changed"))},
		"Internal":    {reason: "the API server fails", err: answer(http.StatusInternalServerError, "etcdserver: leader changed")},
		"Unreachable": {reason: "nothing was answered", err: errors.New("request is too large to be sent, says no API server")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := WriteError("the status", tc.err)
			if (err == nil) != (tc.err == nil) || tc.err != nil && !errors.Is(err, tc.err) {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			refused := Refused(fmt.Errorf("wrapped: %w", err))
			if (refused != nil) != (tc.advice != "") {
				t.Fatalf("%s: refused: %v", tc.reason, refused)
			}
			for _, part := range []string{tc.advice, "refuses to write the status of the Import: "} {
				if refused != nil && !strings.Contains(refused.Advice(), part) {
					t.Errorf("%s: %s", tc.reason, refused.Advice())
				}
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	object := func(uid types.UID, generation int64) *v1alpha1.Import {
		made := &v1alpha1.Import{}
		made.Namespace, made.Name, made.UID, made.Generation = "n", "a", uid, generation
		return made
	}
	var refusals Refusals
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	restored := func(read *v1alpha1.Import) string {
		refusals.Restore(read)
		return read.Status.ID
	}
	pauses := func(read *v1alpha1.Import, n int) (all []time.Duration) {
		for range n {
			all = append(all, refusals.Pause(read, now))
		}
		return all
	}
	if got := restored(object("1", 1)); got != "" {
		t.Errorf("an object whose status was written gets the id %q", got)
	}

	refused := object("1", 1)
	refused.Status.ID = "id"
	reports := []bool{refusals.Report(refused), refusals.Report(refused)}
	if diff := cmp.Diff([]bool{true, false}, reports); diff != "" {
		t.Errorf("it is reported once for a generation: -want, +got:\n%s", diff)
	}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}
	for i := range want {
		want[i] *= time.Second
	}
	if diff := cmp.Diff(want, pauses(refused, len(want))); diff != "" {
		t.Errorf("pauses: -want, +got:\n%s", diff)
	}

	refusals.Keep(refused, v1alpha1.ImportStatus{}, refused.Status)
	refused.Status.ID = "changed later"
	changed := object("1", 1)
	changed.Status.ID = "another process"
	got := []string{restored(object("1", 1)), restored(object("1", 2)), restored(object("2", 1)), restored(changed)}
	if diff := cmp.Diff([]string{"id", "id", "", "another process"}, got); diff != "" {
		t.Errorf("the status is of this object, as long as nobody else writes one: -want, +got:\n%s", diff)
	}

	annotated := func(name string) *v1alpha1.Import {
		read := object("1", 1)
		read.Annotations = map[string]string{name: "x"}
		return read
	}
	waits := map[string]time.Duration{
		"at once": refusals.Wait(object("1", 1), now), "later": refusals.Wait(object("1", 1), now.Add(299*time.Second)), "afterwards": refusals.Wait(object("1", 1), now.Add(time.Hour)),
		"own annotation": refusals.Wait(annotated(v1alpha1.AnnotationID), now), "requested": refusals.Wait(annotated(v1alpha1.AnnotationReconcileRequestedAt), now),
		"another spec": refusals.Wait(object("1", 2), now), "another object": refusals.Wait(object("2", 1), now),
	}
	if diff := cmp.Diff(map[string]time.Duration{
		"at once": 300 * time.Second, "later": time.Second, "afterwards": 0, "own annotation": 300 * time.Second, "requested": 0, "another spec": 0, "another object": 0,
	}, waits); diff != "" {
		t.Errorf("how long it waits: -want, +got:\n%s", diff)
	}

	if !refusals.Report(object("1", 2)) || refusals.Pause(object("1", 2), now) != time.Second {
		t.Error("another generation does not begin anew")
	}
	refusals.Written(object("1", 2), false)
	if refusals.Report(object("1", 2)) || refusals.Wait(object("1", 2), now) != 0 || restored(object("1", 2)) != "" || refusals.Pause(object("1", 2), now) != time.Second {
		t.Error("a reduced status does not end the pauses, or is reported anew")
	}
	refusals.Written(object("1", 2), true)
	if !refusals.Report(object("1", 2)) {
		t.Error("after a whole status the next refusal is not reported")
	}
	if !refusals.Report(object("2", 2)) {
		t.Error("a new object of the same name is taken for the old one")
	}
	refusals.Forget(types.NamespacedName{Namespace: "n", Name: "a"})
	if !refusals.Report(object("2", 2)) {
		t.Error("a deleted object is remembered")
	}
}

// An adoption whose status was refused is forgotten where somebody takes its id away meanwhile.
func TestRestoreOfAdoption(t *testing.T) {
	const id = "650000000000000000000001"
	object := &v1alpha1.Import{}
	object.Name, object.UID = "orders", "1"
	object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: id}
	object.Annotations = map[string]string{v1alpha1.AnnotationID: id}
	refused := object.DeepCopy().Status
	refused.ID = id
	var known Refusals
	known.Keep(object, object.Status, refused)
	for _, want := range []string{id, ""} {
		restored := object.DeepCopy()
		if known.Restore(restored); restored.Status.ID != want {
			t.Errorf("with annotations %v it has %q, not %q", object.Annotations, restored.Status.ID, want)
		}
		object.Annotations = nil
	}
}

func TestRestoreOfStripped(t *testing.T) {
	object := &v1alpha1.Import{}
	object.Name, object.UID = "orders", "1"
	for i := range 500 {
		object.Status.OwnedFields = append(object.Status.OwnedFields, fmt.Sprintf("/settings/field%d", i))
	}
	refused := object.DeepCopy().Status
	refused.ID = "new"
	refused.OwnedFields = append(refused.OwnedFields, "/another")
	var known Refusals
	known.Keep(object, object.Status, refused)
	cached := object.DeepCopy()
	definition.Strip(cached, nil)
	known.Restore(cached)
	if diff := cmp.Diff(refused, cached.Status); diff != "" {
		t.Errorf("the status that could not be written, with all its fields: -want, +got:\n%s", diff)
	}
}
