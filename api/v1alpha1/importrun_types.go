// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ImportRunSpec says what to invoke and with what data. Immutable: a run happens once;
// for another, create another.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
// +kubebuilder:validation:XValidation:rule="has(self.importRef) != has(self.importID)",message="give either importRef or importID"
// +kubebuilder:validation:XValidation:rule="has(self.importID) == has(self.accountRef)",message="accountRef goes with importID: an Import brings its own Account"
type ImportRunSpec struct {
	// importRef names the Import, in the same namespace, to invoke. The run waits until
	// it is Ready.
	// +optional
	ImportRef *LocalReference `json:"importRef,omitempty"`

	// importID is the id of a remote import to invoke that no Import declares; it goes
	// with accountRef.
	// +optional
	ImportID ID `json:"importID,omitempty"`

	// accountRef names the Account, in the same namespace, of importID.
	// +optional
	AccountRef *LocalReference `json:"accountRef,omitempty"`

	// data are the records: a JSON array.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100000
	Data []JSON `json:"data,omitempty"`

	// dataFrom are sources of records, each a JSON array or JSON Lines. They follow data,
	// in order.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	DataFrom []DataSource `json:"dataFrom,omitempty"`

	// settings go with the data in the same call: any JSON object.
	// +optional
	Settings *JSON `json:"settings,omitempty"`

	// activeDeadlineSeconds is how long the call may take, in seconds, from the time the
	// run starts. A call that is cut off has an unknown outcome. When the operator is asked
	// to stop, as by a rollout, it waits 11 minutes for the calls that are under way.
	// +optional
	// +default=600
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	ActiveDeadlineSeconds *int32 `json:"activeDeadlineSeconds,omitempty"`
}

// DataSource is a key of a ConfigMap or of a Secret that has records.
//
// +kubebuilder:validation:XValidation:rule="has(self.configMapKeyRef) != has(self.secretKeyRef)",message="give either configMapKeyRef or secretKeyRef"
type DataSource struct {
	// configMapKeyRef is a key of a ConfigMap in the same namespace.
	// +optional
	ConfigMapKeyRef *KeyReference `json:"configMapKeyRef,omitempty"`

	// secretKeyRef is a key of a Secret in the same namespace. What the destination says
	// of its records is not repeated in status.
	// +optional
	SecretKeyRef *KeyReference `json:"secretKeyRef,omitempty"`
}

// RunPhase is where an ImportRun stands.
//
// +kubebuilder:validation:Enum=Pending;Waiting;Running;Succeeded;Failed;Unknown
type RunPhase string

const (
	// RunPending has not been looked at yet.
	RunPending RunPhase = "Pending"
	// RunWaiting waits for its Import, its Account or its data; nothing was sent.
	RunWaiting RunPhase = "Waiting"
	// RunRunning has claimed its one call.
	RunRunning RunPhase = "Running"
	// RunSucceeded is terminal: every record was written or ignored by the import's own rules.
	RunSucceeded RunPhase = "Succeeded"
	// RunFailed is terminal: nothing was applied, or the answer names records that failed.
	RunFailed RunPhase = "Failed"
	// RunUnknown is terminal: the call was sent and its answer was lost, so the records
	// may or may not have been written.
	RunUnknown RunPhase = "Unknown"
)

// RecordCounts counts the records of a run by outcome.
type RecordCounts struct {
	// total is the number of records that the run has.
	// +optional
	Total int32 `json:"total"`
	// sent is the number of records that were sent.
	// +optional
	Sent int32 `json:"sent"`
	// succeeded is the number of records that the destination took.
	// +optional
	Succeeded int32 `json:"succeeded"`
	// failed is the number of records that the destination or the platform refused.
	// +optional
	Failed int32 `json:"failed"`
	// ignored is the number of records that the import's own rules passed over.
	// +optional
	Ignored int32 `json:"ignored"`
}

// RecordFailure tells why one record failed.
type RecordFailure struct {
	// index of the record in the run's data, from 0.
	// +required
	Index int32 `json:"index"`
	// statusCode that the answer gives for the record.
	// +optional
	StatusCode int32 `json:"statusCode,omitempty"`
	// code of the error.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Code string `json:"code,omitempty"`
	// message of the error, cut when long.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

// ImportRunStatus tells how the run goes, or went.
type ImportRunStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase is Pending, Waiting, Running, and then Succeeded, Failed or Unknown for good.
	// Unknown: the call was sent and its answer was lost; look into the destination
	// before running again.
	// +optional
	Phase RunPhase `json:"phase,omitempty"`

	// importID is the id of the remote import that was invoked.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ImportID string `json:"importID,omitempty"`

	// startTime is when the run claimed its call.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is when the run ended.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// records counts the records by outcome.
	// +optional
	Records *RecordCounts `json:"records,omitempty"`

	// failures are the first records that failed; 20 at most.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Failures []RecordFailure `json:"failures,omitempty"`

	// conditions are Ready and Succeeded always, and Reconciling and Stalled while they are True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ImportRun invokes an import once with the records it has, as a Job runs once. It never
// sends twice: when the answer is lost it ends as Unknown.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=imprun,categories=integrator
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Import",type=string,JSONPath=`.spec.importRef.name`
// +kubebuilder:printcolumn:name="Records",type=integer,JSONPath=`.status.records.total`
// +kubebuilder:printcolumn:name="Succeeded",type=integer,JSONPath=`.status.records.succeeded`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.records.failed`
// +kubebuilder:printcolumn:name="Ignored",type=integer,JSONPath=`.status.records.ignored`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].message`,priority=1
type ImportRun struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says what to invoke and with what data.
	// +required
	Spec ImportRunSpec `json:"spec"`

	// status tells how the run goes, or went.
	// +optional
	// +default={"observedGeneration":-1}
	Status ImportRunStatus `json:"status,omitzero"`
}

// ImportRunList is a list of ImportRuns.
//
// +kubebuilder:object:root=true
type ImportRunList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard list's metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the ImportRuns.
	Items []ImportRun `json:"items"`
}
