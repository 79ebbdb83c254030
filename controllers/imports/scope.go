// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/importstate"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/status"
)

// scope carries what one reconcile of an Import knows.
type scope struct {
	owner  ownership.Owner
	object *v1alpha1.Import
	// before is the object as it was read.
	before *v1alpha1.Import

	session *account.Session
	// values are those of spec.valuesFrom. desired is the desired document, or its outline.
	values  []definition.Value
	desired *definition.Desired
	// remote is the remote import as the API answered it last.
	remote integrator.Import
	// foreign is what of it belongs to others, as of the last comparison.
	foreign drift.Foreign
	// cloneSource is what the import is cloned from, from the intent on; nil when it is created.
	cloneSource *cloneSource
	// calls are those that a dry run did not make, differences what they would change.
	calls       []string
	differences []v1alpha1.Difference
	// appeared: this process has seen the Import appear, and nothing of its own in its metadata since.
	appeared bool
	// withdrawn: the last write of metadata took a claim or a takeover back.
	withdrawn bool
	// looked: what uses the import, and who changed it last, was read.
	looked bool
	// answers are those of a look that has begun.
	answers *answers
	// auditedID is the remote import whose audit log was read, changedBy what it says of the last change.
	auditedID, changedBy string
	// permit is the Import's permit to make calls, nil until it takes it; queued, that it waits for it.
	permit *limit.Permit
	queued *limit.QueuedError
	// events are recorded after the status was written.
	events []status.Event
}

// normal and warning are shorter names of the event types.
const (
	normal  = corev1.EventTypeNormal
	warning = corev1.EventTypeWarning
)

func (s *scope) event(kind, reason, note string) {
	s.events = append(s.events, status.Event{Type: kind, Reason: reason, Note: note})
}

// recordsCreation reports whether the status to be written says of another intent than before what it made:
// nobody else knows that.
func recordsCreation(s *scope) bool {
	return s.object.Status.CreateToken != s.before.Status.CreateToken
}

// saysReady reports whether an event says already that the Import has become Ready: that its remote import
// was created or taken over.
func saysReady(s *scope) bool {
	return apimeta.IsStatusConditionTrue(s.object.Status.Conditions, v1alpha1.ConditionReady) && slices.ContainsFunc(s.events, func(e status.Event) bool {
		return e.Reason == v1alpha1.ReasonCreated || e.Reason == v1alpha1.ReasonAdopted
	})
}

// warn records the warnings about what is declared that were not recorded before. Those of what was
// compared before were.
func (s *scope) warn(warned *warned) {
	compared, known := s.before.Status.DesiredHash, warned.of(s.object)
	for _, w := range s.desired.Warnings {
		before := compared == s.desired.Hash || w.OfValues && definition.SameVersions(compared, s.desired.Hash)
		if !before && !slices.Contains(known, w.Version) {
			s.event(warning, w.Reason, w.Note)
		}
	}
}

// warned remembers which warnings were recorded of which Import. Its zero value is ready for use, and
// it may be used from several goroutines.
type warned struct{ byKey sync.Map }

// warnedOf are the versions of the warnings of one Import.
type warnedOf struct {
	uid      types.UID
	versions []string
}

// of gives the versions of the warnings that were recorded of an Import.
func (w *warned) of(object *v1alpha1.Import) []string {
	known, _ := w.byKey.Load(client.ObjectKeyFromObject(object))
	if last, ok := known.(warnedOf); ok && last.uid == object.UID {
		return last.versions
	}
	return nil
}

// note remembers the warnings that were recorded, once the status was written.
func (w *warned) note(s *scope) {
	if s.desired == nil {
		return
	}
	now := warnedOf{uid: s.object.UID}
	for _, warning := range s.desired.Warnings {
		now.versions = append(now.versions, warning.Version)
	}
	key := client.ObjectKeyFromObject(s.object)
	if now.versions == nil {
		w.forget(key)
		return
	}
	w.byKey.Store(key, now)
}

// forget drops what is remembered of an Import that was deleted.
func (w *warned) forget(key client.ObjectKey) { w.byKey.Delete(key) }

// A large definition is not in the cache. It is read for a moment to see whether it was compared before, and
// what that says is remembered. To compare or write it, it is read with a permit.

func inputsOf(s *scope) string {
	return definition.Inputs(s.owner.Marker(s.object), s.session.Aliases, s.values)
}

// errNotRead: the definition of an Import that the cache has stripped could not be read.
var errNotRead = errors.New("the definition could not be read past the cache")

// desire makes the desired document. What the cache does not have of the Import is read.
func (s *scope) desire(ctx context.Context, r *Reconciler) error {
	if !definition.Stripped(s.object) {
		err := s.desireOf(s.object)
		if err == nil && definition.Large(s.object) {
			r.outlines.Note(s.object, inputsOf(s), s.desired, len(s.object.Spec.Definition.Raw))
		} else {
			r.outlines.Forget(client.ObjectKeyFromObject(s.object))
		}
		return err
	}
	return r.outlines.Read(ctx, func() error {
		whole, err := definition.Whole(ctx, r.Live, s.object, &s.object.Status, &s.before.Status)
		if err != nil {
			return errors.Join(errNotRead, err)
		}
		if err := s.desireOf(whole); err != nil {
			return err
		}
		r.outlines.Note(s.object, inputsOf(s), s.desired, len(whole.Spec.Definition.Raw))
		return nil
	})
}

func (s *scope) desireOf(object *v1alpha1.Import) (err error) {
	s.desired, err = definition.Desire(object, s.owner.Marker(object), object.Spec.AccountRef.Name, s.session.Aliases, s.values)
	return err
}

// completeDesired makes the desired document if only its outline is there.
func (s *scope) completeDesired(ctx context.Context, r *Reconciler) error {
	if s.desired.Document != nil {
		return nil
	}
	return s.desire(ctx, r)
}

func (s *scope) accountKey() types.NamespacedName {
	return types.NamespacedName{Namespace: s.object.Namespace, Name: s.object.Spec.AccountRef.Name}
}

// recordRemote keeps what the API answered. Whatever follows, this version has been read: the
// scanner need not report it.
func (s *scope) recordRemote(answer integrator.Import) {
	s.remote = answer
	s.session.Observations.Note(answer.ID, answer.LastModified)
	s.session.Observations.NoteMarker(answer.ExternalID, answer.ID)
	s.session.Observations.RecordRead(s.object, answer.ID, true)
	s.object.Status.LastModified = drift.Cut(answer.LastModified, 64)
}

// resembles compares an import of the account with the one that is to be created.
func (s *scope) resembles(remote integrator.Import) ownership.Resemblance {
	return s.owner.Resembles(s.object, s.desired.Name(), s.desired.ExternalID(), remote)
}

// evidence is what is known about who may have the remote import.
func (s *scope) evidence(others []v1alpha1.Import) ownership.Evidence {
	e := ownership.Evidence{Owner: s.owner, Object: s.object, Remote: s.remote, Others: others}
	if s.desired != nil {
		e.ExternalID = s.desired.ExternalID()
		e.Changed = importstate.SpecChanged(s.owner, s.object, s.desired, s.remote)
	}
	return e
}

// compare compares the desired document with the remote import that was read last. What of it belongs
// to others is not shown.
func (s *scope) compare(ctx context.Context, registry *account.Registry) (c importstate.Comparison, err error) {
	if s.foreign, err = registry.Foreign(ctx, s.session, s.object, s.remote, s.desired.Secrets); err != nil {
		return c, err
	}
	if c, err = importstate.Compare(s.owner, s.object, s.desired, s.remote, s.foreign); err == nil {
		s.desired = c.Desired
		s.showUnmatched(c.Unmatched)
	}
	return c, err
}

// showUnmatched shows the pointers of spec.ignoreDifferences that match nothing, and says once which.
func (s *scope) showUnmatched(unmatched []string) {
	fresh := replace(&s.object.Status.UnmatchedIgnoreDifferences, unmatched)
	if len(fresh) > 0 {
		s.event(warning, v1alpha1.ReasonUnmatchedIgnoreDifferences, "spec.ignoreDifferences matches nothing in the definition or in the remote import with "+drift.Cut(strings.Join(fresh, ", "), 600)+
			": if it is misspelt, what it was meant for is compared and written; see status.unmatchedIgnoreDifferences")
	}
}

// failed is the problem that an error of the API makes. Where the API names fields that it rejects, the
// message says where their values come from.
func (s *scope) failed(err error, what string) error {
	err = problem.Wrap(s.redact(err), what)
	p := problem.As(err)
	api, ok := errors.AsType[*integrator.APIError](err)
	if p == nil || !ok || p.Reason() != v1alpha1.ReasonRejected || s.desired == nil {
		return err
	}
	// What is no document has no fields, and before a creation there is none.
	remote, _ := drift.Parse(s.remote.Raw)
	ignored := s.object.Spec.IgnoreDifferences
	explained, all := s.desired.Explain(problem.Fields(api), definition.Sent{
		Remote: remote, Ignored: ignored, Released: drift.Released(definition.Owned(&s.object.Status).Among(remote), s.desired.Document, remote, ignored),
	})
	switch message, correctable := strings.CutSuffix(p.Message(), problem.CorrectSpec); {
	case explained == "" || !correctable:
		return p
	case all:
		return p.WithMessage("%s%s", message, explained)
	default:
		return p.WithMessage("%s; %s", p.Message(), explained)
	}
}

// redact takes the API's words, which could repeat a value, out of the error of an Import that has
// values from elsewhere, or whose remote import has values of others. Codes and names of fields stay.
func (s *scope) redact(err error) error {
	if len(s.object.Spec.ValuesFrom) == 0 && len(s.foreign.Secrets) == 0 && !s.foreign.Values {
		return err
	}
	return problem.Redact(err, true)
}

// An Import makes its calls with a permit of its Account, which it takes before the first of them. Without
// one its reconcile ends, and it is reconciled again when it is granted: no worker waits.

const (
	// memoryOfPermit is how much of a definition counts as another permit, in bytes: what is read and compared
	// takes many times as much.
	memoryOfPermit = 32 << 10
	// queuedShown is how long an Import waits for a permit before its status says so: a write for each of
	// thousands that are created at once would make all of them wait the longer.
	queuedShown = time.Minute
	// queuedPerSecond is about how many of them say so in a second. At once, their writes would hold up those that
	// have a permit: of 1,500 Imports, for ten seconds. At 20 a second, nearly each of 10,000 that were adopted
	// wrote its status once more than it needs to.
	queuedPerSecond = 5
)

// reconcileWithPermit reconciles the Import, and gives back its permit, or what it no longer waits for.
func reconcileWithPermit(ctx context.Context, r *Reconciler, s *scope) error {
	defer func() {
		switch {
		case s.permit != nil:
			releasePermit(s)
		case s.queued == nil:
			r.Registry.Permits.Leave(permitObject(s.object))
		}
	}()
	return r.reconcile(ctx, s)
}

// releasePermit gives the permit back, if there is one: no further call is made.
func releasePermit(s *scope) {
	if s.permit != nil {
		s.permit.Release()
		s.permit = nil
	}
}

func permitObject(object client.Object) limit.Object {
	return limit.Object(client.ObjectKeyFromObject(object))
}

// takePermit returns a context for the calls of the Import, with a client of its Account. The error is a
// *limit.QueuedError if it has to wait.
func (s *scope) takePermit(ctx context.Context, r *Reconciler, remote *integrator.Client) (context.Context, error) {
	if s.permit == nil {
		if _, ok := r.outlines.Size(s.object); !ok && s.desired != nil {
			// Its size is not known before it was read.
			if err := s.completeDesired(ctx, r); err != nil {
				return nil, err
			}
		}
		size := len(s.object.Spec.Definition.Raw)
		if known, ok := r.outlines.Size(s.object); ok {
			size = known
		}
		weight := 1 + size/memoryOfPermit
		permit, err := integrator.TakePermit(remote, r.Registry.Permits, permitObject(s.object), s.class(), weight)
		if err != nil {
			s.queued, _ = errors.AsType[*limit.QueuedError](err)
			return nil, err
		}
		s.permit = permit
	}
	return s.permit.In(ctx), nil
}

// class says what the Import makes its calls for.
func (s *scope) class() limit.Class {
	state := &s.object.Status
	switch {
	case !s.object.DeletionTimestamp.IsZero():
		return limit.ClassChange
	case ownership.RemoteID(s.object) == "":
		return limit.ClassNew
	case state.ObservedGeneration != s.object.Generation,
		s.desired != nil && state.DesiredHash != "" && state.DesiredHash != s.desired.Hash:
		return limit.ClassChange
	case s.requested():
		return limit.ClassLook
	default:
		return limit.ClassCorrection
	}
}

// showsQueued returns when the status has to say that the Import waits for a permit: at once, after a
// while, or never. What was as declared needs no write for each time that it is compared again. waiting is how many
// Imports wait: the more there are, the longer the time in which they say so.
func (s *scope) showsQueued(waiting int) (after time.Duration, ever bool) {
	ready := apimeta.FindStatusCondition(s.object.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil, s.object.Status.ObservedGeneration != s.object.Generation:
	case slices.Contains([]string{v1alpha1.ReasonAccountNotReady, v1alpha1.ReasonAccountNotFound, v1alpha1.ReasonUnreachable}, ready.Reason):
	default:
		return 0, false
	}
	rest := queuedShown - s.queued.Waited
	if rest <= 0 {
		return 0, true
	}
	return rest + rand.N(time.Duration(waiting)*time.Second/queuedPerSecond+1), true //nolint:gosec // no secret
}

// queuedProblem says that the Import waits for a permit.
func (s *scope) queuedProblem() *problem.Problem {
	return problem.Waitingf(v1alpha1.ReasonProgressing,
		"waiting for a permit of Account %q: other Imports go first, within requestsPerSecond and maxInFlight", s.object.Spec.AccountRef.Name)
}

// requestedAt is the value of the annotation that asks for a look, as status answers it.
func requestedAt(object *v1alpha1.Import) string {
	return drift.Cut(object.Annotations[v1alpha1.AnnotationReconcileRequestedAt], 256)
}

// requested reports whether somebody asks for a look that was not answered yet.
func (s *scope) requested() bool {
	return requestedAt(s.object) != s.object.Status.LastHandledReconcileAt
}

func (s *scope) dryRun() bool { return s.object.Annotations[v1alpha1.AnnotationDryRun] == "true" }

// callOrPlan reports whether calls that write may be made. Every write to the API asks it: in a dry
// run the calls go to the plan instead.
func (s *scope) callOrPlan(calls ...string) bool {
	if !s.dryRun() {
		return true
	}
	s.calls = append(s.calls, calls...)
	return false
}

// planned ends the reconcile of a dry run.
func (s *scope) planned() error {
	what := "call " + strings.Join(s.calls, ", ")
	if len(s.calls) == 0 {
		what = "take the import over, and write nothing to it"
	}
	return problem.Waitingf(v1alpha1.ReasonDryRun, "dry run: would %s; see status.plan, and remove the annotation %s to have it done", what, v1alpha1.AnnotationDryRun)
}

// finalizerRemoved reports whether the finalizer is off an object that is being deleted: there is no
// status to write any more.
func (s *scope) finalizerRemoved() bool {
	return !s.object.DeletionTimestamp.IsZero() && !ownership.HasFinalizer(s.object)
}
