// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account/shared"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

func TestChanged(t *testing.T) {
	cases := map[string]struct {
		reason string
		play   func(*Observations)
		known  string
		want   bool
	}{
		"Unseen": {"what nobody has seen counts as unchanged: the first scan will show it",
			func(*Observations) {}, "t1", false},
		"SeenAsKnown": {"a scan that saw what we know changes nothing",
			func(o *Observations) {
				o.complete(o.begin(), []string{"a"}, shared.NewList(map[string]string{"a": "t1"}))
			}, "t1", false},
		"SeenOtherwise": {"another lastModified is a change",
			func(o *Observations) {
				o.complete(o.begin(), []string{"a"}, shared.NewList(map[string]string{"a": "t2"}))
			}, "t1", true},
		"NotListed": {"absence is a reason to read",
			func(o *Observations) { o.complete(o.begin(), []string{"a"}, shared.NewList(nil)) }, "t1", true},
		"WrittenDuringScan": {"a scan that began before our write is older than it",
			func(o *Observations) {
				scan := o.begin()
				o.Note("a", "t3")
				o.complete(scan, []string{"a"}, shared.NewList(map[string]string{"a": "t2"}))
			}, "t3", false},
		"CreatedDuringScan": {"an import created while the list was read is not missed in it",
			func(o *Observations) {
				scan := o.begin()
				o.Note("a", "t1")
				o.complete(scan, []string{"a"}, shared.NewList(nil))
			}, "t1", false},
		"WrittenBeforeScan": {"a scan that began after our write is newer than it",
			func(o *Observations) {
				o.Note("a", "t3")
				o.complete(o.begin(), []string{"a"}, shared.NewList(map[string]string{"a": "t4"}))
			}, "t3", true},
		"UnmanagedForgotten": {"what is no longer managed is not remembered",
			func(o *Observations) {
				o.Note("a", "t2")
				o.complete(o.begin(), nil, shared.NewList(map[string]string{"a": "t2"}))
			}, "t1", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := NewObservations(ownership.Owner{})
			tc.play(o)
			if got := o.Changed("a", tc.known); got != tc.want {
				t.Errorf("%s: Changed = %t", tc.reason, got)
			}
		})
	}
}

func TestDiffers(t *testing.T) {
	object, other := &v1alpha1.Import{}, &v1alpha1.Import{}
	object.UID, object.Status.LastModified = "1", "t1"
	other.UID, other.Status.LastModified = "2", "t1"
	scan := func(o *Observations, listed map[string]string) {
		o.complete(o.begin(), []string{"a"}, shared.NewList(listed))
	}
	cases := map[string]struct {
		reason string
		play   func(*Observations)
		want   bool
	}{
		"Absent": {"absence is a reason to read", func(o *Observations) { scan(o, nil) }, true},
		"Missing": {"once", func(o *Observations) {
			scan(o, nil)
			o.RecordRead(object, "a", false)
			scan(o, nil)
		}, false},
		"MissingToAnother": {"for each Import that names it", func(o *Observations) {
			o.RecordRead(other, "a", false)
			scan(o, nil)
		}, true},
		"AnotherMissing": {"and for each id that it names", func(o *Observations) {
			o.RecordRead(object, "b", false)
			scan(o, nil)
		}, true},
		"BackChanged": {"what is there again is read", func(o *Observations) {
			o.RecordRead(object, "a", false)
			scan(o, map[string]string{"a": "t2"})
		}, true},
		"BackUnchanged": {"also when it is as it was", func(o *Observations) {
			o.RecordRead(object, "a", false)
			scan(o, map[string]string{"a": "t1"})
		}, true},
		"Seen": {"once", func(o *Observations) {
			o.RecordRead(object, "a", false)
			o.RecordRead(object, "a", true)
			scan(o, map[string]string{"a": "t1"})
		}, false},
		"MissingAgain": {"and so is its second absence", func(o *Observations) {
			o.RecordRead(object, "a", false)
			o.RecordRead(object, "a", true)
			scan(o, nil)
		}, true},
		"Changed": {"a change is a reason to read", func(o *Observations) { scan(o, map[string]string{"a": "t2"}) }, true},
		"Known":   {"what is known is not", func(o *Observations) { scan(o, map[string]string{"a": "t1"}) }, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := NewObservations(ownership.Owner{})
			tc.play(o)
			if got := o.differs(object, "a"); got != tc.want {
				t.Errorf("%s: differs = %t", tc.reason, got)
			}
		})
	}
}

// TestNewCredential: what an earlier scan saw stays, but proves nothing of what the new token reaches.
func TestNewCredential(t *testing.T) {
	o := NewObservations(ownership.Owner{})
	former := o.begin()
	o.complete(former, []string{"a"}, shared.NewList(map[string]string{"a": "t2"}))
	running := o.begin()
	o.NewCredential()
	if o.Scanned() || !o.Changed("a", "t1") {
		t.Errorf("after a new token: scanned %t, changed %t", o.Scanned(), o.Changed("a", "t1"))
	}
	o.complete(running, []string{"a"}, shared.NewList(map[string]string{"a": "t1"}))
	if o.Scanned() || !o.Changed("a", "t1") {
		t.Errorf("a scan with the former token ends: scanned %t, changed %t", o.Scanned(), o.Changed("a", "t1"))
	}
	o.complete(o.begin(), []string{"a"}, shared.NewList(map[string]string{"a": "t1"}))
	if !o.Scanned() || o.Changed("a", "t1") {
		t.Errorf("a scan with the new token ends: scanned %t, changed %t", o.Scanned(), o.Changed("a", "t1"))
	}
}

func TestMarkerSeen(t *testing.T) {
	object := &v1alpha1.Import{}
	object.UID = "u1"
	marker := ownership.Owner{}.Marker(object)
	listed := []integrator.Import{{ID: "5f0000000000000000000001", ExternalID: marker}}
	for name, test := range map[string]struct {
		reason string
		play   func(*Observations)
		want   bool
	}{
		"Unseen":  {"nobody saw it", func(*Observations) {}, false},
		"Listed":  {"the scan saw it", func(o *Observations) { o.complete(o.begin(), nil, shared.NewList(nil, listed...)) }, true},
		"Created": {"our own call saw it, before any scan", func(o *Observations) { o.NoteMarker(marker, "5f0000000000000000000001") }, true},
		"CreatedDuringScan": {"a scan that began before is older", func(o *Observations) {
			scan := o.begin()
			o.NoteMarker(marker, "5f0000000000000000000001")
			o.complete(scan, nil, shared.NewList(nil))
		}, true},
		"Deleted": {"a later scan does not see it", func(o *Observations) {
			o.complete(o.begin(), nil, shared.NewList(nil, listed...))
			o.complete(o.begin(), nil, shared.NewList(nil))
		}, false},
		"OfAnother": {"it is of another Import", func(o *Observations) { o.NoteMarker(marker+"0", "") }, false},
		"NoMarker":  {"a user's externalId is none", func(o *Observations) { o.NoteMarker("u1", "") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := NewObservations(ownership.Owner{})
			test.play(o)
			if got := o.MarkerSeen(object); got != test.want {
				t.Errorf("%t, want %t: %s", got, test.want, test.reason)
			}
		})
	}
}

func TestCopies(t *testing.T) {
	const own, clone, restored = "5f0000000000000000000001", "5f0000000000000000000002", "5f0000000000000000000003"
	object := &v1alpha1.Import{}
	object.UID, object.Status.ID = "u1", own
	marker := ownership.Owner{}.Marker(object)
	listed := func(ids ...string) (all []integrator.Import) {
		for _, id := range ids {
			all = append(all, integrator.Import{ID: id, ExternalID: marker})
		}
		return all
	}
	scan := func(o *Observations, ids ...string) {
		o.complete(o.begin(), []string{own}, shared.NewList(map[string]string{own: ""}, listed(ids...)...))
	}
	cases := map[string]struct {
		reason string
		play   func(*Observations)
		want   []string
	}{
		"Unseen":  {"nobody has seen one", func(*Observations) {}, nil},
		"Own":     {"its own is none", func(o *Observations) { scan(o, own) }, nil},
		"Cloned":  {"a scan saw one", func(o *Observations) { scan(o, own, clone) }, []string{clone}},
		"Several": {"in the order of their ids", func(o *Observations) { scan(o, restored, own, clone) }, []string{clone, restored}},
		"Deleted": {"a later scan does not see it", func(o *Observations) { scan(o, own, clone); scan(o, own) }, nil},
		"OwnCall": {"a call of our own that saw only its own changes nothing", func(o *Observations) { scan(o, own, clone); o.NoteMarker(marker, own) }, []string{clone}},
		"Before":  {"its import of before, which it found missing, is none", func(o *Observations) { scan(o, own, restored); o.RecordRead(object, restored, false) }, nil},
		"OfAnother": {"it is of another Import", func(o *Observations) {
			o.complete(o.begin(), nil, shared.NewList(nil, []integrator.Import{{ID: clone, ExternalID: marker + "0"}}...))
		}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := NewObservations(ownership.Owner{})
			tc.play(o)
			if diff := cmp.Diff(tc.want, o.Copies(object), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			told := object.DeepCopy()
			told.Status.Copies = o.Copies(object)
			if got := o.differs(object, own); got != (len(tc.want) > 0) {
				t.Errorf("%s: differs before it is told: %t", tc.reason, got)
			}
			if o.differs(told, own) {
				t.Errorf("%s: differs although it is told", tc.reason)
			}
		})
	}
}

func TestNamesakes(t *testing.T) {
	o := NewObservations(ownership.Owner{})
	if o.Scanned() {
		t.Error("scanned before any scan")
	}
	prices := integrator.Import{ID: "5f0000000000000000000001", Name: "prices ", ExternalID: "k8s/u1"}
	o.complete(o.begin(), nil, shared.NewList(nil, prices))
	if diff := cmp.Diff([]integrator.Import{prices}, o.Namesakes(" prices")); diff != "" || !o.Scanned() {
		t.Errorf("after a scan: -want, +got:\n%s", diff)
	}
	if got := o.Namesakes("orders"); len(got) > 0 {
		t.Errorf("another name has %v", got)
	}
	o.complete(o.begin(), nil, shared.NewList(nil))
	if got := o.Namesakes("prices"); len(got) > 0 {
		t.Errorf("after the next scan: %v", got)
	}
}

func TestFoundMissingIsForgottenWithTheID(t *testing.T) {
	object := &v1alpha1.Import{}
	object.UID = "u1"
	o := NewObservations(ownership.Owner{})
	o.RecordRead(object, "a", false)
	o.complete(o.begin(), []string{"a"}, shared.NewList(nil))
	if !o.FoundMissing(object, "a") {
		t.Error("an id that is still managed is forgotten")
	}
	o.complete(o.begin(), nil, shared.NewList(nil))
	if o.FoundMissing(object, "a") {
		t.Error("an id that is no longer managed is remembered")
	}
}

func TestAwaitScanIsAnsweredOnce(t *testing.T) {
	key := types.NamespacedName{Namespace: "ns", Name: "a"}
	o := NewObservations(ownership.Owner{})
	o.AwaitScan(key)
	o.AwaitScan(key)
	if got := o.takeAwaiting(); !slices.Equal(got, []types.NamespacedName{key}) {
		t.Errorf("those that wait are %v", got)
	}
	if got := o.takeAwaiting(); len(got) != 0 {
		t.Errorf("they are told once more: %v", got)
	}
}

func TestScannedForAnImportOfAnotherOperator(t *testing.T) {
	scan := func(o *Observations) { o.complete(o.begin(), nil, shared.NewList(nil)) }
	for name, tc := range map[string]struct {
		reason string
		play   func(*Observations)
		want   bool
	}{
		"NotScanned": {"nobody knows what the account has", func(*Observations) {}, false},
		"Scanned":    {"no other operator has had it", scan, true},
		"Arrived": {"what the other operator has created is newer than the scan",
			func(o *Observations) { scan(o); o.Arrive("1") }, false},
		"ArrivedDuringScan": {"the scan may have read that page before",
			func(o *Observations) {
				scan(o)
				number := o.begin()
				o.Arrive("1")
				o.complete(number, nil, shared.NewList(nil))
			}, false},
		"ScannedSince": {"it has seen what the other operator has created",
			func(o *Observations) { scan(o); o.Arrive("1"); scan(o) }, true},
		"Another":    {"it is about another Import", func(o *Observations) { scan(o); o.Arrive("2") }, true},
		"NewerToken": {"the scan says nothing of the account any more", func(o *Observations) { o.Arrive("1"); scan(o); o.NewCredential() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := NewObservations(ownership.Owner{})
			tc.play(o)
			if got := o.ScannedFor("1"); got != tc.want {
				t.Errorf("%s: %t", tc.reason, got)
			}
		})
	}
}

// TestSingles: a scan of single imports says what it has read, and nothing of the rest of the account.
func TestSingles(t *testing.T) {
	object := &v1alpha1.Import{}
	object.UID = "u1"
	marker := ownership.Owner{}.Marker(object)
	prices := integrator.Import{ID: "b", Name: "prices", ExternalID: marker}
	o := NewObservations(ownership.Owner{})
	o.complete(o.begin(), []string{"a", "b", "c", "d"}, shared.NewList(map[string]string{"a": "t1", "b": "t1", "c": "t1", "d": "t1"}, prices))

	scan := o.begin()
	o.Note("c", "t3")
	singles := shared.NewList(map[string]string{"a": "t2", "c": "t2"})
	singles.Singles = map[string]bool{"a": true, "c": true, "d": true}
	o.completeSingles(scan, singles)
	got := map[string]bool{}
	for _, id := range []string{"a", "b", "c", "d"} {
		got[id] = o.Changed(id, map[string]string{"c": "t3"}[id]+map[string]string{"a": "t1", "b": "t1", "d": "t1"}[id])
	}
	// b was not read, c was written since, d was not found.
	if diff := cmp.Diff(map[string]bool{"a": true, "b": false, "c": false, "d": true}, got); diff != "" {
		t.Errorf("what has changed: -want, +got:\n%s", diff)
	}
	if !o.MarkerSeen(object) || len(o.Namesakes("prices")) != 1 || len(o.Marked(marker)) != 1 {
		t.Error("what the list has shown is forgotten")
	}
	if !o.Scanned() || o.ScannedFor("u2") {
		t.Error("a creation may rely on a list that is not of the last scan")
	}
	o.complete(o.begin(), nil, shared.NewList(nil))
	if !o.ScannedFor("u2") {
		t.Error("the next list does not count")
	}
	o.NewCredential()
	o.completeSingles(scan, singles)
	if o.Changed("a", "t9") {
		t.Error("a scan with the former token counts")
	}
}

// TestDemands: the list is demanded once for all that need it, and no other one until then.
func TestDemands(t *testing.T) {
	one, other := types.NamespacedName{Name: "one"}, types.NamespacedName{Name: "other"}
	none := shared.List{Singles: map[string]bool{}}
	for name, tc := range map[string]struct {
		reason string
		play   func(*Observations)
		want   int
		needs  bool
	}{
		"Scanned":      {"nobody needs it", func(o *Observations) { o.Refresh() }, 0, false},
		"Outdated":     {"whoever asks for a look", func(o *Observations) { o.completeSingles(o.begin(), none); o.Refresh() }, 1, true},
		"Several":      {"many ask", func(o *Observations) { o.completeSingles(o.begin(), none); o.Refresh(); o.Refresh(); o.AwaitScan(one) }, 1, true},
		"Await":        {"something is created", func(o *Observations) { o.completeSingles(o.begin(), none); o.AwaitScan(one); o.AwaitScan(other) }, 1, true},
		"Contradicted": {"a call contradicts the last list", func(o *Observations) { o.DemandList(); o.DemandList() }, 1, true},
		"Arrived":      {"something came from another operator", func(o *Observations) { o.Arrive("u1") }, 0, true},
		"Running": {"a list that has begun does not show it", func(o *Observations) {
			running := o.begin()
			o.Arrive("u1")
			o.AwaitScan(one)
			o.complete(running, nil, shared.NewList(nil))
			o.AwaitScan(one)
		}, 1, true},
		"Answered": {"the list has come", func(o *Observations) {
			o.completeSingles(o.begin(), none)
			o.AwaitScan(one)
			o.complete(o.begin(), nil, shared.NewList(nil))
			o.takeAwaiting()
			o.Refresh()
		}, 1, false},
		"Singles": {"another scan of single imports is no answer", func(o *Observations) {
			o.completeSingles(o.begin(), none)
			o.Refresh()
			o.completeSingles(o.begin(), none)
			o.Refresh()
		}, 1, true},
		"Again": {"the next time", func(o *Observations) {
			o.completeSingles(o.begin(), none)
			o.Refresh()
			o.complete(o.begin(), nil, shared.NewList(nil))
			o.completeSingles(o.begin(), none)
			o.Refresh()
		}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := NewObservations(ownership.Owner{})
			o.complete(o.begin(), nil, shared.NewList(nil))
			demands := 0
			o.demand = func() { demands++ }
			tc.play(o)
			if demands != tc.want || o.needsList() != tc.needs {
				t.Errorf("%s: %d demands, needed %t", tc.reason, demands, o.needsList())
			}
		})
	}
	first := NewObservations(ownership.Owner{})
	demands := 0
	first.demand = func() { demands++ }
	if first.AwaitScan(one); demands != 0 || !first.needsList() {
		t.Error("the first list is read anyway")
	}
}

// TestSearches: whose next steps depend on the whole account.
func TestSearches(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		change func(*v1alpha1.Import)
		id     string
		want   bool
	}{
		"New": {"it waits for the list when it gets there", func(*v1alpha1.Import) {}, "", false},
		"Pending": {"it may have one", func(object *v1alpha1.Import) {
			object.Annotations = map[string]string{v1alpha1.AnnotationCreatePending: "{}"}
		}, "", true},
		"Has":      {"it has one", func(*v1alpha1.Import) {}, "a", false},
		"Missing":  {"it is created again, or found", func(*v1alpha1.Import) {}, "gone", true},
		"Observes": {"nothing is created", func(object *v1alpha1.Import) { object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve }, "gone", false},
		"Deleting": {"it goes", func(object *v1alpha1.Import) { object.DeletionTimestamp = ptr.To(metav1.Now()) }, "gone", false},
	} {
		t.Run(name, func(t *testing.T) {
			object := &v1alpha1.Import{}
			object.UID = "u1"
			tc.change(object)
			o := NewObservations(ownership.Owner{})
			o.RecordRead(object, "gone", false)
			if got := o.searches(object, tc.id); got != tc.want {
				t.Errorf("%s: %t", tc.reason, got)
			}
		})
	}
}
