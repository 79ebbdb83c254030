// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// UnknownOutcomePolicy says what to do about a call that was sent and whose answer was lost.
//
// +kubebuilder:validation:Enum=Fail;Retry
type UnknownOutcomePolicy string

const (
	// UnknownOutcomeFail ends the run as Unknown: nothing is sent twice.
	UnknownOutcomeFail UnknownOutcomePolicy = "Fail"
	// UnknownOutcomeRetry sends the batch again: its records may be written twice.
	UnknownOutcomeRetry UnknownOutcomePolicy = "Retry"
)

// ImportRunSpec says what to invoke and with what data. Immutable but for suspend, cancel
// and ttlSecondsAfterFinished: a run happens once; for another, create another.
//
// +kubebuilder:validation:XValidation:rule="has(self.importRef) != has(self.importID)",message="give either importRef or importID"
// +kubebuilder:validation:XValidation:rule="has(self.importID) == has(self.accountRef)",message="accountRef goes with importID: an Import brings its own Account"
// +kubebuilder:validation:XValidation:rule="has(self.importRef) == has(oldSelf.importRef) && has(self.importID) == has(oldSelf.importID) && has(self.accountRef) == has(oldSelf.accountRef) && has(self.dataFrom) == has(oldSelf.dataFrom) && has(self.batchSize) == has(oldSelf.batchSize) && (has(self.stopOnFailure) && self.stopOnFailure) == (has(oldSelf.stopOnFailure) && oldSelf.stopOnFailure) && has(self.idempotencyKey) == has(oldSelf.idempotencyKey) && has(self.responseSecretName) == has(oldSelf.responseSecretName)",message="spec is immutable: a run happens once; create another ImportRun"
// +kubebuilder:validation:XValidation:rule="self == oldSelf || has(self.stopOnFailure) != has(oldSelf.stopOnFailure) || has(self.suspend) != has(oldSelf.suspend) || (has(self.suspend) && self.suspend != oldSelf.suspend) || has(self.cancel) != has(oldSelf.cancel) || (has(self.cancel) && self.cancel != oldSelf.cancel) || has(self.ttlSecondsAfterFinished) != has(oldSelf.ttlSecondsAfterFinished) || (has(self.ttlSecondsAfterFinished) && self.ttlSecondsAfterFinished != oldSelf.ttlSecondsAfterFinished)",message="spec is immutable: a run happens once; create another ImportRun. Only suspend, cancel and ttlSecondsAfterFinished can be changed"
type ImportRunSpec struct {
	// importRef names the Import, in the same namespace, to invoke. The run waits until
	// it is Ready.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
	ImportRef *LocalReference `json:"importRef,omitempty"`

	// importID is the id of a remote import to invoke that no Import declares; it goes
	// with accountRef.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
	ImportID ID `json:"importID,omitempty"`

	// accountRef names the Account, in the same namespace, of importID.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
	AccountRef *LocalReference `json:"accountRef,omitempty"`

	// data are the records: a JSON array. Data, dataFrom and settings count as they are when
	// the first batch is sent; a run whose data is found changed after that sends no more.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100000
	Data []JSON `json:"data,omitempty"`

	// dataFrom are sources of records, each a JSON array or JSON Lines, as text or compressed
	// with gzip. They follow data, in order.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
	DataFrom []DataSource `json:"dataFrom,omitempty"`

	// settings go with the data in each call: any JSON object.
	// +optional
	Settings *JSON `json:"settings,omitempty"`

	// batchSize is how many records are sent in one call, at most. The batches are sent in
	// order, each after the answer to the one before. By default there is one call. A call
	// never has more than 5 MB, settings included: what does not fit goes into further calls.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
	BatchSize *int32 `json:"batchSize,omitempty"`

	// stopOnFailure ends the run after a batch of which a record failed; the batches after it
	// are not sent. Otherwise they are. A call that fails as a whole always ends the run.
	// +optional
	StopOnFailure bool `json:"stopOnFailure,omitempty"`

	// activeDeadlineSeconds is how long the run may take, in seconds, from its first call on.
	// A call that is cut off has an unknown outcome. The time that a run is suspended does not
	// count. When the operator is asked to stop, as by a rollout, it waits 11 minutes for the
	// calls that are under way.
	// +optional
	// +default=600
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
	ActiveDeadlineSeconds *int32 `json:"activeDeadlineSeconds,omitempty"`

	// retryLimit is how often a batch is sent again, with growing pauses, when its call is
	// known to have changed nothing and may go through later: there was no connection, or the
	// API answered 401, 403, 404 or 405. It does not count the waits that the API asks for (429).
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
	RetryLimit *int32 `json:"retryLimit,omitempty"`

	// onUnknownOutcome says what to do when a batch was sent and its answer was lost: Fail
	// ends the run as Unknown; Retry sends the batch again, with growing pauses, until it is
	// answered or the deadline is over. With Retry records may be written twice: it is for
	// destinations where that does no harm, such as an upsert.
	// +optional
	// +default="Fail"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
	OnUnknownOutcome UnknownOutcomePolicy `json:"onUnknownOutcome,omitempty"`

	// idempotencyKey lets only one run succeed for the same importRef (or importID) and key in
	// the namespace, even if the run is deleted and created again: another run with the key
	// waits for the one under way, and sends nothing once one has succeeded. It is refused
	// after one whose outcome is unknown, unless onUnknownOutcome is Retry.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
	IdempotencyKey string `json:"idempotencyKey,omitempty"`

	// responseSecretName names a Secret that the operator creates, owned by the run, for the
	// full answers: a key for each batch, compressed with gzip when large. What does not fit
	// into a Secret is cut, and the key "note" says so. A Secret that exists and is not the
	// run's is never written: then nothing is sent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a run happens once; create another ImportRun"
	ResponseSecretName string `json:"responseSecretName,omitempty"`

	// suspend holds the run before its next batch; the call that is under way goes on.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// cancel ends the run before its next batch, for good; the call that is under way goes
	// on, and its answer is recorded.
	// +optional
	Cancel bool `json:"cancel,omitempty"`

	// ttlSecondsAfterFinished deletes the run so many seconds after it has ended. By default
	// it is kept. A run that Git still has would be created, and so run, again: then also set
	// idempotencyKey.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`
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
// +kubebuilder:validation:Enum=Pending;Waiting;Running;Succeeded;Failed;Unknown;Canceled
type RunPhase string

const (
	// RunPending has not been looked at yet.
	RunPending RunPhase = "Pending"
	// RunWaiting waits: for its Import, its Account or its data, for a pause to end, or for
	// somebody to take suspend away. No call is under way.
	RunWaiting RunPhase = "Waiting"
	// RunRunning has claimed a call.
	RunRunning RunPhase = "Running"
	// RunSucceeded is terminal: every record was written or ignored by the import's own rules.
	RunSucceeded RunPhase = "Succeeded"
	// RunFailed is terminal: a call changed nothing, or records failed; the message and the
	// counts say what was written before.
	RunFailed RunPhase = "Failed"
	// RunUnknown is terminal: the call was sent and its answer was lost, so the records
	// may or may not have been written.
	RunUnknown RunPhase = "Unknown"
	// RunCanceled is terminal: spec.cancel ended it before it had sent everything.
	RunCanceled RunPhase = "Canceled"
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

// BatchCounts counts the batches of a run.
type BatchCounts struct {
	// total is the number of batches that the run has.
	// +optional
	Total int32 `json:"total"`
	// done is the number of batches that were answered.
	// +optional
	Done int32 `json:"done"`
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

	// phase is Pending, Waiting, Running, and then Succeeded, Failed, Unknown or Canceled for
	// good. Unknown: a call was sent and its answer was lost; look into the destination
	// before running again.
	// +optional
	Phase RunPhase `json:"phase,omitempty"`

	// importID is the id of the remote import that was invoked.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ImportID string `json:"importID,omitempty"`

	// startTime is when the run claimed its first call.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is when the run ended.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// records counts the records by outcome.
	// +optional
	Records *RecordCounts `json:"records,omitempty"`

	// batches counts the batches.
	// +optional
	Batches *BatchCounts `json:"batches,omitempty"`

	// progress is "done/total" of the batches.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Progress string `json:"progress,omitempty"`

	// responseSecretName is the Secret that has the answers.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ResponseSecretName string `json:"responseSecretName,omitempty"`

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

// ImportRun invokes an import once with the records it has, as a Job runs once: in one call,
// or in batches. Unless it is told to retry, it never sends a record twice: when an answer is
// lost it ends as Unknown.
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
// +kubebuilder:printcolumn:name="Progress",type=string,JSONPath=`.status.progress`
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
	// +default={"observedGeneration":-1,"phase":"Pending"}
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
