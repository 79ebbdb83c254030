// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// intends gives the Import an intent, with the label of it.
func intends(intent Intent) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) {
		text, err := json.Marshal(intent)
		if err != nil {
			panic(err)
		}
		object.Annotations[v1alpha1.AnnotationCreatePending] = string(text)
		object.Labels = map[string]string{v1alpha1.LabelRemoteImport: IntentLabel(intent.ExternalID)}
	}
}

// confirms gives the status the token of an intent.
func confirms(token string) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) { object.Status.CreateToken = token }
}

func TestIntents(t *testing.T) {
	type facts struct {
		ID                           string
		Pending, Confirmed, Complete bool
		CopiedMarker                 string
	}
	ours := Intent{Token: "t1", UID: "a", ExternalID: "k8s/a", Name: "n", Time: time.Unix(1, 0)}
	damaged := func(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationCreatePending] = "{" }
	unlabeled := func(object *v1alpha1.Import) { object.Labels = nil }
	another := func(object *v1alpha1.Import) {
		object.Annotations[v1alpha1.AnnotationID] = "5f0000000000000000000009"
	}
	copied, copiedOwn := ours, ours
	copied.UID, copied.ExternalID = "of-another", "k8s/of-another"
	copiedOwn.UID, copiedOwn.ExternalID = "of-another", "orders"
	replacing := ours
	replacing.Replaces = remoteID
	type edits []func(*v1alpha1.Import)
	for name, tc := range map[string]struct {
		reason string
		edits  edits
		want   facts
	}{
		"Nothing":        {"an Import that has nothing", nil, facts{}},
		"Pending":        {"nobody knows whether the import exists", edits{finalized, intends(ours)}, facts{Pending: true}},
		"Confirmed":      {"the status says what the intent made", edits{finalized, intends(ours), recorded, confirms("t1")}, facts{ID: remoteID, Pending: true, Confirmed: true, Complete: true}},
		"NoLabel":        {"the label has to be written again", edits{finalized, intends(ours), recorded, confirms("t1"), unlabeled}, facts{ID: remoteID, Pending: true, Confirmed: true}},
		"NoFinalizer":    {"the finalizer has to be written again", edits{intends(ours), recorded, confirms("t1")}, facts{ID: remoteID, Pending: true, Confirmed: true}},
		"OtherIntent":    {"the status is of an earlier intent", edits{finalized, intends(ours), recorded, confirms("t0")}, facts{Pending: true}},
		"NoToken":        {"the status is of before the intent", edits{finalized, intends(ours), recorded}, facts{Pending: true}},
		"StatusLost":     {"a restore has dropped the status", edits{finalized, intends(ours), confirms("t1")}, facts{Pending: true}},
		"IntentLost":     {"somebody took the intent away", edits{finalized, recorded, confirms("t1")}, facts{ID: remoteID}},
		"IDForged":       {"an id beside an intent is of somebody else", edits{finalized, intends(ours), recorded, confirms("t1"), another}, facts{Pending: true}},
		"IntentForged":   {"an intent beside the id that the status has is of somebody else", edits{finalized, intends(ours), recorded, annotated}, facts{ID: remoteID, Pending: true}},
		"Replacing":      {"the import of the status was deleted, and another is created", edits{finalized, intends(replacing), recorded, annotated}, facts{Pending: true}},
		"Damaged":        {"an intent that cannot be read may have made something", edits{finalized, damaged}, facts{Pending: true}},
		"Copied":         {"the intent of another object is none", edits{finalized, intends(copied)}, facts{CopiedMarker: "k8s/of-another"}},
		"CopiedOwn":      {"and one with an externalId of the definition has no marker", edits{finalized, intends(copiedOwn)}, facts{}},
		"Annotated":      {"the id is in the annotation, as of one that was adopted", edits{finalized, annotated, recorded}, facts{ID: remoteID}},
		"TokenWithoutID": {"a token without an id confirms nothing", edits{finalized, intends(ours), confirms("t1")}, facts{Pending: true}},
	} {
		t.Run(name, func(t *testing.T) {
			object := declared("a", tc.edits...)
			got := facts{RemoteID(object), CreatePending(object), Confirmed(object), HasMetadata(object, remoteID), Owner{}.CopiedMarker(object)}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			// In the cache, twice stripped.
			for range 2 {
				object.Labels = map[string]string{v1alpha1.LabelRemoteImport: CachedLabel(object)}
				if complete := HasMetadata(object, remoteID); complete != tc.want.Complete {
					t.Errorf("%s: with the label of the cache, %v, complete: %t", tc.reason, object.Labels, complete)
				}
			}
		})
	}
}

// The id of what an intent made is written while that intent stands, or beside nothing.
func TestCanReportCreation(t *testing.T) {
	ours := Intent{Token: "t1", UID: "a", ExternalID: "k8s/a", Time: time.Unix(1, 0)}
	theirs := ours
	theirs.Token = "t2"
	before := declared("a", intends(ours))
	created := declared("a", intends(ours), recorded, confirms("t1"))
	for name, tc := range map[string]struct {
		reason string
		live   *v1alpha1.Import
		want   bool
	}{
		"Same":          {"nobody wrote it", declared("a", intends(ours)), true},
		"Label":         {"somebody wrote something else", declared("a", intends(ours), func(o *v1alpha1.Import) { o.Labels["team"] = "erp" }), true},
		"Stripped":      {"all of the operator's is gone: this process is the last that knows the id", declared("a"), true},
		"AnotherIntent": {"another process creates", declared("a", intends(theirs)), false},
		"AnotherID":     {"another process has found the import", declared("a", annotated), false},
		"AnotherStatus": {"another process has reported", declared("a", intends(ours), recorded), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := CanReport(created, before, tc.live); got != tc.want {
				t.Errorf("%s: %t", tc.reason, got)
			}
		})
	}
}

// The id of what was adopted is written only where the metadata still has it.
func TestCanReportAdoption(t *testing.T) {
	adopts := func(object *v1alpha1.Import) { object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: remoteID} }
	byExternalID := func(object *v1alpha1.Import) { object.Spec.Adopt = &v1alpha1.AdoptSpec{ExternalID: "prices"} }
	another := func(object *v1alpha1.Import) { object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: "650000000000000000000099"} }
	intended := intends(Intent{Token: "t1", UID: "a", ExternalID: "prices", Time: time.Unix(1, 0)})
	again := intends(Intent{Token: "t1", UID: "a", ExternalID: "prices", Time: time.Unix(1, 0), Replaces: "650000000000000000000099"})
	type edits = []func(*v1alpha1.Import)
	for name, tc := range map[string]struct {
		reason             string
		spec               func(*v1alpha1.Import)
		ours, before, live edits
		want               bool
	}{
		"Label":          {"somebody wrote something else", adopts, edits{annotated, recorded}, edits{}, edits{annotated}, true},
		"Stripped":       {"another Import may have adopted it", adopts, edits{annotated, recorded}, edits{}, edits{}, false},
		"StrippedLater":  {"an earlier process took it over, and did not write the status", adopts, edits{annotated, recorded}, edits{annotated}, edits{}, false},
		"ByExternalID":   {"the same, named by its externalId", byExternalID, edits{annotated, recorded}, edits{}, edits{}, false},
		"ObservedBefore": {"the status has the id from observing alone", adopts, edits{annotated, recorded}, edits{recorded, observed}, edits{recorded, observed}, false},
		"Observed":       {"to observe an import nothing has to be had", adopts, edits{recorded, observed}, edits{}, edits{}, true},
		"Recorded":       {"the status has it already: nobody adopts it", adopts, edits{annotated, recorded}, edits{annotated, recorded}, edits{recorded}, true},
		"Failed":         {"nothing was adopted", adopts, edits{}, edits{}, edits{}, true},
		"CreatedAgain":   {"what was adopted was deleted, and is created again: this process is the last that knows the id", byExternalID, edits{annotated, recorded}, edits{again}, edits{}, true},
		"AnotherID":      {"the same, after an earlier process kept the id", another, edits{annotated, recorded}, edits{annotated}, edits{}, true},
		"AfterCreation":  {"a creation before it was adopted did not go through", adopts, edits{annotated, recorded}, edits{intended}, edits{intended}, false},
	} {
		t.Run(name, func(t *testing.T) {
			of := func(edits edits) *v1alpha1.Import { return declared("a", append(edits, tc.spec)...) }
			if got := CanReport(of(tc.ours), of(tc.before), of(tc.live)); got != tc.want {
				t.Errorf("%s: %t", tc.reason, got)
			}
		})
	}
}

// An interrupted takeover leaves its claim.
func TestIsComplete(t *testing.T) {
	labeled := func(object *v1alpha1.Import) { object.Labels = map[string]string{v1alpha1.LabelRemoteImport: remoteID} }
	claimed := func(id string) func(*v1alpha1.Import) {
		return func(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationAdoptPending] = id }
	}
	for name, tc := range map[string]struct {
		object *v1alpha1.Import
		want   bool
	}{
		"Managed":      {declared("a", recorded, annotated, finalized, labeled), true},
		"Claimed":      {declared("a", recorded, annotated, finalized, labeled, claimed(remoteID)), false},
		"ClaimsOther":  {declared("a", recorded, annotated, finalized, labeled, claimed("650000000000000000000099")), false},
		"WithoutLabel": {declared("a", recorded, annotated, finalized), false},
	} {
		if got := IsComplete(tc.object, remoteID); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
