// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// meant is all that is asked about an answer.
type meant struct {
	Outcome, Deletion                                 Outcome
	Retriable, Unexplained, NotFound, RefusesReplaced bool
}

func TestOutcomes(t *testing.T) {
	const applied, notApplied, failed, unknown = OutcomeApplied, OutcomeNotApplied, OutcomeFailed, OutcomeUnknown
	words := []ErrorDetail{{Message: "no"}}
	answer := func(status int, details ...ErrorDetail) *APIError {
		return &APIError{StatusCode: status, Sent: true, Errors: details}
	}
	cases := map[string]struct {
		reason string
		err    error
		want   meant
	}{
		"None": {"without an error the call was applied", nil, meant{Outcome: applied, Deletion: applied}},
		"OfTheOperator": {"what never became a request changed nothing; a deletion is not counted on either way",
			errors.New("x"), meant{Outcome: notApplied, Deletion: unknown}},
		"NotSent":  {"without one byte written, a request was not applied", &APIError{}, meant{Outcome: notApplied, Deletion: unknown, Retriable: true}},
		"Argument": {"the same arguments are refused again", &APIError{Err: fmt.Errorf("%w: x", ErrInvalidArgument)}, meant{Outcome: notApplied, Deletion: unknown}},
		"NoAnswer": {"a request that was sent may have been applied", &APIError{Sent: true, Err: context.DeadlineExceeded}, meant{Outcome: unknown, Deletion: unknown, Retriable: true}},
		"Wrapped":  {"an error is found in the chain", fmt.Errorf("outer: %w", answer(400)), meant{Outcome: notApplied, Deletion: unknown, RefusesReplaced: true}},

		"200":            {"a success that is not understood may have been applied", &APIError{StatusCode: 200, Sent: true, Err: ErrTooLarge}, meant{Outcome: unknown, Deletion: unknown}},
		"200 in words":   {"an invocation may fail as a whole with status 200", answer(200, words...), meant{Outcome: failed, Deletion: unknown}},
		"307":            {"a redirect says nothing", answer(307), meant{Outcome: unknown, Deletion: unknown}},
		"400":            {"the document is refused", answer(400, words...), meant{Outcome: notApplied, Deletion: unknown, RefusesReplaced: true}},
		"401":            {"another token may be accepted", answer(401), meant{Outcome: notApplied, Deletion: unknown, Retriable: true}},
		"403":            {"the import is kept", answer(403, words...), meant{Outcome: notApplied, Deletion: notApplied, Retriable: true}},
		"403 unspoken":   {"a gateway may refuse it, and later let it through", answer(403), meant{Outcome: notApplied, Deletion: unknown, Retriable: true, Unexplained: true}},
		"404":            {"the import does not exist any more", answer(404, words...), meant{Outcome: notApplied, Deletion: applied, Retriable: true, NotFound: true, RefusesReplaced: true}},
		"404 unspoken":   {"a gateway may not know the path", answer(404), meant{Outcome: notApplied, Deletion: unknown, Retriable: true, Unexplained: true, NotFound: true, RefusesReplaced: true}},
		"405":            {"the API does not have the call", answer(405, words...), meant{Outcome: notApplied, Deletion: unknown, Retriable: true, RefusesReplaced: true}},
		"405 unspoken":   {"or a gateway refuses it", answer(405), meant{Outcome: notApplied, Deletion: unknown, Retriable: true, Unexplained: true, RefusesReplaced: true}},
		"408":            {"a timeout says nothing", answer(408), meant{Outcome: unknown, Deletion: unknown}},
		"409":            {"a conflict says nothing about a create, but keeps an import", answer(409, words...), meant{Outcome: unknown, Deletion: notApplied, RefusesReplaced: true}},
		"413":            {"too large", answer(413), meant{Outcome: notApplied, Deletion: unknown}},
		"415":            {"not JSON", answer(415), meant{Outcome: notApplied, Deletion: unknown}},
		"422":            {"the document is refused, or the import is in use", answer(422, words...), meant{Outcome: notApplied, Deletion: notApplied, RefusesReplaced: true}},
		"429":            {"the rate limit is used up", answer(429), meant{Outcome: notApplied, Deletion: unknown}},
		"429 not sent":   {"the account is paused", &APIError{StatusCode: 429}, meant{Outcome: notApplied, Deletion: unknown}},
		"500":            {"the API failed at some point", answer(500), meant{Outcome: unknown, Deletion: unknown}},
		"502":            {"a gateway got no answer", answer(502), meant{Outcome: unknown, Deletion: unknown}},
		"503":            {"the API may have begun", answer(503), meant{Outcome: unknown, Deletion: unknown}},
		"504":            {"a gateway got no answer in time", answer(504), meant{Outcome: unknown, Deletion: unknown}},
		"an unknown 4xx": {"an undocumented status says nothing", answer(418), meant{Outcome: unknown, Deletion: unknown}},
	}
	tested := map[int]bool{}
	for name, tc := range cases {
		tested[StatusCode(tc.err)] = true
		t.Run(name, func(t *testing.T) {
			got := meant{
				Outcome: OutcomeOf(tc.err), Deletion: DeletionOutcomeOf(tc.err),
				NotFound: IsNotFound(tc.err), RefusesReplaced: RefusesReplaceConnection(tc.err),
			}
			if api, ok := errors.AsType[*APIError](tc.err); ok {
				got.Retriable, got.Unexplained = api.Retriable(), api.Unexplained()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if NotApplied(tc.err) != (tc.want.Outcome == notApplied) {
				t.Errorf("%s: NotApplied = %t", tc.reason, NotApplied(tc.err))
			}
		})
	}
	for status := range statusMeanings {
		if !tested[status] {
			t.Errorf("status %d has no case", status)
		}
	}
}

// TestObservation: what the metrics are given of a request that ended.
func TestObservation(t *testing.T) {
	lost := &APIError{Sent: true}
	for name, tc := range map[string]struct {
		reason   string
		endpoint endpoint
		status   int
		err      error
		unknown  bool
		pause    time.Duration
	}{
		"Applied":         {"the API says so", putImport, 200, nil, false, 0},
		"Lost":            {"the response to a write was lost", putImport, 0, lost, true, 0},
		"NotSent":         {"nothing was written", createImport, 0, &APIError{}, false, 0},
		"Read":            {"a read changes nothing", getImport, 0, lost, false, 0},
		"Invocation":      {"an invocation writes", invokeImport, 502, &APIError{Sent: true, StatusCode: 502}, true, 0},
		"Refused":         {"the API refused it", putImport, 422, &APIError{Sent: true, StatusCode: 422}, false, 0},
		"Deletion":        {"a 500 does not say whether the import is there", deleteImport, 500, &APIError{Sent: true, StatusCode: 500}, true, 0},
		"InUse":           {"a 409 keeps the import", deleteImport, 409, &APIError{Sent: true, StatusCode: 409}, false, 0},
		"Paused":          {"a 429 is known to change nothing", deleteImport, 429, &APIError{Sent: true, StatusCode: 429, RetryAfter: time.Second}, false, time.Second},
		"DeletionNotSent": {"nothing was written", deleteImport, 0, &APIError{}, false, 0},
		"Deleted":         {"an import that does not exist is deleted", deleteImport, 404, &APIError{Sent: true, StatusCode: 404, Errors: []ErrorDetail{{Code: "not_found"}}}, false, 0},
		"Throttled":       {"the API asks for a pause", getImport, 429, &APIError{Sent: true, StatusCode: 429, RetryAfter: time.Minute}, false, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			want := Observation{Method: tc.endpoint.method, Route: tc.endpoint.route, StatusCode: tc.status, Duration: time.Second, Unknown: tc.unknown, Pause: tc.pause}
			if diff := cmp.Diff(want, observation(tc.endpoint, tc.status, time.Second, tc.err)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
