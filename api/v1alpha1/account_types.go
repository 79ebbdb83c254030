// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AccountSpec says where an integrator.io account is and with what credential
// to work in it.
type AccountSpec struct {
	// baseURL of the API: scheme and host, without /v1. The host has to be one that
	// the operator was started to allow (--allowed-api-hosts).
	// https://api.integrator.io serves accounts of the US region,
	// https://api.eu.integrator.io those of the EU.
	// +optional
	// +default="https://api.integrator.io"
	// +kubebuilder:validation:Pattern=`^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?$`
	// +kubebuilder:validation:MaxLength=253
	BaseURL string `json:"baseURL,omitempty"`

	// tokenSecretRef names the Secret, in the same namespace, that has the API token.
	// A new token in it is picked up at once.
	// +required
	TokenSecretRef TokenSecretReference `json:"tokenSecretRef"`

	// aliases maps names to ids that differ between accounts. A value "@alias" in any
	// _…Id or _…Ids field of a definition becomes the id that stands here, so that the
	// same Import works in every environment.
	// +optional
	// +kubebuilder:validation:MaxProperties=512
	// +kubebuilder:validation:XValidation:rule="self.all(alias, alias.matches('^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$'))",message="an alias is 1 to 63 letters, digits, '-', '_' or '.', and begins and ends with a letter or digit"
	Aliases map[string]ID `json:"aliases,omitempty"`

	// scanInterval is the time between two looks at the account's list of imports:
	// how late a change made behind Git's back is seen at worst. A number with a unit,
	// such as 30s, 5m or 1h; at least 1s.
	// +optional
	// +default="60s"
	// +kubebuilder:validation:Pattern=`^([1-9][0-9]{0,4})(s|m|h)$`
	// +kubebuilder:validation:MaxLength=8
	ScanInterval string `json:"scanInterval,omitempty"`

	// requestsPerSecond is the share that the operator takes of the account's rate
	// limit, which is 300 requests per second for all clients together.
	// +optional
	// +default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=300
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`

	// maxInFlight is the number of requests that may be open at once.
	// +optional
	// +default=16
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	MaxInFlight int32 `json:"maxInFlight,omitempty"`

	// suspend stops every call for this account: no scan, no write. What is declared
	// waits.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ID is an id of the integrator.io API: 24 hexadecimal characters.
//
// +kubebuilder:validation:Pattern=`^[0-9a-fA-F]{24}$`
// +kubebuilder:validation:MaxLength=24
type ID string

// TokenSecretReference names the key of a Secret that has an API token.
type TokenSecretReference struct {
	// name of the Secret, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`

	// key in the Secret's data.
	// +optional
	// +default="token"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// AccountStatus is what the operator knows of the account.
type AccountStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// userID is the _userId that the API gives for the token.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	UserID string `json:"userID,omitempty"`

	// credentialVersion is a hash of the baseURL and of the Secret's identity and version, with
	// which the managed imports were last found. With another one nothing that is missing is
	// created again, or taken for deleted, until a scan has found some of them: the token
	// could be of another account.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	CredentialVersion string `json:"credentialVersion,omitempty"`

	// imports is the number of imports in the account, as of the last scan.
	// +optional
	Imports *int32 `json:"imports,omitempty"`

	// managed is the number of those that an Import manages.
	// +optional
	Managed *int32 `json:"managed,omitempty"`

	// conditions are Ready always, and Reconciling, Stalled and Suspended while they are True.
	// Reasons of Ready: TokenAccepted, TokenRejected, SecretNotFound, HostNotAllowed,
	// Unreachable, RateLimited, Suspended.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Account is an integrator.io account: where it is, the credential to use, and the
// aliases of its ids. Imports of the same namespace refer to it by name.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=iacct,categories=integrator
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.baseURL`
// +kubebuilder:printcolumn:name="Imports",type=integer,JSONPath=`.status.imports`
// +kubebuilder:printcolumn:name="Managed",type=integer,JSONPath=`.status.managed`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Account struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says where the account is and how to work in it.
	// +required
	Spec AccountSpec `json:"spec"`

	// status is what the operator knows of the account.
	// +optional
	// +default={"observedGeneration":-1}
	Status AccountStatus `json:"status,omitzero"`
}

// AccountList is a list of Accounts.
//
// +kubebuilder:object:root=true
type AccountList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard list's metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the Accounts.
	Items []Account `json:"items"`
}
