// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 contains the kinds Account, Import and ImportRun of the API group
// integrator.io.
//
// kubectl explain prints the comments of these types.
//
// +kubebuilder:object:generate=true
// +groupName=integrator.io
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is the group and version of all kinds in this package.
	GroupVersion = schema.GroupVersion{Group: "integrator.io", Version: "v1alpha1"}

	// SchemeBuilder collects the functions that add the kinds of this package to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme adds the kinds of this package to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Account{}, &AccountList{},
		&Import{}, &ImportList{},
		&ImportRun{}, &ImportRunList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
