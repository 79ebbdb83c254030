// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers builds the three controllers, of Accounts, Imports and ImportRuns, and
// registers them with a manager. Each kind's reconciler is in a package below this one; what they
// share is in internal/. docs/architecture.md has the map.
package controllers

import (
	"context"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/controllers/accounts"
	"github.com/integrator-operator/integrator-operator/controllers/importruns"
	"github.com/integrator-operator/integrator-operator/controllers/imports"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/status"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// DefaultCreateUnconfirmedTimeout is the default of Options.CreateUnconfirmedTimeout.
const DefaultCreateUnconfirmedTimeout = imports.DefaultCreateUnconfirmedTimeout

// DefaultConcurrentImports is how many Imports are reconciled at once. Three quarters of them may make
// calls, so that what the Accounts permit is the limit and not this, and that accounts which do not answer
// leave enough to the others.
const DefaultConcurrentImports = 128

// Options configure the three controllers.
type Options struct {
	// AllowedHosts are the hosts that an Account's baseURL may name.
	AllowedHosts []string
	// Network says how the API is called; it has neither base URL nor token.
	Network integrator.Config
	// Owner decides what the ownership markers say.
	Owner ownership.Owner
	// WatchNamespaces are the namespaces that the manager's cache has; none stands for all. Nothing is
	// listed elsewhere past the cache either.
	WatchNamespaces []string
	// Selection is which objects are reconciled, that of CacheOptions; nil stands for all. AccountShare is
	// which part of the limits of an Account is used; 0 is all.
	Selection    *watch.Selection
	AccountShare float64
	// Clock tells the time; nil is the real one.
	Clock clock.Clock
	// CreateUnconfirmedTimeout is how long after an unanswered create its import may still turn
	// up; 0 is DefaultCreateUnconfirmedTimeout.
	CreateUnconfirmedTimeout time.Duration
	// BlockedDeletionPause is how long a blocked deletion waits before it is retried; 0 is
	// imports.DefaultBlockedDeletionPause.
	BlockedDeletionPause time.Duration
	// QueuedShown is how long after its creation the status of a run says that it waits for a permit; 0 is
	// importruns.DefaultQueuedShown.
	QueuedShown time.Duration
	// ScanPatience is how long no scan of an account may reach its end at least, before that is
	// reported; 0 is account.DefaultScanPatience.
	ScanPatience time.Duration
	// ConcurrentImports is how many Imports are reconciled at once, ConcurrentRuns how many calls of
	// ImportRuns are under way; 0 is DefaultConcurrentImports and DefaultConcurrentRuns.
	ConcurrentImports, ConcurrentRuns int
	// Calls are the calls of the process, which outlive the manager; nil for those of ConcurrentRuns.
	Calls *Calls
}

// Calls are the calls of ImportRuns that a process makes.
type Calls = importruns.Calls

// DefaultConcurrentRuns is the default of Options.ConcurrentRuns.
const DefaultConcurrentRuns = 64

// NewCalls makes room for so many calls at a time.
func NewCalls(atOnce int) *Calls { return importruns.NewCalls(atOnce) }

// Setup registers the controllers with a manager. Scanners of accounts end with ctx.
func Setup(ctx context.Context, mgr ctrl.Manager, options Options) error {
	options.setDefaults()
	if err := options.Owner.Validate(); err != nil {
		return err
	}
	if err := watch.SetupIndexes(ctx, mgr.GetFieldIndexer(), options.Owner); err != nil {
		return err
	}
	cached, err := watch.WithImports(ctx, mgr.GetClient(), mgr.GetCache())
	if err != nil {
		return err
	}
	registry := account.NewRegistry(ctx, cached, options.Clock,
		account.Options{Network: options.Network, Owner: options.Owner, ScanPatience: options.ScanPatience, Permits: options.permits(),
			Share: options.AccountShare, Has: options.Selection.Has})
	direct, err := client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return err
	}
	live := watch.ReaderIn(mgr.GetAPIReader(), options.WatchNamespaces)
	metrics.ServeObjects(cached, cached.Imports, mgr.Elected(), options.Selection.Has)
	recorder := status.NewQueuedRecorder(direct, clock.RealClock{})
	if err := mgr.Add(recorder); err != nil {
		return err
	}
	runs := &importruns.Reconciler{
		Client: cached, Live: live, Direct: direct, Registry: registry, Recorder: recorder, Clock: options.Clock, Calls: options.Calls,
		Selection: options.Selection, QueuedShown: options.QueuedShown,
	}
	if err := runs.SetupWithManager(ctx, mgr); err != nil {
		return err
	}
	for _, reconciler := range []interface{ SetupWithManager(ctrl.Manager) error }{
		&accounts.Reconciler{
			Client: cached, Live: live, Registry: registry, Recorder: recorder, Clock: options.Clock,
			AllowedHosts: options.AllowedHosts, AllowHTTP: options.Network.AllowHTTP, Selection: options.Selection,
		},
		&imports.Reconciler{
			Client: cached, Live: live, Registry: registry, Recorder: recorder, Clock: options.Clock, Owner: options.Owner,
			CreateUnconfirmedTimeout: options.CreateUnconfirmedTimeout, BlockedDeletionPause: options.BlockedDeletionPause,
			Concurrency: options.ConcurrentImports, Track: options.Calls.Track,
			Selection: options.Selection,
		},
	} {
		if err := reconciler.SetupWithManager(mgr); err != nil {
			return err
		}
	}
	return nil
}

// permits are how many Imports may make calls at once: a quarter of the workers is for those that make none,
// and for those that have just been granted a permit.
func (o *Options) permits() int { return max(1, o.ConcurrentImports*3/4) }

func (o *Options) setDefaults() {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.ConcurrentImports == 0 {
		o.ConcurrentImports = DefaultConcurrentImports
	}
	if o.CreateUnconfirmedTimeout == 0 {
		o.CreateUnconfirmedTimeout = DefaultCreateUnconfirmedTimeout
	}
	if o.ConcurrentRuns == 0 {
		o.ConcurrentRuns = DefaultConcurrentRuns
	}
	if o.Calls == nil {
		o.Calls = NewCalls(o.ConcurrentRuns)
	}
	if o.QueuedShown == 0 {
		o.QueuedShown = importruns.DefaultQueuedShown
	}
	if o.BlockedDeletionPause == 0 {
		o.BlockedDeletionPause = imports.DefaultBlockedDeletionPause
	}
}
