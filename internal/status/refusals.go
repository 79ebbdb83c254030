// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// A write that the API server refuses as it is would be refused again. What a reconcile came to is then
// remembered, so that no call of it is repeated only because its status could not be written.

// RefusedError is the error of a write to an object that the API server refuses as it is.
type RefusedError struct {
	// What was to be written, as in "the status".
	What string
	// Err is the answer of the API server.
	Err error
}

func (e *RefusedError) Error() string { return "write " + e.What + ": " + e.Err.Error() }

// Unwrap gives the answer of the API server.
func (e *RefusedError) Unwrap() error { return e.Err }

// Advice says in one line what was refused, why, and what to do.
func (e *RefusedError) Advice() string {
	advice := "check the admission policies and webhooks of the cluster, and the operator's permissions"
	switch {
	case tooLarge(e.Err):
		advice = "make the definition smaller, such as by leaving out sampleData"
	case apierrors.IsInvalid(e.Err):
		advice = "apply the CustomResourceDefinitions of the operator's version, and check the admission policies of the cluster"
	}
	return fmt.Sprintf("the API server refuses to write %s of the Import: %s; %s", e.What, drift.Cut(e.Err.Error(), 400), advice)
}

// WriteError is the error of a write to an object: a [RefusedError], or one that a retry may end.
func WriteError(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsBadRequest(err), tooLarge(err):
		return &RefusedError{What: what, Err: err}
	default:
		return fmt.Errorf("write %s: %w", what, err)
	}
}

// Refused gives the RefusedError in err's chain, nil when there is none.
func Refused(err error) *RefusedError {
	refused, _ := errors.AsType[*RefusedError](err)
	return refused
}

// tooLarge reports whether an object is too large for the API server, or for etcd behind it, which the API
// server passes on as an internal error.
func tooLarge(err error) bool {
	if apierrors.IsRequestEntityTooLargeError(err) {
		return true
	}
	answer, ok := errors.AsType[*apierrors.StatusError](err)
	return ok && (strings.Contains(answer.ErrStatus.Message, "request is too large") || strings.Contains(answer.ErrStatus.Message, "message larger than max"))
}

// Refusals remembers, for each Import, what the API server refused to write. Its zero value is ready for
// use, and it may be used from several goroutines.
type Refusals struct {
	mu    sync.Mutex
	byKey map[types.NamespacedName]refusal
}

type refusal struct {
	uid types.UID
	// generation is the one for which the refusal was reported.
	generation int64
	// attempts is how often a write was refused since one succeeded, until when none is retried as long as
	// the user wants the same.
	attempts int
	until    time.Time
	wanted   wanted
	// written is the status that the object has, refused the one that could not be written in its place.
	written, refused *v1alpha1.ImportStatus
}

// Restore gives the object the status that could not be written, as long as it has the same status that it
// had then. The id of what was adopted is not restored where somebody took it out of the metadata.
func (r *Refusals) Restore(object *v1alpha1.Import) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.byKey[client.ObjectKeyFromObject(object)]
	if known.refused != nil && known.uid == object.UID && equality.Semantic.DeepEqual(asCached(object.Status), *known.written) {
		restored := object.DeepCopy()
		restored.Status = *known.refused.DeepCopy()
		if ownership.CanReport(restored, object, object) {
			object.Status = restored.Status
		}
	}
}

// Report reports whether a refusal was not reported yet for this generation of the object.
func (r *Refusals) Report(object *v1alpha1.Import) (first bool) {
	r.update(object, func(known *refusal) {
		if first = known.generation != object.Generation; first {
			known.generation, known.attempts = object.Generation, 0
		}
	})
	return first
}

// Pause counts a refusal, and says when to try again: it grows from problem.BackoffBase to
// problem.BackoffMax.
func (r *Refusals) Pause(object *v1alpha1.Import, now time.Time) (pause time.Duration) {
	r.update(object, func(known *refusal) {
		pause = problem.Backoff(known.attempts)
		known.attempts, known.until, known.wanted = known.attempts+1, now.Add(pause), wantedOf(object)
	})
	return pause
}

// Wait says how long the object is not to be reconciled, because a write to it was refused. An event of
// another object waits too. A change of what the user wants does not.
func (r *Refusals) Wait(object *v1alpha1.Import, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.byKey[client.ObjectKeyFromObject(object)]
	if !ok || known.uid != object.UID || !known.wanted.equal(wantedOf(object)) {
		return 0
	}
	return max(0, known.until.Sub(now))
}

// wanted is what the user of an object wants: the spec, a deletion, and what annotations ask for.
type wanted struct {
	generation  int64
	annotations map[string]string
}

func (w wanted) equal(other wanted) bool {
	return w.generation == other.generation && maps.Equal(w.annotations, other.annotations)
}

func wantedOf(object *v1alpha1.Import) wanted {
	annotations := maps.Clone(definition.KeptAnnotations(object.Annotations))
	for _, written := range []string{v1alpha1.AnnotationID, v1alpha1.AnnotationCreatePending, v1alpha1.AnnotationAdoptPending} {
		delete(annotations, written)
	}
	return wanted{object.Generation, annotations}
}

// Keep remembers the status that could not be written in place of the one that the object has.
func (r *Refusals) Keep(object *v1alpha1.Import, written, refused v1alpha1.ImportStatus) {
	cached := asCached(written)
	r.update(object, func(known *refusal) { known.written, known.refused = cached.DeepCopy(), refused.DeepCopy() })
}

// asCached is a status as the cache has it.
func asCached(state v1alpha1.ImportStatus) v1alpha1.ImportStatus {
	definition.StripStatus(&state)
	return state
}

// Written ends the pauses: the status was written. whole reports whether nothing was left out of it; then
// the next refusal is reported anew.
func (r *Refusals) Written(object *v1alpha1.Import, whole bool) {
	if whole {
		r.Forget(client.ObjectKeyFromObject(object))
		return
	}
	r.update(object, func(known *refusal) { *known = refusal{uid: known.uid, generation: known.generation} })
}

// Forget drops what is remembered of an object.
func (r *Refusals) Forget(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byKey, key)
}

// update changes what is remembered of the object. Another object of the same name begins anew.
func (r *Refusals) update(object *v1alpha1.Import, change func(*refusal)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	known := r.byKey[key]
	if known.uid != object.UID {
		known = refusal{uid: object.UID}
	}
	change(&known)
	if r.byKey == nil {
		r.byKey = map[types.NamespacedName]refusal{}
	}
	r.byKey[key] = known
}
