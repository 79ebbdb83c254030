// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// One scanner runs per Account: it reads the account's list of imports page by page and hands each
// Import whose remote import changed, or is not in the list, to the Import controller, which reads
// it for itself. A scan that does not reach its end is evidence of nothing, and no scan is ever a
// reason to create.

// Scan is the outcome of a scan.
type Scan struct {
	// Imports are in the account; Managed is how many of them an Import manages: see managed.
	Imports, Managed int32
	// Familiar: some of the imports that an Import remembers are there, or none is remembered.
	Familiar bool
	// Problem is why the scan did not reach its end; the counts are then those of the scan before.
	Problem *problem.Problem
}

// differs reports whether the Account's status has to change after the scan before, which may be nil.
func (s Scan) differs(before *Scan) bool {
	return before == nil || before.Imports != s.Imports || before.Managed != s.Managed ||
		(before.Problem == nil) != (s.Problem == nil) ||
		before.Problem != nil && before.Problem.Error() != s.Problem.Error()
}

// scanJitter spreads the scans of several Accounts: an interval is up to a tenth longer.
const scanJitter = 0.1

// DefaultScanPatience is how long no scan may reach its end at least, before that is reported. A page
// may take 30 seconds, and is requested up to five times: a scan that is slow for once is no news.
const DefaultScanPatience = 3 * time.Minute

// scanPatience is how long no scan may reach its end before that is reported: one of three may fail.
func scanPatience(interval, least time.Duration) time.Duration { return max(3*interval, least) }

// scanner reads the list of one account with one client.
type scanner struct {
	registry     *Registry
	key          types.NamespacedName
	client       *integrator.Client
	observations *Observations
	interval     time.Duration
	patience     time.Duration
}

// startScanner runs scans until the returned function is called. Registry.mu is held.
func (r *Registry) startScanner(key types.NamespacedName, e *entry) context.CancelFunc {
	ctx, cancel := context.WithCancel(r.ctx)
	s := &scanner{registry: r, key: key, client: e.state.client, observations: e.observations, interval: e.state.interval,
		patience: scanPatience(e.state.interval, r.options.ScanPatience)}
	go s.run(ctx)
	return cancel
}

func (s *scanner) run(ctx context.Context) {
	clock := s.registry.clock
	silence := clock.NewTimer(s.patience)
	defer func() { silence.Stop() }()
	for {
		ended := make(chan Scan, 1)
		go func() { ended <- s.scan(ctx) }()
		scan, ok := await(ctx, s, ended, silence)
		if !ok {
			return
		}
		if scan.Problem == nil {
			silence.Stop()
			silence = clock.NewTimer(s.patience)
		}
		s.registry.apply(s.key, scanEnded{client: s.client, scan: scan, now: clock.Now()})
		pause := clock.NewTimer(wait.Jitter(s.interval, scanJitter))
		if _, ok := await(ctx, s, pause.C(), silence); !ok {
			pause.Stop()
			return
		}
	}
}

// await waits for a value, and reports the silence of the scans if its time comes first. It returns
// false if the scanner has to end.
func await[T any](ctx context.Context, s *scanner, values <-chan T, silence clock.Timer) (value T, ok bool) {
	for {
		select {
		case value = <-values:
			return value, ctx.Err() == nil
		case <-silence.C():
			s.registry.apply(s.key, scanOverdue{client: s.client, after: s.patience})
		case <-ctx.Done():
			return value, false
		}
	}
}

// scan reads the whole list once and hands over the Imports that have to be reconciled.
func (s *scanner) scan(ctx context.Context) Scan {
	clock := s.registry.clock
	started := clock.Now()
	number := s.observations.begin()
	pages := 0
	listed, identified, err := s.list(ctx, &pages)
	if err != nil {
		return Scan{Problem: s.problem(ctx, err)}
	}
	var imports v1alpha1.ImportList
	if err := s.registry.reader.List(ctx, &imports, client.InNamespace(s.key.Namespace),
		client.MatchingFields{watch.IndexImportAccount: s.key.Name}, client.UnsafeDisableDeepCopy); err != nil {
		return Scan{Problem: s.problem(ctx, err)}
	}
	var ids []string
	found := 0
	for i := range imports.Items {
		if id := ownership.RemoteID(&imports.Items[i]); id != "" {
			ids = append(ids, id)
			if _, ok := listed[id]; ok {
				found++
			}
		}
	}
	s.observations.complete(number, ids, listed, identified)
	for i := range imports.Items {
		object := &imports.Items[i]
		s.registry.SecretPaths.Note(object, started)
		if id := ownership.RemoteID(object); id != "" && !object.Spec.Suspend && s.observations.differs(object, id) {
			s.registry.send(s.registry.importEvents, importObject(client.ObjectKeyFromObject(object)))
		}
	}
	metrics.ObserveScan(s.key, len(listed), clock.Since(started), clock.Now())
	metrics.ObserveScanPages(s.key, pages)
	//nolint:gosec // an account's list is far below 2^31
	return Scan{Imports: int32(len(listed)), Managed: int32(managed(s.registry.options.Owner, imports.Items, listed, identified)), Familiar: found > 0 || len(ids) == 0}
}

// list reads the account's imports: lastModified by id, and those that something identifies, which
// is an externalId, or a name that is an ownership marker.
func (s *scanner) list(ctx context.Context, pages *int) (listed map[string]string, identified []integrator.Import, err error) {
	listed = map[string]string{}
	options := integrator.ListOptions{Include: []string{"lastModified", "externalId", "_sourceId"}, UnlimitedWait: true, Pages: pages}
	for document, err := range s.client.ListImports(ctx, options) {
		if err != nil {
			return nil, nil, err
		}
		listed[document.ID] = document.LastModified
		if document.ExternalID != "" || ownership.IsMarker(document.Name) {
			identified = append(identified, integrator.Import{ID: document.ID, Name: document.Name, ExternalID: document.ExternalID, SourceID: document.SourceID})
		}
	}
	return listed, identified, nil
}

func (s *scanner) problem(ctx context.Context, err error) *problem.Problem {
	p := problem.FromAPI(err, "list the account's imports")
	if p == nil {
		p = problem.Transientf(v1alpha1.ReasonUnexpectedResponse, "cannot list the account's imports: %v", err)
	}
	log.FromContext(ctx).WithName("scanner").V(1).Info("scan did not reach its end", "account", s.key, "reason", p.Reason(), "message", p.Message())
	return p
}
