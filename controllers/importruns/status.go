// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
	"github.com/integrator-operator/integrator-operator/internal/status"
	"github.com/integrator-operator/integrator-operator/internal/tracing"
)

// withRunning is the run as it is shown under way.
func withRunning(run *v1alpha1.ImportRun, granted runstate.Claim, prepared runstate.Prepared) *v1alpha1.ImportRun {
	run = run.DeepCopy()
	at := runstate.Standing(run, granted)
	at.ImportID, at.Total, at.Records.Total = prepared.ImportID, len(prepared.Payload.Batches), prepared.Payload.Total()
	run.Status.Phase, run.Status.Call = v1alpha1.RunRunning, granted.Token
	run.Status.DataHash, run.Status.SourcesHash = prepared.Payload.DataHash, prepared.Payload.SourcesHash
	setCounts(run, at)
	if prepared.ResponseSecret != "" {
		run.Status.ResponseSecretName = prepared.ResponseSecret
	}
	setProgress(run, v1alpha1.ReasonProgressing, "the records are being sent")
	return run
}

// withOutcome is the run as it is shown with how far it has come, or how it ended.
func withOutcome(run *v1alpha1.ImportRun, o runstate.Outcome, now time.Time) *v1alpha1.ImportRun {
	run = run.DeepCopy()
	setCounts(run, o)
	run.Status.Call = o.Call(run.Status.Call)
	if o.Phase == "" {
		return run
	}
	shown, generation := &run.Status, run.Generation
	shown.ObservedGeneration = generation
	shown.Phase = o.Phase
	shown.CompletionTime = &metav1.Time{Time: now.UTC().Truncate(time.Second)}
	succeeded := metav1.ConditionFalse
	if o.Phase == v1alpha1.RunSucceeded {
		succeeded = metav1.ConditionTrue
		status.SetReady(&shown.Conditions, generation, o.Reason, o.Message)
	} else {
		status.SetNotReady(&shown.Conditions, generation, problem.New(problem.Terminal, o.Reason, o.Message))
	}
	status.SetCondition(&shown.Conditions, generation, v1alpha1.ConditionSucceeded, succeeded, o.Reason, o.Message)
	return run
}

// withPause is the run as it is shown when nothing came of its call, and the batch is sent again.
func withPause(run *v1alpha1.ImportRun, o runstate.Outcome) *v1alpha1.ImportRun {
	run = run.DeepCopy()
	setCounts(run, o)
	run.Status.Phase, run.Status.Call = v1alpha1.RunWaiting, o.Call(run.Status.Call)
	setProgress(run, o.Again.Reason(), o.Again.Message())
	return run
}

// setCounts shows how far the run has come.
func setCounts(run *v1alpha1.ImportRun, o runstate.Outcome) {
	shown := &run.Status
	if o.ImportID != "" {
		shown.ImportID = o.ImportID
	}
	if shown.StartTime == nil && !o.Started.IsZero() {
		shown.StartTime = &metav1.Time{Time: o.Started.UTC().Truncate(time.Second)}
	}
	shown.Records = o.Records.DeepCopy()
	shown.Failures = o.Failures
	shown.FailedRecords, shown.FailedRecordsTruncated = o.FailedRecords, o.FailedRecordsTruncated
	if o.Total > 0 {
		//nolint:gosec // far fewer batches than 2^31 fit into a run
		shown.Batches = &v1alpha1.BatchCounts{Total: int32(o.Total), Done: int32(o.Done)}
		shown.Progress = fmt.Sprintf("%d/%d", o.Done, o.Total)
	}
}

// setProgress sets the conditions of a run that goes on.
func setProgress(run *v1alpha1.ImportRun, reason, message string) {
	shown, generation := &run.Status, run.Generation
	shown.ObservedGeneration = generation
	status.SetNotReady(&shown.Conditions, generation, problem.New(problem.Transient, reason, message))
	status.SetCondition(&shown.Conditions, generation, v1alpha1.ConditionSucceeded, metav1.ConditionUnknown, reason, message)
}

// writeStatus writes the status of shown if it changed, over exactly the version that run is.
func (r *Reconciler) writeStatus(ctx context.Context, run, shown *v1alpha1.ImportRun) (*v1alpha1.ImportRun, error) {
	if equality.Semantic.DeepEqual(run.Status, shown.Status) {
		return run, nil
	}
	if err := r.Status().Patch(ctx, shown, client.MergeFromWithOptions(run, client.MergeFromWithOptimisticLock{})); err != nil {
		return nil, err
	}
	runstate.Strip(shown)
	return shown, nil
}

// announce counts a run that has ended, and records an event.
func (r *Reconciler) announce(p runstate.Pass) {
	if p.Recorded == nil || p.Recorded.Phase == "" {
		return
	}
	metrics.RunCompleted(p.Run.Namespace, p.Recorded.Phase, p.Recorded.Records)
	kind := corev1.EventTypeWarning
	if p.Recorded.Phase == v1alpha1.RunSucceeded {
		kind = corev1.EventTypeNormal
	}
	status.RecordEvent(r.Recorder, p.Run, kind, p.Recorded.Reason, cmp.Or(p.Recorded.Note, p.Recorded.Message))
}

// conclude shows what the run waits for, if it has not ended, and says when to reconcile it again.
// err is why the pass is over.
func (r *Reconciler) conclude(ctx context.Context, p runstate.Pass, err error) (ctrl.Result, error) {
	if err == nil && runstate.Finished(p.Run) {
		if p.Recorded != nil {
			tracing.Reason(ctx, p.Recorded.Reason)
		}
		return r.expire(ctx, p.Run)
	}
	if err == nil && p.Continues() {
		return ctrl.Result{RequeueAfter: time.Millisecond}, nil
	}
	if err == nil || errors.Is(err, errStopping) {
		return ctrl.Result{}, nil
	}
	waits := problem.FromAPI(err, runstate.Invoking)
	if waits == nil && apierrors.IsNotFound(err) {
		// Not the run, but what it needs was deleted between two requests: no event says so.
		return ctrl.Result{RequeueAfter: wait.Jitter(status.ConflictPause, 1)}, nil
	}
	if waits == nil {
		return status.ResultOfKubernetesError(ctx, err)
	}
	tracing.Reason(ctx, waits.Reason())
	if after := r.showsQueued(p.Run, err); after > 0 {
		return ctrl.Result{RequeueAfter: after}, nil
	}
	shown, err := r.pinned(ctx, p.Run, withWait(p, waits))
	if err == nil {
		_, err = r.writeStatus(ctx, p.Run, shown)
	}
	if err != nil {
		return status.ResultOfKubernetesError(ctx, err)
	}
	after := r.retryAfter(p.Run, waits)
	if after == 0 && waits.BacksOff() {
		return ctrl.Result{}, waits
	}
	return ctrl.Result{RequeueAfter: after}, nil
}

// begunRetry is how often a run is reconciled again that has begun, and that would otherwise be with growing pauses:
// its time is limited.
const begunRetry = 10 * time.Second

// retryAfter is when the run is reconciled again, 0 for growing pauses or for never. Whatever it waits for, an
// event wakes it. One that has begun ends at its deadline.
func (r *Reconciler) retryAfter(run *v1alpha1.ImportRun, waits *problem.Problem) time.Duration {
	after := waits.RetryAfter()
	end, begun := runstate.NextDeadline(run)
	if !begun {
		return after
	}
	if after == 0 && waits.BacksOff() {
		after = begunRetry
	}
	if left := max(end.Sub(r.Clock.Now()), time.Second); after == 0 || left < after {
		return left
	}
	return after
}

// showsQueued is after how long the status has to say that a run waits for a permit, 0 for now. A write for each of
// hundreds that are created at once would make all of them wait the longer.
func (r *Reconciler) showsQueued(run *v1alpha1.ImportRun, waits error) time.Duration {
	if !errors.Is(waits, waitingForPlace) && !errors.Is(waits, waitingForAccount) || run.Status.Phase != "" && run.Status.Phase != v1alpha1.RunPending {
		return 0
	}
	return run.CreationTimestamp.Add(r.QueuedShown).Sub(r.Clock.Now())
}

// pinned is the run as it is shown from the first time on that it is seen: what it sends of its own is
// what it was then. Admission refuses to change it; not every way into the cluster goes through it.
func (r *Reconciler) pinned(ctx context.Context, run, shown *v1alpha1.ImportRun) (*v1alpha1.ImportRun, error) {
	if run.Status.DataHash != "" {
		return shown, nil
	}
	r.unpacking.Lock()
	defer r.unpacking.Unlock()
	live, err := r.readWhole(ctx, run)
	if err != nil {
		return nil, err
	}
	var own inline
	for _, record := range live.Spec.Data {
		own.records = append(own.records, record.Raw)
	}
	if live.Spec.Settings != nil {
		own.settings = live.Spec.Settings.Raw
	}
	if live.Spec.RetryOf == nil || (sources{own, live.Spec.DataFrom}).any() {
		shown.Status.DataHash = own.hash()
	}
	return shown, nil
}

// withWait is the run as it is shown waiting for the problem to end.
func withWait(p runstate.Pass, waits *problem.Problem) *v1alpha1.ImportRun {
	run := p.Run.DeepCopy()
	if p.Recorded != nil && p.Recorded.Again != nil {
		setCounts(run, *p.Recorded)
	}
	underWay := runstate.UnderWay(run)
	run.Status.Phase = v1alpha1.RunWaiting
	if underWay {
		run.Status.Phase = v1alpha1.RunRunning
	}
	setProgress(run, waits.Reason(), waits.Message())
	return run
}

// finished reconciles a run that has ended: a change of its spec is acknowledged, and it is deleted
// when its time to live is over.
func (r *Reconciler) finished(ctx context.Context, run *v1alpha1.ImportRun) (ctrl.Result, error) {
	shown := run.DeepCopy()
	if shown.Status.ObservedGeneration != run.Generation {
		shown.Status.ObservedGeneration = run.Generation
		for i := range shown.Status.Conditions {
			shown.Status.Conditions[i].ObservedGeneration = run.Generation
		}
	}
	run, err := r.writeStatus(ctx, run, shown)
	if err != nil {
		return status.ResultOfKubernetesError(ctx, err)
	}
	return r.expire(ctx, run)
}

// expire deletes a run that has ended when its time to live is over. Until then the ledger of
// idempotency keys asks the run itself how it ended.
func (r *Reconciler) expire(ctx context.Context, run *v1alpha1.ImportRun) (ctrl.Result, error) {
	left, limited := runstate.TimeToLive(run, r.Clock.Now())
	switch {
	case !limited:
		return ctrl.Result{}, nil
	case left > 0:
		return ctrl.Result{RequeueAfter: left}, nil
	}
	ended := runstate.Outcome{Phase: run.Status.Phase, Records: ptr.Deref(run.Status.Records, v1alpha1.RecordCounts{})}
	if err := r.settleKey(ctx, run, ended); err != nil {
		return status.ResultOfKubernetesError(ctx, err)
	}
	// Only this version: somebody may just have removed ttlSecondsAfterFinished.
	err := r.Delete(ctx, run, client.Preconditions{UID: &run.UID, ResourceVersion: &run.ResourceVersion})
	return status.ResultOfKubernetesError(ctx, err)
}
