// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account/shared"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// A scan reads the list of the imports page by page, for all Accounts that share it, or single imports (see
// package shared). Each Account hands every Import of its own whose remote import changed, or was not found,
// to the Import controller, which reads it for itself. A scan that does not reach its end is evidence of
// nothing, and no scan is ever a reason to create. One of single imports says nothing of the rest of the
// account: it counts for what was read alone.

// Scan is the outcome of a scan.
type Scan struct {
	// Imports are in the account; Managed is how many of them an Import manages: see managed. Pages has the list.
	Imports, Managed, Pages int32
	// Familiar: some of the imports that an Import remembers are there, or none is remembered.
	Familiar bool
	// Singles: it read single imports. Imports and Pages are then those of the scan before.
	Singles bool
	// Problem is why the scan did not reach its end; the counts are then those of the scan before.
	Problem *problem.Problem
}

// differs reports whether the Account's status has to change after the scan before, which may be nil.
func (s Scan) differs(before *Scan) bool {
	return before == nil || before.Imports != s.Imports || before.Managed != s.Managed || before.Pages != s.Pages ||
		(before.Problem == nil) != (s.Problem == nil) ||
		before.Problem != nil && before.Problem.Error() != s.Problem.Error()
}

// DefaultScanPatience is how long no scan may reach its end at least, before that is reported. A page
// may take 30 seconds, and is requested up to five times: a scan that is slow for once is no news.
const DefaultScanPatience = 3 * time.Minute

// scanPatience is how long no scan may reach its end before that is reported: one of three may fail.
func scanPatience(interval, least time.Duration) time.Duration { return max(3*interval, least) }

// pace is how an account with this interval is scanned.
func (r *Registry) pace(interval time.Duration) shared.Pace {
	return shared.Pace{Interval: interval, Patience: scanPatience(interval, r.options.ScanPatience)}
}

// watcher makes of the scans what they mean to one Account. What it reports counts while its client is
// the Account's.
type watcher struct {
	registry     *Registry
	key          types.NamespacedName
	client       *integrator.Client
	observations *Observations
	// number is that of the scan that began last, and began when that was.
	number int
	began  time.Time
}

func (r *Registry) watcher(key types.NamespacedName, e *entry) *watcher {
	return &watcher{registry: r, key: key, client: e.state.client, observations: e.observations}
}

// Wants asks for the list while something is not known that only the list shows: whether the account is the right
// one, or whether an Import has another remote import than it knows of.
func (w *watcher) Wants(ctx context.Context, most int) shared.Wants {
	if w.registry.unverified(w.key) || w.observations.needsList() {
		return shared.Wants{List: true}
	}
	imports, err := w.imports(ctx)
	if err != nil {
		return shared.Wants{List: true}
	}
	var wants shared.Wants
	for _, object := range imports {
		id := ownership.RemoteID(object)
		if id != "" {
			wants.IDs = append(wants.IDs, id)
		}
		if len(wants.IDs) > most || w.registry.has(object) && !object.Spec.Suspend && w.observations.searches(object, id) {
			return shared.Wants{List: true}
		}
	}
	return wants
}

// imports returns the Account's Imports, which must not be changed.
func (w *watcher) imports(ctx context.Context) ([]*v1alpha1.Import, error) {
	return watch.ImportsOf(ctx, w.registry.reader, w.key.Namespace, w.key.Name)
}

func (w *watcher) Begin() { w.number, w.began = w.observations.begin(), w.registry.clock.Now() }

func (w *watcher) Overdue(after time.Duration) {
	w.registry.apply(w.key, scanOverdue{client: w.client, after: after})
}

func (w *watcher) End(ctx context.Context, list shared.List, took time.Duration, err error) bool {
	scan := Scan{}
	if err == nil {
		scan, err = w.take(ctx, list)
	}
	if err != nil {
		scan = Scan{Problem: w.problem(ctx, err)}
	} else {
		metrics.ObserveScan(w.key, list.Whole(), took, w.registry.clock.Now())
		if list.Whole() {
			metrics.ObserveList(w.key, len(list.Modified), list.Pages)
		}
	}
	w.registry.apply(w.key, scanEnded{client: w.client, scan: scan, now: w.registry.clock.Now()})
	return scan.Problem == nil
}

// take takes over what the list shows of the Account's Imports, and hands over those that have to be
// reconciled.
func (w *watcher) take(ctx context.Context, list shared.List) (Scan, error) {
	imports, err := w.imports(ctx)
	if err != nil {
		return Scan{}, err
	}
	var ids []string
	found := 0
	for _, object := range imports {
		if id := ownership.RemoteID(object); id != "" {
			ids = append(ids, id)
			if _, ok := list.Modified[id]; ok {
				found++
			}
		}
	}
	if list.Whole() {
		w.observations.complete(w.number, ids, list)
	} else {
		w.observations.completeSingles(w.number, list)
	}
	for _, object := range imports {
		w.registry.SecretPaths.Note(object, w.began)
		if id := ownership.RemoteID(object); id != "" && w.registry.has(object) && !object.Spec.Suspend && w.observations.differs(object, id) {
			w.registry.send(w.registry.importEvents, importObject(client.ObjectKeyFromObject(object)))
		}
	}
	return Scan{
		//nolint:gosec // an account's list is far below 2^31
		Imports: int32(len(list.Modified)), Managed: int32(managed(w.registry.options.Owner, imports, list)), Pages: int32(list.Pages),
		Familiar: found > 0 || len(ids) == 0, Singles: !list.Whole(),
	}, nil
}

// has reports whether this operator reconciles the Import.
func (r *Registry) has(object *v1alpha1.Import) bool {
	return r.options.Has == nil || r.options.Has(object)
}

func (w *watcher) problem(ctx context.Context, err error) *problem.Problem {
	p := problem.FromAPI(err, "list the account's imports")
	if p == nil {
		p = problem.Transientf(v1alpha1.ReasonUnexpectedResponse, "cannot list the account's imports: %v", err)
	}
	log.FromContext(ctx).WithName("scanner").V(1).Info("scan did not reach its end", "account", w.key, "reason", p.Reason(), "message", p.Message())
	return p
}
