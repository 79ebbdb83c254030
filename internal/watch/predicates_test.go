// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// eventCase is an event, and whether it leads to a reconcile.
type eventCase struct {
	reason string
	event  any
	wakes  bool
}

func checkEvents(t *testing.T, tested predicate.Predicate, cases map[string]eventCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := passes(t, tested, tc.event); got != tc.wakes {
				t.Errorf("%s: the event wakes = %t, want %t", tc.reason, got, tc.wakes)
			}
		})
	}
}

func passes(t *testing.T, tested predicate.Predicate, of any) bool {
	t.Helper()
	switch e := of.(type) {
	case event.CreateEvent:
		return tested.Create(e)
	case event.UpdateEvent:
		return tested.Update(e)
	case event.DeleteEvent:
		return tested.Delete(e)
	case event.GenericEvent:
		return tested.Generic(e)
	default:
		t.Fatalf("a %T is no event", of)
		return false
	}
}

func created(object client.Object) event.CreateEvent   { return event.CreateEvent{Object: object} }
func deleted(object client.Object) event.DeleteEvent   { return event.DeleteEvent{Object: object} }
func notified(object client.Object) event.GenericEvent { return event.GenericEvent{Object: object} }

func updated(before, after client.Object) event.UpdateEvent {
	return event.UpdateEvent{ObjectOld: before, ObjectNew: after}
}

func withFinalizers(names ...string) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) { object.Finalizers = names }
}

const foreign = "example.com/backup"

func TestOnUpdate(t *testing.T) {
	never := func(event.UpdateEvent) bool { return false }
	always := func(event.UpdateEvent) bool { return true }
	checkEvents(t, watch.OnUpdate(always), map[string]eventCase{
		"Update":  {"the function decides about updates", updated(anImport(), anImport()), true},
		"Create":  {"nothing changed: a process that starts gets one for each object", created(anImport()), false},
		"Delete":  {"nothing is left that could change", deleted(anImport()), false},
		"Generic": {"this event is about nothing that is written", notified(anImport()), false},
	})
	checkEvents(t, watch.OnUpdate(never), map[string]eventCase{
		"UpdateRefused": {"the function decides about updates", updated(anImport(), anImport()), false},
	})
}

func TestImportChanged(t *testing.T) {
	nextGeneration := func(object *v1alpha1.Import) { object.Generation++ }
	id := annotated(v1alpha1.AnnotationID, remoteID)
	intent := annotated(v1alpha1.AnnotationCreatePending, `{"externalId":"k8s/1"}`)
	ours := withFinalizers(v1alpha1.Finalizer)
	kept := func(object *v1alpha1.Import) {
		id(object)
		ours(object)
		object.Labels = map[string]string{v1alpha1.LabelRemoteImport: ownership.RemoteLabel(remoteID)}
	}
	observed := func(object *v1alpha1.Import) { object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve }
	checkEvents(t, watch.ImportChanged(), map[string]eventCase{
		"Created":     {"a new Import, or one that a new process finds", created(anImport()), true},
		"Deleted":     {"the reconciler forgets its status", deleted(anImport()), true},
		"SpecChanged": {"the API server counts specs, and counts a deletion too", updated(anImport(), anImport(nextGeneration)), true},
		"Resync":      {"nothing changed", updated(anImport(), anImport()), false},
		"StatusWritten": {"the operator's own write must not wake it, or it would never rest",
			updated(anImport(kept), anImport(kept, withStatusID(remoteID))), false},
		"StatusWrittenAgain": {"once is enough",
			updated(anImport(withStatusID(remoteID)), anImport(withStatusID(remoteID))), false},
		"MetadataGoneMeanwhile": {"somebody removed the intent during the call: after a restore nothing would say where the import is",
			updated(anImport(), anImport(withStatusID(remoteID))), true},
		"FinalizerGoneMeanwhile": {"without it, a deletion would leave the remote import behind",
			updated(anImport(kept, withFinalizers()), anImport(kept, withFinalizers(), withStatusID(remoteID))), true},
		"Observed": {"what is only observed is not kept in the metadata",
			updated(anImport(observed), anImport(observed, withStatusID(remoteID))), false},
		"OtherAnnotation": {"somebody else's annotation means nothing here",
			updated(anImport(), anImport(annotated("example.com/note", "x"))), false},

		"ReconcileRequested": {"a person asks for it",
			updated(anImport(), anImport(annotated(v1alpha1.AnnotationReconcileRequestedAt, "1"))), true},
		"RequestedAgain": {"any new value counts",
			updated(anImport(annotated(v1alpha1.AnnotationReconcileRequestedAt, "1")), anImport(annotated(v1alpha1.AnnotationReconcileRequestedAt, "2"))), true},
		"RequestStays": {"an old value does not",
			updated(anImport(kept, annotated(v1alpha1.AnnotationReconcileRequestedAt, "1")), anImport(kept, annotated(v1alpha1.AnnotationReconcileRequestedAt, "1"), withStatusID(remoteID))), false},

		"DryRunBegins": {"the plan is asked for",
			updated(anImport(), anImport(annotated(v1alpha1.AnnotationDryRun, "true"))), true},
		"DryRunEnds": {"the plan may be applied",
			updated(anImport(annotated(v1alpha1.AnnotationDryRun, "true")), anImport()), true},
		"DryRunSetToFalse": {"the plan may be applied in this case too",
			updated(anImport(annotated(v1alpha1.AnnotationDryRun, "true")), anImport(annotated(v1alpha1.AnnotationDryRun, "false"))), true},

		"NamesakeAllowed": {"a creation that was refused may go on",
			updated(anImport(), anImport(annotated(v1alpha1.AnnotationAllowNamesake, "true"))), true},

		"FinalizerRemoved": {"somebody removed it: without it, a deletion would leave the remote import behind",
			updated(anImport(ours), anImport()), true},
		"FinalizerAdded": {"the operator did that", updated(anImport(), anImport(ours)), false},
		"ForeignFinalizerRemoved": {"it is somebody else's",
			updated(anImport(withFinalizers(v1alpha1.Finalizer, foreign)), anImport(ours)), false},

		"IDRemoved": {"somebody removed it: it would be missing after a restore",
			updated(anImport(id), anImport()), true},
		"IDChanged": {"somebody changed it: the Import would write to another import",
			updated(anImport(id), anImport(annotated(v1alpha1.AnnotationID, otherID))), true},
		"IDWritten": {"the operator did that, after a creation",
			updated(anImport(intent), anImport(id)), false},
		"IDReplacedByIntent": {"the operator did that: it creates anew what was deleted on the platform",
			updated(anImport(id), anImport(intent)), false},
		"IntentWritten": {"the operator did that, before a creation", updated(anImport(), anImport(intent)), false},
		"IntentRemoved": {"the operator did that, after a creation that was not applied", updated(anImport(intent), anImport()), false},
		"ClaimWritten": {"the operator did that, before an adoption",
			updated(anImport(), anImport(annotated(v1alpha1.AnnotationAdoptPending, remoteID))), false},
	})
}

func TestRemoteIDChanged(t *testing.T) {
	checkEvents(t, watch.RemoteIDChanged(), map[string]eventCase{
		"IDWritten": {"its copies wait for that", updated(anImport(), anImport(withStatusID(remoteID))), true},
		"Replaced": {"there is another import to copy",
			updated(anImport(withStatusID(remoteID)), anImport(withStatusID(otherID))), true},
		"Lost": {"there is nothing to copy any longer", updated(anImport(withStatusID(remoteID)), anImport()), true},
		"Same": {"an update of the import copies nothing",
			updated(anImport(withStatusID(remoteID)), anImport(withStatusID(remoteID), func(object *v1alpha1.Import) { object.Generation++ })), false},
		"AnnotationWritten": {"the status has the id a moment later",
			updated(anImport(), anImport(annotated(v1alpha1.AnnotationID, remoteID))), false},
		"Created": {"a process that starts reconciles the copies anyway", created(anImport(withStatusID(remoteID))), false},
		"Deleted": {"a copy that was not made yet goes on waiting", deleted(anImport(withStatusID(remoteID))), false},
	})
}

func TestRemoteReleased(t *testing.T) {
	manages := []func(*v1alpha1.Import){withStatusID(remoteID), annotated(v1alpha1.AnnotationID, remoteID), withFinalizers(v1alpha1.Finalizer)}
	observes := append(slices.Clone(manages), func(object *v1alpha1.Import) { object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve })
	checkEvents(t, watch.RemoteReleased(), map[string]eventCase{
		"Deleted":  {"who wants to adopt it may", deleted(anImport(manages...)), true},
		"Observes": {"it only observes from now on", updated(anImport(manages...), anImport(observes...)), true},
		"Replaced": {"it has another import now", updated(anImport(manages...), anImport(withStatusID(otherID), annotated(v1alpha1.AnnotationID, otherID))), true},
		"Kept":     {"other changes free nothing", updated(anImport(manages...), anImport(append(manages, annotated("example.com/note", "x"))...)), false},
		"NeverHad": {"nor does an Import without a remote import", updated(anImport(), anImport(withStatusID(remoteID))), false},
		"Created":  {"a new one takes, and frees nothing", created(anImport(manages...)), false},
		"Generic":  {"this event is about nothing that is written", notified(anImport(manages...)), false},
	})
}

func TestFinalizerChanged(t *testing.T) {
	ours := withFinalizers(v1alpha1.Finalizer)
	checkEvents(t, watch.FinalizerChanged(), map[string]eventCase{
		"CreatedWith":    {"an Import that needs its Account was restored, or found by a new process", created(anImport(ours)), true},
		"CreatedWithout": {"a new Import needs nothing yet", created(anImport()), false},
		"Added":          {"it begins to need its Account", updated(anImport(), anImport(ours)), true},
		"Removed":        {"an Account that is being deleted may go now", updated(anImport(ours), anImport()), true},
		"Kept":           {"other changes mean nothing to the Account", updated(anImport(ours), anImport(ours, withStatusID(remoteID))), false},
		"NeverHad":       {"other changes mean nothing to the Account", updated(anImport(), anImport(withStatusID(remoteID))), false},
		"ForeignAdded": {"it is somebody else's",
			updated(anImport(ours), anImport(withFinalizers(v1alpha1.Finalizer, foreign))), false},
		"Deleted": {"whether the last update was seen or not", deleted(anImport(ours)), true},
		"Generic": {"this event is about nothing that is written", notified(anImport(ours)), false},
	})
}

func TestLostFinalizer(t *testing.T) {
	account := func(finalizers ...string) *v1alpha1.Account {
		object := &v1alpha1.Account{}
		object.Finalizers = finalizers
		return object
	}
	const ours = v1alpha1.AccountFinalizer
	checkEvents(t, watch.LostFinalizer(ours), map[string]eventCase{
		"Removed":        {"somebody removed it, and the Account would not wait for its Imports", updated(account(ours), account()), true},
		"Exchanged":      {"somebody put another in its place", updated(account(ours), account(foreign)), true},
		"Added":          {"the operator did that", updated(account(), account(ours)), false},
		"Kept":           {"it is still there", updated(account(foreign, ours), account(ours, foreign)), false},
		"ForeignRemoved": {"it is somebody else's", updated(account(ours, foreign), account(ours)), false},
		"ForeignAlone":   {"there was none of ours to lose", updated(account(foreign), account()), false},
		"Deleted":        {"nothing is left that could wait", deleted(account(ours)), false},
	})
}

func TestRunAnswered(t *testing.T) {
	claimed := func(run *v1alpha1.ImportRun) {
		run.Annotations = map[string]string{v1alpha1.AnnotationClaim: `{"batch":1,"token":"one"}`}
	}
	returned := func(run *v1alpha1.ImportRun) {
		run.Annotations = map[string]string{v1alpha1.AnnotationClaim: `{"batch":1,"attempt":1}`}
	}
	done := func(n int32) func(*v1alpha1.ImportRun) {
		return func(run *v1alpha1.ImportRun) { run.Status.Batches = &v1alpha1.BatchCounts{Total: 3, Done: n} }
	}
	checkEvents(t, watch.RunAnswered(), map[string]eventCase{
		"Answered":      {"another process may have recorded it, and this one goes on", updated(aRun(claimed, done(1)), aRun(claimed, done(2))), true},
		"Failed":        {"its time to live begins", updated(aRun(claimed, done(1)), aRun(claimed, done(1), inPhase(v1alpha1.RunFailed))), true},
		"Returned":      {"the batch is sent again", updated(aRun(claimed, done(1)), aRun(returned, done(1))), true},
		"Claimed":       {"the call is under way", updated(aRun(done(1)), aRun(claimed, done(1))), false},
		"StillUnderWay": {"somebody else wrote to it", updated(aRun(claimed, done(1)), aRun(claimed, done(1), inPhase(v1alpha1.RunRunning))), false},
		"EndedBefore":   {"nothing happens any more", updated(aRun(claimed, inPhase(v1alpha1.RunUnknown)), aRun(inPhase(v1alpha1.RunUnknown))), false},
		"Created":       {"a process that starts reconciles all runs anyway", created(aRun(claimed)), false},
	})
}

func TestRunEnded(t *testing.T) {
	from := func(before, after v1alpha1.RunPhase) event.UpdateEvent {
		return updated(aRun(inPhase(before)), aRun(inPhase(after)))
	}
	checkEvents(t, watch.RunEnded(), map[string]eventCase{
		"Succeeded": {"the ledger has the key: those that wait for it end too", from(v1alpha1.RunRunning, v1alpha1.RunSucceeded), true},
		"Failed":    {"the key is free", from(v1alpha1.RunRunning, v1alpha1.RunFailed), true},
		"Unknown":   {"nobody knows, which is an end as well", from(v1alpha1.RunRunning, v1alpha1.RunUnknown), true},
		"Canceled":  {"a run may end before it began", from("", v1alpha1.RunCanceled), true},
		"Began":     {"it has the key still", from(v1alpha1.RunPending, v1alpha1.RunRunning), false},
		"Waits":     {"it may take the key any time", from(v1alpha1.RunPending, v1alpha1.RunWaiting), false},
		"EndedBefore": {"a run ends once: what is written to it later changes nothing for others",
			from(v1alpha1.RunSucceeded, v1alpha1.RunSucceeded), false},
		"Deleted":      {"a run that was deleted before it ended holds its key no longer", deleted(aRun(inPhase(v1alpha1.RunRunning))), true},
		"DeletedAfter": {"the end of the run may not have been seen", deleted(aRun(inPhase(v1alpha1.RunFailed))), true},
		"Created":      {"a process that starts reconciles all runs anyway", created(aRun(inPhase(v1alpha1.RunSucceeded))), false},
		"Generic":      {"this event is about nothing that is written", notified(aRun(inPhase(v1alpha1.RunSucceeded))), false},
	})
}
