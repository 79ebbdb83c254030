// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Reasons of conditions that several kinds have. The operator retries after a transient
// problem. A problem that sets Stalled requires a person to act.
const (
	// ReasonTokenRejected: the API returns 401.
	ReasonTokenRejected = "TokenRejected"
	// ReasonForbidden: the API returns 403 with a reason, or Kubernetes refuses a write of the
	// operator.
	ReasonForbidden = "Forbidden"
	// ReasonNotFound: the API returns 404 for a resource that the spec refers to.
	ReasonNotFound = "NotFound"
	// ReasonRejected: the API rejects the document or the call (400, 415, 422).
	ReasonRejected = "Rejected"
	// ReasonTooLarge: the API returns 413.
	ReasonTooLarge = "TooLarge"
	// ReasonConflict: the API returns 409.
	ReasonConflict = "Conflict"
	// ReasonRateLimited: the account's rate limit is exceeded, or other calls use all of
	// maxInFlight.
	ReasonRateLimited = "RateLimited"
	// ReasonServerError: the API returns 5xx.
	ReasonServerError = "ServerError"
	// ReasonUnreachable: the API does not respond.
	ReasonUnreachable = "Unreachable"
	// ReasonUnexpectedResponse: the response is not one that the API documents.
	ReasonUnexpectedResponse = "UnexpectedResponse"
	// ReasonSuspended: spec.suspend is true.
	ReasonSuspended = "Suspended"
	// ReasonProgressing: the operator is working, or waits for something that ends without
	// help.
	ReasonProgressing = "Progressing"
	// ReasonAccountNotFound: the referenced Account does not exist.
	ReasonAccountNotFound = "AccountNotFound"
	// ReasonAccountNotReady: the Account cannot be used yet, or is being deleted.
	ReasonAccountNotReady = "AccountNotReady"
	// ReasonAccountChanged: no managed import is found with the Account's new credential.
	ReasonAccountChanged = "AccountChanged"
)

// Reasons of an Account.
const (
	// ReasonTokenAccepted: the API accepts the token.
	ReasonTokenAccepted = "TokenAccepted"
	// ReasonSecretNotFound: the Secret or its key does not exist, or is empty.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonHostNotAllowed: --allowed-api-hosts does not include the host of spec.baseURL.
	ReasonHostNotAllowed = "HostNotAllowed"
	// ReasonInvalidToken: what the Secret's key has cannot be a token.
	ReasonInvalidToken = "InvalidToken"
	// ReasonCABundleNotFound: what spec.caBundleRef names does not exist, or is empty.
	ReasonCABundleNotFound = "CABundleNotFound"
	// ReasonInvalidCABundle: what spec.caBundleRef names has something else than certificates.
	ReasonInvalidCABundle = "InvalidCABundle"
	// ReasonInvalidSpec: the base URL cannot be used.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonScanFailing: no scan of the account has reached its end for long.
	ReasonScanFailing = "ScanFailing"
	// ReasonInUse: the Account is being deleted, and Imports still need it.
	ReasonInUse = "InUse"
)

// Reasons of an Import.
const (
	// ReasonSynced: the remote import is as declared, or is observed.
	ReasonSynced = "Synced"
	// ReasonInvalidDefinition: spec.definition declares fields that cannot be declared.
	ReasonInvalidDefinition = "InvalidDefinition"
	// ReasonUnknownAlias: the Account does not have this alias.
	ReasonUnknownAlias = "UnknownAlias"
	// ReasonValueNotFound: a Secret, ConfigMap or key of spec.valuesFrom does not exist yet.
	ReasonValueNotFound = "ValueNotFound"
	// ReasonInvalidValue: a value of spec.valuesFrom cannot be used.
	ReasonInvalidValue = "InvalidValue"
	// ReasonCreateUnconfirmed: the response to the create call was lost; the operator searches
	// the account for the import.
	ReasonCreateUnconfirmed = "CreateUnconfirmed"
	// ReasonAmbiguousCreate: several imports may be the one that was created.
	ReasonAmbiguousCreate = "AmbiguousCreate"
	// ReasonNotAccepted: the API dropped or changed declared values.
	ReasonNotAccepted = "NotAccepted"
	// ReasonMaskedField: an update would write the mask of a value that is not declared, and
	// spec.maskedFields is Refuse.
	ReasonMaskedField = "MaskedField"
	// ReasonOwnershipConflict: another Import, in this cluster or in another, manages the
	// import.
	ReasonOwnershipConflict = "OwnershipConflict"
	// ReasonOwnedByIntegrationApp: an integration app owns the import.
	ReasonOwnedByIntegrationApp = "OwnedByIntegrationApp"
	// ReasonAdoptionMismatch: the import to adopt with mode Match differs from the definition.
	ReasonAdoptionMismatch = "AdoptionMismatch"
	// ReasonAdoptionNotFound: the account does not have the import to adopt.
	ReasonAdoptionNotFound = "AdoptionNotFound"
	// ReasonAdoptionAmbiguous: several imports have the externalId of spec.adopt.
	ReasonAdoptionAmbiguous = "AdoptionAmbiguous"
	// ReasonAdoptionConflict: another Import is adopting, or may just have created, the same
	// import.
	ReasonAdoptionConflict = "AdoptionConflict"
	// ReasonCloneSourceNotReady: the Import to clone has no remote import yet.
	ReasonCloneSourceNotReady = "CloneSourceNotReady"
	// ReasonNothingToObserve: managementPolicy is Observe, and spec.adopt is not set.
	ReasonNothingToObserve = "NothingToObserve"
	// ReasonRemoteDeleted: the import was deleted on the platform. It is the reason of a
	// condition if the import is not created again, and of an event if it is.
	ReasonRemoteDeleted = "RemoteDeleted"
	// ReasonDryRun: the annotation integrator.io/dry-run is "true".
	ReasonDryRun = "DryRun"
	// ReasonDeletionBlocked: something uses the import, or the API refuses to delete it.
	ReasonDeletionBlocked = "DeletionBlocked"
	// ReasonDriftReported: the reason of the condition Drifted. The remote import differs and
	// is left as it is.
	ReasonDriftReported = "DriftReported"
)

// Reasons of an Import's events, in addition to those of its conditions.
const (
	// ReasonCreated: the import was created.
	ReasonCreated = "Created"
	// ReasonCloned: the import was created as a clone.
	ReasonCloned = "Cloned"
	// ReasonRecovered: an import whose creation was unconfirmed was found.
	ReasonRecovered = "Recovered"
	// ReasonAdopted: an existing import was taken over.
	ReasonAdopted = "Adopted"
	// ReasonUpdated: a changed definition was written to the import.
	ReasonUpdated = "Updated"
	// ReasonDeleted: the import was deleted.
	ReasonDeleted = "Deleted"
	// ReasonCopyFound: the account has another import with the Import's ownership marker.
	ReasonCopyFound = "CopyFound"
	// ReasonDefinitionWarning: something in the definition is probably a mistake.
	ReasonDefinitionWarning = "DefinitionWarning"
	// ReasonHandedOver: the Import was deleted, and its import was left to another Import of the
	// namespace that adopts it.
	ReasonHandedOver = "HandedOver"
	// ReasonTrailingLineBreak: a value of spec.valuesFrom ends in a line break, and trimSpace is not
	// set.
	ReasonTrailingLineBreak = "TrailingLineBreak"
	// ReasonRoundedNumber: spec has a whole number that Kubernetes may have rounded. Also an event
	// of an ImportRun.
	ReasonRoundedNumber = "RoundedNumber"
	// ReasonMaskedFieldSent: an update contained the mask of a value that is not declared.
	ReasonMaskedFieldSent = "MaskedFieldSent"
	// ReasonUnmatchedIgnoreDifferences: a pointer of spec.ignoreDifferences matches nothing.
	ReasonUnmatchedIgnoreDifferences = "UnmatchedIgnoreDifferences"
	// ReasonDriftDetected: the import was changed on the platform.
	ReasonDriftDetected = "DriftDetected"
	// ReasonDriftCorrected: a change on the platform was reverted.
	ReasonDriftCorrected = "DriftCorrected"
	// ReasonStatusRefused: the API server refuses the status or the metadata of the Import,
	// because the object would be too large or is invalid, or because a policy denies it.
	ReasonStatusRefused = "StatusRefused"
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
	// ReasonDataChanged: data or settings changed after the run was first seen, or the content of
	// dataFrom after the first batch was sent, or after the run that spec.retryOf names.
	ReasonDataChanged = "DataChanged"
	// ReasonDataNotFound: a Secret, ConfigMap or key of spec.dataFrom does not exist yet.
	ReasonDataNotFound = "DataNotFound"
	// ReasonDeadlineExceeded: spec.activeDeadlineSeconds leaves no time for the next call.
	ReasonDeadlineExceeded = "DeadlineExceeded"
	// ReasonCanceled: spec.cancel is true.
	ReasonCanceled = "Canceled"
	// ReasonImportNotFound: the referenced Import does not exist.
	ReasonImportNotFound = "ImportNotFound"
	// ReasonImportNotReady: the Import is not Ready at its latest generation.
	ReasonImportNotReady = "ImportNotReady"
	// ReasonAlreadySucceeded: another run with the same idempotencyKey has succeeded.
	ReasonAlreadySucceeded = "AlreadySucceeded"
	// ReasonAlreadyFailed: another run with the same idempotencyKey and the same data has written
	// some of the records, and failed.
	ReasonAlreadyFailed = "AlreadyFailed"
	// ReasonInvalidRetry: the failed records of the run that spec.retryOf names cannot be sent again.
	ReasonInvalidRetry = "InvalidRetry"
	// ReasonIdempotencyKeyInUse: another run with the same idempotencyKey has not ended.
	ReasonIdempotencyKeyInUse = "IdempotencyKeyInUse"
	// ReasonIdempotencyKeyUnknown: the outcome of another run with the same idempotencyKey is
	// unknown.
	ReasonIdempotencyKeyUnknown = "IdempotencyKeyUnknown"
	// ReasonResponseSecretConflict: the Secret named responseSecretName exists and does not
	// belong to the run.
	ReasonResponseSecretConflict = "ResponseSecretConflict"
	// ReasonResponseNotStored: the reason of an event. A response could not be written to the
	// Secret.
	ReasonResponseNotStored = "ResponseNotStored"
)
