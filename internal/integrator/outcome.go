// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"errors"
	"net/http"
)

// Outcome is what is known about the effect of a call that writes.
type Outcome int

const (
	// OutcomeApplied: the API answered with success.
	OutcomeApplied Outcome = iota
	// OutcomeNotApplied: the call is known to have changed nothing.
	OutcomeNotApplied
	// OutcomeFailed: the API failed an invocation as a whole, in its own words (status 200 with errors).
	OutcomeFailed
	// OutcomeUnknown: the call may or may not have been applied.
	OutcomeUnknown
)

// statusMeaning is what a status means for the call that it answers.
type statusMeaning struct {
	// notApplied: the call changed nothing. Of a deletion only keepsImport says that.
	notApplied bool
	// retriable: the API did not refuse the content, so a run may send the same batch again, up to
	// its retryLimit. A batch that met 429 is sent again without being counted.
	retriable bool
	// explained: the API answers this with a reason. Without one it may come from a gateway.
	explained bool
	// keepsImport: the answer to a deletion that refuses it.
	keepsImport bool
	// refusesReplace: the answer to replaceConnection after which a PUT is worth trying.
	refusesReplace bool
}

// statusMeanings is the one table of what statuses mean. After a status that is not in it (other 4xx,
// 3xx, 5xx) it is unknown whether the call was applied.
var statusMeanings = map[int]statusMeaning{
	http.StatusBadRequest:            {notApplied: true, refusesReplace: true},
	http.StatusUnauthorized:          {notApplied: true, retriable: true},
	http.StatusForbidden:             {notApplied: true, retriable: true, explained: true, keepsImport: true},
	http.StatusNotFound:              {notApplied: true, retriable: true, explained: true, refusesReplace: true},
	http.StatusMethodNotAllowed:      {notApplied: true, retriable: true, explained: true, refusesReplace: true},
	http.StatusConflict:              {keepsImport: true, refusesReplace: true},
	http.StatusRequestEntityTooLarge: {notApplied: true},
	http.StatusUnsupportedMediaType:  {notApplied: true},
	http.StatusUnprocessableEntity:   {notApplied: true, keepsImport: true, refusesReplace: true},
	http.StatusTooManyRequests:       {notApplied: true},
}

// Error returns the *APIError in err's chain, or an empty one.
func Error(err error) *APIError {
	if api, ok := errors.AsType[*APIError](err); ok {
		return api
	}
	return &APIError{}
}

// NotApplied reports whether the call is known to have changed nothing: not one byte of it was
// written, or the API refused it.
func (e *APIError) NotApplied() bool { return !e.Sent || statusMeanings[e.StatusCode].notApplied }

// Retriable reports whether a call that changed nothing may be accepted later as it is. A call that
// the API refuses for its content will be refused again.
func (e *APIError) Retriable() bool {
	if e.StatusCode == 0 {
		return !errors.Is(e.Err, ErrInvalidArgument)
	}
	return statusMeanings[e.StatusCode].retriable
}

// Unexplained reports whether a 403, 404 or 405 comes without a reason. The API gives one, so the
// answer may be from a gateway in between.
func (e *APIError) Unexplained() bool {
	return statusMeanings[e.StatusCode].explained && len(e.Errors) == 0
}

// FailedAsAWhole reports whether the API answered an invocation with success and an error object
// instead of results.
func (e *APIError) FailedAsAWhole() bool {
	return e.StatusCode >= 200 && e.StatusCode < 300 && len(e.Errors) > 0 && !e.NotUnderstood()
}

// IsNotFound reports whether the API answered 404. It may be from a gateway, see [APIError.Unexplained].
func IsNotFound(err error) bool { return StatusCode(err) == http.StatusNotFound }

// RefusesReplaceConnection reports whether the API refuses replaceConnection in a way that a PUT
// may get around.
func RefusesReplaceConnection(err error) bool {
	return statusMeanings[StatusCode(err)].refusesReplace
}

// NotApplied reports whether err means that the call changed nothing. An error that is not an
// *APIError was never a request. Without an error it is false.
func NotApplied(err error) bool { return OutcomeOf(err) == OutcomeNotApplied }

// OutcomeOf returns the outcome of a call that writes, from its error.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeApplied
	}
	api, ok := errors.AsType[*APIError](err)
	switch {
	case !ok:
		return OutcomeNotApplied
	case api.FailedAsAWhole():
		return OutcomeFailed
	case api.NotApplied():
		return OutcomeNotApplied
	default:
		return OutcomeUnknown
	}
}

// DeletionOutcomeOf returns the outcome of a deletion, from its error. An import that no longer exists
// counts as deleted, whoever deleted it. Only a status that refuses the deletion means that it was
// not applied.
func DeletionOutcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return OutcomeApplied
	case Error(err).Unexplained():
		return OutcomeUnknown
	case IsNotFound(err):
		return OutcomeApplied
	case statusMeanings[StatusCode(err)].keepsImport:
		return OutcomeNotApplied
	default:
		return OutcomeUnknown
	}
}
