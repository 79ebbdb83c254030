// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// partsOf are the spec, the status and the conditions of an object of the operator's kinds, nil
// for any other.
func partsOf(object client.Object) (spec, status any, conditions []metav1.Condition) {
	switch object := object.(type) {
	case *v1alpha1.Account:
		return object.Spec, object.Status, object.Status.Conditions
	case *v1alpha1.Import:
		return object.Spec, object.Status, object.Status.Conditions
	case *v1alpha1.ImportRun:
		return object.Spec, object.Status, object.Status.Conditions
	default:
		return nil, nil, nil
	}
}

func specOf(object client.Object) []byte {
	spec, _, _ := partsOf(object)
	return asJSON(spec)
}

func statusOf(object client.Object) []byte {
	_, status, _ := partsOf(object)
	return asJSON(status)
}

func conditionsOf(object client.Object) []metav1.Condition {
	_, _, conditions := partsOf(object)
	return conditions
}

func asJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		return []byte(err.Error())
	}
	return text
}
