// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// meaning is a row of the table: what an error of the API means for the object.
type meaning struct {
	// when reports whether the row applies; the first that does counts.
	when   func(*integrator.APIError) bool
	class  Class
	reason string
	// advice follows "cannot <what>" and has the placeholders {status}, {details} (what the API
	// said) and {cause} (why there was no answer).
	advice string
	// after is when to reconcile again although the class alone would not.
	after time.Duration
}

// CorrectSpec is the advice where the API rejects what is declared. The spec of a run cannot be
// corrected.
const CorrectSpec = "correct the spec"

// meanings is the one table from an error of the API to class, reason and advice. Whether the
// call was applied is told by the error itself: see integrator.OutcomeOf.
var meanings = []meaning{
	{when: invalidArgument, class: Terminal, reason: v1alpha1.ReasonRejected,
		advice: ": {cause}; " + CorrectSpec},
	{when: status(0), class: Transient, reason: v1alpha1.ReasonUnreachable,
		advice: ": {network}; check the Account's baseURL and the network; it will be retried"},
	{when: status(http.StatusUnauthorized), class: Terminal, reason: v1alpha1.ReasonTokenRejected,
		advice: ": the API rejects the token (401); put a valid token into the Account's Secret"},
	{when: (*integrator.APIError).Unexplained, class: Transient, reason: v1alpha1.ReasonUnexpectedResponse,
		advice: ": the response ({status}) gives no reason, so it may come from a gateway in between; check the ids in the spec and the Account's baseURL; it will be retried"},
	// No event tells when the token gets the permission.
	{when: status(http.StatusForbidden), class: Terminal, reason: v1alpha1.ReasonForbidden, after: BackoffMax,
		advice: ": the token has no permission (403{details}); give it the permission, or put another token into the Account's Secret"},
	{when: status(http.StatusNotFound), class: Terminal, reason: v1alpha1.ReasonNotFound,
		advice: ": resource not found (404{details}); check the ids in the spec"},
	{when: status(http.StatusConflict), class: Transient, reason: v1alpha1.ReasonConflict,
		advice: ": the API reports a conflict (409{details}); it will be retried"},
	{when: tooLargePage, class: Transient, reason: v1alpha1.ReasonTooLarge,
		advice: ": {cause}{tooLong}; make it smaller on the platform; it will be retried"},
	{when: status(http.StatusRequestEntityTooLarge), class: Terminal, reason: v1alpha1.ReasonTooLarge,
		advice: ": the API finds it too large (413{details}); make it smaller"},
	{when: busy, class: RateLimited, reason: v1alpha1.ReasonRateLimited,
		advice: " yet: other calls take all of the account's maxInFlight; it will be retried"},
	{when: status(http.StatusTooManyRequests), class: RateLimited, reason: v1alpha1.ReasonRateLimited,
		advice: " yet: the account's rate limit is used up (429); it will be retried when the API permits"},
	{when: statusIn(400, 499), class: Terminal, reason: v1alpha1.ReasonRejected,
		advice: ": the API rejects it ({status}{details}); " + CorrectSpec},
	{when: statusIn(500, 599), class: Transient, reason: v1alpha1.ReasonServerError,
		advice: ": the API failed ({status}{details}); it will be retried"},
	// A gateway under maintenance redirects for a while, and no event tells when that is over.
	{when: statusIn(300, 399), class: Transient, reason: v1alpha1.ReasonUnexpectedResponse,
		advice: ": the API redirects ({status}), and redirects are not followed; check the Account's baseURL; it will be retried"},
	{when: badLink, class: Transient, reason: v1alpha1.ReasonUnexpectedResponse,
		advice: ": {cause}; check what is between the operator and the API; it will be retried"},
	{when: always, class: Transient, reason: v1alpha1.ReasonUnexpectedResponse,
		advice: ": the response ({status}) is not one that the API documents{tooLong}; it will be retried"},
}

func status(code int) func(*integrator.APIError) bool { return statusIn(code, code) }

func statusIn(first, last int) func(*integrator.APIError) bool {
	return func(api *integrator.APIError) bool { return api.StatusCode >= first && api.StatusCode <= last }
}

func invalidArgument(api *integrator.APIError) bool {
	return errors.Is(api.Err, integrator.ErrInvalidArgument)
}

func busy(api *integrator.APIError) bool { return errors.Is(api.Err, integrator.ErrBusy) }

func tooLargePage(api *integrator.APIError) bool {
	_, ok := errors.AsType[*integrator.PageTooLargeError](api.Err)
	return ok
}

func badLink(api *integrator.APIError) bool {
	_, ok := errors.AsType[*integrator.LinkError](api.Err)
	return ok
}

func always(*integrator.APIError) bool { return true }

// FromAPI turns an error of the API client into a problem. what says what was tried, as in
// "create the import". A problem in err's chain is returned as it is; nil means that the error is
// neither: it is one of Kubernetes, or of the operator itself.
func FromAPI(err error, what string) *Problem {
	if p := As(err); p != nil {
		return p
	}
	api, ok := errors.AsType[*integrator.APIError](err)
	if !ok {
		return nil
	}
	for _, row := range meanings {
		if !row.when(api) {
			continue
		}
		text := strings.NewReplacer(
			"{status}", fmt.Sprint(api.StatusCode), "{details}", Details(api), "{tooLong}", TooLong(api.Err),
			"{network}", NetworkCause(api.Err), "{cause}", fmt.Sprint(api.Err),
		).Replace(row.advice)
		p := New(row.class, row.reason, "cannot "+what+text).WithCause(err).WithRetryAfter(row.after)
		if row.class == RateLimited {
			p = p.WithRetryAfter(api.RetryAfter)
		}
		return p
	}
	return nil
}

// Wrap is FromAPI for callers that need an error: an error that is not the API's is returned as
// it is.
func Wrap(err error, what string) error {
	if p := FromAPI(err, what); p != nil {
		return p
	}
	return err
}

// TooLong ends a message about a response that was longer than the client reads.
func TooLong(err error) string {
	if errors.Is(err, integrator.ErrTooLarge) {
		return ", and too long to read"
	}
	return ""
}

// maxDetails bounds how many of the API's errors a message repeats.
const maxDetails = 3

// Details repeats what the API said: field, message and code of its first errors, beginning with
// ": ". It is empty when the API said nothing.
func Details(api *integrator.APIError) string {
	var text strings.Builder
	for i, detail := range api.Errors {
		if i == maxDetails {
			fmt.Fprintf(&text, "; and %d more", len(api.Errors)-maxDetails)
			break
		}
		text.WriteString(map[bool]string{true: ": ", false: "; "}[i == 0])
		if detail.Field != "" {
			fmt.Fprintf(&text, "field %s: ", detail.Field)
		}
		text.WriteString(drift.Cut(detail.Message, 200))
		if detail.Code != "" {
			fmt.Fprintf(&text, " [%s]", detail.Code)
		}
	}
	return text.String()
}

// Fields are the names of the fields that a message repeats of what the API said; "" where it names none.
func Fields(api *integrator.APIError) []string {
	var fields []string
	for _, detail := range api.Errors[:min(len(api.Errors), maxDetails)] {
		fields = append(fields, detail.Field)
	}
	return fields
}
