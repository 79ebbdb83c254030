// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "bytes"

// Condition types. Ready is always present. Reconciling, Stalled, Suspended and Drifted are
// present only while they are True, as kstatus expects. Succeeded is used by ImportRun only.
const (
	// ConditionReady is True when the object's spec is in effect: the Account is usable, the
	// remote import is as declared or is observed, the run has succeeded.
	ConditionReady = "Ready"
	// ConditionReconciling is True while the operator works, waits or retries.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when the operator cannot continue until a person acts.
	ConditionStalled = "Stalled"
	// ConditionSuspended is True while spec.suspend is true, or while an Import is in a dry
	// run.
	ConditionSuspended = "Suspended"
	// ConditionDrifted is True when the remote import differs from the definition and is left
	// as it is, because spec.driftPolicy is Report or spec.managementPolicy is Observe.
	ConditionDrifted = "Drifted"
	// ConditionSucceeded is the result of an ImportRun: True or False after the run has ended,
	// Unknown before.
	ConditionSucceeded = "Succeeded"
)

// Annotations that the operator reads and writes on an Import or an ImportRun.
const (
	// AnnotationID contains the _id of the remote import. It survives a restore that drops the
	// status. Where the operator created the import with its ownership marker, status.id is enough:
	// the import is found again by its marker.
	AnnotationID = "integrator.io/id"
	// AnnotationCreatePending is the create intent: {"token","uid","externalId","name","time"}. It is
	// written before the create call. It is done when status.createToken has its token, or when the
	// annotation with the id takes its place.
	AnnotationCreatePending = "integrator.io/create-pending"
	// AnnotationAdoptPending contains the _id of the remote import that is being adopted. It is
	// removed when it is certain that no other Import manages that import or is adopting it.
	AnnotationAdoptPending = "integrator.io/adopt-pending"
	// AnnotationReconcileRequestedAt requests an immediate reconcile. Any new value counts.
	// When the reconcile is done, status.lastHandledReconcileAt has the same value.
	AnnotationReconcileRequestedAt = "integrator.io/reconcile-requested-at"
	// AnnotationAllowNamesake, when "true" on an Import, has the remote import created even if
	// the account has an import of the same name that was created by another cluster, or that has
	// the externalId of the definition and that no Import of this cluster manages.
	AnnotationAllowNamesake = "integrator.io/allow-namesake"
	// AnnotationDryRun, when "true" on an Import, stops all writes to the platform. status.plan
	// shows what would be written.
	AnnotationDryRun = "integrator.io/dry-run"
	// AnnotationClaim is an ImportRun's claim for its next call, with a record of what was sent
	// before: {"batch","attempt","token","holder","time",…}. It is written before the call, and
	// survives a restore that drops the status.
	AnnotationClaim = "integrator.io/claim"

	// LabelRemoteImport is the _id of the remote import that an Import manages or is adopting, or,
	// beside a create intent, a hash of the externalId by which the remote import is found. An
	// adoption lists the Imports with the same label, in all namespaces.
	LabelRemoteImport = "integrator.io/remote-import"

	// Finalizer keeps an Import until its remote import is deleted or released.
	Finalizer = "integrator.io/import"
	// AccountFinalizer keeps an Account while an Import needs it to delete its remote import.
	AccountFinalizer = "integrator.io/account"

	// MarkerPrefix is the beginning of the ownership marker. The marker is an externalId that
	// consists of this prefix and the uid of the Import for which the remote import was
	// created, or the owner id of the operator with the namespace and the name of the Import.
	MarkerPrefix = "k8s/"
)

// LocalReference refers to an object in the same namespace.
type LocalReference struct {
	// name is the name of the object, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
}

// KeyReference refers to a key of a Secret or ConfigMap in the same namespace.
type KeyReference struct {
	// name is the name of the Secret or ConfigMap, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`

	// key is the key in its data.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}

// Difference is a field whose remote value differs from the declared value. A value is shown as
// "(redacted)" if it contains, or could contain, a value from spec.valuesFrom.
type Difference struct {
	// path is the JSON pointer (RFC 6901) of the field in the definition.
	// +required
	// +kubebuilder:validation:MaxLength=512
	Path string `json:"path"`

	// declared is the declared value as JSON. A long value is truncated. Absent if the field is
	// not declared.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Declared string `json:"declared,omitempty"`

	// remote is the value that the API returned, as JSON. A long value is truncated. Absent if
	// the API did not return the field.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Remote string `json:"remote,omitempty"`

	// hint says how the two values differ where that cannot be seen: in white space, invisible
	// characters, letter case, Unicode form or type, or in digits that were lost. Absent if it
	// can be seen, and if a value is redacted.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Hint string `json:"hint,omitempty"`
}

// JSON is any JSON value, including null.
//
// +kubebuilder:validation:Type=""
// +kubebuilder:pruning:PreserveUnknownFields
type JSON struct {
	// Raw is the value as it was read, byte for byte.
	Raw []byte `json:"-"`
}

// MarshalJSON returns the value as it was read, or null if there is none.
func (j JSON) MarshalJSON() ([]byte, error) {
	if len(j.Raw) == 0 {
		return []byte("null"), nil
	}
	return j.Raw, nil
}

// UnmarshalJSON stores a copy of the value.
func (j *JSON) UnmarshalJSON(data []byte) error {
	j.Raw = bytes.Clone(data)
	return nil
}
