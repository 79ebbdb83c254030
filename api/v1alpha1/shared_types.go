// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "bytes"

// Condition types. Ready is always there; Reconciling, Stalled, Suspended and
// Drifted are there only while they are True, as kstatus expects. Succeeded is
// of ImportRun alone.
const (
	// ConditionReady is True when the remote object is as declared.
	ConditionReady = "Ready"
	// ConditionReconciling is True while the operator works, waits or retries.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when a person has to act before anything can go on.
	ConditionStalled = "Stalled"
	// ConditionSuspended is True while spec.suspend holds the object still.
	ConditionSuspended = "Suspended"
	// ConditionDrifted is True when the remote differs and spec.driftPolicy is Report.
	ConditionDrifted = "Drifted"
	// ConditionSucceeded tells how an ImportRun ended: True, False, or Unknown while it goes on.
	ConditionSucceeded = "Succeeded"
)

// Annotations that the operator reads and writes on an Import or an ImportRun.
const (
	// AnnotationID has the _id of the remote import. It survives a restore that drops status.
	AnnotationID = "integrator.io/id"
	// AnnotationCreatePending is the intent to create: {"externalId","name","time"}, written before
	// the call, removed together with the arrival of the id.
	AnnotationCreatePending = "integrator.io/create-pending"
	// AnnotationAdoptPending has the _id of the remote import that is about to be adopted, until
	// it is certain that no other Import has it or is about to.
	AnnotationAdoptPending = "integrator.io/adopt-pending"
	// AnnotationReconcileRequestedAt asks for a look at the remote now; any new value
	// counts. It is answered in status.lastHandledReconcileAt.
	AnnotationReconcileRequestedAt = "integrator.io/reconcile-requested-at"
	// AnnotationDryRun, when "true" on an Import, has the operator show in status.plan what
	// it would write, and write nothing.
	AnnotationDryRun = "integrator.io/dry-run"
	// AnnotationClaim is an ImportRun's claim to its next call, written before that call is
	// made, with what was sent before: {"batch","attempt","token","holder","time",…}. It
	// survives a restore that drops status.
	AnnotationClaim = "integrator.io/claim"

	// Finalizer keeps an Import until its remote import is deleted or let go.
	Finalizer = "integrator.io/import"
	// AccountFinalizer keeps an Account while an Import needs it to delete its remote import.
	AccountFinalizer = "integrator.io/account"

	// MarkerPrefix begins the externalId that marks a remote import as made for the
	// Import whose uid follows.
	MarkerPrefix = "k8s/"
)

// LocalReference names an object in the same namespace.
type LocalReference struct {
	// name of the object, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
}

// KeyReference names a key of a Secret or ConfigMap in the same namespace.
type KeyReference struct {
	// name of the Secret or ConfigMap, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`

	// key in its data.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}

// Difference is one field whose remote value is not the declared one. Where the values hold,
// or could hold, one of spec.valuesFrom, they show as (redacted).
type Difference struct {
	// path is the JSON pointer (RFC 6901) of the field in the definition.
	// +required
	// +kubebuilder:validation:MaxLength=512
	Path string `json:"path"`

	// declared is the declared value as JSON, cut when long. Absent: not declared.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Declared string `json:"declared,omitempty"`

	// remote is the value that the API answered, as JSON, cut when long. Absent: no such field.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	Remote string `json:"remote,omitempty"`
}

// JSON is any JSON value, null too, kept byte for byte.
//
// +kubebuilder:validation:Type=""
// +kubebuilder:pruning:PreserveUnknownFields
type JSON struct {
	// Raw is the value as it was read.
	Raw []byte `json:"-"`
}

// MarshalJSON returns the value as it was read; null when there is none.
func (j JSON) MarshalJSON() ([]byte, error) {
	if len(j.Raw) == 0 {
		return []byte("null"), nil
	}
	return j.Raw, nil
}

// UnmarshalJSON keeps a copy of the value.
func (j *JSON) UnmarshalJSON(data []byte) error {
	j.Raw = bytes.Clone(data)
	return nil
}
