// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

const remoteID = "5f0000000000000000000001"

// declared builds an Import for a row of a table.
func declared(uid types.UID, edits ...func(*v1alpha1.Import)) *v1alpha1.Import {
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Name: string(uid), UID: uid, Annotations: map[string]string{}}}
	object.CreationTimestamp = metav1.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, edit := range edits {
		edit(object)
	}
	return object
}

func recorded(object *v1alpha1.Import) { object.Status.ID = remoteID }

func annotated(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationID] = remoteID }

func observed(object *v1alpha1.Import) { object.Status.Management = v1alpha1.ManagementStateObserved }

func elsewhere(object *v1alpha1.Import) { object.Namespace = "elsewhere" }

func finalized(object *v1alpha1.Import) { object.Finalizers = []string{v1alpha1.Finalizer} }

func observing(object *v1alpha1.Import) {
	object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
}

func deleting(object *v1alpha1.Import) {
	object.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
}

func adopting(mode v1alpha1.AdoptionMode) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) { object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: remoteID, Mode: mode} }
}

func cloning(id v1alpha1.ID) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) { object.Spec.CloneFrom = &v1alpha1.CloneSpec{ID: id} }
}

func TestDecide(t *testing.T) {
	const own, foreign, theirs = "k8s/a", "k8s/another-cluster", "their-own-id"
	manager := declared("b", recorded, annotated, finalized)
	copycat := declared("b", annotated)
	cases := map[string]struct {
		reason string
		use    Use
		object *v1alpha1.Import
		remote integrator.Import
		others []v1alpha1.Import
		// declared is the externalId of the definition; the marker unless it is set.
		declared string
		changed  bool
		want     Verdict
	}{
		"Observe":               {reason: "who only reads may read any import", use: UseManage, object: declared("a", observing), remote: integrator.Import{ExternalID: foreign, ConnectorID: "c"}},
		"IntegrationApp":        {reason: "an integration app updates its imports", use: UseManage, object: declared("a", recorded), remote: integrator.Import{ExternalID: own, ConnectorID: "c"}, want: IntegrationApp},
		"AdoptIntegrationApp":   {reason: "nor is one taken over", use: UseAdopt, object: declared("a", adopting(v1alpha1.AdoptionModeOverride)), remote: integrator.Import{ConnectorID: "c"}, want: IntegrationApp},
		"Marked":                {reason: "the marker shows that it was created for the Import", use: UseManage, object: declared("a", annotated), remote: integrator.Import{ExternalID: own}},
		"DeleteMarked":          {reason: "so it may be deleted", use: UseDelete, object: declared("a", annotated), remote: integrator.Import{ExternalID: own}},
		"Foreign":               {reason: "another's marker forbids everything", use: UseManage, object: declared("a", recorded, annotated), remote: integrator.Import{ExternalID: foreign}, want: ForeignMarker},
		"DeleteForeign":         {reason: "a deletion above all", use: UseDelete, object: declared("a", recorded, annotated), remote: integrator.Import{ExternalID: foreign}, want: ForeignMarker},
		"AdoptForeign":          {reason: "Match does not take over what another has", use: UseAdopt, object: declared("a", adopting(v1alpha1.AdoptionModeMatch)), remote: integrator.Import{ExternalID: foreign}, changed: true, want: ForeignMarker},
		"OverrideForeign":       {reason: "Override does", use: UseAdopt, object: declared("a", adopting(v1alpha1.AdoptionModeOverride)), remote: integrator.Import{ExternalID: foreign}, changed: true},
		"OverrideManaged":       {reason: "but not from a live Import", use: UseAdopt, object: declared("a", adopting(v1alpha1.AdoptionModeOverride)), remote: integrator.Import{ExternalID: foreign}, others: []v1alpha1.Import{*manager}, changed: true, want: OtherImport},
		"OverrideApplied":       {reason: "once it was applied, another's marker is a conflict", use: UseManage, object: declared("a", adopting(v1alpha1.AdoptionModeOverride), recorded, annotated), remote: integrator.Import{ExternalID: foreign}, want: ForeignMarker},
		"OverrideDeletes":       {reason: "a deletion never overrides", use: UseDelete, object: declared("a", adopting(v1alpha1.AdoptionModeOverride), recorded, annotated, deleting), remote: integrator.Import{ExternalID: foreign}, changed: true, want: ForeignMarker},
		"AdoptManaged":          {reason: "an import has one Import", use: UseAdopt, object: declared("a", adopting(v1alpha1.AdoptionModeMatch)), remote: integrator.Import{ExternalID: theirs}, others: []v1alpha1.Import{*manager}, want: OtherImport},
		"AdoptNamed":            {reason: "an annotation alone stops a takeover", use: UseAdopt, object: declared("a", adopting(v1alpha1.AdoptionModeMatch)), remote: integrator.Import{ExternalID: theirs}, others: []v1alpha1.Import{*copycat}, want: OtherImport},
		"AdoptNamedElsewhere":   {reason: "but only in its own namespace: anybody elsewhere may have written it", use: UseAdopt, object: declared("a", adopting(v1alpha1.AdoptionModeMatch)), remote: integrator.Import{ExternalID: theirs}, others: []v1alpha1.Import{*declared("b", annotated, elsewhere)}},
		"AdoptManagedElsewhere": {reason: "the status counts wherever it is", use: UseAdopt, object: declared("a", adopting(v1alpha1.AdoptionModeMatch)), remote: integrator.Import{ExternalID: theirs}, others: []v1alpha1.Import{*declared("b", recorded, annotated, finalized, elsewhere)}, want: OtherImport},
		"ForgedOwner":           {reason: "who only observed it and forged its metadata does not stop the owner", use: UseManage, object: declared("a", recorded), remote: integrator.Import{ExternalID: theirs}, others: []v1alpha1.Import{*declared("b", recorded, observed, annotated, finalized, elsewhere, adopting(v1alpha1.AdoptionModeMatch))}, changed: true},
		"ForgedUse":             {reason: "nor gets to write", use: UseManage, object: declared("b", recorded, observed, annotated, finalized, elsewhere), remote: integrator.Import{ExternalID: theirs}, others: []v1alpha1.Import{*manager}, want: OtherImport},
		"AdoptFree":             {reason: "what nobody has can be taken over", use: UseAdopt, object: declared("a", adopting(v1alpha1.AdoptionModeMatch)), remote: integrator.Import{ExternalID: theirs}},
		"Compared":              {reason: "status records it, and nothing new is written", use: UseManage, object: declared("a", recorded), remote: integrator.Import{ExternalID: theirs}, others: []v1alpha1.Import{*manager}},
		"ChangedManaged":        {reason: "before a new definition is written, the others are asked", use: UseManage, object: declared("a", recorded), remote: integrator.Import{ExternalID: theirs}, others: []v1alpha1.Import{*manager}, changed: true, want: OtherImport},
		"ChangedCopied":         {reason: "a copied annotation does not stop the owner", use: UseManage, object: declared("a", recorded), remote: integrator.Import{ExternalID: theirs}, others: []v1alpha1.Import{*copycat}, changed: true},
		"DeleteManaged":         {reason: "before a deletion the others are asked", use: UseDelete, object: declared("a", recorded, annotated), remote: integrator.Import{ExternalID: theirs}, others: []v1alpha1.Import{*manager}, want: OtherImport},
		"Copied":                {reason: "a copied annotation gives nothing", use: UseManage, object: declared("a", annotated), remote: integrator.Import{ExternalID: theirs}, changed: true, want: NotCreatedHere},
		"CopiedToDelete":        {reason: "not the right to delete either", use: UseDelete, object: declared("a", annotated, deleting), remote: integrator.Import{ExternalID: theirs}, changed: true, want: NotCreatedHere},
		"CopiedWithoutID":       {reason: "an import without externalId is nobody's by that", use: UseManage, object: declared("a", annotated), changed: true, want: NotCreatedHere},
		"RestoredDeclared":      {reason: "a declared externalId shows it after a restore without status", use: UseManage, object: declared("a", annotated), remote: integrator.Import{ExternalID: theirs}, declared: theirs, changed: true},
		"RestoredAdopted":       {reason: "so does spec.adopt", use: UseManage, object: declared("a", annotated, adopting(v1alpha1.AdoptionModeMatch)), remote: integrator.Import{ExternalID: theirs}, changed: true},
		"NewClone":              {reason: "a new clone has the marker in its name, and the original's externalId", use: UseManage, object: declared("a", annotated), remote: integrator.Import{Name: own, ExternalID: foreign}, changed: true},
		"ClonedInTheUI":         {reason: "a clone keeps the marker, and is somebody else's", use: UseManage, object: declared("a", annotated), remote: integrator.Import{ExternalID: own, SourceID: "5f0000000000000000000002"}, changed: true, want: ForeignClone},
		"DeleteClonedInTheUI":   {reason: "it is not deleted either", use: UseDelete, object: declared("a", annotated, deleting), remote: integrator.Import{ExternalID: own, SourceID: "5f0000000000000000000002"}, changed: true, want: ForeignClone},
		"RecordedClone":         {reason: "an adopted clone is recorded", use: UseDelete, object: declared("a", recorded, annotated, deleting), remote: integrator.Import{ExternalID: own, SourceID: "5f0000000000000000000002"}, changed: true},
		"OwnClone":              {reason: "a clone that was made for the Import is its own", use: UseDelete, object: declared("a", annotated, deleting, cloning("5f0000000000000000000002")), remote: integrator.Import{ExternalID: own, SourceID: "5f0000000000000000000002"}, changed: true},
		"CloneOfOwnClone":       {reason: "a clone of that is not", use: UseDelete, object: declared("a", annotated, deleting, cloning("5f0000000000000000000002")), remote: integrator.Import{ExternalID: own, SourceID: "5f0000000000000000000003"}, changed: true, want: ForeignClone},
		"DeleteNewClone":        {reason: "it may be deleted", use: UseDelete, object: declared("a", annotated), remote: integrator.Import{Name: own, ExternalID: foreign}, changed: true},
		"DeleteClaimedNewClone": {reason: "unless somebody adopted it meanwhile", use: UseDelete, object: declared("a", annotated), remote: integrator.Import{Name: own, ExternalID: foreign}, others: []v1alpha1.Import{*manager}, changed: true, want: OtherImport},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.remote.ID = remoteID
			e := Evidence{Object: tc.object, Remote: tc.remote, Others: tc.others, ExternalID: tc.declared, Changed: tc.changed}
			if e.ExternalID == "" {
				e.ExternalID = e.Owner.Marker(tc.object)
			}
			got := Decide(tc.use, e)
			if diff := cmp.Diff(tc.want, got.Verdict); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if (got.Verdict == OtherImport) != (got.By != nil) {
				t.Errorf("%s: the other Import is %v", tc.reason, got.By)
			}
			if refused := Refusal(tc.use, e); (refused == nil) != (tc.want == Permitted) {
				t.Errorf("%s: refused with %v", tc.reason, refused)
			}
		})
	}
}

// TestRefusalOfATakeover: where spec.adopt is set and has no effect, the message says why.
func TestRefusalOfATakeover(t *testing.T) {
	applied := func(object *v1alpha1.Import) { object.Status.OwnedFields = []string{"/name"} }
	cases := map[string]struct {
		reason string
		object *v1alpha1.Import
		want   bool
	}{
		"Restored":    {reason: "the status was restored, or another cluster took it back", object: declared("a", adopting(v1alpha1.AdoptionModeOverride), recorded, annotated, applied), want: true},
		"NotApplied":  {reason: "there is no status to empty", object: declared("a", adopting(v1alpha1.AdoptionModeOverride), recorded, annotated)},
		"Match":       {reason: "an empty status would not help", object: declared("a", adopting(v1alpha1.AdoptionModeMatch), recorded, annotated, applied)},
		"NotAdopting": {reason: "adopt comes first", object: declared("a", recorded, annotated, applied)},
		"Deleting":    {reason: "a deletion never overrides", object: declared("a", adopting(v1alpha1.AdoptionModeOverride), recorded, annotated, applied, deleting)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			e := Evidence{Object: tc.object, Remote: integrator.Import{ID: remoteID, ExternalID: "k8s/another-cluster"}, ExternalID: "k8s/a"}
			err := Refusal(UseManage, e)
			if err == nil {
				t.Fatal("it is not refused")
			}
			if got := strings.Contains(err.Error(), "empty this Import's status"); got != tc.want {
				t.Errorf("%s: refused with %v", tc.reason, err)
			}
		})
	}
}

func TestMarkerOwner(t *testing.T) {
	cases := map[string]struct{ reason, text, want string }{
		"Owner":      {"the part before the namespace", "k8s/prod/shop/orders", "prod"},
		"UID":        {"a uid has no owner", "k8s/0b6f4c1e-0000-4000-8000-000000000000", ""},
		"NoMarker":   {"another externalId", "erp-1", ""},
		"TwoParts":   {"no marker that an operator writes", "k8s/prod/shop", ""},
		"ManyParts":  {"nor this one", "k8s/prod/shop/orders/1", ""},
		"Empty":      {"nothing", "", ""},
		"OtherPaths": {"another prefix", "x/prod/shop/orders", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := MarkerOwner(tc.text); got != tc.want {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestHeir(t *testing.T) {
	here := func(object *v1alpha1.Import) { object.Namespace, object.Spec.AccountRef.Name = "shop", "default" }
	account := func(object *v1alpha1.Import) { object.Spec.AccountRef.Name = "another" }
	old := declared("a", here, recorded, annotated, deleting)
	cases := map[string]struct {
		reason string
		old    *v1alpha1.Import
		other  *v1alpha1.Import
		want   bool
	}{
		"Adopts":      {reason: "it takes the import over", old: old, other: declared("b", here, adopting(v1alpha1.AdoptionModeOverride)), want: true},
		"Copied":      {reason: "an annotation alone is no remote import to leave", old: declared("a", here, annotated, deleting), other: declared("b", here, adopting(v1alpha1.AdoptionModeOverride))},
		"Itself":      {reason: "an adopted import is deleted with its Import", old: old, other: declared("a", here, adopting(v1alpha1.AdoptionModeMatch))},
		"OtherImport": {reason: "it adopts another import", old: declared("a", here), other: declared("b", here, adopting(v1alpha1.AdoptionModeMatch))},
		"NoAdopt":     {reason: "nobody adopts it", old: old, other: declared("b", here)},
		"Elsewhere":   {reason: "another namespace cannot keep an import from being deleted", old: old, other: declared("b", here, adopting(v1alpha1.AdoptionModeOverride), elsewhere)},
		"Account":     {reason: "in another account the id is of nothing", old: old, other: declared("b", here, adopting(v1alpha1.AdoptionModeOverride), account)},
		"Deleting":    {reason: "an heir that goes too takes nothing", old: old, other: declared("b", here, adopting(v1alpha1.AdoptionModeOverride), deleting)},
		"Observing":   {reason: "nor does one that only reads", old: old, other: declared("b", here, adopting(v1alpha1.AdoptionModeOverride), observing)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Heir(tc.old, []v1alpha1.Import{*tc.other}); (got != nil) != tc.want {
				t.Errorf("%s: the heir is %v", tc.reason, got)
			}
		})
	}
}

func TestRemoteID(t *testing.T) {
	pending := func(replaces string) func(*v1alpha1.Import) {
		return func(object *v1alpha1.Import) {
			object.Annotations[v1alpha1.AnnotationCreatePending] = `{"externalId":"k8s/a","replaces":"` + replaces + `"}`
		}
	}
	cases := map[string]struct {
		reason string
		object *v1alpha1.Import
		want   string
	}{
		"New":             {reason: "nothing is remembered", object: declared("a")},
		"Annotated":       {reason: "the annotation survives a restore without status", object: declared("a", annotated), want: remoteID},
		"Recorded":        {reason: "the status survives an edit of the annotations", object: declared("a", recorded), want: remoteID},
		"Pending":         {reason: "the status may be of the import before", object: declared("a", recorded, pending(remoteID))},
		"AnnotatedBeside": {reason: "somebody wrote the id beside the intent: it must not hide the create", object: declared("a", annotated, pending(""))},
		"IntentBeside":    {reason: "somebody wrote the intent beside the id: it must not hide the import", object: declared("a", annotated, recorded, pending("")), want: remoteID},
		"RestoredBeside":  {reason: "somebody put the id back that is being replaced", object: declared("a", annotated, recorded, pending(remoteID))},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, RemoteID(tc.object)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDecideClaim(t *testing.T) {
	claiming := func(object *v1alpha1.Import) {
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: remoteID}
		object.Annotations[v1alpha1.AnnotationAdoptPending] = remoteID
	}
	later := func(object *v1alpha1.Import) {
		object.CreationTimestamp = metav1.Date(2026, 1, 2, 13, 0, 0, 0, time.UTC)
	}
	creating := func(object *v1alpha1.Import) {
		object.Annotations[v1alpha1.AnnotationCreatePending] = `{"externalId":"theirs"}`
	}
	intending := func(age time.Duration) func(*v1alpha1.Import) {
		at := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC).Add(-age).Format(time.RFC3339)
		return func(object *v1alpha1.Import) {
			object.Annotations[v1alpha1.AnnotationCreatePending] = `{"externalId":"theirs","time":"` + at + `"}`
		}
	}
	suspended := func(object *v1alpha1.Import) { object.Spec.Suspend = true }
	taken := func(object *v1alpha1.Import) {
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: remoteID}
		object.Annotations[v1alpha1.AnnotationID] = remoteID
		object.Finalizers = []string{v1alpha1.Finalizer}
	}
	left := func(object *v1alpha1.Import) {
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: remoteID}
		object.Labels = map[string]string{v1alpha1.LabelRemoteImport: remoteID}
		object.Finalizers = []string{v1alpha1.Finalizer}
	}
	ofAnother := func(object *v1alpha1.Import) { object.Labels[v1alpha1.LabelRemoteImport] = "650000000000000000000099" }
	unadopted := func(object *v1alpha1.Import) { object.Spec.Adopt = nil }
	released := func(object *v1alpha1.Import) { object.Finalizers = nil }
	cases := map[string]struct {
		reason string
		object *v1alpha1.Import
		others []*v1alpha1.Import
		want   ClaimStep
	}{
		"Alone":                 {reason: "without a rival the claim is written", object: declared("a"), want: ClaimWrite},
		"Claimed":               {reason: "and then taken", object: declared("a", claiming), want: ClaimTake},
		"Managed":               {reason: "an import has one Import", object: declared("a"), others: []*v1alpha1.Import{declared("b", recorded, finalized)}, want: ClaimWait},
		"RivalLater":            {reason: "the first created keeps its claim", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", claiming, later)}, want: ClaimWait},
		"RivalBefore":           {reason: "the later created withdraws", object: declared("a", claiming, later), others: []*v1alpha1.Import{declared("b", claiming)}, want: ClaimWithdraw},
		"SameSecond":            {reason: "within one second the uid decides", object: declared("b", claiming), others: []*v1alpha1.Import{declared("a", claiming)}, want: ClaimWithdraw},
		"RivalCreates":          {reason: "a creation that may have made this import goes first", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", creating, later)}, want: ClaimWithdraw},
		"IntentElsewhere":       {reason: "a recent intent of another namespace counts", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", intending(time.Minute), elsewhere, later)}, want: ClaimWithdraw},
		"OldIntentElsewhere":    {reason: "an old one may have been forged", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", intending(time.Hour), elsewhere, later)}, want: ClaimTake},
		"FutureIntentElsewhere": {reason: "so may one from the future", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", intending(-time.Hour), elsewhere, later)}, want: ClaimTake},
		"OldIntentHere":         {reason: "in the own namespace it counts", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", intending(time.Hour), later)}, want: ClaimWithdraw},
		"RivalSuspended":        {reason: "a suspended claim does not count", object: declared("a", claiming, later), others: []*v1alpha1.Import{declared("b", claiming, suspended)}, want: ClaimTake},
		"RivalDeleting":         {reason: "nor one that is being deleted", object: declared("a", claiming, later), others: []*v1alpha1.Import{declared("b", claiming, deleting)}, want: ClaimTake},
		"TakenElsewhere":        {reason: "a claim that became the id counts before the status has it", object: declared("a", claiming, later), others: []*v1alpha1.Import{declared("b", taken, elsewhere)}, want: ClaimWithdraw},
		"TakenLaterElsewhere":   {reason: "it keeps what it has, also when created later", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", taken, elsewhere, later)}, want: ClaimWait},
		"GoingElsewhere":        {reason: "it may delete the import", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", taken, elsewhere, deleting, later)}, want: ClaimWait},
		"RestoredElsewhere":     {reason: "a backup has the id, but neither status nor finalizer", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", taken, elsewhere, released, later)}, want: ClaimWait},
		"ReleasedElsewhere":     {reason: "without the finalizer it goes without a call", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", taken, elsewhere, deleting, released, later)}, want: ClaimTake},
		"ForgedElsewhere":       {reason: "an id alone may have been written by anybody", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", taken, unadopted, elsewhere, later)}, want: ClaimTake},
		"LeftElsewhere":         {reason: "what is left of a claim counts until it is withdrawn", object: declared("a", claiming, later), others: []*v1alpha1.Import{declared("b", left, elsewhere)}, want: ClaimWithdraw},
		"LeftLater":             {reason: "the first created keeps its claim beside it", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", left, later)}, want: ClaimWait},
		"LeftGoing":             {reason: "it may be just deleting the import", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", left, deleting, later)}, want: ClaimWait},
		"LeftOfAnother":         {reason: "it is of another import", object: declared("a", claiming, later), others: []*v1alpha1.Import{declared("b", left, ofAnother)}, want: ClaimTake},
		"LeftObserved":          {reason: "beside a status that observes alone it is as much", object: declared("a", claiming, later), others: []*v1alpha1.Import{declared("b", left, recorded, observed)}, want: ClaimWithdraw},
		"LeftManaged":           {reason: "what the status has as its own is no claim", object: declared("a", left, recorded, later), others: []*v1alpha1.Import{declared("b", claiming)}, want: ClaimWait},
		"LeftWithoutRival":      {reason: "it is claimed anew", object: declared("a", left), want: ClaimWrite},
		"LeftHere":              {reason: "for an earlier rival, what is left is withdrawn", object: declared("a", left, later), others: []*v1alpha1.Import{declared("b", claiming)}, want: ClaimWithdraw},
		"LeftHereBefore":        {reason: "a later rival withdraws its own", object: declared("a", left), others: []*v1alpha1.Import{declared("b", claiming, later)}, want: ClaimWait},
		"StrongestOfThree":      {reason: "who manages counts before who claims", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", claiming, later), declared("c", recorded, finalized, later)}, want: ClaimWithdraw},
		"ManagedLater":          {reason: "who manages it does not let go, whenever created", object: declared("a", claiming), others: []*v1alpha1.Import{declared("b", recorded, finalized, later)}, want: ClaimWithdraw},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := Contest{Object: tc.object, Remote: integrator.Import{ID: remoteID, ExternalID: "theirs"}, Now: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)}
			var rival *v1alpha1.Import
			for _, other := range tc.others {
				rival = Stronger(c, rival, other)
			}
			if diff := cmp.Diff(tc.want, DecideClaim(c, rival)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
