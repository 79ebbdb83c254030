// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package runstate decides what happens to an ImportRun. Everything in it is pure, but for the
// Effects that the steps of a Pass are carried out with.
package runstate

import (
	"time"

	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// Finished reports whether a run has ended: no call and no write happens for it any longer, except
// that it is deleted when its time to live is over.
func Finished(run *v1alpha1.ImportRun) bool {
	switch run.Status.Phase {
	case v1alpha1.RunSucceeded, v1alpha1.RunFailed, v1alpha1.RunUnknown, v1alpha1.RunCanceled:
		return true
	case v1alpha1.RunPending, v1alpha1.RunWaiting, v1alpha1.RunRunning:
		return false
	}
	// A run without a phase has not begun.
	return false
}

// keptData is how much of records and settings a run may have that the operator keeps, in bytes, with
// keptRecord for each record beside its text: about as large as the rest.
const keptData, keptRecord = 512, 32

// Strip removes from a run what no decision needs, and what can be large: all metadata but the claim, and its
// records and settings, unless they are small and still to be sent. The operator keeps runs only like this:
// anybody who may create runs can create many large ones, and leave them suspended. What is large is read
// when it is sent.
func Strip(run *v1alpha1.ImportRun) {
	claim, claimed := run.Annotations[v1alpha1.AnnotationClaim]
	run.ManagedFields, run.Labels, run.Annotations, run.OwnerReferences, run.Finalizers = nil, nil, nil, nil, nil
	if claimed {
		run.Annotations = map[string]string{v1alpha1.AnnotationClaim: claim}
	}
	if Finished(run) || dataSize(run) > keptData {
		run.Spec.Data, run.Spec.Settings = nil, nil
	}
}

// dataSize is how much room the records and settings of a run's own take, in bytes.
func dataSize(run *v1alpha1.ImportRun) int {
	size := keptRecord * len(run.Spec.Data)
	for _, record := range run.Spec.Data {
		size += len(record.Raw)
	}
	if run.Spec.Settings != nil {
		size += len(run.Spec.Settings.Raw)
	}
	return size
}

// HasData reports whether a run has its records and settings. One that was stripped of them cannot be told
// from one that has none of its own.
func HasData(run *v1alpha1.ImportRun) bool { return run.Spec.Data != nil || run.Spec.Settings != nil }

// RetryLimit is how often a batch is sent again when its call is known to have changed nothing.
func RetryLimit(run *v1alpha1.ImportRun) int { return int(ptr.Deref(run.Spec.RetryLimit, 0)) }

// TimeLimit is how long a run may take from its first call on, without the time that it is
// suspended.
func TimeLimit(run *v1alpha1.ImportRun) time.Duration {
	const fallback = 600
	return time.Duration(ptr.Deref(run.Spec.ActiveDeadlineSeconds, fallback)) * time.Second
}

// TimeToLive is how long a run that has ended is still kept; limited is false when it is not
// deleted at all.
func TimeToLive(run *v1alpha1.ImportRun, now time.Time) (left time.Duration, limited bool) {
	if run.Spec.TTLSecondsAfterFinished == nil || !Finished(run) || run.Status.CompletionTime == nil {
		return 0, false
	}
	life := time.Duration(*run.Spec.TTLSecondsAfterFinished) * time.Second
	return run.Status.CompletionTime.Add(life).Sub(now), true
}

// NextDeadline is when a run that has begun is reconciled again, whatever it waits for: at its
// deadline, or, while a call is under way, when its claim counts as abandoned. It is false for a
// run that has not begun, or whose time does not run.
func NextDeadline(run *v1alpha1.ImportRun) (time.Time, bool) {
	current := ClaimOf(run)
	if current.Started.IsZero() {
		return time.Time{}, false
	}
	end := current.Started.Add(TimeLimit(run))
	if UnderWay(run) {
		end = end.Add(claimGrace)
	}
	return end, true
}

// UnderWay reports whether the run has a claim whose call has no outcome in status.
func UnderWay(run *v1alpha1.ImportRun) bool {
	current := ClaimOf(run)
	return current.Token != "" && !answered(run, current)
}
