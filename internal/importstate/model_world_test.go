// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/modelcheck"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// The model of Imports: one or two of them, two processes that both believe to lead, each with a
// cache that may be behind, and every order in which their steps, crashes, the responses of the
// account, its users and the clock can fall. The steps are those of the shipped Machine, through
// Effects that act on the model's world: an API server that refuses a write to an old version, and
// an account that applies a call once, late, or never.
// What is promised is in model_check_test.go, how it is searched in package modelcheck.

const (
	modelProcesses = 2
	// modelRemotes and modelIntents are more than can be spoken of at a time. Number 0 is none.
	modelRemotes = 7
	modelIntents = 8
	// anyIntent stands for one whose number does not matter.
	anyIntent = modelIntents - 1
	// adoptee is the remote import that exists from the beginning.
	adoptee = 1
	// modelTimeout is the timeout of a create intent. Time goes on by half of it.
	modelTimeout = 2 * time.Minute
	// overdue is the age of an intent, in halves of the timeout, when the timeout is over.
	overdue = 2
)

var modelStart = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// modelWorld is one state of everything. It is a value, and comparable.
type modelWorld struct {
	objects [2]modelObject
	// workers are those of the first process, by object, then those of the second.
	workers [2 * modelProcesses]modelWorker
	// requests are on their way to the account, by worker; a sender may have given up.
	requests [2 * modelProcesses]modelRequest
	remotes  [modelRemotes]modelRemote
	intents  [modelIntents]modelIntent
	// scans are what the scanner of each worker's process has seen.
	scans [2 * modelProcesses]modelScan
	// What may still happen: an object, or a remote import, is deleted by a user, a status is wiped
	// as by a restore, a list misses an import, the id annotation of the second object is forged, and
	// a user clones an import.
	deletions, removals, wipes, misses, forgeries, copies uint8
	// Also: a user corrects accountRef, the metadata is taken away as by kubectl replace, everything in
	// the object is lost as by an older copy of etcd, and an account cannot be used.
	moves, strips, losses, outages uint8
	// Also: a read of an import that is there is answered with 404.
	hidden uint8
	// Also: the first Import gets another label. shard is whose it is, arrived: it has come from another operator.
	relabels, shard uint8
	arrived         bool
	// forged: it was, and has not been written by the operator since.
	forged bool
	// appeared says, a bit for each worker, whose process has seen its object from the beginning, and nothing
	// written to its metadata since.
	appeared uint8
}

// modelObject is an Import as the API server has it, or had it.
type modelObject struct {
	there, deleting, finalizer bool
	// left: the annotations were taken away, and the label of the import to adopt is left.
	left bool
	// observed: the status was recorded by observing the import alone. reported: a status was written.
	// none: it says that nothing was made. confirmed: it has the token of the standing intent.
	observed, reported, none, confirmed bool
	// account is that of accountRef.
	account uint8
	// id and claim are the annotations, status is status.id: numbers of remote imports.
	id, claim, status uint8
	// pending is the number of the intent.
	pending uint8
}

type modelIntent struct{ age, replaces uint8 }

// modelRemote is a remote import. marker is the number of the object, from 1, whose marker it has.
// A copy is a clone that a user made: it has the marker of its original.
type modelRemote struct {
	there, copy bool
	marker      uint8
	// account is where it is. former: its marker has the owner id of before.
	account uint8
	former  bool
}

// modelWorker is a process at an object: what of its Pass counts, in numbers.
type modelWorker struct {
	at modelPlace
	// step is the Pass's next step, while the worker is in one.
	step Step
	// adoption is the next step of its adoption, while it is in one.
	adoption AdoptionStep
	// seen is the version that it has read, or written; stale: there is a newer one.
	seen  modelObject
	stale bool
	// cache is the version before its last write, while the process may still read that again.
	cache modelObject
	live  bool
	// searches counts its searches, begun is the age of the intent when the first began.
	searches, begun uint8
	// id is the remote import that the pass is about, deleted the one that it found deleted.
	id, deleted uint8
	settling    bool
	// deleting: the pass began as a deletion.
	deleting bool
	// persisted: the pass's status has id already.
	persisted bool
	call      modelCall
	// outcome is what the call did, as far as the worker knows.
	outcome integrator.Outcome
	// listed is of a mutant: a list was read, and not yet decided about.
	listed bool
	// markerSeen and marked are what the scan had when the pass began.
	scanned, markerSeen bool
	marked              uint8
	// withdrawn: the last write of metadata took a claim back. none: what is to be reported.
	withdrawn, none bool
	// token is the intent that the status to be written confirms, 0 when it does not.
	token uint8
	// appeared: the process had seen the object from the beginning when the pass began.
	appeared bool
}

type modelPlace uint8

const (
	atRest modelPlace = iota
	inPass
	atStatus
	atAdopt
	atWithdraw
	atReport
)

var modelPlaces = [...]string{"at rest", "in a pass", "writes the status", "adopts", "withdraws its claim", "reports"}

type modelCall uint8

const (
	notCalled modelCall = iota
	calling
	answered
)

type modelRequest struct {
	open bool
	// id is of the import to delete, 0 of a create.
	id     uint8
	intent uint8
	// heard: the sender still waits for the response.
	heard bool
	// account is where it was sent to.
	account uint8
}

func (r modelRequest) String() string {
	switch {
	case !r.open:
		return "no call"
	case r.id != 0:
		return fmt.Sprintf("DELETE %d, heard %t", r.id, r.heard)
	default:
		return fmt.Sprintf("POST of intent %d, heard %t", r.intent, r.heard)
	}
}

// importModel is one search.
type importModel struct {
	// policy edits the spec of both objects.
	policy func(*v1alpha1.Import)
	// clones have the marker in their name.
	clones bool
	// processes is how many work at once.
	processes int
	modelScope
	modelDecisions
	modelcheck.Search[modelWorld]
	built map[modelBuilt]*v1alpha1.Import
	// next is the state that is being made: there are millions.
	next modelWorld
}

// modelDecisions are the shipped ones, or mutants of them.
type modelDecisions struct {
	Machine
	beginDeletion                 func(*v1alpha1.Import) DeletionStart
	callUntil                     func(ownership.Intent, time.Duration) time.Time
	canRemoveIntent, canPersistID func(ours, live *v1alpha1.Import) bool
	isCandidate                   func(ownership.Owner, *v1alpha1.Import, ownership.Intent, integrator.Import) bool
	decide                        func(ownership.Use, ownership.Evidence) ownership.Decision
	adoption                      AdoptionMachine
	// recordsFirst: status.management is taken back before the id is written.
	leftClaim, recordsFirst func(*v1alpha1.Import) bool
	stronger                func(c ownership.Contest, first, other *v1alpha1.Import) *v1alpha1.Import
	// intends: the intent is written. careless: the API server accepts a write to an old version.
	// forgetful: the id is kept in status alone, and the intent removed. judgesLate: the timeout is looked at when a list
	// has come, and not when it is asked for.
	intends, careless, forgetful, judgesLate bool
	// What is decided about status.management.
	nothingBefore func(before *v1alpha1.Import, appeared, withdrawn, markerSeen bool) bool
	reportsFirst  func(before *v1alpha1.Import) bool
	canReport     func(ours, before, live *v1alpha1.Import) bool
	// awaits: an import is created only once the account was scanned. looksTwice: a scan that ended
	// during the pass is enough. notes: what a create made is kept, whatever the scan says.
	awaits, looksTwice, notes bool
	// counts: a scan of single imports counts as one of the list.
	counts bool
	// arrives: what was scanned before an Import came from another operator does not count.
	arrives bool
}

func shippedDecisions() modelDecisions {
	return modelDecisions{
		Machine: New(), beginDeletion: BeginDeletion, callUntil: ownership.Intent.CallUntil,
		canRemoveIntent: CanRemoveIntent, canPersistID: CanPersistID, isCandidate: ownership.Owner.IsCandidate,
		decide: ownership.Decide, adoption: NewAdoption(), leftClaim: ownership.LeftClaim, recordsFirst: ownership.OnlyObserved, stronger: ownership.Stronger, intends: true,
		nothingBefore: ownership.NothingBefore, reportsFirst: ownership.ReportsFirst, canReport: ownership.CanReport, awaits: true, notes: true, arrives: true,
	}
}

// modelBuilt is what the object that the decisions get is built from.
type modelBuilt struct {
	i      int
	object modelObject
	intent modelIntent
}

// object is a version as the controller sees it, with its intent written age halves of the timeout ago.
func (m *importModel) object(w *modelWorld, i int, o modelObject, age uint8) *v1alpha1.Import {
	key := modelBuilt{i, o, modelIntent{age, w.intents[o.pending].replaces}}
	if object, ok := m.built[key]; ok {
		return object
	}
	object := &v1alpha1.Import{}
	modelOwners[i].DeepCopyInto(object)
	object.Spec.AccountRef.Name = modelAccounts[o.account]
	if m.apart {
		object.Namespace = modelNamespaces[i]
	}
	object.CreationTimestamp = metav1.Time{Time: modelStart.Add(time.Duration(i) * time.Second)}
	object.Annotations = map[string]string{}
	put := func(name, value string) {
		if value != "" {
			object.Annotations[name] = value
		}
	}
	put(v1alpha1.AnnotationID, remoteName(o.id))
	if o.id != 0 {
		object.Labels = map[string]string{v1alpha1.LabelRemoteImport: remoteName(o.id)}
	} else if o.left {
		object.Labels = map[string]string{v1alpha1.LabelRemoteImport: remoteName(adoptee)}
	} else if o.pending != 0 {
		object.Labels = map[string]string{v1alpha1.LabelRemoteImport: ownership.IntentLabel(m.owner.Marker(object))}
	}
	put(v1alpha1.AnnotationAdoptPending, remoteName(o.claim))
	if o.pending != 0 {
		text, err := json.Marshal(ownership.Intent{
			Token: intentToken(o.pending), UID: object.UID,
			ExternalID: m.owner.Marker(object), Name: fmt.Sprintf("intent %d", o.pending), Replaces: remoteName(key.intent.replaces),
			Time: modelStart.Add(-time.Duration(age)*modelTimeout/2 - time.Second),
		})
		if err != nil {
			panic(err)
		}
		put(v1alpha1.AnnotationCreatePending, string(text))
	}
	if o.finalizer {
		object.Finalizers = []string{v1alpha1.Finalizer}
	}
	if o.deleting {
		object.DeletionTimestamp = &metav1.Time{Time: modelStart}
	}
	object.Status.ID = remoteName(o.status)
	if o.confirmed {
		object.Status.CreateToken = intentToken(o.pending)
	}
	if o.observed {
		object.Status.Management = v1alpha1.ManagementStateObserved
	}
	if o.none {
		object.Status.Management = v1alpha1.ManagementStateNone
	}
	if o.reported {
		object.Status.ObservedGeneration = 1
	}
	m.policy(object)
	m.built[key] = object
	return object
}

// intentToken is the token of an intent.
func intentToken(number uint8) string { return fmt.Sprintf("token-%d", number) }

// remote is the remote import that an Import has: in the annotation, or confirmed by the status.
func (o modelObject) remote() uint8 {
	if o.confirmed && o.id == 0 {
		return o.status
	}
	return o.id
}

// modelNamespaces are those of two Imports that are apart.
var modelNamespaces = [2]string{"one", "another"}

// remoteNames are the ids of the remote imports, by number.
var remoteNames = func() (names [modelRemotes]string) {
	for number := 1; number < modelRemotes; number++ {
		names[number] = fmt.Sprintf("%024x", number)
	}
	return names
}()

func remoteName(number uint8) string { return remoteNames[number] }

// remote is a remote import as the account lists it.
func (m *importModel) remote(w *modelWorld, number uint8) integrator.Import {
	remote := integrator.Import{ID: remoteName(number), Name: "prices"}
	if owner := w.remotes[number].marker; owner != 0 && m.clones {
		remote.Name = m.owner.Marker(modelOwners[owner-1])
	} else if owner != 0 {
		remote.ExternalID = m.owner.Marker(modelOwners[owner-1])
	}
	if w.remotes[number].former {
		remote.ExternalID = ownership.Owner{ID: m.owner.Former[0]}.Marker(modelOwners[0])
	}
	if w.remotes[number].copy {
		remote.SourceID = remoteName(adoptee)
	}
	return remote
}

// modelOwners are the objects with no more than what their markers have. Two Imports of two clusters
// have one name.
var modelOwners = [2]*v1alpha1.Import{
	{ObjectMeta: metav1.ObjectMeta{UID: "import-0", Namespace: "ns", Name: "prices"}},
	{ObjectMeta: metav1.ObjectMeta{UID: "import-1", Namespace: "ns", Name: "prices"}},
}

// modelAccounts are the Accounts, by number.
var modelAccounts = [2]string{"default", "other"}

// numberOf is the number of a remote import's id.
func numberOf(id string) uint8 {
	return uint8(slices.Index(remoteNames[:], id)) //nolint:gosec // one of few
}

// String is a state in a line of a trace.
func (w modelWorld) String() string {
	var b strings.Builder
	object := func(o modelObject) string {
		if !o.there {
			return "deleted"
		}
		return fmt.Sprintf("{id %d status %d pending %d claim %d account %d%s%s%s%s%s}", o.id, o.status, o.pending, o.claim, o.account,
			map[bool]string{true: " confirmed"}[o.confirmed],
			map[bool]string{true: " finalizer"}[o.finalizer], map[bool]string{true: " deleting"}[o.deleting],
			map[bool]string{true: " reported"}[o.reported], map[bool]string{true: " None"}[o.none])
	}
	fmt.Fprintf(&b, "objects %s %s; account", object(w.objects[0]), object(w.objects[1]))
	for number, remote := range w.remotes {
		if remote.there {
			fmt.Fprintf(&b, " %d(marker %d copy %t account %d)", number, remote.marker, remote.copy, remote.account)
		}
	}
	for i, scan := range w.scans {
		if scan != (modelScan{}) {
			fmt.Fprintf(&b, "; scan %d: %+v", i, scan)
		}
	}
	for i, worker := range w.workers {
		if worker.at != atRest || w.requests[i].open {
			fmt.Fprintf(&b, "; process %d of object %d: %s, step %d of a pass, %d of an adoption, seen %s stale %t, id %d, %s", i/2, i%2, modelPlaces[worker.at], worker.step, worker.adoption, object(worker.seen), worker.stale, worker.id, w.requests[i])
		}
	}
	if w.shard != 0 || w.arrived {
		fmt.Fprintf(&b, "; operator %d, arrived %t", w.shard, w.arrived)
	}
	fmt.Fprintf(&b, "; intents %+v", w.intents[1:4])
	return b.String()
}
