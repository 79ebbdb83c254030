// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"errors"
	"net/http"
)

// Outcome is what a call that writes did, as far as is known.
type Outcome int

const (
	// OutcomeApplied: the API answered that it did what was asked.
	OutcomeApplied Outcome = iota
	// OutcomeNotApplied: the call is known to have changed nothing.
	OutcomeNotApplied
	// OutcomeFailed: the API failed an invocation as a whole, in its own words (status 200 with errors).
	OutcomeFailed
	// OutcomeUnknown: the call may or may not have been applied.
	OutcomeUnknown
)

// statusMeaning is what a status of the API says about the call that it answers.
type statusMeaning struct {
	// notApplied: the call changed nothing.
	notApplied bool
	// retriable: the same call may be accepted later, because not its content was refused.
	retriable bool
	// explained: the API answers this with a reason. Without one it may come from a gateway.
	explained bool
	// keepsImport: the answer to a deletion that refuses it.
	keepsImport bool
	// refusesReplace: the answer to replaceConnection after which a PUT is worth trying.
	refusesReplace bool
}

// statusMeanings is the one table of what statuses mean. What is not in it (other 4xx, 3xx, 5xx)
// says nothing about whether the call was applied.
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

// Error gives the *APIError in err's chain, or an empty one.
func Error(err error) *APIError {
	if api, ok := errors.AsType[*APIError](err); ok {
		return api
	}
	return &APIError{}
}

// NotApplied reports whether the call is known to have changed nothing: not one byte of it was
// written, or the API refused it.
func (e *APIError) NotApplied() bool { return !e.Sent || statusMeanings[e.StatusCode].notApplied }

// Retriable reports whether a call that changed nothing may be accepted later as it is. What the
// API refuses because of its content, it refuses again.
func (e *APIError) Retriable() bool {
	if e.StatusCode == 0 {
		return !errors.Is(e.Err, ErrInvalidArgument)
	}
	return statusMeanings[e.StatusCode].retriable
}

// Unexplained reports whether a 403, 404 or 405 comes without a reason: it may be from a gateway
// in between, because the API gives one.
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

// NotApplied reports whether err says that the call changed nothing. An error that is not the
// API's never became a request. It is false without an error.
func NotApplied(err error) bool { return OutcomeOf(err) == OutcomeNotApplied }

// OutcomeOf is what a call that writes did, from its error.
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

// DeletionOutcomeOf is what a deletion did, from its error. An import that does not exist any more
// was deleted, by whomever; only a status that refuses the deletion keeps it.
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
