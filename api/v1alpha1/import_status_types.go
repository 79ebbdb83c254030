// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ManagementState defines how far an Import has got hold of its remote import.
//
// +kubebuilder:validation:Enum=None;Observed;Managed
type ManagementState string

const (
	// ManagementStateNone: no remote import was created, observed or taken over, and nothing is
	// under way that may do so.
	ManagementStateNone ManagementState = "None"
	// ManagementStateObserved: the remote import is known from observing it.
	ManagementStateObserved ManagementState = "Observed"
	// ManagementStateManaged: the remote import was created for this Import, or taken over by it.
	ManagementStateManaged ManagementState = "Managed"
)

// ImportAudit is an extract of the platform's audit log for the import.
type ImportAudit struct {
	// lastEvent is the newest entry of the log.
	// +optional
	LastEvent *AuditEvent `json:"lastEvent,omitempty"`

	// externalChanges are the newest entries that the operator did not cause, newest first, 5
	// at most.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	ExternalChanges []AuditEvent `json:"externalChanges,omitempty"`
}

// AuditEvent is an entry of the platform's audit log.
type AuditEvent struct {
	// time is the time of the change, as the API returns it.
	// +required
	// +kubebuilder:validation:MaxLength=64
	Time string `json:"time"`

	// event is the kind of change: create, update, delete, …
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Event string `json:"event,omitempty"`

	// source is where the change came from: ui, api, connector, stack, system or sso.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Source string `json:"source,omitempty"`

	// user is the author of the change: the email address or, if there is none, the name or the
	// id.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	User string `json:"user,omitempty"`

	// fields are the paths of the changed fields, as the log names them, 8 at most.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=256
	Fields []string `json:"fields,omitempty"`
}

// ResourceUse is a resource of the platform that uses the import.
type ResourceUse struct {
	// kind is the kind of the resource, such as flow.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Kind string `json:"kind,omitempty"`

	// id is the _id of the resource.
	// +required
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id"`

	// name is the name of the resource. A long name is truncated.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name,omitempty"`
}

// ImportPlan is what a reconcile would do if the Import were not in a dry run.
type ImportPlan struct {
	// calls are the writing calls that would be made, in order, such as "PUT /v1/imports/{id}".
	// If there are none, nothing would be written.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=128
	Calls []string `json:"calls,omitempty"`

	// differences are the fields that would change, 16 at most. A field that would be removed
	// has only its path.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Differences []Difference `json:"differences,omitempty"`
}

// ImportStatus is the observed state of the import.
type ImportStatus struct {
	// observedGeneration is the generation of the spec that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// id is the _id of the remote import.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`

	// management is None, Observed or Managed. None means that no remote import was created,
	// observed or taken over, and that none can still appear: spec.accountRef may be changed.
	// Observed means that the remote import is only observed. Managed means that the remote
	// import was created for this Import or taken over by it, and was compared at least once:
	// spec.adopt may be removed. Absent while this is not certain, such as before the first
	// reconcile and during a creation.
	// +optional
	Management ManagementState `json:"management,omitempty"`

	// adaptorType is the adaptorType that the API returned.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	AdaptorType string `json:"adaptorType,omitempty"`

	// apiIdentifier is the apiIdentifier that the API returned.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	APIIdentifier string `json:"apiIdentifier,omitempty"`

	// connectionID is the _connectionId that the API returned.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ConnectionID string `json:"connectionID,omitempty"`

	// createdAt is the time of creation that the API returned.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	CreatedAt string `json:"createdAt,omitempty"`

	// lastModified is the time of the last change that the API returned, by the API's clock.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	LastModified string `json:"lastModified,omitempty"`

	// comparedLastModified is the lastModified of the remote import at the last completed
	// comparison. Empty if the last reconcile did not complete a comparison.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ComparedLastModified string `json:"comparedLastModified,omitempty"`

	// createToken is the token of the create intent, in the annotation integrator.io/create-pending,
	// that the import of status.id was created with. It is set where the import has the operator's
	// ownership marker, and so can be found again without the annotation integrator.io/id.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	CreateToken string `json:"createToken,omitempty"`

	// desiredHash is a hash of what was last compared with the remote import: the definition
	// with its aliases resolved and, for spec.valuesFrom, the versions of the Secrets and
	// ConfigMaps. Their content is not part of it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DesiredHash string `json:"desiredHash,omitempty"`

	// inputsHash is a hash of what desiredHash was made of besides the spec: the aliases and the
	// ownership marker, the versions of the Secrets and ConfigMaps, and the operator's table of
	// fields. While it is the same, the definition need not be read after a start of the operator.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	InputsHash string `json:"inputsHash,omitempty"`

	// ownedFields are the JSON pointers of the fields that were last applied. A field that is
	// no longer declared is removed from the remote import. There is room for 4096 pointers
	// of at most 512 bytes, and for 64 KiB of them in total. Fields near the root of the
	// definition come first. The other fields are in ownedFieldHashes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4096
	// +kubebuilder:validation:items:MaxLength=512
	OwnedFields []string `json:"ownedFields,omitempty"`

	// unmatchedIgnoreDifferences lists the pointers of spec.ignoreDifferences that match nothing
	// in the definition or in the remote import. They may be misspelt: what they were meant for
	// is compared and written.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=512
	UnmatchedIgnoreDifferences []string `json:"unmatchedIgnoreDifferences,omitempty"`

	// ownedFieldHashes are the fields that were last applied and for which ownedFields has no
	// room: of each, the first 8 bytes of the SHA-256 of its JSON pointer, sorted, in base64.
	// There is room for 12288 fields. They are removed from the remote import like those of
	// ownedFields.
	// +optional
	// +kubebuilder:validation:MaxLength=131072
	OwnedFieldHashes []byte `json:"ownedFieldHashes,omitempty"`

	// untrackedFields is the number of applied fields that are neither in ownedFields nor in
	// ownedFieldHashes, because both are full. Such a field is not removed from the remote
	// import when it is no longer declared. Absent if there are none.
	// +optional
	// +kubebuilder:validation:Minimum=0
	UntrackedFields int64 `json:"untrackedFields,omitempty"`

	// ignoredFields are the JSON pointers of declared fields that are left out, 64 at most: the
	// server sets them itself. They are not sent and not compared.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=512
	IgnoredFields []string `json:"ignoredFields,omitempty"`

	// warnings are what is probably a mistake in the definition, 16 at most: a field that the
	// API does not document and whose name is near a documented one, a type or a value that the
	// API does not document. What is declared is sent all the same.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=512
	Warnings []string `json:"warnings,omitempty"`

	// debugUntil is the spec.debugUntil that was last set on the remote import.
	// +optional
	DebugUntil *metav1.Time `json:"debugUntil,omitempty"`

	// drift lists the fields whose remote value differs from the declared value and is not
	// corrected, 16 at most. It is set when driftPolicy is Report, when managementPolicy is
	// Observe, when an adoption with mode Match does not match, or when an update is refused.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Drift []Difference `json:"drift,omitempty"`

	// notAccepted lists declared fields that the API dropped or changed in its response to a
	// write, 16 at most. They are not sent again until the spec or the remote import changes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	NotAccepted []Difference `json:"notAccepted,omitempty"`

	// differencesHash is a hash of all differences, redacted. drift and notAccepted show only
	// the first of them.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DifferencesHash string `json:"differencesHash,omitempty"`

	// audit is an extract of the platform's audit log. It is read when the import is adopted,
	// when drift or a deletion on the platform is found, and when the annotation
	// integrator.io/reconcile-requested-at requests a reconcile. If it cannot be read, the
	// former extract stays.
	// +optional
	Audit *ImportAudit `json:"audit,omitempty"`

	// usedBy lists the resources that use the import, such as flows, 16 at most. It is read
	// when the import is adopted, before it is deleted, and when the annotation
	// integrator.io/reconcile-requested-at requests a reconcile. usedByObservedAt says how old
	// the list is.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	UsedBy []ResourceUse `json:"usedBy,omitempty"`

	// usedByObservedAt is the time at which usedBy was read. While a deletion is blocked, it is
	// the time at which usedBy last changed. Absent if usedBy was never read.
	// +optional
	UsedByObservedAt *metav1.Time `json:"usedByObservedAt,omitempty"`

	// copies are the ids of other imports in the account that carry the ownership marker of this
	// Import, 16 at most: clones that somebody made on the platform, or an earlier import that
	// was restored. The operator never changes or deletes them. To manage one, adopt it with
	// another Import and mode Override.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=64
	Copies []string `json:"copies,omitempty"`

	// plan is what the operator would do. It is set while the annotation integrator.io/dry-run
	// is "true".
	// +optional
	Plan *ImportPlan `json:"plan,omitempty"`

	// lastHandledReconcileAt is the value of the annotation
	// integrator.io/reconcile-requested-at that was handled last.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// conditions are Ready, which is always present, and Reconciling, Stalled, Suspended and
	// Drifted, which are present only while they are True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
