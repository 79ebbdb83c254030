// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PartialFailurePolicy defines what happens when an earlier run with the same idempotencyKey wrote
// some of the same records and failed.
//
// +kubebuilder:validation:Enum=Refuse;SendAgain
type PartialFailurePolicy string

const (
	// PartialFailureRefuse sends nothing, and ends the run as Failed.
	PartialFailureRefuse PartialFailurePolicy = "Refuse"
	// PartialFailureSendAgain sends all records. Those that were written are written again.
	PartialFailureSendAgain PartialFailurePolicy = "SendAgain"
)

// UnknownOutcomePolicy defines what happens when a call was sent and its response was lost.
//
// +kubebuilder:validation:Enum=Fail;Retry
type UnknownOutcomePolicy string

const (
	// UnknownOutcomeFail ends the run as Unknown. Nothing is sent twice.
	UnknownOutcomeFail UnknownOutcomePolicy = "Fail"
	// UnknownOutcomeRetry sends the batch again. Its records may be written twice.
	UnknownOutcomeRetry UnknownOutcomePolicy = "Retry"
)

// ImportRunSpec defines which import to invoke, and with which records. It is immutable except
// for suspend, cancel and ttlSecondsAfterFinished, because a run happens once: for another run,
// create another ImportRun.
//
// +kubebuilder:validation:XValidation:rule="has(self.importRef) != has(self.importID)",message="exactly one of importRef and importID must be set"
// +kubebuilder:validation:XValidation:rule="has(self.importID) == has(self.accountRef)",message="accountRef must be set if importID is set, and must not be set if importRef is set: an Import has an accountRef of its own"
// +kubebuilder:validation:XValidation:rule="['importRef', 'importID', 'accountRef', 'data', 'dataFrom', 'settings', 'retryOf', 'batchSize', 'activeDeadlineSeconds', 'retryLimit', 'onUnknownOutcome', 'idempotencyKey', 'afterPartialFailure', 'responseSecretName'].all(f, (f in dyn(self)) == (f in dyn(oldSelf)) && (!(f in dyn(self)) || [dyn(self)[f]] == [dyn(oldSelf)[f]])) && (has(self.stopOnFailure) && self.stopOnFailure) == (has(oldSelf.stopOnFailure) && oldSelf.stopOnFailure)",message="an ImportRun's spec is immutable except for suspend, cancel and ttlSecondsAfterFinished: create a new ImportRun"
type ImportRunSpec struct {
	// importRef is the Import to invoke, in the same namespace. Before each batch, the run
	// waits until that Import is Ready at its latest generation. Exactly one of importRef and
	// importID must be set.
	// +optional
	ImportRef *LocalReference `json:"importRef,omitempty"`

	// importID is the _id of a remote import that no Import declares. It requires accountRef.
	// +optional
	ImportID ID `json:"importID,omitempty"`

	// accountRef is the Account, in the same namespace, that has the import importID. It must
	// be set if, and only if, importID is set.
	// +optional
	AccountRef *LocalReference `json:"accountRef,omitempty"`

	// data is an array of at most 10,000 records, also for a single record; put more into
	// dataFrom. The body of a request to the API, an object of data and settings, does not
	// belong here: put its array here, and its settings into settings. If data or settings
	// change after the operator has first seen the run, or the content of dataFrom after the
	// first batch, the run sends nothing more and ends with reason DataChanged.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10000
	// +kubebuilder:pruning:PreserveUnknownFields
	Data []JSON `json:"data,omitempty"`

	// dataFrom is a list of sources of records, which are sent after those of data, in order.
	// Each source is a JSON array or JSON Lines, as text in UTF-8 or compressed with gzip. A
	// byte order mark is no part of it. Limits: 64 MiB and 1,000,000 records in all.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	DataFrom []DataSource `json:"dataFrom,omitempty"`

	// settings is a JSON object that is sent with the records in each call.
	// +optional
	Settings *JSON `json:"settings,omitempty"`

	// retryOf is another ImportRun, in the same namespace, that has ended: this run sends just the
	// records that failed there, to the same import, with the same settings. It takes data, dataFrom
	// and settings from that run, unless it repeats all of them unchanged. It must repeat them if
	// there is a secretKeyRef among them. Records whose outcome is unknown, or that were not
	// sent, are not included.
	// +optional
	RetryOf *LocalReference `json:"retryOf,omitempty"`

	// batchSize is the maximum number of records per call. The batches are sent in order, each
	// after the response to the previous one. By default all records are sent in one call. A
	// call never exceeds 5,000,000 bytes, including settings: records that do not fit are sent
	// in further calls.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	BatchSize *int32 `json:"batchSize,omitempty"`

	// stopOnFailure ends the run after the first batch in which a record failed. By default the
	// remaining batches are sent. If a call fails as a whole, the run always ends.
	// +optional
	StopOnFailure bool `json:"stopOnFailure,omitempty"`

	// activeDeadlineSeconds is the maximum duration of the run, in seconds, from its first
	// call. Time in suspension does not count. A call that the deadline interrupts has an
	// unknown outcome. When the operator shuts down, as in a rollout, its process stays until the
	// calls in progress have ended, and the next one works meanwhile. Defaults to 600.
	// +optional
	// +default=600
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	ActiveDeadlineSeconds *int32 `json:"activeDeadlineSeconds,omitempty"`

	// retryLimit is how many times a batch is sent again, with increasing delays, if its call
	// changed nothing and may succeed later: there was no connection, or the API returned 401,
	// 403, 404 or 405. Delays that the API requests (429) do not count. Defaults to 0.
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	RetryLimit *int32 `json:"retryLimit,omitempty"`

	// onUnknownOutcome is Fail or Retry, and defines what happens when a batch was sent and its
	// response was lost. Fail ends the run as Unknown. Retry sends the batch again, with
	// increasing delays, until there is a response or the deadline is exceeded. With Retry,
	// records may be written twice: use it only for destinations where this does no harm, such
	// as an upsert. Defaults to Fail.
	// +optional
	// +default="Fail"
	OnUnknownOutcome UnknownOutcomePolicy `json:"onUnknownOutcome,omitempty"`

	// idempotencyKey ensures that only one run succeeds for the same key and the same importRef
	// (or importID) in the namespace, even if the run is deleted and created again. While
	// another run with the key is in progress, this run waits. After another run has succeeded,
	// it sends nothing and succeeds with reason AlreadySucceeded. After a run whose outcome is
	// unknown, it fails with reason IdempotencyKeyUnknown, unless onUnknownOutcome is Retry. After
	// a run that failed and wrote some of the same records, afterPartialFailure applies.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	IdempotencyKey string `json:"idempotencyKey,omitempty"`

	// afterPartialFailure is Refuse or SendAgain, and defines what happens when an earlier run with
	// the same idempotencyKey failed or was canceled after it had written some records, and this
	// run has the same data and settings. Refuse sends nothing, and the run fails with reason
	// AlreadyFailed. SendAgain sends all records again: use it only for destinations where writing
	// a record twice does no harm, such as an upsert. Defaults to Refuse.
	// +optional
	// +default="Refuse"
	AfterPartialFailure PartialFailurePolicy `json:"afterPartialFailure,omitempty"`

	// responseSecretName is the name of a Secret for the full responses. The operator creates
	// it, and the run owns it. It has one key for each batch; large responses are compressed
	// with gzip. What does not fit into a Secret is truncated, and the key "note" says so. If a
	// Secret of this name exists and does not belong to the run, it is not written, and the run
	// sends nothing.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	ResponseSecretName string `json:"responseSecretName,omitempty"`

	// suspend pauses the run before its next batch. A call in progress continues. Defaults to
	// false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// cancel ends the run before its next batch. This cannot be undone. A call in progress
	// continues, and its response is recorded. Defaults to false.
	// +optional
	Cancel bool `json:"cancel,omitempty"`

	// ttlSecondsAfterFinished is the time, in seconds, after which a run that has ended is
	// deleted. By default it is kept. A tool that applies manifests from Git would create the
	// run again, and its records would be sent again: also set idempotencyKey in that case.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`
}

// DataSource is a key of a ConfigMap or Secret that contains records. Exactly one of
// configMapKeyRef and secretKeyRef must be set.
//
// +kubebuilder:validation:XValidation:rule="has(self.configMapKeyRef) != has(self.secretKeyRef)",message="exactly one of configMapKeyRef and secretKeyRef must be set"
type DataSource struct {
	// configMapKeyRef is a key of a ConfigMap in the same namespace.
	// +optional
	ConfigMapKeyRef *KeyReference `json:"configMapKeyRef,omitempty"`

	// secretKeyRef is a key of a Secret in the same namespace. The destination's messages about
	// its records are not repeated in the status.
	// +optional
	SecretKeyRef *KeyReference `json:"secretKeyRef,omitempty"`
}

// RunPhase is the phase of an ImportRun.
//
// +kubebuilder:validation:Enum=Pending;Waiting;Running;Succeeded;Failed;Unknown;Canceled
type RunPhase string

const (
	// RunPending means that the operator has not processed the run yet.
	RunPending RunPhase = "Pending"
	// RunWaiting means that the run waits for its Import, its Account or its data, for the end
	// of a delay, or until suspend is false. No call is in progress.
	RunWaiting RunPhase = "Waiting"
	// RunRunning means that the run has claimed a call.
	RunRunning RunPhase = "Running"
	// RunSucceeded is final: every record was written, or was ignored by the rules of the
	// import.
	RunSucceeded RunPhase = "Succeeded"
	// RunFailed is final: a call changed nothing, or records failed. The message and the counts
	// show what was written before.
	RunFailed RunPhase = "Failed"
	// RunUnknown is final: a call was sent and its response was lost, so its records may or may
	// not have been written.
	RunUnknown RunPhase = "Unknown"
	// RunCanceled is final: spec.cancel ended the run before all records were sent.
	RunCanceled RunPhase = "Canceled"
)

// RecordCounts counts the records of a run by outcome.
type RecordCounts struct {
	// total is the number of records in the run.
	// +optional
	Total int32 `json:"total"`
	// sent is the number of records that were sent.
	// +optional
	Sent int32 `json:"sent"`
	// succeeded is the number of records that the destination accepted.
	// +optional
	Succeeded int32 `json:"succeeded"`
	// failed is the number of records that the destination or the platform rejected.
	// +optional
	Failed int32 `json:"failed"`
	// ignored is the number of records that the rules of the import skipped.
	// +optional
	Ignored int32 `json:"ignored"`
}

// BatchCounts counts the batches of a run.
type BatchCounts struct {
	// total is the number of batches in the run.
	// +optional
	Total int32 `json:"total"`
	// done is the number of batches whose response was received.
	// +optional
	Done int32 `json:"done"`
}

// RecordFailure describes why a record failed.
type RecordFailure struct {
	// index is the position of the record in the run's data, starting at 0. In a run with
	// retryOf it is the position in the data of the run that retryOf names.
	// +required
	Index int32 `json:"index"`
	// statusCode is the status code that the response contains for the record.
	// +optional
	StatusCode int32 `json:"statusCode,omitempty"`
	// code is the code of the error.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Code string `json:"code,omitempty"`
	// message is the message of the error. A long message is truncated.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

// ImportRunStatus is the observed state of the run.
type ImportRunStatus struct {
	// observedGeneration is the generation of the spec that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase is Pending, Waiting or Running until the run ends, and then Succeeded, Failed,
	// Unknown or Canceled. Unknown means that a call was sent and its response was lost: check
	// the destination before you run the records again.
	// +optional
	Phase RunPhase `json:"phase,omitempty"`

	// importID is the _id of the remote import that was invoked.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ImportID string `json:"importID,omitempty"`

	// startTime is the time at which the run claimed its first call.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is the time at which the run ended.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// records counts the records by outcome.
	// +optional
	Records *RecordCounts `json:"records,omitempty"`

	// batches counts the batches.
	// +optional
	Batches *BatchCounts `json:"batches,omitempty"`

	// call identifies the call in progress, or the last one whose response was lost, by the token
	// of its claim. The operator sends nothing if the annotation integrator.io/claim contradicts
	// it, unless onUnknownOutcome is Retry.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Call string `json:"call,omitempty"`

	// progress is the number of batches as "done/total".
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Progress string `json:"progress,omitempty"`

	// responseSecretName is the name of the Secret that contains the responses.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ResponseSecretName string `json:"responseSecretName,omitempty"`

	// failures are the first records that failed, 20 at most. failedRecords lists all of them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Failures []RecordFailure `json:"failures,omitempty"`

	// failedRecords are the positions of all records that failed, as ranges: "0-4,7,9-12". They
	// start at 0, and mean the same as the index of failures. Another run can send these records
	// again with retryOf.
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	FailedRecords string `json:"failedRecords,omitempty"`

	// failedRecordsTruncated is true if more records failed than failedRecords has room for. The
	// positions that it lists are the first ones.
	// +optional
	FailedRecordsTruncated bool `json:"failedRecordsTruncated,omitempty"`

	// dataHash is a hash of data and settings when the operator first saw the run; with retryOf,
	// of those that it takes from the other run.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DataHash string `json:"dataHash,omitempty"`

	// sourcesHash is a hash of the content of dataFrom at the time of the first batch.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	SourcesHash string `json:"sourcesHash,omitempty"`

	// conditions are Ready and Succeeded, which are always present, and Reconciling and
	// Stalled, which are present only while they are True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ImportRun invokes an import once with its records, as a Job runs once: in one call, or in
// batches. It never sends a record twice, unless onUnknownOutcome is Retry. If a response is
// lost, the run ends as Unknown.
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
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec defines which import to invoke, and with which records.
	// +required
	Spec ImportRunSpec `json:"spec"`

	// status is the observed state of the run.
	// +optional
	// +default={"observedGeneration":-1,"phase":"Pending"}
	Status ImportRunStatus `json:"status,omitzero"`
}

// ImportRunList is a list of ImportRuns.
//
// +kubebuilder:object:root=true
type ImportRunList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items is the list of ImportRuns.
	Items []ImportRun `json:"items"`
}
