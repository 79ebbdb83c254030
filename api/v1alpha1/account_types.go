// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AccountSpec defines how the operator connects to an integrator.io account.
type AccountSpec struct {
	// baseURL is the URL of the API: scheme, host, optional port and, for a gateway, optional
	// path, without /v1. Use https://api.integrator.io for accounts in the US region,
	// https://api.eu.integrator.io for those in the EU. Defaults to https://api.integrator.io. The
	// API's own paths, which begin with /v1, come after it. The parts of the path have letters,
	// digits, '-', '_', '.' and '~', and do not begin with '.'. The host is a name in ASCII; with
	// the flag --allow-http, also 127.0.0.1 or [::1]. The operator must be allowed to
	// call the host (flag --allowed-api-hosts); otherwise the Account is not Ready, with reason
	// HostNotAllowed.
	// +optional
	// +default="https://api.integrator.io"
	// +kubebuilder:validation:Pattern=`^https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?$`
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://')",message="begin baseURL with https:// in lower case"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[^:]*://[^/?#]*@')",message="remove the user name and the password from baseURL: the operator sends the token of tokenSecretRef"
	// +kubebuilder:validation:XValidation:rule="!self.matches('[?#]')",message="remove the query and the fragment, from '?' or '#' on, from baseURL"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]*$')",message="write baseURL in ASCII and without white space: a host in another script has an ASCII form, which begins with xn--"
	// +kubebuilder:validation:XValidation:rule="!self.matches('/v1/?$')",message="remove /v1 from the end of baseURL: the operator adds it"
	BaseURL string `json:"baseURL,omitempty"`

	// tokenSecretRef is the key of a Secret, in the same namespace, that contains the API
	// token. The operator uses a new token as soon as the Secret changes. If the Secret or the
	// key does not exist, or is empty, the Account is not Ready, with reason SecretNotFound; if
	// the content cannot be a token, with reason InvalidToken.
	// +required
	TokenSecretRef TokenSecretReference `json:"tokenSecretRef"`

	// caBundleRef is the key of a ConfigMap or a Secret, in the same namespace, that contains the
	// certificate authorities to trust for this account, in PEM. They replace those of the
	// operator, which are those of the system and of the flag --ca-file. It is for a gateway with a
	// certificate of your own. The operator uses a new content as soon as the object changes. If
	// the object or the key does not exist, or is empty, the Account is not Ready, with reason
	// CABundleNotFound; if the content is anything but certificates, with reason InvalidCABundle.
	// +optional
	CABundleRef *CABundleReference `json:"caBundleRef,omitempty"`

	// aliases maps names to the ids that they stand for in this account. Any _…Id or _…Ids
	// field of a definition may contain "@name" instead of an id, so that the same Import works
	// in every environment. A name has 1 to 63 letters, digits, '-', '_' or '.', and begins and
	// ends with a letter or a digit.
	// +optional
	// +kubebuilder:validation:MaxProperties=512
	// +kubebuilder:validation:XValidation:rule="self.all(alias, alias.matches('^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$'))",message="each key of aliases must have 1 to 63 letters, digits, '-', '_' or '.', and must begin and end with a letter or digit: rename the alias"
	Aliases map[string]ID `json:"aliases,omitempty"`

	// scanInterval is the time between two scans of the account's list of imports. A change
	// that somebody makes on the platform is noticed after this time at the latest. It is an
	// integer with the unit s, m or h, such as 30s, 5m or 1h, and at least 1s. Accounts with the
	// same baseURL and token are scanned together, at the shortest of their intervals. Defaults to
	// 60s.
	// +optional
	// +default="60s"
	// +kubebuilder:validation:Pattern=`^([1-9][0-9]{0,4})(s|m|h)$`
	// +kubebuilder:validation:MaxLength=8
	ScanInterval string `json:"scanInterval,omitempty"`

	// requestsPerSecond is the maximum number of requests per second that the operator sends to
	// this account. The platform allows 300 per second for all clients of the account together.
	// Accounts with the same baseURL and token send no more together than the largest of their
	// values. Defaults to 100.
	// +optional
	// +default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=300
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`

	// maxInFlight is the maximum number of requests that the operator has open at the same time
	// in this account. About a quarter of them is reserved for requests other than the calls of
	// ImportRuns. With 1, everything else waits while the call of a run is open. Of Accounts with
	// the same baseURL and token, the largest value holds for all of them together. Defaults to 16.
	// +optional
	// +default=16
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	MaxInFlight int32 `json:"maxInFlight,omitempty"`

	// foreignValues says whether Imports of this Account show the values of a remote import that
	// another Import manages, in their status, events and plans: Redacted shows only which fields
	// differ, Shown shows the values too. Values from Secrets and ConfigMaps (spec.valuesFrom of
	// an Import) are never shown. It applies from the next comparison. Defaults to Redacted.
	// +optional
	// +default="Redacted"
	ForeignValues ForeignValues `json:"foreignValues,omitempty"`

	// suspend stops all calls for this account: no scans, no writes, no deletions. Imports and
	// ImportRuns wait until it is false again. Defaults to false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ForeignValues says what is shown of remote imports that other Imports manage.
//
// +kubebuilder:validation:Enum=Redacted;Shown
type ForeignValues string

// The values of spec.foreignValues.
const (
	ForeignValuesRedacted ForeignValues = "Redacted"
	ForeignValuesShown    ForeignValues = "Shown"
)

// ID is an id of the integrator.io API: 24 hexadecimal characters.
//
// +kubebuilder:validation:Pattern=`^[0-9a-fA-F]{24}$`
// +kubebuilder:validation:MaxLength=24
type ID string

// TokenSecretReference refers to the key of a Secret that contains an API token.
type TokenSecretReference struct {
	// name is the name of the Secret, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`

	// key is the key in the Secret's data. Defaults to token.
	// +optional
	// +default="token"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// CABundleKind is a kind of objects that contain certificate authorities.
//
// +kubebuilder:validation:Enum=ConfigMap;Secret
type CABundleKind string

// The values of spec.caBundleRef.kind.
const (
	CABundleKindConfigMap CABundleKind = "ConfigMap"
	CABundleKindSecret    CABundleKind = "Secret"
)

// CABundleReference refers to the key of a ConfigMap or a Secret that contains certificate
// authorities.
type CABundleReference struct {
	// kind is the kind of the object, ConfigMap or Secret. Defaults to ConfigMap.
	// +optional
	// +default="ConfigMap"
	Kind CABundleKind `json:"kind,omitempty"`

	// name is the name of the object, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`

	// key is the key in the object's data. Defaults to ca.crt.
	// +optional
	// +default="ca.crt"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// AccountStatus is the observed state of the account.
type AccountStatus struct {
	// observedGeneration is the generation of the spec that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// userID is the _userId that the API returns for the token.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	UserID string `json:"userID,omitempty"`

	// credentialVersion identifies the credential with which the managed imports were last
	// found. It is a hash of baseURL, of tokenSecretRef.key, and of the Secret's uid and
	// resourceVersion; the token is not part of it. A different credential could belong to
	// another account. So until a scan with it has found some managed imports, no import is
	// created, and a missing import is not treated as deleted.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	CredentialVersion string `json:"credentialVersion,omitempty"`

	// imports is the number of imports in the account, as of the last scan that read the list
	// of them.
	// +optional
	Imports *int32 `json:"imports,omitempty"`

	// pages is the number of pages of that list. While fewer imports have an Import of this
	// Account than the list has pages, most scans read these imports one by one instead.
	// +optional
	Pages *int32 `json:"pages,omitempty"`

	// managed is the number of imports in the account that an Import of this Account manages,
	// as of the last complete scan. An import counts once if an Import with managementPolicy
	// Manage records it in status.id, and if it does not have the ownership marker of another
	// Import. Imports that are only observed do not count.
	// +optional
	Managed *int32 `json:"managed,omitempty"`

	// conditions are Ready, which is always present, and Reconciling, Stalled and Suspended,
	// which are present only while they are True. Ready has the reason TokenAccepted, or a
	// reason for the failure: SecretNotFound, InvalidToken, CABundleNotFound, InvalidCABundle,
	// InvalidSpec, HostNotAllowed, TokenRejected, AccountChanged, Forbidden, RateLimited, Unreachable, ServerError, UnexpectedResponse or
	// ScanFailing, among others.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Account is an integrator.io account: the URL of its API, the credential to use, and aliases
// for its ids. Imports and ImportRuns in the same namespace refer to it by name.
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
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec defines how the operator connects to the account.
	// +required
	Spec AccountSpec `json:"spec"`

	// status is the observed state of the account.
	// +optional
	// +default={"observedGeneration":-1}
	Status AccountStatus `json:"status,omitzero"`
}

// AccountList is a list of Accounts.
//
// +kubebuilder:object:root=true
type AccountList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items is the list of Accounts.
	Items []Account `json:"items"`
}
