// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

func outlined(change func(*v1alpha1.Import)) *v1alpha1.Import {
	object := &v1alpha1.Import{}
	object.Namespace, object.Name, object.UID, object.Generation = "ns", "orders", "1", 2
	if change != nil {
		change(object)
	}
	return object
}

func TestOutlines(t *testing.T) {
	var outlines Outlines
	outlines.Note(outlined(nil), "inputs", &Desired{Hash: "h", Document: map[string]any{}}, 5000)
	for name, tc := range map[string]struct {
		reason string
		change func(*v1alpha1.Import)
		inputs string
		want   bool
	}{
		"Same":        {reason: "nothing changed that the document is made of", inputs: "inputs", want: true},
		"Edited":      {reason: "the definition may be another one", inputs: "inputs", change: func(o *v1alpha1.Import) { o.Generation++ }},
		"Recreated":   {reason: "it is another object", inputs: "inputs", change: func(o *v1alpha1.Import) { o.UID = "2" }},
		"Inputs":      {reason: "an alias or a value is another one", inputs: "others"},
		"NotAccepted": {reason: "the advice is about the document", inputs: "inputs", change: func(o *v1alpha1.Import) { o.Status.NotAccepted = []v1alpha1.Difference{{}} }},
		"Deleted":     {reason: "a deletion compares the name and the externalId", inputs: "inputs", change: func(o *v1alpha1.Import) { o.DeletionTimestamp = new(metav1.Now()) }},
	} {
		t.Run(name, func(t *testing.T) {
			got := outlines.Of(outlined(tc.change), tc.inputs)
			if (got != nil) != tc.want {
				t.Fatalf("%s: got %v", tc.reason, got)
			}
			if tc.want && (got.Hash != "h" || got.Document != nil) {
				t.Errorf("got %+v", got)
			}
		})
	}
	if size, ok := outlines.Size(outlined(nil)); !ok || size != 5000 {
		t.Errorf("its size is %d", size)
	}
	outlines.Forget(client.ObjectKey{Namespace: "ns", Name: "orders"})
	if outlines.Of(outlined(nil), "inputs") != nil {
		t.Error("what was deleted is forgotten")
	}
}

// After a start, nothing is remembered but what the status says.
func TestOutlinesAfterAStart(t *testing.T) {
	compared := func(o *v1alpha1.Import) {
		o.Status.ObservedGeneration, o.Status.DesiredHash, o.Status.InputsHash = 2, "h", "inputs"
		o.Status.IgnoredFields, o.Status.Warnings = []string{"/createdAt"}, []string{"/ftp: is for another adaptorType"}
	}
	for name, tc := range map[string]struct {
		reason string
		change func(*v1alpha1.Import)
		want   *Desired
	}{
		"Same":      {reason: "nothing changed that the document is made of", want: &Desired{Hash: "h", LeftOut: []string{"/createdAt"}, Mistakes: []string{"/ftp: is for another adaptorType"}}},
		"Edited":    {reason: "the definition may be another one", change: func(o *v1alpha1.Import) { o.Generation++ }},
		"Inputs":    {reason: "an alias changed while the operator was stopped", change: func(o *v1alpha1.Import) { o.Status.InputsHash = "other" }},
		"NotYet":    {reason: "an earlier version did not write of what the hash was made", change: func(o *v1alpha1.Import) { o.Status.InputsHash = "" }},
		"Unwritten": {reason: "it was never compared", change: func(o *v1alpha1.Import) { o.Status.DesiredHash = "" }},
		"InCache":   {reason: "the definition is at hand", change: func(o *v1alpha1.Import) { o.Spec.Definition.Raw = []byte(`{"name":"a"}`) }},
	} {
		t.Run(name, func(t *testing.T) {
			object := outlined(compared)
			if tc.change != nil {
				tc.change(object)
			}
			var none Outlines
			if diff := cmp.Diff(tc.want, none.Of(object, "inputs"), cmpopts.IgnoreUnexported(Desired{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestOutlinesReadFewAtOnce(t *testing.T) {
	var outlines Outlines
	began, end := make(chan struct{}), make(chan struct{})
	for range readsAtOnce {
		go func() { _ = outlines.Read(t.Context(), func() error { began <- struct{}{}; <-end; return nil }) }()
		<-began
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := outlines.Read(ctx, func() error { t.Error("it is one too many"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(end)
	if err := outlines.Read(t.Context(), func() error { return nil }); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}
