// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Reasons of conditions that more than one kind gives. A transient problem is retried by the
// operator; one that sets Stalled needs a person.
const (
	// ReasonTokenRejected: the API answers 401.
	ReasonTokenRejected = "TokenRejected"
	// ReasonForbidden: the API answers 403 with a reason, or Kubernetes refuses a write.
	ReasonForbidden = "Forbidden"
	// ReasonNotFound: the API answers 404 for something that the spec names.
	ReasonNotFound = "NotFound"
	// ReasonRejected: the API rejects the document or the call (400, 415, 422).
	ReasonRejected = "Rejected"
	// ReasonTooLarge: the API answers 413.
	ReasonTooLarge = "TooLarge"
	// ReasonConflict: the API answers 409.
	ReasonConflict = "Conflict"
	// ReasonRateLimited: the account's rate limit is used up, or all of maxInFlight is taken.
	ReasonRateLimited = "RateLimited"
	// ReasonServerError: the API answers 5xx.
	ReasonServerError = "ServerError"
	// ReasonUnreachable: there is no answer from the API.
	ReasonUnreachable = "Unreachable"
	// ReasonUnexpectedResponse: the response is not one that the API documents.
	ReasonUnexpectedResponse = "UnexpectedResponse"
	// ReasonSuspended: spec.suspend is true.
	ReasonSuspended = "Suspended"
	// ReasonProgressing: the operator is at work, or waits for something that ends without help.
	ReasonProgressing = "Progressing"
	// ReasonAccountNotFound: the Account that is referred to does not exist.
	ReasonAccountNotFound = "AccountNotFound"
	// ReasonAccountNotReady: the Account cannot be used yet, or is being deleted.
	ReasonAccountNotReady = "AccountNotReady"
)

// Reasons of an Account.
const (
	// ReasonTokenAccepted: the API accepts the token.
	ReasonTokenAccepted = "TokenAccepted"
	// ReasonSecretNotFound: the Secret or its key does not exist, or is empty.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonHostNotAllowed: the operator was not started to allow the host of spec.baseURL.
	ReasonHostNotAllowed = "HostNotAllowed"
	// ReasonInvalidSpec: the base URL or the token cannot be used as it is.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonInUse: the Account is being deleted and Imports still need it.
	ReasonInUse = "InUse"
)

// Reasons of an Import.
const (
	// ReasonSynced: the remote import is as declared.
	ReasonSynced = "Synced"
	// ReasonInvalidDefinition: spec.definition declares what cannot be declared.
	ReasonInvalidDefinition = "InvalidDefinition"
	// ReasonUnknownAlias: the Account has no such alias.
	ReasonUnknownAlias = "UnknownAlias"
	// ReasonValueNotFound: a Secret, ConfigMap or key of spec.valuesFrom does not exist yet.
	ReasonValueNotFound = "ValueNotFound"
	// ReasonInvalidValue: a value of spec.valuesFrom cannot be used.
	ReasonInvalidValue = "InvalidValue"
	// ReasonCreateUnconfirmed: the response to the creation was lost; the account is searched.
	ReasonCreateUnconfirmed = "CreateUnconfirmed"
	// ReasonAmbiguousCreate: several imports may be the one that was created.
	ReasonAmbiguousCreate = "AmbiguousCreate"
	// ReasonNotAccepted: the API dropped or changed declared values.
	ReasonNotAccepted = "NotAccepted"
	// ReasonOwnershipConflict: another Import, here or in another cluster, manages the import.
	ReasonOwnershipConflict = "OwnershipConflict"
	// ReasonOwnedByIntegrationApp: an integration app owns the import.
	ReasonOwnedByIntegrationApp = "OwnedByIntegrationApp"
	// ReasonAdoptionMismatch: the import to adopt with Match differs from the definition.
	ReasonAdoptionMismatch = "AdoptionMismatch"
	// ReasonAdoptionNotFound: the account does not have the import to adopt.
	ReasonAdoptionNotFound = "AdoptionNotFound"
	// ReasonAdoptionAmbiguous: several imports have the externalId of spec.adopt.
	ReasonAdoptionAmbiguous = "AdoptionAmbiguous"
	// ReasonAdoptionConflict: another Import is about to adopt the same import.
	ReasonAdoptionConflict = "AdoptionConflict"
	// ReasonCloneSourceNotReady: the Import to clone has no remote import yet.
	ReasonCloneSourceNotReady = "CloneSourceNotReady"
	// ReasonNothingToObserve: managementPolicy is Observe and no import is named.
	ReasonNothingToObserve = "NothingToObserve"
	// ReasonRemoteDeleted: the import was deleted on the platform. Of a condition when it is
	// not created again, of an event when it is.
	ReasonRemoteDeleted = "RemoteDeleted"
	// ReasonDryRun: the annotation integrator.io/dry-run is "true".
	ReasonDryRun = "DryRun"
	// ReasonAccountChanged: no managed import is found with the new credential.
	ReasonAccountChanged = "AccountChanged"
	// ReasonDeletionBlocked: something uses the import, or the API refuses to delete it.
	ReasonDeletionBlocked = "DeletionBlocked"
	// ReasonDriftReported: of the condition Drifted; the remote import differs and is left so.
	ReasonDriftReported = "DriftReported"
)

// Reasons of an Import's events, beside those of its conditions.
const (
	// ReasonCreated: the import was created.
	ReasonCreated = "Created"
	// ReasonCloned: the import was created as a clone.
	ReasonCloned = "Cloned"
	// ReasonRecovered: an import whose creation was unconfirmed was found.
	ReasonRecovered = "Recovered"
	// ReasonAdopted: an existing import was taken over.
	ReasonAdopted = "Adopted"
	// ReasonUpdated: the import was brought to a changed definition.
	ReasonUpdated = "Updated"
	// ReasonDeleted: the import was deleted.
	ReasonDeleted = "Deleted"
	// ReasonDriftDetected: the import was changed on the platform.
	ReasonDriftDetected = "DriftDetected"
	// ReasonDriftCorrected: a change on the platform was undone.
	ReasonDriftCorrected = "DriftCorrected"
)

// Reasons of an ImportRun.
const (
	// ReasonRecordsAccepted: every record was accepted or ignored.
	ReasonRecordsAccepted = "RecordsAccepted"
	// ReasonRecordsFailed: some records failed.
	ReasonRecordsFailed = "RecordsFailed"
	// ReasonInvokeRejected: the API failed the whole request.
	ReasonInvokeRejected = "InvokeRejected"
	// ReasonOutcomeUnknown: the records may or may not have been written.
	ReasonOutcomeUnknown = "OutcomeUnknown"
	// ReasonInvalidData: the data cannot be sent.
	ReasonInvalidData = "InvalidData"
	// ReasonDataChanged: data, dataFrom or settings changed after the first batch was sent.
	ReasonDataChanged = "DataChanged"
	// ReasonDataNotFound: a Secret, ConfigMap or key of spec.dataFrom does not exist yet.
	ReasonDataNotFound = "DataNotFound"
	// ReasonDeadlineExceeded: spec.activeDeadlineSeconds is over.
	ReasonDeadlineExceeded = "DeadlineExceeded"
	// ReasonCanceled: spec.cancel is true.
	ReasonCanceled = "Canceled"
	// ReasonImportNotFound: the Import that is referred to does not exist.
	ReasonImportNotFound = "ImportNotFound"
	// ReasonImportNotReady: the Import is not Ready at its latest generation.
	ReasonImportNotReady = "ImportNotReady"
	// ReasonAlreadySucceeded: another run has succeeded with the same idempotencyKey.
	ReasonAlreadySucceeded = "AlreadySucceeded"
	// ReasonIdempotencyKeyInUse: another run with the same idempotencyKey has not ended.
	ReasonIdempotencyKeyInUse = "IdempotencyKeyInUse"
	// ReasonIdempotencyKeyUnknown: the outcome of another run with the same idempotencyKey is unknown.
	ReasonIdempotencyKeyUnknown = "IdempotencyKeyUnknown"
	// ReasonResponseSecretConflict: the Secret of responseSecretName belongs to somebody else.
	ReasonResponseSecretConflict = "ResponseSecretConflict"
	// ReasonResponseNotStored: of an event; a response could not be put into the Secret.
	ReasonResponseNotStored = "ResponseNotStored"
)
