// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// maxUsers is how many users of an import status lists.
const maxUsers = 16

// look reads what no event of the platform announces, and what is not worth a call for each Import
// and scan: what uses the import, and who changed it last. Each is one call, when the import is
// adopted and when somebody asks. What only the list of the account shows is read for all that ask.
func (r *Reconciler) look(ctx context.Context, s *scope) {
	s.session.Observations.Refresh()
	if s.answers == nil {
		s.answers = beginLook(ctx, s)
	}
	a := s.answers
	s.answers = nil
	<-a.done
	a.showUsers(ctx, s, r.Clock)
	a.showLog(ctx, s)
	s.looked = true
}

// answers are what a look has read of a remote import.
type answers struct {
	id string
	// used and log have them, once done is closed. more says that the log has further pages.
	used            []integrator.Dependency
	log             []integrator.AuditEntry
	more            bool
	usedErr, logErr error
	done            chan struct{}
}

// beginLook has the calls made, one after the other. They go on beside the writes of an adoption: those need no
// permit, and would keep it from others. Until they have ended, no other call may be made with the permit.
func beginLook(ctx context.Context, s *scope) *answers {
	a, remote := &answers{id: s.remote.ID, done: make(chan struct{})}, s.session.Client
	go func() {
		defer close(a.done)
		a.used, a.usedErr = remote.Dependencies(ctx, a.id)
		a.log, a.more, a.logErr = remote.AuditPage(ctx, a.id)
	}()
	return a
}

// endLook waits for calls whose answers nobody needs any more.
func endLook(s *scope) {
	if s.answers != nil {
		<-s.answers.done
		s.answers = nil
	}
}

// looks remembers for which requests the import was looked at, although a step that failed later has
// left them unanswered: the reconciles that follow do not look again. Its zero value is ready for
// use, and it may be used from several goroutines.
type looks struct{ byKey sync.Map }

// lookRequest is a request for a look. An Import that is created anew may make the same one.
type lookRequest struct {
	uid   types.UID
	value string
}

func requestOf(object *v1alpha1.Import) lookRequest {
	return lookRequest{uid: object.UID, value: requestedAt(object)}
}

// wanted reports whether somebody asks for a look and had none.
func (l *looks) wanted(s *scope) bool {
	last, ok := l.byKey.Load(client.ObjectKeyFromObject(s.object))
	return s.requested() && (!ok || last != requestOf(s.object))
}

// note records, once the status was written, whether the request had its look.
func (l *looks) note(s *scope) {
	switch key := client.ObjectKeyFromObject(s.object); {
	case requestedAt(s.object) == s.object.Status.LastHandledReconcileAt:
		l.forget(key)
	case s.looked:
		l.byKey.Store(key, requestOf(s.object))
	}
}

// forget drops what is remembered of an Import whose request was answered, or that was deleted.
func (l *looks) forget(key client.ObjectKey) { l.byKey.Delete(key) }

// showUsers shows what uses the import in status. A failure to read it fails nothing else.
func (a *answers) showUsers(ctx context.Context, s *scope, clock clock.PassiveClock) {
	if a.usedErr != nil {
		log.FromContext(ctx).V(1).Info("cannot read what uses the import", "id", a.id, "status", integrator.StatusCode(a.usedErr))
		return
	}
	showUsers(s, users(a.used), clock.Now())
}

// Users reads what uses the import of an id in the account of a session. At most as many are returned
// as a status has room for.
func Users(ctx context.Context, session *account.Session, id string) ([]v1alpha1.ResourceUse, error) {
	found, err := session.Client.Dependencies(ctx, id)
	if err != nil {
		return nil, problem.Wrap(err, "read what uses the import")
	}
	shown := uses(users(found))
	return shown[:min(len(shown), maxUsers)], nil
}

// uses are the resources as a status shows them.
func uses(used []integrator.Dependency) (shown []v1alpha1.ResourceUse) {
	for _, dependency := range used {
		shown = append(shown, v1alpha1.ResourceUse{
			Kind: drift.Cut(kindOf(dependency), 64), ID: drift.Cut(dependency.ID, 64), Name: drift.Cut(dependency.Name, 256),
		})
	}
	slices.SortFunc(shown, func(a, b v1alpha1.ResourceUse) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return shown
}

// showUsers puts what uses the import into status.
func showUsers(s *scope, used []integrator.Dependency, now time.Time) {
	shown := uses(used)
	status := &s.object.Status
	if changed := !slices.Equal(status.UsedBy, shown[:min(len(shown), maxUsers)]); !changed && status.UsedByObservedAt != nil && !s.requested() {
		// A blocked deletion reads this again and again: only a change is written.
		return
	}
	observedAt := metav1.NewTime(now.UTC().Truncate(time.Second))
	status.UsedBy, status.UsedByObservedAt = shown[:min(len(shown), maxUsers)], &observedAt
}

// usedByImports are the kinds of resources that imports use. The API lists them together with
// those that use the import; it refuses a deletion that a kind unknown here stands against.
var usedByImports = []string{"connections", "scripts", "stacks", "filedefinitions", "ediprofiles", "integrations"}

// users keeps what uses the import.
func users(dependencies []integrator.Dependency) []integrator.Dependency {
	return slices.DeleteFunc(dependencies, func(dependency integrator.Dependency) bool {
		return slices.Contains(usedByImports, strings.ToLower(dependency.Kind))
	})
}

// kindOf is the kind of one resource; the API names it in the plural.
func kindOf(dependency integrator.Dependency) string {
	return strings.TrimSuffix(dependency.Kind, "s")
}

// blockedBy names what uses the import. Deleting it would break that.
func blockedBy(used []integrator.Dependency) *problem.Problem {
	const most = 5
	var names []string
	for _, dependency := range used[:min(len(used), most)] {
		names = append(names, fmt.Sprintf("%s %q", kindOf(dependency), drift.Cut(cmp.Or(dependency.Name, dependency.ID), 100)))
	}
	if len(used) > most {
		names = append(names, fmt.Sprintf("and %d more", len(used)-most))
	}
	return problem.Terminalf(v1alpha1.ReasonDeletionBlocked, "the import is in use by %s: remove it there, or set spec.deletionPolicy to Orphan", strings.Join(names, ", "))
}
