// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account/shared"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// state is what is known of one Account. It changes in transition only.
//
// An account without a client was never configured. One that has a client and is not blocked is
// usable, and while it is usable it is scanned.
type state struct {
	// client is also the identity of what is reported: the report of another client than this one
	// comes from a former credential and does not count.
	client *integrator.Client
	// credential is also what the account shares with others: see package shared.
	credential shared.Key
	aliases    map[string]v1alpha1.ID
	interval   time.Duration
	limits     shared.Limits

	// userID is the user whose token it is.
	userID string
	// version is that of the credential, as the Account's status records it.
	version string
	// unverified: the credential may be of another account than the managed imports, until a scan
	// finds one of them. verified is the last credential that was found to be of the right one.
	unverified bool
	verified   shared.Key
	// changed: a scan that reached its end found none of the managed imports with the unverified
	// credential. It lasts until another scan finds one, or another credential is accepted.
	changed bool
	// accepted: the API accepted the token when it was checked last. It ends when a check is
	// answered with 401, or a call of the last session is.
	accepted bool

	// blocked is why no call may be made; nil when the token was accepted.
	blocked *problem.Problem
	// rejections counts the calls in a row that were answered with 401 although the check of the
	// token was not. The next check waits until retryAt.
	rejections int
	retryAt    time.Time
	// unanswered counts how often in a row the API was taken for unreachable, or a check of the token had no
	// answer: the next check waits the longer. silent: the API was taken for unreachable after calls.
	unanswered int
	silent     bool
	// rejected counts the checks in a row that were answered with 401, and checked is what the last
	// check was about: of that nothing is checked until retryAt.
	rejected int
	checked  Check

	// deleting: the Account is being deleted.
	deleting bool
	// scan is the outcome of the last scan, nil before the first.
	scan *Scan
	// overdue: for longer than this no scan has reached its end; 0 if that is not so.
	overdue time.Duration
}

// usable reports whether calls may be made.
func (s state) usable() bool { return s.client != nil && s.blocked == nil }

// scanned reports whether the last scan with this credential reached its end.
func (s state) scanned() bool { return s.scan != nil && s.scan.Problem == nil }

// notReady is why the Account is not Ready although calls may be made; nil when it is Ready. A scan
// that fails does not put right what a complete one found.
func (s state) notReady() *problem.Problem {
	switch {
	case s.changed:
		return problem.Terminalf(v1alpha1.ReasonAccountChanged, "the Account has a new token or baseURL, and none of its managed imports is found with it")
	case s.overdue > 0:
		return s.scanFailing()
	case s.scan != nil && s.scan.Problem != nil:
		return s.scan.Problem
	case s.unverified:
		return problem.Waitingf(v1alpha1.ReasonProgressing, "the API accepts the new token; the first scan with it shows whether it is of the same account")
	default:
		return nil
	}
}

// scanFailing is why no scan reaches its end. What a person has to put right is said as it is.
func (s state) scanFailing() *problem.Problem {
	text := fmt.Sprintf("no scan has reached its end for more than %s, so drift is not being watched", duration.HumanDuration(s.overdue))
	if s.scan == nil || s.scan.Problem == nil {
		return problem.Transientf(v1alpha1.ReasonScanFailing,
			"%s: the present one has not ended; the API may pause the account (429), or other calls take all of maxInFlight", text)
	}
	cause := s.scan.Problem
	if cause.Class() == problem.Terminal {
		return cause
	}
	return problem.Transientf(v1alpha1.ReasonScanFailing, "%s: %s", text, cause.Error()).WithCause(cause)
}

// needsClient reports whether another client has to be made for a credential.
func (s state) needsClient(c shared.Key) bool { return s.client == nil || s.credential != c }

// lastSession reports whether the token that worked until the Secret was deleted may still be used,
// for deletions alone.
func (s state) lastSession() bool {
	return s.accepted && s.blocked != nil && errors.Is(s.blocked, ErrSecretDeleted)
}

// actions are what the registry does after a transition, in this order.
type actions struct {
	// stop ends that the account is scanned.
	stop bool
	// setLimits names the state's limits as the account's part.
	setLimits bool
	// setPace has the account scanned at the state's interval.
	setPace bool
	// start has the account scanned, with the client of the state.
	start bool
	// notifyDependents has the Account's Imports and ImportRuns reconciled.
	notifyDependents bool
	// notifyWaiting has the Imports reconciled that wait for the end of a scan.
	notifyWaiting bool
	// notifyAccount has the Account itself reconciled.
	notifyAccount bool
}

// event is something that happens to an account. The types of this file are all there are.
type event interface {
	apply(s state) (state, actions)
}

// transition returns the state after an event, and what has to be done about it.
func transition(s state, e event) (state, actions) { return e.apply(s) }

// configured: the Account's spec and its Secret were read.
type configured struct {
	// client is that of the credential: the state's own, or another if needsClient.
	client     *integrator.Client
	credential shared.Key
	aliases    map[string]v1alpha1.ID
	interval   time.Duration
	limits     shared.Limits
	now        time.Time
}

func (e configured) apply(s state) (state, actions) {
	var do actions
	if s.needsClient(e.credential) {
		do.stop = s.client != nil
		s.client, s.credential, s.accepted = e.client, e.credential, false
		s.scan, s.overdue, s.changed, s.rejections, s.rejected, s.retryAt = nil, 0, false, 0, 0, time.Time{}
		s.unanswered, s.silent = 0, false
		s.blocked = problem.Waitingf(v1alpha1.ReasonProgressing, "the token is being checked")
	}
	do.setLimits = s.limits != e.limits
	s.limits = e.limits
	do.notifyDependents = !maps.Equal(s.aliases, e.aliases)
	s.aliases = e.aliases
	do.setPace = s.interval != e.interval && s.usable()
	s.interval = e.interval
	return s, do
}

// tokenAccepted: the API says whose token it is.
type tokenAccepted struct {
	userID, version string
	// otherCredential: it is not the one that the managed imports were found with last.
	otherCredential bool
}

func (e tokenAccepted) apply(s state) (state, actions) {
	if s.client == nil {
		return s, actions{}
	}
	do := actions{start: !s.usable(), notifyDependents: true}
	if do.start {
		s.overdue = 0
	}
	s.userID, s.version = e.userID, e.version
	s.blocked, s.accepted, s.rejected, s.silent = nil, true, 0, false
	// The same token in a Secret that was only touched is of the same account.
	s.unverified, s.changed = e.otherCredential && !s.credential.SameAccount(s.verified), false
	if s.unverified {
		s.scan = nil
	} else {
		s.verified = s.credential
	}
	return s, do
}

// blocked: the account cannot be used.
type blocked struct{ problem *problem.Problem }

func (e blocked) apply(s state) (state, actions) {
	do := actions{stop: s.client != nil, notifyDependents: s.blocked == nil || s.blocked.Error() != e.problem.Error()}
	unanswered := e.problem.Reason() == v1alpha1.ReasonUnreachable && s.unanswered > 0
	if e.problem.Reason() != v1alpha1.ReasonTokenRejected && !unanswered {
		s.retryAt = time.Time{}
	}
	if errors.Is(e.problem, ErrTokenRevoked) {
		s.accepted = false
	}
	s.blocked = e.problem
	return s, do
}

// checking: the token is about to be checked.
type checking struct{ check Check }

func (e checking) apply(s state) (state, actions) {
	s.checked = e.check
	return s, actions{}
}

// checkRejected: the check of the token was answered with 401.
type checkRejected struct{ now time.Time }

func (e checkRejected) apply(s state) (state, actions) {
	s.retryAt = e.now.Add(checkPause(s.interval, s.rejected))
	s.rejected++
	return s, actions{}
}

// tokenRejected: a call was answered with 401. The account is blocked until its token was checked
// again, and that waits: checks that succeed while calls fail would otherwise never end. The last
// session of an account whose Secret was deleted ends. The call may be one of another Account with the
// same token.
type tokenRejected struct {
	client  *integrator.Client
	problem *problem.Problem
	now     time.Time
}

func (e tokenRejected) apply(s state) (state, actions) {
	switch {
	case s.client == nil || s.client != e.client:
		return s, actions{}
	case s.usable():
		pause := min(checkPause(s.interval, s.rejections), problem.BackoffMax)
		s.blocked = e.problem
		s.rejections++
		s.retryAt = e.now.Add(pause)
		return s, actions{stop: true, notifyAccount: true}
	case s.lastSession():
		s.accepted = false
		return s, actions{notifyDependents: true}
	default:
		return s, actions{}
	}
}

// unanswered: several calls in a row had no answer. The account is blocked until a check of its token has
// one, and that waits the longer, the more often it happens without a complete scan in between: a check
// may be answered while other calls are not.
type unanswered struct {
	client *integrator.Client
	cause  error
	now    time.Time
}

func (e unanswered) apply(s state) (state, actions) {
	if s.client == nil || s.client != e.client || !s.usable() {
		return s, actions{}
	}
	s.silent = true
	s.blocked = s.unreachable(e.cause)
	s.retryAt = e.now.Add(unansweredPause(s.unanswered))
	s.unanswered++
	return s, actions{stop: true, notifyAccount: true}
}

// unreachable is why no call is made while the API does not answer.
func (s state) unreachable(cause error) *problem.Problem {
	return problem.Transientf(v1alpha1.ReasonUnreachable,
		"the API does not answer (%s), so that no other call is made until a check of the token is answered; check the Account's baseURL and the network; it will be retried", problem.NetworkCause(cause)).WithCause(cause)
}

// checkUnanswered: the check of the token had no answer.
type checkUnanswered struct{ now time.Time }

func (e checkUnanswered) apply(s state) (state, actions) {
	s.retryAt = e.now.Add(unansweredPause(s.unanswered))
	s.unanswered++
	return s, actions{}
}

// unansweredPause is how long a token is not checked after so many times without an answer before this one.
func unansweredPause(before int) time.Duration {
	return min(problem.Backoff(before), time.Minute)
}

// scanEnded: a scan reached its end, or stopped at a problem.
type scanEnded struct {
	client *integrator.Client
	scan   Scan
	now    time.Time
}

func (e scanEnded) apply(s state) (state, actions) {
	if s.client == nil || s.client != e.client {
		return s, actions{}
	}
	before, scan := s.scan, e.scan
	s.scan = &scan
	if scan.Problem != nil {
		if before != nil {
			scan.Imports, scan.Managed, scan.Pages = before.Imports, before.Managed, before.Pages
		}
		if scan.Problem.Reason() == v1alpha1.ReasonTokenRejected {
			return tokenRejected{client: e.client, problem: scan.Problem, now: e.now}.apply(s)
		}
		if errors.Is(scan.Problem, integrator.ErrUnanswered) {
			return unanswered{client: e.client, cause: scan.Problem.Unwrap(), now: e.now}.apply(s)
		}
		// Those that wait for a scan say why it fails.
		return s, actions{notifyWaiting: scan.differs(before), notifyAccount: scan.differs(before)}
	}
	s.rejections, s.unanswered = 0, 0
	if scan.Singles && before != nil {
		scan.Imports, scan.Pages = before.Imports, before.Pages
	}
	// Those that wait, wait for the list.
	do := actions{notifyWaiting: !scan.Singles, notifyAccount: scan.differs(before)}
	if s.overdue > 0 {
		s.overdue = 0
		do.notifyDependents, do.notifyAccount = true, true
	}
	if s.unverified && !scan.Singles {
		verified := scan.Familiar
		// The first complete scan ends the wait for it, whatever it found.
		if verified || !s.changed {
			do.notifyDependents, do.notifyAccount = true, true
		}
		s.changed = !verified
		if verified {
			s.unverified, s.verified = false, s.credential
		}
	}
	return s, do
}

// scanOverdue: for longer than after no scan has reached its end.
type scanOverdue struct {
	client *integrator.Client
	after  time.Duration
}

func (e scanOverdue) apply(s state) (state, actions) {
	if s.client == nil || s.client != e.client || !s.usable() || s.overdue == e.after {
		return s, actions{}
	}
	s.overdue = e.after
	return s, actions{notifyDependents: true, notifyAccount: true}
}

// deletionChanged: the Account is being deleted, or not.
type deletionChanged struct{ deleting bool }

func (e deletionChanged) apply(s state) (state, actions) {
	began := e.deleting && !s.deleting
	s.deleting = e.deleting
	return s, actions{notifyDependents: began}
}

// removed: the Account was deleted, or may be.
type removed struct{}

func (removed) apply(s state) (state, actions) {
	return state{}, actions{stop: s.client != nil, notifyDependents: true}
}
