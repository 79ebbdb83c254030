// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"maps"
	"testing"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// The violations that a search can find.
const (
	twoOfOne     = "an Import has two remote imports at once"
	twoOwn       = "two Imports own one remote import"
	nobodyKnows  = "a remote import is left that no Import knows"
	goneTooSoon  = "the finalizer goes before the remote import"
	deletesOther = "an import is deleted that is another's"
	deletesKept  = "an import is deleted although its Import says Orphan"
	takesCopy    = "a clone that somebody made is taken over"
	leftBehind   = "an import is in an account that its Import has left"
	searchesEach = "the account is listed for an import that a scan has found"
	neverRests   = "an Import can never come to rest"
)

func (m *importModel) check(start modelWorld) {
	m.built = map[modelBuilt]*v1alpha1.Import{}
	for i := range 2 * m.processes {
		if (m.reports || m.shards) && start.objects[i%2].there && start.objects[i%2].untouched() {
			start.appeared |= 1 << i
		}
	}
	m.Next, m.Inspect, m.Transition, m.Rests, m.Stuck = m.steps, m.invariants, m.stepInvariants, m.settled, neverRests
	m.Run(start)
}

// orphans reports whether the policy leaves remote imports alone.
func (m *importModel) orphans() bool {
	object := &v1alpha1.Import{}
	m.policy(object)
	return object.Spec.DeletionPolicy == v1alpha1.DeletionPolicyOrphan
}

// adopts reports whether the Imports adopt what is there.
func (m *importModel) adopts() bool {
	object := &v1alpha1.Import{}
	m.policy(object)
	return object.Spec.Adopt != nil
}

// invariants holds one state against what is promised.
func (m *importModel) invariants(w modelWorld, violated func(string)) {
	var made [3]int
	for _, remote := range w.remotes {
		if !remote.there || remote.copy {
			continue
		}
		made[remote.marker]++
		if remote.marker != 0 && !m.clusters && w.objects[remote.marker-1].there && w.objects[remote.marker-1].account != remote.account {
			violated(leftBehind)
		}
	}
	if m.clusters {
		m.oneOfMany(w, made[1]+made[2], violated)
		return
	}
	for i, object := range w.objects {
		if w.remotes[object.remote()].there && w.remotes[object.remote()].copy {
			violated(takesCopy)
		}
		if object.there && w.remotes[object.remote()].there && w.remotes[object.remote()].account != object.account {
			violated(leftBehind)
		}
		if made[i+1] > 1 {
			violated(twoOfOne)
		}
		if made[i+1] > 0 && !object.there && !m.orphans() {
			violated(nobodyKnows)
		}
	}
	one, other := w.objects[0], w.objects[1]
	if one.remote() != 0 && one.remote() == other.remote() && !w.forged || one.status != 0 && one.status == other.status && !other.observed {
		violated(twoOwn)
	}
	for i, r := range w.requests {
		if !r.open || r.id == 0 {
			continue
		}
		if m.orphans() {
			violated(deletesKept)
		}
		if w.remotes[r.id].there && w.remotes[r.id].copy {
			violated(deletesOther)
		}
		if other := w.objects[i%2^1]; other.there && other.remote() == r.id && w.remotes[r.id].there && (i%2 == 1 || !w.forged) {
			violated(deletesOther)
		}
	}
}

// oneOfMany is what is promised to Imports of several clusters with one owner id.
func (m *importModel) oneOfMany(w modelWorld, made int, violated func(string)) {
	if made > 1 {
		violated(twoOfOne)
	}
	if made > 0 && !w.objects[0].there && !w.objects[1].there {
		violated(nobodyKnows)
	}
}

// stepInvariants holds a step against what is promised: that an object goes only when its remote import
// is gone, or is known never to have been made.
func (m *importModel) stepInvariants(from, to modelWorld, violated func(string)) {
	for i, worker := range to.workers {
		before := from.workers[i]
		if m.scans && worker.at == inPass && worker.step == StepSearch && worker.markerSeen && before.at == atRest &&
			len(m.created(&to, m.object(&to, i%2, worker.seen, 0), worker.marked)) == 1 {
			violated(searchesEach)
		}
	}
	for i, object := range from.objects {
		if m.clusters || !object.there || to.objects[i].there || !object.finalizer || m.orphans() {
			continue
		}
		known := from.remotes[object.remote()].there && (i == 0 || !from.forged)
		for _, remote := range from.remotes {
			known = known || remote.there && !remote.copy && int(remote.marker) == i+1
		}
		if known {
			violated(goneTooSoon)
		}
	}
}

// settled reports whether all is as it should be: each Import that is there has its remote import, or has
// lost it to another, and nothing is under way.
func (m *importModel) settled(w modelWorld) bool {
	for _, r := range w.requests {
		if r.open {
			return false
		}
	}
	for i, object := range w.objects {
		other := w.objects[i^1]
		has := object.finalizer && w.remotes[object.remote()].there && object.status == object.remote() && !w.remotes[object.remote()].former
		lost := !m.scans && !object.finalizer && object.remote() == 0 && (!w.remotes[adoptee].there || other.remote() == adoptee || object.account != w.remotes[adoptee].account)
		if object.observed && !object.deleting && object.claim == 0 && (other.there || !w.remotes[adoptee].there) {
			continue
		}
		if i == 1 && w.forged && other.status == adoptee {
			// It waits for a person.
			continue
		}
		if object.there && (object.deleting || object.pending != 0 && !object.confirmed || object.claim != 0 || !has && !lost) {
			return false
		}
	}
	return true
}

// modelRange is the part of the world that a search is about.
type modelRange struct {
	start     modelWorld
	policy    func(*v1alpha1.Import)
	clones    bool
	processes int
	modelScope
}

// modelScope is what else of the world a search is about.
type modelScope struct {
	// owner is what makes the markers. clusters: the two Imports are of two clusters. apart: they are in
	// two namespaces.
	owner           ownership.Owner
	clusters, apart bool
	// scans: what the scanner saw counts. reports: every pass reports status.management.
	scans, reports bool
	// shards: the processes are operators, and each has the first Import in turn.
	shards bool
	// annotated: the definition declares an externalId, so that the id goes into the annotation.
	annotated bool
}

func (s modelRange) model(decisions modelDecisions) *importModel {
	return &importModel{policy: s.policy, clones: s.clones, processes: s.processes, modelScope: s.modelScope, modelDecisions: decisions}
}

// modelRanges are what together is searched: all at once would be too much.
func modelRanges() map[string]modelRange {
	deletes := func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete }
	orphans := func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan }
	adopts := func(object *v1alpha1.Import) {
		deletes(object)
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: v1alpha1.ID(remoteName(adoptee))}
	}
	with := func(start modelWorld, objects int, adopted bool) modelWorld {
		for i := range objects {
			start.objects[i].there = true
		}
		start.remotes[adoptee].there = adopted
		return start
	}
	// The first Import has its remote import already.
	managed := func(start modelWorld) modelWorld {
		start = with(start, 2, true)
		start.objects[0] = modelObject{there: true, finalizer: true, id: adoptee, status: adoptee}
		start.remotes[adoptee].marker = 1
		return start
	}
	// The second one has observed it. It has no ownership marker.
	observed := func(start modelWorld) modelWorld {
		start = managed(start)
		start.objects[1].status, start.objects[1].observed = adoptee, true
		start.remotes[adoptee].marker = 0
		return start
	}
	// The second one has observed it, and nobody has it.
	watched := func(start modelWorld) modelWorld {
		start = with(start, 2, true)
		start.objects[1].status, start.objects[1].observed = adoptee, true
		return start
	}
	// It has observed another one.
	another := func(start modelWorld) modelWorld {
		start = watched(start)
		start.objects[1].status, start.remotes[adoptee+1].there = adoptee+1, true
		return start
	}
	// It has managed that before.
	hasManaged := func(start modelWorld) modelWorld {
		start = another(start)
		start.objects[1].id, start.objects[1].finalizer = adoptee+1, true
		return start
	}
	// A cluster that is built again from the same Git: the import exists, and nothing here knows it.
	rebuilt := func(start modelWorld, objects int) modelWorld {
		start = with(start, objects, true)
		start.remotes[adoptee].marker = 1
		return start
	}
	former := func(start modelWorld) modelWorld {
		start = rebuilt(start, 1)
		start.remotes[adoptee].former = true
		return start
	}
	both := func(start modelWorld) modelWorld {
		start = rebuilt(start, 2)
		start.objects[0] = modelObject{there: true, finalizer: true, id: adoptee, status: adoptee}
		return start
	}
	// The second operator has scanned the account, and begins to do so again.
	shared := func(start modelWorld) modelWorld {
		start.scans[2] = modelScan{complete: true, running: true}
		return start
	}
	prod := ownership.Owner{ID: "prod", Former: []string{"old"}}
	scope := func(start modelWorld, policy func(*v1alpha1.Import), processes int, scope modelScope) modelRange {
		return modelRange{start: start, policy: policy, processes: processes, modelScope: scope}
	}
	ranges := map[string]modelRange{
		"everything is lost":               scope(with(modelWorld{losses: 1, removals: 1}, 1, false), deletes, 1, modelScope{scans: true}),
		"everything is lost, cloned":       scope(with(modelWorld{losses: 1, copies: 1}, 1, false), deletes, 1, modelScope{scans: true}),
		"a new cluster":                    scope(rebuilt(modelWorld{removals: 1, deletions: 1}, 1), deletes, 1, modelScope{scans: true, owner: prod}),
		"a new owner id":                   scope(former(modelWorld{removals: 1, deletions: 1}), deletes, 1, modelScope{scans: true, owner: prod}),
		"two clusters":                     scope(both(modelWorld{deletions: 1}), deletes, 1, modelScope{scans: true, owner: prod, clusters: true}),
		"another operator's":               scope(shared(with(modelWorld{relabels: 1, strips: 1}, 1, false)), deletes, 2, modelScope{scans: true, shards: true}),
		"the wrong account":                scope(with(modelWorld{moves: 1, strips: 1, outages: 1}, 1, false), deletes, 1, modelScope{scans: true, reports: true}),
		"the wrong account, two processes": scope(with(modelWorld{moves: 1}, 1, false), deletes, 2, modelScope{reports: true}),
		"the wrong account, adopting":      scope(with(modelWorld{moves: 1}, 1, true), adopts, 1, modelScope{reports: true}),
	}
	maps.Copy(ranges, map[string]modelRange{
		"create, deleted by users":           {start: with(modelWorld{deletions: 1, removals: 1}, 1, false), policy: deletes, processes: 2},
		"create, restored and missed":        {start: with(modelWorld{deletions: 1, wipes: 1, misses: 1}, 1, false), policy: deletes, processes: 2},
		"create, kept":                       {start: with(modelWorld{deletions: 1, wipes: 1, misses: 1}, 1, false), policy: orphans, processes: 2},
		"cloned by users":                    {start: with(modelWorld{deletions: 1, removals: 1, copies: 1}, 1, false), policy: deletes, processes: 1},
		"create, with an externalId":         {start: with(modelWorld{deletions: 1, wipes: 1}, 1, false), policy: deletes, processes: 2, modelScope: modelScope{annotated: true}},
		"create, with an externalId, hidden": {start: with(modelWorld{deletions: 1, removals: 1, hidden: 1}, 1, false), policy: deletes, processes: 1, modelScope: modelScope{annotated: true}},
		"adopt, with an externalId, hidden":  {start: with(modelWorld{deletions: 1, removals: 1, hidden: 1}, 1, true), policy: adopts, processes: 1, modelScope: modelScope{annotated: true}},
		"create, hidden":                     {start: with(modelWorld{deletions: 1, removals: 1, wipes: 1, hidden: 1}, 1, false), policy: deletes, processes: 1},
		"adopt, hidden":                      {start: with(modelWorld{deletions: 1, removals: 1, wipes: 1, hidden: 1}, 1, true), policy: adopts, processes: 1},
		"clone":                              {start: with(modelWorld{deletions: 1, misses: 1}, 1, false), policy: deletes, clones: true, processes: 2},
		"adopt":                              {start: with(modelWorld{removals: 1, wipes: 1}, 1, true), policy: adopts, processes: 2},
		"two adopt":                          {start: with(modelWorld{}, 2, true), policy: adopts, processes: 2},
		"only observed, and forged":          {start: observed(modelWorld{deletions: 1, forgeries: 1}), policy: adopts, processes: 1},
		"an id is forged":                    {start: managed(modelWorld{deletions: 1, forgeries: 1}), policy: deletes, processes: 1},
		// In two namespaces.
		"two adopt, apart":                    {start: with(modelWorld{}, 2, true), policy: adopts, processes: 2, modelScope: modelScope{apart: true}},
		"two adopt apart, one is deleted":     {start: with(modelWorld{deletions: 1, wipes: 1}, 2, true), policy: adopts, processes: 1, modelScope: modelScope{apart: true}},
		"two adopt, one is deleted":           {start: with(modelWorld{deletions: 1, wipes: 1}, 2, true), policy: adopts, processes: 1},
		"two adopt, one has observed it":      {start: watched(modelWorld{deletions: 1}), policy: adopts, processes: 1},
		"two adopt, one has observed another": {start: another(modelWorld{deletions: 1}), policy: adopts, processes: 1},
		"two adopt, one has managed another":  {start: hasManaged(modelWorld{}), policy: adopts, processes: 1},
		"two adopt, an observer is stripped":  {start: watched(modelWorld{strips: 1}), policy: adopts, processes: 1},
		"two adopt, one is stripped":          {start: with(modelWorld{strips: 1, deletions: 1}, 2, true), policy: adopts, processes: 1},
	})
	return ranges
}

func TestModelOfImports(t *testing.T) {
	for name, scope := range modelRanges() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := scope.model(shippedDecisions())
			m.check(scope.start)
			m.Sound(t)
		})
	}
}

// The check is worth what it can find: each of these mutants is a mistake that others have made, or
// that was made here.
func TestModelOfImportsFinds(t *testing.T) {
	const users, restored, kept = "create, deleted by users", "create, restored and missed", "create, kept"
	const lost, rebuilt, renamed, both = "everything is lost", "a new cluster", "a new owner id", "two clusters"
	const hidden = "adopt, with an externalId, hidden"
	const moved, raced = "the wrong account", "the wrong account, two processes"
	const adopt, two, alone, forged, copied, observes = "adopt", "two adopt", "two adopt, one is deleted", "an id is forged", "cloned by users", "only observed, and forged"
	insist := func(*v1alpha1.Import, *v1alpha1.Import) bool { return true }
	for name, mutant := range map[string]struct {
		scope string
		apply func(*modelDecisions)
		finds string
	}{
		"no intent is written":             {restored, func(d *modelDecisions) { d.intends = false }, twoOfOne},
		"a write to an old version counts": {restored, func(d *modelDecisions) { d.careless = true }, twoOfOne},
		"the id is kept in status alone":   {restored, func(d *modelDecisions) { d.forgetful = true }, twoOfOne},
		"an id in the status is of any intent": {restored, func(d *modelDecisions) {
			believe := func(object *v1alpha1.Import) *v1alpha1.Import {
				if intent, ok := ownership.ParseIntent(object, modelStart); ok && object.Status.ID != "" {
					object = object.DeepCopy()
					object.Status.CreateToken = intent.Token
				}
				return object
			}
			d.RemoteID = func(object *v1alpha1.Import) string { return ownership.RemoteID(believe(object)) }
			d.Locate = func(p Pass) Location { p.Object = believe(p.Object); return Locate(p) }
			d.beginDeletion = func(object *v1alpha1.Import) DeletionStart { return BeginDeletion(believe(object)) }
		}, nobodyKnows},
		"what a scan saw counts while a call is under way": {both, func(d *modelDecisions) {
			d.Locate = func(p Pass) Location {
				if next := Locate(p); next != LocateSearch || p.Searches > 0 || len(p.Seen) != 1 {
					return next
				}
				return LocateAcquireSeen
			}
		}, twoOfOne},
		"an empty list is believed at once": {restored, func(d *modelDecisions) {
			d.Locate = func(p Pass) Location { p.Timeout = 0; return Locate(p) }
		}, twoOfOne},
		"an empty list is believed without a second": {restored, func(d *modelDecisions) {
			d.Locate = func(p Pass) Location { p.Searches *= 2; return Locate(p) }
		}, twoOfOne},
		"the timeout is looked at when the list has come": {restored, func(d *modelDecisions) { d.judgesLate = true }, twoOfOne},
		"what has the marker is not looked for": {restored, func(d *modelDecisions) {
			d.isCandidate = func(ownership.Owner, *v1alpha1.Import, ownership.Intent, integrator.Import) bool { return false }
		}, twoOfOne},
		"a lost response is taken for a refusal": {restored, func(d *modelDecisions) {
			d.AfterCreate = func(outcome integrator.Outcome) Creation {
				if outcome == integrator.OutcomeUnknown {
					outcome = integrator.OutcomeNotApplied
				}
				return AfterCreate(outcome)
			}
		}, twoOfOne},
		"a call has its time from when it begins": {restored, func(d *modelDecisions) {
			d.callUntil = func(ownership.Intent, time.Duration) time.Time { return modelStart.Add(time.Hour) }
		}, twoOfOne},
		"the intent of another is taken back":    {restored, func(d *modelDecisions) { d.canRemoveIntent = insist }, twoOfOne},
		"an id is written over another's intent": {users, func(d *modelDecisions) { d.canPersistID = insist }, twoOfOne},
		"what was adopted is forgotten when it is not created again": {adopt, func(d *modelDecisions) {
			d.RestoredID = func(*v1alpha1.Import, ownership.Intent) string { return "" }
		}, neverRests},
		"what was adopted is adopted again instead of created": {adopt, func(d *modelDecisions) {
			d.Locate = func(p Pass) Location {
				if next := Locate(p); next != LocateCreate {
					return next
				}
				return LocateAdopt
			}
		}, neverRests},
		"a 404 for the id in the annotation is believed": {hidden, func(d *modelDecisions) {
			d.Replace = func(p Pass) Replacement {
				if OtherID(p.Object, p.Deleted) != "" {
					return ReplaceRestore
				}
				return Replace(p)
			}
		}, nobodyKnows},
		"the finalizer goes first": {restored, func(d *modelDecisions) {
			d.beginDeletion = func(*v1alpha1.Import) DeletionStart { return DeletionRelease }
		}, goneTooSoon},
		"a deletion does not wait for a create": {restored, func(d *modelDecisions) {
			d.beginDeletion = func(object *v1alpha1.Import) DeletionStart {
				if ownership.RemoteID(object) != "" {
					return BeginDeletion(object)
				}
				return DeletionRelease
			}
		}, nobodyKnows},
		"the lost response to a deletion is taken for done": {restored, func(d *modelDecisions) {
			d.AfterDelete = func(integrator.Outcome) Deletion { return DeletionComplete }
		}, goneTooSoon},
		"Orphan is ignored": {kept, func(d *modelDecisions) {
			d.beginDeletion = func(object *v1alpha1.Import) DeletionStart {
				object = object.DeepCopy()
				object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete
				return BeginDeletion(object)
			}
		}, deletesKept},
		"an import is taken over without a claim": {two, func(d *modelDecisions) {
			d.adoption.DecideClaim = func(c ownership.Contest, rival *v1alpha1.Import) ownership.ClaimStep {
				if next := ownership.DecideClaim(c, rival); next != ownership.ClaimWrite {
					return next
				}
				return ownership.ClaimTake
			}
		}, twoOwn},
		"a claim does not count": {two, func(d *modelDecisions) {
			d.stronger = func(c ownership.Contest, first, other *v1alpha1.Import) *v1alpha1.Import {
				if !c.Holds(other) {
					return first
				}
				return other
			}
		}, twoOwn},
		"the id of an Import in another namespace counts once its status has it": {"two adopt, apart", func(d *modelDecisions) {
			d.stronger = func(c ownership.Contest, first, other *v1alpha1.Import) *v1alpha1.Import {
				if other.Annotations[v1alpha1.AnnotationAdoptPending] == "" && !c.Holds(other) {
					return first
				}
				return ownership.Stronger(c, first, other)
			}
		}, twoOwn},
		"an adoption is recorded although the id was taken away": {"two adopt, one is stripped", func(d *modelDecisions) {
			d.canReport = func(ours, before, live *v1alpha1.Import) bool {
				ours = ours.DeepCopy()
				ours.Spec.Adopt = nil
				return ownership.CanReport(ours, before, live)
			}
		}, twoOwn},
		"the id of what was observed is written before the status": {"two adopt, one has observed it", func(d *modelDecisions) {
			d.recordsFirst = func(*v1alpha1.Import) bool { return false }
		}, twoOwn},
		"what is left of a claim stays": {"two adopt, one is stripped", func(d *modelDecisions) {
			d.leftClaim = func(*v1alpha1.Import) bool { return false }
		}, neverRests},
		"the first of two claims goes on at once": {two, func(d *modelDecisions) {
			d.adoption.DecideClaim = func(c ownership.Contest, rival *v1alpha1.Import) ownership.ClaimStep {
				if next := ownership.DecideClaim(c, rival); next != ownership.ClaimWait || c.Holds(rival) {
					return next
				}
				return ownership.ClaimTake
			}
		}, twoOwn},
		"a clone that somebody made counts as created here": {copied, func(d *modelDecisions) {
			d.isCandidate = func(owner ownership.Owner, object *v1alpha1.Import, intent ownership.Intent, remote integrator.Import) bool {
				remote.SourceID = ""
				return owner.IsCandidate(object, intent, remote)
			}
			d.decide = func(use ownership.Use, e ownership.Evidence) ownership.Decision {
				e.Remote.SourceID = ""
				return ownership.Decide(use, e)
			}
		}, takesCopy},
		"metadata makes an observer the owner": {observes, func(d *modelDecisions) {
			believe := func(object *v1alpha1.Import) *v1alpha1.Import {
				if object.Annotations[v1alpha1.AnnotationID] != "" {
					object = object.DeepCopy()
					object.Status.Management = ""
				}
				return object
			}
			d.Locate = func(p Pass) Location { p.Object = believe(p.Object); return Locate(p) }
			d.beginDeletion = func(object *v1alpha1.Import) DeletionStart { return BeginDeletion(believe(object)) }
			d.decide = func(use ownership.Use, e ownership.Evidence) ownership.Decision {
				e.Object = believe(e.Object)
				e.Others = nil
				return ownership.Decide(use, e)
			}
		}, deletesOther},
		"an id hides a pending create": {forged, func(d *modelDecisions) {
			without := func(object *v1alpha1.Import) *v1alpha1.Import {
				if object.Annotations[v1alpha1.AnnotationID] != "" {
					object = object.DeepCopy()
					delete(object.Annotations, v1alpha1.AnnotationCreatePending)
				}
				return object
			}
			d.RemoteID = func(object *v1alpha1.Import) string { return ownership.RemoteID(without(object)) }
			d.Locate = func(p Pass) Location {
				p.Object = without(p.Object)
				return Locate(p)
			}
		}, twoOfOne},
		"the ownership marker is not looked at": {forged, func(d *modelDecisions) {
			d.decide = func(use ownership.Use, e ownership.Evidence) ownership.Decision {
				e.Remote.ExternalID = e.ExternalID
				return ownership.Decide(use, e)
			}
		}, deletesOther},
		"what a create made is not kept until it is recorded": {lost, func(d *modelDecisions) { d.notes = false }, twoOfOne},
		"what a scan saw does not count": {lost, func(d *modelDecisions) {
			d.Locate = func(p Pass) Location { p.MarkerSeen, p.Seen = false, nil; return Locate(p) }
		}, twoOfOne},
		"an import is created before the account is scanned": {rebuilt, func(d *modelDecisions) { d.awaits = false }, twoOfOne},
		"a scan that ended during the pass is enough":        {rebuilt, func(d *modelDecisions) { d.looksTwice = true }, twoOfOne},
		"reads of single imports are a scan of the account":  {rebuilt, func(d *modelDecisions) { d.counts = true }, twoOfOne},
		"the account is listed for each Import": {rebuilt, func(d *modelDecisions) {
			d.Locate = func(p Pass) Location { p.Seen = nil; return Locate(p) }
		}, searchesEach},
		"the marker of a former owner id is another's": {renamed, func(d *modelDecisions) {
			d.decide = func(use ownership.Use, e ownership.Evidence) ownership.Decision {
				e.Owner.Former = nil
				return ownership.Decide(use, e)
			}
		}, neverRests},
		"the marker with the owner id is not the Import's": {both, func(d *modelDecisions) {
			d.decide = func(use ownership.Use, e ownership.Evidence) ownership.Decision {
				e.Owner.ID = ""
				return ownership.Decide(use, e)
			}
		}, neverRests},
		"what another operator has created is older than the scan": {"another operator's", func(d *modelDecisions) { d.arrives = false }, twoOfOne},
		"None is not taken back": {moved, func(d *modelDecisions) {
			d.reportsFirst = func(*v1alpha1.Import) bool { return false }
		}, leftBehind},
		"an Import without a status is a new one": {moved, func(d *modelDecisions) {
			d.nothingBefore = func(before *v1alpha1.Import, _, withdrawn, markerSeen bool) bool {
				return ownership.NothingBefore(before, true, withdrawn, markerSeen)
			}
		}, leftBehind},
		"metadata alone shows that nothing was made": {moved, func(d *modelDecisions) {
			d.nothingBefore = func(*v1alpha1.Import, bool, bool, bool) bool { return true }
		}, leftBehind},
		"None is written beside the intent of another": {raced, func(d *modelDecisions) {
			d.canReport = func(_, _, _ *v1alpha1.Import) bool { return true }
		}, leftBehind},
		"no claim is withdrawn": {alone, func(d *modelDecisions) {
			d.adoption.DecideClaim = func(c ownership.Contest, rival *v1alpha1.Import) ownership.ClaimStep {
				if next := ownership.DecideClaim(c, rival); next != ownership.ClaimWithdraw {
					return next
				}
				return ownership.ClaimWait
			}
		}, neverRests},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decisions, scope := shippedDecisions(), modelRanges()[mutant.scope]
			mutant.apply(&decisions)
			m := scope.model(decisions)
			m.StopAt = mutant.finds
			m.check(scope.start)
			m.Finds(t, mutant.finds)
		})
	}
}
