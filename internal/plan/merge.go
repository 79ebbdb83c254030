// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"encoding/json"
	"fmt"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
)

// merge returns the object with the spec that the cluster would have after the manifest was applied.
// kubectl apply, and with it Argo CD, removes what the last apply had and the manifest no longer has;
// what others have added stays. An object that was applied from the server's side gets the spec of the
// manifest: its fields are those of who applies it.
func merge(object, old *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if old == nil {
		return object, nil
	}
	last, known := old.GetAnnotations()[corev1.LastAppliedConfigAnnotation]
	if !known && appliedByServer(old) {
		return object, nil
	}
	var original []byte
	if known {
		var before map[string]any
		if err := json.Unmarshal([]byte(last), &before); err != nil {
			return object, nil //nolint:nilerr // kubectl would not be able to read it either
		}
		original = specOf(before)
	}
	live := specOf(old.Object)
	patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(original, specOf(object.Object), live)
	if err != nil {
		return nil, fmt.Errorf("merge %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	text, err := jsonpatch.MergePatch(live, patch)
	if err != nil {
		return nil, fmt.Errorf("merge %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	// As the API server reads objects: whole numbers stay whole.
	spec := &unstructured.Unstructured{}
	if err := spec.UnmarshalJSON([]byte(`{"apiVersion":"v1","kind":"Spec",` + string(text[1:]))); err != nil {
		return nil, fmt.Errorf("merge %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	merged := object.DeepCopy()
	merged.Object["spec"] = spec.Object["spec"]
	return merged, nil
}

// appliedByServer reports whether somebody applied the object from the server's side.
func appliedByServer(object *unstructured.Unstructured) bool {
	for _, entry := range object.GetManagedFields() {
		if entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == "" {
			return true
		}
	}
	return false
}

// specOf is the spec of an object, alone, as JSON.
func specOf(object map[string]any) []byte {
	// What was decoded can be encoded.
	text, _ := json.Marshal(map[string]any{"spec": object["spec"]})
	return text
}
