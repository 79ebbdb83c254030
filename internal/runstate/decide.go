// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"cmp"
	"slices"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Process is what the deciding process knows about itself: its name as a holder of claims, and the
// tokens of claims that it could not confirm, and so never used.
type Process struct {
	Holder string
	Unused []string
}

// Action is what comes next for a run.
type Action int

const (
	// ActionSend: the claim of Decision.Claim is taken and its batch sent.
	ActionSend Action = iota
	// ActionWait: the run waits, see Decision.Wait.
	ActionWait
	// ActionStopClock: the run waits because it is suspended, and Decision.Claim, which stops its
	// time, is written first.
	ActionStopClock
	// ActionEnd: the run has ended with Decision.Outcome.
	ActionEnd
)

// Decision is what comes next for a run.
type Decision struct {
	Action  Action
	Claim   Claim
	Wait    *problem.Problem
	Outcome Outcome
}

func ended(o Outcome) Decision { return Decision{Action: ActionEnd, Outcome: o} }

func waiting(p *problem.Problem) Decision { return Decision{Action: ActionWait, Wait: p} }

// Decide says what comes next for a run that has not ended, from its claim and its status. It does
// not need the data, or anything else that may have to be waited for.
func Decide(run *v1alpha1.ImportRun, self Process, now time.Time) Decision {
	text := run.Annotations[v1alpha1.AnnotationClaim]
	current, err := ParseClaim(text)
	switch {
	case err != nil, text == "" && (run.Status.Phase == v1alpha1.RunRunning || run.Status.StartTime != nil):
		// Damaged or taken away: its call may have been made.
		return ended(lost(run, current))
	case text != "":
		if because := disproved(run, current, self, now); because != "" {
			return ended(unproven(run, because))
		}
	}
	next := following(run, current)
	retry := run.Spec.OnUnknownOutcome == v1alpha1.UnknownOutcomeRetry
	if retry && interrupted(run, current) && !next.Uncertain {
		// Somebody has replaced the claim of a call, or of several.
		next.Attempt, next.Uncertain = current.Attempt+1, true
	}
	if current.Token != "" && !slices.Contains(self.Unused, current.Token) && !answered(run, current) {
		rest, again := await(run, current, self, now)
		switch {
		case rest > 0:
			return waiting(problem.Waitingf(v1alpha1.ReasonProgressing,
				"another process has claimed the call and not recorded its outcome yet").WithRetryAfter(max(rest, time.Second)))
		case !again:
			return ended(lost(run, current))
		}
		next.Attempt, next.Uncertain = current.Attempt+1, true
	}
	return decideNext(run, next, now)
}

// decideNext is Decide for a run without a call under way; next is the claim to take.
func decideNext(run *v1alpha1.ImportRun, next Claim, now time.Time) Decision {
	switch {
	case run.Spec.Cancel:
		return ended(Stop(run, next, v1alpha1.RunCanceled, v1alpha1.ReasonCanceled, "spec.cancel is true"))
	case run.Spec.Suspend:
		wait := problem.Waitingf(v1alpha1.ReasonSuspended, "spec.suspend is true: nothing is sent until it is false")
		if next.Started.IsZero() {
			return waiting(wait)
		}
		return Decision{Action: ActionStopClock, Claim: next.stopped(now), Wait: wait}
	case !next.Started.IsZero() && !now.Before(next.Started.Add(TimeLimit(run))):
		return ended(Stop(run, next, v1alpha1.RunFailed, v1alpha1.ReasonDeadlineExceeded, "activeDeadlineSeconds is over"))
	case now.Before(next.NotBefore):
		return waiting(pausing(next, now))
	default:
		return Decision{Action: ActionSend, Claim: next}
	}
}

// await judges a claim that has no outcome: its holder may be at work until the deadline; after
// that the outcome is unknown. With onUnknownOutcome Retry a batch whose holder is not this process
// may be sent again after a moment. rest is how long to wait for that.
func await(run *v1alpha1.ImportRun, current Claim, self Process, now time.Time) (rest time.Duration, again bool) {
	if run.Spec.OnUnknownOutcome == v1alpha1.UnknownOutcomeRetry && current.Holder != self.Holder && now.Before(current.Deadline) {
		return current.Time.Add(claimGrace).Sub(now), true
	}
	return current.Deadline.Add(claimGrace).Sub(now), false
}

// pausing is the wait for the next attempt.
func pausing(next Claim, now time.Time) *problem.Problem {
	return problem.Transientf(cmp.Or(next.Reason, v1alpha1.ReasonProgressing), "%s", cmp.Or(next.Message, "the batch will be sent again after a pause")).
		WithRetryAfter(max(next.NotBefore.Sub(now), time.Millisecond))
}
