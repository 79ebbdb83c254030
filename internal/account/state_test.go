// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account/shared"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

var (
	now              = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	client1, client2 = &integrator.Client{}, &integrator.Client{}
	one, two         = shared.Key{BaseURL: "1"}, shared.Key{BaseURL: "2"}

	unreachable = problem.Transientf(v1alpha1.ReasonUnreachable, "no answer")
	rejected    = problem.Terminalf(v1alpha1.ReasonTokenRejected, "401")
	revoked     = rejected.WithCause(ErrTokenRevoked)
	noSecret    = problem.Terminalf(v1alpha1.ReasonSecretNotFound, "no Secret").WithCause(ErrSecretDeleted)
	unchecked   = problem.Waitingf(v1alpha1.ReasonProgressing, "the token is being checked")
)

// with returns a state that is changed.
func (s state) with(change func(*state)) state {
	change(&s)
	return s
}

var (
	// fresh was configured, and its token has not been checked.
	fresh = state{client: client1, credential: one, interval: time.Minute, limits: shared.Limits{RequestsPerSecond: 100, MaxInFlight: 16}, blocked: unchecked}
	// usable had its token accepted, and no scan.
	usable = fresh.with(func(s *state) {
		s.blocked, s.accepted, s.userID, s.version, s.verified = nil, true, "u1", "v1", one
	})
	// scanned had a scan too.
	scanned = usable.with(func(s *state) { s.scan = &Scan{Imports: 3, Managed: 2, Familiar: true} })
	// suspect has a token that may be of another account.
	suspect = usable.with(func(s *state) {
		s.client, s.credential, s.version, s.unverified = client2, two, "v2", true
	})
	// strange is such a token, and foreign the scan that found none of the managed imports with it.
	foreign    = Scan{Imports: 3}
	failedScan = Scan{Imports: 3, Problem: unreachable}
	strange    = suspect.with(func(s *state) { s.scan, s.changed = &foreign, true })
	// last has only the token that worked until its Secret was deleted.
	last = scanned.with(func(s *state) { s.blocked = noSecret })
)

// settings configure a state as it is.
func settings(s state) configured {
	return configured{client: s.client, credential: s.credential, aliases: s.aliases, interval: s.interval, limits: s.limits, now: now}
}

func (e configured) with(change func(*configured)) configured {
	change(&e)
	return e
}

type transitionCase struct {
	reason string
	from   state
	event  event
	want   state
	do     actions
}

func checkTransitions(t *testing.T, cases map[string]transitionCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, do := transition(tc.from, tc.event)
			if diff := cmp.Diff(tc.want, got, comparers...); diff != "" {
				t.Errorf("%s: the state is (-want +got)\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.do, do, comparers...); diff != "" {
				t.Errorf("%s: the actions are (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

var comparers = cmp.Options{
	cmp.AllowUnexported(state{}, actions{}),
	cmp.Comparer(func(a, b *integrator.Client) bool { return a == b }),
	cmp.Comparer(func(a, b *problem.Problem) bool { return fmt.Sprint(a) == fmt.Sprint(b) }),
}

func TestConfigured(t *testing.T) {
	aliases := map[string]v1alpha1.ID{"shop": "1"}
	checkTransitions(t, map[string]transitionCase{
		"First": {"the process begins to work with the account; nothing may be called before the check",
			state{}, settings(fresh),
			fresh, actions{setLimits: true}},
		"FirstWithAliases": {"those that use an alias are waiting for it",
			state{}, settings(fresh).with(func(e *configured) { e.aliases = aliases }),
			fresh.with(func(s *state) { s.aliases = aliases }), actions{setLimits: true, notifyDependents: true}},
		"AfterBlocked": {"what stood against it before there was a client is over, but not the deletion",
			state{blocked: noSecret, deleting: true}, settings(fresh),
			fresh.with(func(s *state) { s.deleting = true }), actions{setLimits: true}},
		"Same": {"nothing changes while the Secret is only touched",
			scanned, settings(scanned), scanned, actions{}},
		"StillBlocked": {"nor does what blocks it",
			last, settings(last), last, actions{}},
		"OtherCredential": {"all that is known of the former token ends with it, except which one was verified",
			scanned.with(func(s *state) { s.rejections, s.retryAt = 3, now.Add(time.Minute) }),
			settings(scanned).with(func(e *configured) { e.client, e.credential = client2, two }),
			scanned.with(func(s *state) {
				s.client, s.credential, s.blocked, s.accepted, s.scan = client2, two, unchecked, false, nil
			}),
			actions{stop: true}},
		"CredentialAfterAStrangeOne": {"that a former token is of another account says nothing of this one",
			strange, settings(strange).with(func(e *configured) { e.client, e.credential = client1, one }),
			strange.with(func(s *state) {
				s.client, s.credential, s.blocked, s.accepted, s.scan, s.changed = client1, one, unchecked, false, nil, false
			}),
			actions{stop: true}},
		"Aliases": {"those that use an alias are told",
			scanned, settings(scanned).with(func(e *configured) { e.aliases = aliases }),
			scanned.with(func(s *state) { s.aliases = aliases }), actions{notifyDependents: true}},
		"Limits": {"they hold for the calls from now on",
			scanned, settings(scanned).with(func(e *configured) { e.limits = shared.Limits{RequestsPerSecond: 1, MaxInFlight: 2} }),
			scanned.with(func(s *state) { s.limits = shared.Limits{RequestsPerSecond: 1, MaxInFlight: 2} }), actions{setLimits: true}},
		"Interval": {"the next scan is sooner or later",
			scanned, settings(scanned).with(func(e *configured) { e.interval = time.Hour }),
			scanned.with(func(s *state) { s.interval = time.Hour }), actions{setPace: true}},
		"IntervalWhileBlocked": {"but not while nothing may be called",
			last, settings(last).with(func(e *configured) { e.interval = time.Hour }),
			last.with(func(s *state) { s.interval = time.Hour }), actions{}},
		"IntervalAndCredential": {"nor before the other token was checked",
			scanned, settings(scanned).with(func(e *configured) { e.client, e.credential, e.interval = client2, two, time.Hour }),
			scanned.with(func(s *state) {
				s.client, s.credential, s.blocked, s.accepted, s.scan, s.interval = client2, two, unchecked, false, nil, time.Hour
			}), actions{stop: true}},
	})
}

func TestTokenAccepted(t *testing.T) {
	other := fresh.with(func(s *state) { s.client, s.credential, s.verified = client2, two, one })
	checkTransitions(t, map[string]transitionCase{
		"First": {"the account is usable, and its credential is the first",
			fresh, tokenAccepted{userID: "u1", version: "v1"},
			usable, actions{start: true, notifyDependents: true}},
		"OtherCredential": {"it may be of another account than the managed imports",
			other, tokenAccepted{userID: "u1", version: "v2", otherCredential: true},
			suspect, actions{start: true, notifyDependents: true}},
		"OtherWithNothingManaged": {"there is nothing that could be of another account",
			other, tokenAccepted{userID: "u1", version: "v2"},
			suspect.with(func(s *state) { s.unverified, s.verified = false, two }), actions{start: true, notifyDependents: true}},
		"TouchedSecret": {"the same token under another version is of the same account, and the last scan counts",
			last, tokenAccepted{userID: "u1", version: "v2", otherCredential: true},
			scanned.with(func(s *state) { s.version = "v2" }), actions{start: true, notifyDependents: true}},
		"OfTheSameAccountAgain": {"the token that was verified needs no scan",
			strange.with(func(s *state) {
				s.client, s.credential, s.blocked, s.accepted, s.scan, s.changed = client1, one, unchecked, false, nil, false
			}), tokenAccepted{userID: "u1", version: "v3", otherCredential: true},
			usable.with(func(s *state) { s.version = "v3" }), actions{start: true, notifyDependents: true}},
		"OtherTrust": {"whom the account trusts does not change which one it is",
			fresh.with(func(s *state) { s.credential.Trust, s.verified = [sha256.Size]byte{1}, one }), tokenAccepted{userID: "u1", version: "v1", otherCredential: true},
			usable.with(func(s *state) {
				s.credential.Trust = [sha256.Size]byte{1}
				s.verified = s.credential
			}), actions{start: true, notifyDependents: true}},
		"StrangeAgain": {"a token that was blocked meanwhile is scanned with anew",
			strange.with(func(s *state) { s.blocked = unreachable }), tokenAccepted{userID: "u1", version: "v2", otherCredential: true},
			suspect, actions{start: true, notifyDependents: true}},
		"StrangeWithNothingManaged": {"it is no other account where nothing is managed",
			strange.with(func(s *state) { s.blocked = unreachable }), tokenAccepted{userID: "u1", version: "v2"},
			strange.with(func(s *state) { s.unverified, s.changed, s.verified = false, false, two }), actions{start: true, notifyDependents: true}},
		"AfterRejection": {"it is usable again, and the rejections still count until a scan ends",
			scanned.with(func(s *state) { s.blocked, s.rejections, s.retryAt = rejected, 2, now }), tokenAccepted{userID: "u1", version: "v1"},
			scanned.with(func(s *state) { s.rejections, s.retryAt = 2, now }), actions{start: true, notifyDependents: true}},
		"UnverifiedAgain": {"a scan of before was no evidence",
			suspect.with(func(s *state) { s.blocked, s.scan = unreachable, &Scan{Imports: 1} }), tokenAccepted{userID: "u1", version: "v2", otherCredential: true},
			suspect, actions{start: true, notifyDependents: true}},
		"WhileUsable": {"the scanner runs already",
			usable, tokenAccepted{userID: "u1", version: "v1"},
			usable, actions{notifyDependents: true}},
		"NeverConfigured": {"there is no client to use",
			state{blocked: noSecret}, tokenAccepted{userID: "u1", version: "v1"},
			state{blocked: noSecret}, actions{}},
	})
}

func TestBlocked(t *testing.T) {
	paused := scanned.with(func(s *state) { s.blocked, s.rejections, s.retryAt = rejected, 1, now })
	checkTransitions(t, map[string]transitionCase{
		"NeverConfigured": {"those that wait are told why",
			state{}, blocked{noSecret},
			state{blocked: noSecret}, actions{notifyDependents: true}},
		"Usable": {"all calls end",
			scanned, blocked{unreachable},
			scanned.with(func(s *state) { s.blocked = unreachable }), actions{stop: true, notifyDependents: true}},
		"SecretDeleted": {"the token that was accepted stays for a last session",
			scanned, blocked{noSecret}, last, actions{stop: true, notifyDependents: true}},
		"SameAgain": {"nobody is told twice",
			last, blocked{noSecret}, last, actions{stop: true}},
		"OtherProblem": {"another reason is news",
			last, blocked{unreachable},
			last.with(func(s *state) { s.blocked = unreachable }), actions{stop: true, notifyDependents: true}},
		"TokenRevoked": {"a token that its own check shows to be rejected is not used again",
			scanned, blocked{revoked},
			scanned.with(func(s *state) { s.blocked, s.accepted = revoked, false }), actions{stop: true, notifyDependents: true}},
		"RejectionStands": {"the pause after a rejected call goes on",
			paused, blocked{rejected}, paused, actions{stop: true}},
		"AnotherEndsThePause": {"the token is checked as soon as the other problem is over",
			paused, blocked{unreachable},
			paused.with(func(s *state) { s.blocked, s.retryAt = unreachable, time.Time{} }), actions{stop: true, notifyDependents: true}},
	})
}

func TestTokenRejected(t *testing.T) {
	cases := map[string]transitionCase{
		"FormerClient": {"a call with a former token says nothing of this one",
			suspect, tokenRejected{client1, rejected, now}, suspect, actions{}},
		"NeverConfigured": {"there was no call",
			state{}, tokenRejected{nil, rejected, now}, state{}, actions{}},
		"AlreadyBlocked": {"calls that were under way may end after the first that was rejected",
			scanned.with(func(s *state) { s.blocked = rejected }), tokenRejected{client1, rejected, now},
			scanned.with(func(s *state) { s.blocked = rejected }), actions{}},
		"LastSession": {"the last session ends, and those that wait for it are told",
			last, tokenRejected{client1, rejected, now},
			last.with(func(s *state) { s.accepted = false }), actions{notifyDependents: true}},
		"AfterLastSession": {"once",
			last.with(func(s *state) { s.accepted = false }), tokenRejected{client1, rejected, now},
			last.with(func(s *state) { s.accepted = false }), actions{}},
	}
	for rejections, pause := range map[int]time.Duration{0: time.Minute, 1: 2 * time.Minute, 2: 4 * time.Minute, 3: 5 * time.Minute, 200: 5 * time.Minute} {
		cases[fmt.Sprintf("After%d", rejections)] = transitionCase{"the check waits, each time twice as long, up to 5 minutes",
			scanned.with(func(s *state) { s.rejections = rejections }), tokenRejected{client1, rejected, now},
			scanned.with(func(s *state) { s.blocked, s.rejections, s.retryAt = rejected, rejections+1, now.Add(pause) }),
			actions{stop: true, notifyAccount: true}}
	}
	checkTransitions(t, cases)
}

func TestChecks(t *testing.T) {
	about := Check{Version: "v2", Generation: 7}
	cases := map[string]transitionCase{
		"Begins": {"what it is about is not checked again until the pause is over",
			fresh, checking{about},
			fresh.with(func(s *state) { s.checked = about }), actions{}},
		"Accepted": {"the next rejection is the first again",
			fresh.with(func(s *state) { s.rejected = 5 }), tokenAccepted{userID: "u1", version: "v1"},
			usable, actions{start: true, notifyDependents: true}},
		"AnotherToken": {"nothing is known of it",
			scanned.with(func(s *state) { s.rejected, s.retryAt = 5, now.Add(time.Hour) }),
			settings(scanned).with(func(e *configured) { e.client, e.credential = client2, two }),
			scanned.with(func(s *state) {
				s.client, s.credential, s.accepted, s.scan, s.blocked = client2, two, false, nil, unchecked
			}), actions{stop: true}},
	}
	for before, pause := range map[int]time.Duration{0: time.Minute, 1: 2 * time.Minute, 5: 32 * time.Minute, 6: time.Hour, 200: time.Hour} {
		cases[fmt.Sprintf("RejectedAfter%d", before)] = transitionCase{"the next check waits, each time twice as long, up to an hour",
			fresh.with(func(s *state) { s.rejected = before }), checkRejected{now},
			fresh.with(func(s *state) { s.rejected, s.retryAt = before+1, now.Add(pause) }), actions{}}
	}
	checkTransitions(t, cases)
}

func TestUnanswered(t *testing.T) {
	cause := &integrator.APIError{Err: fmt.Errorf("%w: %w", context.DeadlineExceeded, integrator.ErrUnanswered)}
	silent := scanned.with(func(s *state) {
		s.silent, s.unanswered, s.blocked, s.retryAt = true, 1, scanned.unreachable(cause), now.Add(time.Second)
	})
	stopped := actions{stop: true, notifyAccount: true}
	scan := Scan{Problem: problem.Transientf(v1alpha1.ReasonUnreachable, "no answer").WithCause(cause)}
	cases := map[string]transitionCase{
		"Call": {"no other call is made until the token was checked",
			scanned, unanswered{client1, cause, now}, silent, stopped},
		"Scan": {"a scan shows it as well",
			scanned, scanEnded{client: client1, scan: scan, now: now},
			silent.with(func(s *state) { s.scan = &Scan{Imports: 3, Managed: 2, Problem: scan.Problem} }), stopped},
		"Again": {"the others of the calls that were under way change nothing",
			silent, unanswered{client1, cause, now.Add(time.Hour)}, silent, actions{}},
		"FormerClient": {"a call with a former token says nothing of this one",
			suspect, unanswered{client1, cause, now}, suspect, actions{}},
		"CheckUnanswered": {"the next check waits longer",
			silent, checkUnanswered{now}, silent.with(func(s *state) { s.unanswered, s.retryAt = 2, now.Add(2*time.Second) }), actions{}},
		"StillBlocked": {"the problem is the same, and so is when to check",
			silent, blocked{silent.blocked}, silent, actions{stop: true}},
		"OtherProblem": {"what a person has to put right is checked at once when it is",
			silent, blocked{noSecret}, silent.with(func(s *state) { s.blocked, s.retryAt = noSecret, time.Time{} }), actions{stop: true, notifyDependents: true}},
		"CheckAnswered": {"all go on, and the next time the check waits longer: other calls may still have no answer",
			silent, tokenAccepted{userID: "u1", version: "v1"},
			scanned.with(func(s *state) { s.unanswered, s.retryAt = 1, now.Add(time.Second) }), actions{start: true, notifyDependents: true}},
		"ScanComplete": {"until a scan shows that they have one",
			scanned.with(func(s *state) { s.unanswered = 4 }), scanEnded{client: client1, scan: *scanned.scan, now: now}, scanned, actions{notifyWaiting: true}},
		"AnotherToken": {"or the token is another",
			silent, settings(silent).with(func(e *configured) { e.client, e.credential = client2, two }),
			scanned.with(func(s *state) {
				s.client, s.credential, s.accepted, s.scan, s.blocked = client2, two, false, nil, unchecked
			}), actions{stop: true}},
	}
	for before, pause := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 5: 32 * time.Second, 6: time.Minute, 200: time.Minute} {
		cases[fmt.Sprintf("After%d", before)] = transitionCase{"the check waits, each time twice as long, up to a minute",
			fresh.with(func(s *state) { s.unanswered = before }), checkUnanswered{now},
			fresh.with(func(s *state) { s.unanswered, s.retryAt = before+1, now.Add(pause) }), actions{}}
	}
	checkTransitions(t, cases)
	if diff := cmp.Diff("Unreachable: the API does not answer (no answer in time), so that no other call is made until a check of the token is answered; check the Account's baseURL and the network; it will be retried", silent.blocked.Error()); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

func TestScanEnded(t *testing.T) {
	complete := Scan{Imports: 3, Managed: 2, Familiar: true}
	failed := Scan{Imports: 3, Managed: 2, Problem: unreachable}
	verified := suspect.with(func(s *state) { s.unverified, s.verified, s.scan = false, two, &complete })
	checkTransitions(t, map[string]transitionCase{
		"First": {"the Account's status shows it",
			usable, scanEnded{client1, complete, now},
			scanned, actions{notifyWaiting: true, notifyAccount: true}},
		"Same": {"what is as before is not written again",
			scanned, scanEnded{client1, complete, now},
			scanned, actions{notifyWaiting: true}},
		"OtherCounts": {"other counts are",
			scanned, scanEnded{client1, Scan{Imports: 4, Managed: 2, Familiar: true}, now},
			scanned.with(func(s *state) { s.scan = &Scan{Imports: 4, Managed: 2, Familiar: true} }), actions{notifyWaiting: true, notifyAccount: true}},
		"OtherPages": {"and so are other pages",
			scanned, scanEnded{client1, Scan{Imports: 3, Managed: 2, Pages: 2, Familiar: true}, now},
			scanned.with(func(s *state) { s.scan = &Scan{Imports: 3, Managed: 2, Pages: 2, Familiar: true} }), actions{notifyWaiting: true, notifyAccount: true}},
		"Singles": {"single imports say nothing of how many there are, nor to those that wait for the list",
			scanned, scanEnded{client1, Scan{Imports: 1, Managed: 1, Familiar: true, Singles: true}, now},
			scanned.with(func(s *state) { s.scan = &Scan{Imports: 3, Managed: 1, Familiar: true, Singles: true} }), actions{notifyAccount: true}},
		"SinglesSame": {"and are no news",
			scanned, scanEnded{client1, Scan{Imports: 2, Managed: 2, Familiar: true, Singles: true}, now},
			scanned.with(func(s *state) { s.scan = &Scan{Imports: 3, Managed: 2, Familiar: true, Singles: true} }), actions{}},
		"SinglesUnverified": {"nor of whose account it is",
			strange, scanEnded{client2, Scan{Imports: 3, Managed: 2, Familiar: true, Singles: true}, now},
			strange.with(func(s *state) { s.scan = &Scan{Imports: foreign.Imports, Managed: 2, Familiar: true, Singles: true} }), actions{notifyAccount: true}},
		"RejectionsEnd": {"the calls of a complete scan were not rejected",
			scanned.with(func(s *state) { s.rejections = 4 }), scanEnded{client1, complete, now},
			scanned, actions{notifyWaiting: true}},
		"FirstFails": {"the status says why",
			usable, scanEnded{client1, Scan{Problem: unreachable}, now},
			usable.with(func(s *state) { s.scan = &Scan{Problem: unreachable} }), actions{notifyWaiting: true, notifyAccount: true}},
		"Fails": {"the counts stay, and so do the rejections",
			scanned.with(func(s *state) { s.rejections = 1 }), scanEnded{client1, Scan{Problem: unreachable}, now},
			scanned.with(func(s *state) { s.scan, s.rejections = &failed, 1 }), actions{notifyWaiting: true, notifyAccount: true}},
		"FailsAgain": {"the same problem is no news",
			scanned.with(func(s *state) { s.scan = &failed }), scanEnded{client1, Scan{Problem: unreachable}, now},
			scanned.with(func(s *state) { s.scan = &failed }), actions{}},
		"FailsOtherwise": {"another is",
			scanned.with(func(s *state) { s.scan = &failed }), scanEnded{client1, Scan{Problem: noSecret}, now},
			scanned.with(func(s *state) { s.scan = &Scan{Imports: 3, Managed: 2, Problem: noSecret} }), actions{notifyWaiting: true, notifyAccount: true}},
		"Recovers": {"and so is its end",
			scanned.with(func(s *state) { s.scan = &failed }), scanEnded{client1, complete, now},
			scanned, actions{notifyWaiting: true, notifyAccount: true}},
		"EndsAtLast": {"the Imports are told, whose messages say that drift is not watched",
			scanned.with(func(s *state) { s.scan, s.overdue = &failed, time.Hour }), scanEnded{client1, complete, now},
			scanned, actions{notifyDependents: true, notifyWaiting: true, notifyAccount: true}},
		"EndsAtLastAsBefore": {"also if it did not fail, but lasted",
			scanned.with(func(s *state) { s.overdue = time.Hour }), scanEnded{client1, complete, now},
			scanned, actions{notifyDependents: true, notifyWaiting: true, notifyAccount: true}},
		"FailsStill": {"a scan that fails is no end",
			scanned.with(func(s *state) { s.scan, s.overdue = &failed, time.Hour }), scanEnded{client1, Scan{Problem: unreachable}, now},
			scanned.with(func(s *state) { s.scan, s.overdue = &failed, time.Hour }), actions{}},
		"Rejected": {"the account is blocked as after any other call",
			scanned, scanEnded{client1, Scan{Problem: rejected}, now},
			scanned.with(func(s *state) {
				s.scan, s.blocked, s.rejections, s.retryAt = &Scan{Imports: 3, Managed: 2, Problem: rejected}, rejected, 1, now.Add(time.Minute)
			}), actions{stop: true, notifyAccount: true}},
		"FormerClient": {"a scan with a former token says nothing of this one",
			suspect, scanEnded{client1, complete, now}, suspect, actions{}},
		"NeverConfigured": {"there was no scan",
			state{}, scanEnded{nil, complete, now}, state{}, actions{}},
		"Verified": {"an import that is managed shows that the account is the same",
			suspect, scanEnded{client2, complete, now},
			verified, actions{notifyDependents: true, notifyWaiting: true, notifyAccount: true}},
		"VerifiedLater": {"also when earlier scans showed none",
			strange, scanEnded{client2, complete, now},
			verified, actions{notifyDependents: true, notifyWaiting: true, notifyAccount: true}},
		"NothingLeft": {"and when no managed import is left to be found",
			strange, scanEnded{client2, Scan{Imports: 3, Familiar: true}, now},
			verified.with(func(s *state) { s.scan = &Scan{Imports: 3, Familiar: true} }), actions{notifyDependents: true, notifyWaiting: true, notifyAccount: true}},
		"Unverified": {"the first scan that shows none says that the account is another",
			suspect, scanEnded{client2, foreign, now},
			strange, actions{notifyDependents: true, notifyWaiting: true, notifyAccount: true}},
		"UnverifiedAfterFailure": {"the first complete one, that is",
			suspect.with(func(s *state) { s.scan = &failedScan }), scanEnded{client2, foreign, now},
			strange, actions{notifyDependents: true, notifyWaiting: true, notifyAccount: true}},
		"StillUnverified": {"the next one is no news",
			strange, scanEnded{client2, foreign, now},
			strange, actions{notifyWaiting: true}},
		"StrangeFails": {"one that fails does not make it the same account",
			strange, scanEnded{client2, Scan{Problem: unreachable}, now},
			strange.with(func(s *state) { s.scan = &failedScan }), actions{notifyWaiting: true, notifyAccount: true}},
		"StrangeAfterFailure": {"nor is it news to the Imports that it is another once scans succeed again",
			strange.with(func(s *state) { s.scan = &failedScan }), scanEnded{client2, foreign, now},
			strange, actions{notifyWaiting: true, notifyAccount: true}},
		"UnverifiedFails": {"a scan that did not reach its end is evidence of nothing",
			suspect, scanEnded{client2, Scan{Problem: unreachable, Familiar: true}, now},
			suspect.with(func(s *state) { s.scan = &Scan{Problem: unreachable, Familiar: true} }), actions{notifyWaiting: true, notifyAccount: true}},
	})
}

func TestScanOverdue(t *testing.T) {
	failing := scanned.with(func(s *state) { s.scan = &failedScan })
	overdue := func(s *state) { s.overdue = 3 * time.Minute }
	checkTransitions(t, map[string]transitionCase{
		"Failing": {"the Account and its Imports say so",
			failing, scanOverdue{client1, 3 * time.Minute}, failing.with(overdue), actions{notifyDependents: true, notifyAccount: true}},
		"Lasting": {"also before the first scan has ended in any way",
			usable, scanOverdue{client1, 3 * time.Minute}, usable.with(overdue), actions{notifyDependents: true, notifyAccount: true}},
		"Again": {"once",
			failing.with(overdue), scanOverdue{client1, 3 * time.Minute}, failing.with(overdue), actions{}},
		"FormerClient": {"a scanner of a former token says nothing of this one",
			suspect, scanOverdue{client1, 3 * time.Minute}, suspect, actions{}},
		"Blocked": {"the scanner was stopped",
			last, scanOverdue{client1, 3 * time.Minute}, last, actions{}},
		"NeverConfigured": {"there was no scanner", state{}, scanOverdue{nil, 3 * time.Minute}, state{}, actions{}},
		"OtherCredential": {"the scans of another token begin anew",
			failing.with(overdue), settings(failing).with(func(e *configured) { e.client, e.credential = client2, two }),
			failing.with(func(s *state) {
				s.client, s.credential, s.blocked, s.accepted, s.scan = client2, two, unchecked, false, nil
			}), actions{stop: true}},
		"Accepted": {"so do those after the account was blocked",
			failing.with(overdue).with(func(s *state) { s.blocked = unreachable }), tokenAccepted{"u1", "v1", false},
			failing, actions{start: true, notifyDependents: true}},
	})
}

func TestNotReady(t *testing.T) {
	cases := map[string]struct {
		reason string
		state  state
		want   string
		class  problem.Class
	}{
		"Usable":          {"the token was accepted, and no managed import can be missed", usable, "", 0},
		"Scanned":         {"the last scan reached its end", scanned, "", 0},
		"ScanFails":       {"the scan says why", scanned.with(func(s *state) { s.scan = &failedScan }), v1alpha1.ReasonUnreachable, problem.Transient},
		"Overdue":         {"it fails for long", scanned.with(func(s *state) { s.scan, s.overdue = &failedScan, time.Hour }), v1alpha1.ReasonScanFailing, problem.Transient},
		"Lasts":           {"no scan ends", scanned.with(func(s *state) { s.overdue = time.Hour }), v1alpha1.ReasonScanFailing, problem.Transient},
		"NeverEnded":      {"not even the first", suspect.with(func(s *state) { s.overdue = time.Hour }), v1alpha1.ReasonScanFailing, problem.Transient},
		"OverdueRejected": {"what a person has to do is said as it is", scanned.with(func(s *state) { s.scan, s.overdue = &Scan{Problem: noSecret}, time.Hour }), v1alpha1.ReasonSecretNotFound, problem.Terminal},
		"OverdueChanged":  {"so is that the account is another", strange.with(func(s *state) { s.overdue = time.Hour }), v1alpha1.ReasonAccountChanged, problem.Terminal},
		"Unverified":      {"nothing is created before the first scan", suspect, v1alpha1.ReasonProgressing, problem.Waiting},
		"UnverifiedFails": {"the scan that is waited for says why", suspect.with(func(s *state) { s.scan = &failedScan }), v1alpha1.ReasonUnreachable, problem.Transient},
		"Changed":         {"a person has to act", strange, v1alpha1.ReasonAccountChanged, problem.Terminal},
		"ChangedFails":    {"also while scans fail", strange.with(func(s *state) { s.scan = &failedScan }), v1alpha1.ReasonAccountChanged, problem.Terminal},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := tc.state.notReady()
			if (p != nil) != (tc.want != "") || p != nil && (p.Reason() != tc.want || p.Class() != tc.class) {
				t.Errorf("%s: the problem is %v, want %q", tc.reason, p, tc.want)
			}
		})
	}
}

// TestScanFailingMessages: the message has the cause, and nothing that differs from one scan to the next.
func TestScanFailingMessages(t *testing.T) {
	overdue := scanned.with(func(s *state) { s.overdue = 3 * time.Minute })
	for want, s := range map[string]state{
		"no scan has reached its end for more than 3m, so drift is not being watched: Unreachable: no answer": overdue.with(func(s *state) { s.scan = &failedScan }),
		"no scan has reached its end for more than 3m, so drift is not being watched: the present one has not ended; " +
			"the API may pause the account (429), or other calls take all of maxInFlight": overdue,
	} {
		if got := s.notReady().Message(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestDeletion(t *testing.T) {
	deleting := scanned.with(func(s *state) { s.deleting = true })
	checkTransitions(t, map[string]transitionCase{
		"Begins":   {"those that wait are told", scanned, deletionChanged{true}, deleting, actions{notifyDependents: true}},
		"GoesOn":   {"once", deleting, deletionChanged{true}, deleting, actions{}},
		"Created":  {"another Account of this name may follow", deleting, deletionChanged{false}, scanned, actions{}},
		"Ends":     {"all of it ends", deleting, removed{}, state{}, actions{stop: true, notifyDependents: true}},
		"NeverHad": {"those that wait are told of an Account without a client too", state{blocked: noSecret}, removed{}, state{}, actions{notifyDependents: true}},
	})
}

// TestScannerRunsWhileUsable walks all sequences of six events: a scanner runs if and only if the
// account is usable, and always with the account's own client. Only an unverified credential is
// known to be of another account.
func TestScannerRunsWhileUsable(t *testing.T) {
	moves := []func(state) event{
		func(s state) event {
			return settings(s).with(func(e *configured) {
				if s.client != client1 {
					e.client, e.credential = client1, one
				}
			})
		},
		func(s state) event {
			return settings(s).with(func(e *configured) {
				if s.client != client2 {
					e.client, e.credential = client2, two
				}
				e.interval = s.interval + time.Second
			})
		},
		func(state) event { return tokenAccepted{userID: "u1", version: "v1", otherCredential: true} },
		func(state) event { return blocked{noSecret} },
		func(s state) event { return tokenRejected{s.client, rejected, now} },
		func(s state) event { return scanEnded{s.client, Scan{Familiar: true}, now} },
		func(s state) event { return scanEnded{s.client, Scan{}, now} },
		func(s state) event { return scanOverdue{s.client, time.Minute} },
		func(state) event { return removed{} },
	}
	walked := 0
	var walk func(s state, running *integrator.Client, depth int)
	walk = func(s state, running *integrator.Client, depth int) {
		walked++
		if (running != nil) != s.usable() || running != nil && running != s.client {
			t.Fatalf("a scanner runs with %p, the state is %+v", running, s)
		}
		if s.changed && !s.unverified {
			t.Fatalf("a verified credential is of another account: %+v", s)
		}
		if depth == 0 {
			return
		}
		for _, move := range moves {
			after, do := transition(s, move(s))
			scanning := running
			if do.stop {
				if s.client == nil {
					t.Fatalf("there is no client to stop: %+v", s)
				}
				scanning = nil
			}
			if do.start {
				if scanning != nil {
					t.Fatalf("a second scanner is started: %+v", after)
				}
				scanning = after.client
			}
			walk(after, scanning, depth-1)
		}
	}
	walk(state{}, nil, 6)
	if walked < 100_000 {
		t.Errorf("only %d states were walked", walked)
	}
}
