// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	xpv2 "github.com/crossplane/crossplane-runtime/v2/apis/common/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var kind = schema.GroupVersionKind{Group: "poller.integrator.io", Version: "v1alpha1", Kind: "PolledImport"}

// PolledImport is an import that is polled: a managed resource as those of any provider.
type PolledImport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PolledImportSpec   `json:"spec"`
	Status PolledImportStatus `json:"status,omitempty"`
}

// PolledImportSpec has what every managed resource has, and the document.
type PolledImportSpec struct {
	xpv2.ManagedResourceSpec `json:",inline"`

	Definition runtime.RawExtension `json:"definition"`
}

// PolledImportStatus has the conditions.
type PolledImportStatus struct {
	xpv1.ResourceStatus `json:",inline"`
}

// PolledImportList is a list of them.
type PolledImportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []PolledImport `json:"items"`
}

func addToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypeWithName(kind, &PolledImport{})
	scheme.AddKnownTypeWithName(kind.GroupVersion().WithKind(kind.Kind+"List"), &PolledImportList{})
	metav1.AddToGroupVersion(scheme, kind.GroupVersion())
	return nil
}

// GetCondition of this object.
func (p *PolledImport) GetCondition(of xpv1.ConditionType) xpv1.Condition {
	return p.Status.GetCondition(of)
}

// SetConditions of this object.
func (p *PolledImport) SetConditions(c ...xpv1.Condition) { p.Status.SetConditions(c...) }

// GetManagementPolicies of this object.
func (p *PolledImport) GetManagementPolicies() xpv1.ManagementPolicies {
	return p.Spec.ManagementPolicies
}

// SetManagementPolicies of this object.
func (p *PolledImport) SetManagementPolicies(policies xpv1.ManagementPolicies) {
	p.Spec.ManagementPolicies = policies
}

// GetProviderConfigReference of this object.
func (p *PolledImport) GetProviderConfigReference() *xpv1.ProviderConfigReference {
	return p.Spec.ProviderConfigReference
}

// SetProviderConfigReference of this object.
func (p *PolledImport) SetProviderConfigReference(reference *xpv1.ProviderConfigReference) {
	p.Spec.ProviderConfigReference = reference
}

// GetWriteConnectionSecretToReference of this object.
func (p *PolledImport) GetWriteConnectionSecretToReference() *xpv1.LocalSecretReference {
	return p.Spec.WriteConnectionSecretToReference
}

// SetWriteConnectionSecretToReference of this object.
func (p *PolledImport) SetWriteConnectionSecretToReference(reference *xpv1.LocalSecretReference) {
	p.Spec.WriteConnectionSecretToReference = reference
}

// DeepCopyObject copies the object.
func (p *PolledImport) DeepCopyObject() runtime.Object {
	out := &PolledImport{}
	p.deepCopyInto(out)
	return out
}

func (p *PolledImport) deepCopyInto(out *PolledImport) {
	*out = *p
	p.DeepCopyInto(&out.ObjectMeta)
	p.Spec.DeepCopyInto(&out.Spec.ManagedResourceSpec)
	p.Spec.Definition.DeepCopyInto(&out.Spec.Definition)
	p.Status.DeepCopyInto(&out.Status.ResourceStatus)
}

// DeepCopyObject copies the list.
func (l *PolledImportList) DeepCopyObject() runtime.Object {
	out := &PolledImportList{TypeMeta: l.TypeMeta}
	l.DeepCopyInto(&out.ListMeta)
	out.Items = make([]PolledImport, len(l.Items))
	for i := range l.Items {
		l.Items[i].deepCopyInto(&out.Items[i])
	}
	return out
}
