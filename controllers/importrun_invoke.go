// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// The invoke protocol. An invoke writes into the destination and the API cannot tell a
// second one from the first:
//
//  1. claim: from a read past the cache, one annotation, refused if anybody else wrote
//     the object meanwhile;
//  2. invoke: one call on a connection of its own, no redirect, no retry;
//  3. end: the outcome goes to status; that write is retried, the call never.
//
// A claim without an outcome, past its deadline, is Unknown for good.

// invokable tells why an Import cannot be invoked yet.
func invokable(declared *v1alpha1.Import) error {
	ready := apimeta.FindStatusCondition(declared.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case !declared.DeletionTimestamp.IsZero():
		return waitingf(reasonImportNotReady, "waiting for Import %q, which is being deleted", declared.Name)
	case declared.Spec.Suspend:
		return waitingf(reasonImportNotReady, "waiting for Import %q, which is suspended", declared.Name)
	case ready == nil || ready.Status != metav1.ConditionTrue:
		reason := "it has not been looked at yet"
		if ready != nil {
			reason = ready.Reason
		}
		return waitingf(reasonImportNotReady, "waiting for Import %q to be Ready: %s", declared.Name, reason)
	case ready.ObservedGeneration != declared.Generation || remoteID(declared) == "" || remoteID(declared) != declared.Status.ID:
		return waitingf(reasonImportNotReady, "waiting for Import %q to be Ready at its latest generation", declared.Name)
	}
	return nil
}

// payload is what a run sends.
type payload struct {
	records  []json.RawMessage
	settings json.RawMessage
	// secret tells that some of it comes from a Secret.
	secret bool
}

// gather collects the records from data and dataFrom, in order. Data that cannot be sent
// ends the run; a source that is not there is waited for.
func (r *ImportRunReconciler) gather(ctx context.Context, s *runScope) (*outcome, error) {
	spec := &s.object.Spec
	for _, record := range spec.Data {
		s.payload.records = append(s.payload.records, record.Raw)
	}
	for i, source := range spec.DataFrom {
		content, err := r.read(ctx, s.object.Namespace, source)
		if err != nil {
			return nil, err
		}
		records, err := parseRecords(content)
		if err != nil {
			return invalid("dataFrom[%d] is %v", i, err), nil
		}
		s.payload.records = append(s.payload.records, records...)
		s.payload.secret = s.payload.secret || source.SecretKeyRef != nil
	}
	if spec.Settings != nil {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(spec.Settings.Raw, &object); err != nil || object == nil {
			return invalid("settings is not a JSON object"), nil
		}
		s.payload.settings = spec.Settings.Raw
	}
	size := len(s.payload.settings)
	for _, record := range s.payload.records {
		size += len(record) + 1
	}
	switch {
	case len(s.payload.records) == 0:
		return invalid("there are no records in data and dataFrom"), nil
	case size > maxPage:
		return invalid("the records are %d bytes, more than the %d that the API takes in one call: split them over several ImportRuns", size, maxPage), nil
	}
	return nil, nil
}

func invalid(format string, args ...any) *outcome {
	return &outcome{phase: v1alpha1.RunFailed, reason: reasonInvalidData,
		message: fmt.Sprintf(format, args...) + "; nothing was sent"}
}

// read returns the content of one source of data.
func (r *ImportRunReconciler) read(ctx context.Context, namespace string, source v1alpha1.DataSource) ([]byte, error) {
	kind, ref := "ConfigMap", source.ConfigMapKeyRef
	var object client.Object = &corev1.ConfigMap{}
	if source.SecretKeyRef != nil {
		kind, ref, object = "Secret", source.SecretKeyRef, &corev1.Secret{}
	}
	err := r.Live.Get(ctx, types.NamespacedName{Namespace: namespace, Name: ref.Name}, object)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, ref.Name, err)
	}
	if content, ok := contentOf(object, ref.Key); ok && err == nil {
		return content, nil
	}
	return nil, waitingf(reasonDataNotFound, "waiting for key %q of %s %q, which is not in namespace %q", ref.Key, kind, ref.Name, namespace)
}

func contentOf(object client.Object, key string) ([]byte, bool) {
	switch typed := object.(type) {
	case *corev1.Secret:
		content, ok := typed.Data[key]
		return content, ok
	case *corev1.ConfigMap:
		if text, ok := typed.Data[key]; ok {
			return []byte(text), true
		}
		content, ok := typed.BinaryData[key]
		return content, ok
	default:
		return nil, false
	}
}

// claim takes the permission for the one call, or fails: with a conflict when another
// process was faster, or when the object changed in any other way.
func (r *ImportRunReconciler) claim(ctx context.Context, s *runScope) (claim, error) {
	live := &v1alpha1.ImportRun{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live); err != nil {
		return claim{}, err
	}
	free := !finished(live) && live.Status.Phase != v1alpha1.RunRunning && live.Annotations[v1alpha1.AnnotationClaim] == ""
	if !free || live.UID != s.object.UID || !live.DeletionTimestamp.IsZero() {
		return claim{}, apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("importruns").GroupResource(), live.Name,
			errors.New("the run was claimed or changed meanwhile"))
	}
	granted := r.grant(live)
	if err := r.takeClaim(ctx, live, granted); err != nil {
		return claim{}, err
	}
	s.object, s.before = live, live.DeepCopy()
	s.running(granted)
	// Only a courtesy to who watches: the claim is what counts.
	if err := r.patchStatus(ctx, s); err != nil && !apierrors.IsConflict(err) {
		log.FromContext(ctx).Error(err, "cannot show the run as Running")
	}
	return granted, nil
}

// grant makes the claim for a run. The time limit counts from the first claim: an earlier
// one may have been given back unused.
func (r *ImportRunReconciler) grant(run *v1alpha1.ImportRun) claim {
	now := r.Clock.Now().UTC()
	started := now
	if run.Status.StartTime != nil {
		started = run.Status.StartTime.Time
	}
	return claim{Token: uuid.NewString(), Holder: r.Holder, Time: now, Deadline: started.Add(timeLimit(run))}
}

// takeClaim writes the claim to exactly the version that was read. When the answer to that
// write is lost, another read tells whether it was made.
func (r *ImportRunReconciler) takeClaim(ctx context.Context, live *v1alpha1.ImportRun, granted claim) error {
	value, err := json.Marshal(granted)
	if err != nil {
		return err
	}
	failed := r.patchClaim(ctx, live, string(value))
	if failed == nil || apierrors.IsConflict(failed) {
		return failed
	}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(live), live); err != nil || live.Annotations[v1alpha1.AnnotationClaim] != string(value) {
		return failed
	}
	return nil
}

func timeLimit(run *v1alpha1.ImportRun) time.Duration {
	const fallback = 600 * time.Second
	if run.Spec.ActiveDeadlineSeconds == nil {
		return fallback
	}
	return time.Duration(*run.Spec.ActiveDeadlineSeconds) * time.Second
}

// patchClaim sets the claim annotation of exactly this version of the run, or, with nil,
// takes it off.
func (r *ImportRunReconciler) patchClaim(ctx context.Context, run *v1alpha1.ImportRun, value any) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": run.UID, "resourceVersion": run.ResourceVersion,
		"annotations": map[string]any{v1alpha1.AnnotationClaim: value},
	}})
	if err != nil {
		return err
	}
	return r.Patch(ctx, run, client.RawPatch(types.MergePatchType, body))
}

// invoke makes the one call that the claim permits. It goes on when the operator is asked
// to stop: the answer is worth waiting for.
func (r *ImportRunReconciler) invoke(ctx context.Context, s *runScope, granted claim) (*outcome, error) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), granted.Deadline.Sub(r.Clock.Now()))
	defer cancel()
	answer, err := s.session.client.Invoke(limited, s.importID, integrator.InvokeRequest{Data: s.payload.records, Settings: s.payload.settings})
	if p := classify(err, "invoke the import"); p != nil && p.reason == reasonTokenRejected {
		r.Accounts.rejected(s.session, p)
	}
	ended, again := judgeAnswer(answer, err, len(s.payload.records), s.payload.secret)
	if again == nil {
		r.unrecorded.Store(s.object.UID, &ended)
		return &ended, nil
	}
	return r.comeBack(limited, s, granted, again)
}

// comeBack gives the claim back after the API asked to come later, unless that is past
// the run's deadline. The claim's call is known to have changed nothing.
func (r *ImportRunReconciler) comeBack(ctx context.Context, s *runScope, granted claim, again *problem) (*outcome, error) {
	ended := &outcome{phase: v1alpha1.RunFailed, reason: reasonDeadlineExceeded, records: s.payload.counts(),
		message: "the account's rate limit left no time for the call within activeDeadlineSeconds; nothing was written"}
	if r.Clock.Now().Add(again.after).After(granted.Deadline) || r.giveBack(ctx, s, again) != nil {
		r.unrecorded.Store(s.object.UID, ended)
		return ended, nil
	}
	return nil, again
}

// giveBack takes our claim off the run, whatever else was written to the run meanwhile. The
// run shows as Waiting first: Running without a claim would mean that the claim was lost.
func (r *ImportRunReconciler) giveBack(ctx context.Context, s *runScope, again *problem) error {
	ours := s.object.Annotations[v1alpha1.AnnotationClaim]
	return retry.OnError(retry.DefaultBackoff, func(err error) bool { return !apierrors.IsNotFound(err) }, func() error {
		live := &v1alpha1.ImportRun{}
		if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live); err != nil {
			return err
		}
		if live.UID != s.object.UID || live.Annotations[v1alpha1.AnnotationClaim] != ours {
			return nil
		}
		s.object, s.before = live, live.DeepCopy()
		s.waiting(again)
		if err := r.patchStatus(ctx, s); err != nil {
			return err
		}
		if err := r.patchClaim(ctx, s.object, nil); err != nil {
			return err
		}
		s.before = s.object.DeepCopy()
		return nil
	})
}

func (p *payload) counts() v1alpha1.RecordCounts {
	//nolint:gosec // the 5 MB page holds far fewer than 2^31 records
	return v1alpha1.RecordCounts{Total: int32(len(p.records))}
}

// running shows the run as under way.
func (s *runScope) running(granted claim) {
	status := &s.object.Status
	status.Phase = v1alpha1.RunRunning
	status.ImportID = s.importID
	if status.StartTime == nil {
		status.StartTime = &metav1.Time{Time: granted.Time.Truncate(time.Second)}
	}
	counts := s.payload.counts()
	status.Records = &counts
	s.progress(&problem{class: transient, reason: reasonProgressing, message: "the records are being sent"})
}

// waiting shows what the run waits for before its call.
func (s *runScope) waiting(p *problem) {
	s.object.Status.Phase = v1alpha1.RunWaiting
	s.progress(p)
}

// progress sets the conditions of a run that goes on.
func (s *runScope) progress(p *problem) {
	status, generation := &s.object.Status, s.object.Generation
	status.ObservedGeneration = generation
	setProblem(&status.Conditions, generation, &problem{class: transient, reason: p.reason, message: p.message})
	setCondition(&status.Conditions, generation, v1alpha1.ConditionSucceeded, metav1.ConditionUnknown, p.reason, p.message)
}

// wait shows what the run waits for. Whatever it is, nothing was sent.
func (r *ImportRunReconciler) wait(ctx context.Context, s *runScope, err error) (ctrl.Result, error) {
	p := classify(err, "invoke the import")
	if p == nil {
		return afterKubernetesError(ctx, err)
	}
	if s.object.Annotations[v1alpha1.AnnotationClaim] == "" {
		s.waiting(p)
	} else {
		s.progress(p)
	}
	if err := r.patchStatus(ctx, s); err != nil {
		return afterKubernetesError(ctx, err)
	}
	if p.class == terminal {
		// Terminal for what it waits for; the run itself is woken by an event.
		return ctrl.Result{RequeueAfter: p.after}, nil
	}
	return resultOf(p, err)
}

// end writes the outcome to status, of the version that the API server has now: a run
// that ended meanwhile stays as it ended.
func (r *ImportRunReconciler) end(ctx context.Context, s *runScope, ended outcome) (ctrl.Result, error) {
	ctx = context.WithoutCancel(ctx)
	live := &v1alpha1.ImportRun{}
	err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.object), live)
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("record the outcome of the run: %w", err)
	}
	if err != nil || live.UID != s.object.UID || finished(live) {
		r.unrecorded.Delete(s.object.UID)
		return ctrl.Result{}, nil
	}
	if _, ours := r.unrecorded.Load(live.UID); !ours && live.Annotations[v1alpha1.AnnotationClaim] != s.object.Annotations[v1alpha1.AnnotationClaim] {
		// Another process claimed the run meanwhile: how it ends is told by that call.
		return ctrl.Result{RequeueAfter: wait.Jitter(conflictPause, 1)}, nil
	}
	s.object, s.before = live, live.DeepCopy()
	s.ended(ended, r.Clock.Now())
	if err := r.patchStatus(ctx, s); err != nil {
		return afterKubernetesError(ctx, err)
	}
	r.unrecorded.Delete(live.UID)
	runsCompleted.WithLabelValues(string(ended.phase)).Inc()
	kind := corev1.EventTypeWarning
	if ended.phase == v1alpha1.RunSucceeded {
		kind = corev1.EventTypeNormal
	}
	recordEvent(r.Recorder, live, kind, ended.reason, ended.message)
	return ctrl.Result{}, nil
}

// ended sets the terminal status.
func (s *runScope) ended(e outcome, now time.Time) {
	status, generation := &s.object.Status, s.object.Generation
	status.ObservedGeneration = generation
	status.Phase = e.phase
	status.CompletionTime = &metav1.Time{Time: now.UTC().Truncate(time.Second)}
	records := e.records
	if records.Total == 0 && status.Records != nil {
		records.Total = status.Records.Total
	}
	status.Records = &records
	status.Failures = e.failures
	succeeded := metav1.ConditionFalse
	if e.phase == v1alpha1.RunSucceeded {
		succeeded = metav1.ConditionTrue
		setReady(&status.Conditions, generation, e.reason, e.message)
	} else {
		setProblem(&status.Conditions, generation, &problem{class: terminal, reason: e.reason, message: e.message})
	}
	setCondition(&status.Conditions, generation, v1alpha1.ConditionSucceeded, succeeded, e.reason, e.message)
}

// patchStatus writes the status if it changed, of exactly the version that was read.
func (r *ImportRunReconciler) patchStatus(ctx context.Context, s *runScope) error {
	if equality.Semantic.DeepEqual(s.before.Status, s.object.Status) {
		return nil
	}
	base := s.object.DeepCopy()
	base.Status = s.before.Status
	err := r.Status().Patch(ctx, s.object, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
	if err == nil {
		s.before = s.object.DeepCopy()
	}
	return err
}
