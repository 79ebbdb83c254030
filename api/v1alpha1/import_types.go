// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DriftPolicy says what to do when the remote import differs from the declared one.
//
// +kubebuilder:validation:Enum=Correct;Report
type DriftPolicy string

const (
	// DriftPolicyCorrect puts the declared values back.
	DriftPolicyCorrect DriftPolicy = "Correct"
	// DriftPolicyReport tells of the difference and changes nothing.
	DriftPolicyReport DriftPolicy = "Report"
)

// DeletionPolicy says what becomes of the remote import when the Import is deleted.
//
// +kubebuilder:validation:Enum=Delete;Orphan
type DeletionPolicy string

const (
	// DeletionPolicyDelete deletes the remote import, once nothing uses it.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyOrphan leaves the remote import as it is; no call is made.
	DeletionPolicyOrphan DeletionPolicy = "Orphan"
)

// ImportSpec declares one import.
//
// +kubebuilder:validation:XValidation:rule="self.accountRef == oldSelf.accountRef",message="accountRef is immutable: an import cannot move to another account; create a new Import"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.definition.adaptorType) || (has(self.definition.adaptorType) && self.definition.adaptorType == oldSelf.definition.adaptorType)",message="definition.adaptorType is immutable: the API does not change an import's adaptor; create a new Import"
type ImportSpec struct {
	// accountRef names the Account, in the same namespace, that the import lives in.
	// Immutable.
	// +optional
	// +default={"name":"default"}
	AccountRef LocalReference `json:"accountRef,omitzero"`

	// definition is the import as the API's JSON names it. What is declared here is
	// what the remote import is held to; fields that are not declared stay as the
	// server or other people set them. An array is declared whole. Fields that are not
	// listed here are kept and sent as they are.
	// +required
	Definition ImportDefinition `json:"definition"`

	// driftPolicy says what to do when the remote differs: Correct puts the declared
	// values back, Report only tells (condition Drifted, status.drift).
	// +optional
	// +default="Correct"
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// ignoreDifferences are JSON pointers (RFC 6901) into the definition. What lies at
	// or under them is sent when the import is created, and not compared afterwards.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=512
	// +kubebuilder:validation:items:Pattern=`^(/([^/~]|~[01])*)+$`
	IgnoreDifferences []string `json:"ignoreDifferences,omitempty"`

	// deletionPolicy says what becomes of the remote import when this object is
	// deleted: Delete deletes it, once no flow uses it; Orphan leaves it.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// suspend holds the import as it is: no call is made for it.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ImportStatus is what the operator knows of the remote import.
type ImportStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// id is the _id of the remote import.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`

	// adaptorType as the API answered it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	AdaptorType string `json:"adaptorType,omitempty"`

	// apiIdentifier as the API answered it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	APIIdentifier string `json:"apiIdentifier,omitempty"`

	// connectionID is the _connectionId as the API answered it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ConnectionID string `json:"connectionID,omitempty"`

	// createdAt as the API answered it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	CreatedAt string `json:"createdAt,omitempty"`

	// lastModified as the API answered it, by the API's clock.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	LastModified string `json:"lastModified,omitempty"`

	// desiredHash is a hash of what was last compared with the remote: the definition
	// with its aliases resolved.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DesiredHash string `json:"desiredHash,omitempty"`

	// ownedFields are the JSON pointers of the fields that were last applied. One that
	// is no longer declared is taken back from the remote import.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4096
	// +kubebuilder:validation:items:MaxLength=512
	OwnedFields []string `json:"ownedFields,omitempty"`

	// drift lists, when driftPolicy is Report, the fields whose remote value is not the
	// declared one; 16 at most.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Drift []Difference `json:"drift,omitempty"`

	// notAccepted lists declared fields that the API dropped or changed in its own
	// answer; 16 at most. They are not sent again until the spec or the remote changes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	NotAccepted []Difference `json:"notAccepted,omitempty"`

	// differencesHash is a hash of all differences of which drift or notAccepted show the
	// first.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DifferencesHash string `json:"differencesHash,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation
	// integrator.io/reconcile-requested-at that was answered.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// conditions are Ready always, and Reconciling, Stalled, Suspended and Drifted while they
	// are True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Import is one import of integrator.io: the write side of an integration, which says
// where records go and how they are mapped. The operator creates it in the Account,
// keeps it as declared, and deletes it with this object.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=imp,categories=integrator
// +kubebuilder:selectablefield:JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.id`
// +kubebuilder:printcolumn:name="Adaptor",type=string,JSONPath=`.status.adaptorType`
// +kubebuilder:printcolumn:name="Connection",type=string,JSONPath=`.status.connectionID`
// +kubebuilder:printcolumn:name="Last-Modified",type=string,JSONPath=`.status.lastModified`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.spec.accountRef.name`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type Import struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec declares the import.
	// +required
	Spec ImportSpec `json:"spec"`

	// status is what the operator knows of the remote import.
	// +optional
	// +default={"observedGeneration":-1}
	Status ImportStatus `json:"status,omitzero"`
}

// ImportList is a list of Imports.
//
// +kubebuilder:object:root=true
type ImportList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard list's metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the Imports.
	Items []Import `json:"items"`
}
