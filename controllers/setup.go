// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers builds the three controllers, of Accounts, Imports and ImportRuns, and
// registers them with a manager. Each kind's reconciler is in a package below this one; what they
// share is in internal/. docs/architecture.md has the map.
package controllers

import (
	"context"
	"crypto/x509"
	"net/url"
	"time"

	"github.com/google/uuid"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/integrator-operator/integrator-operator/controllers/accounts"
	"github.com/integrator-operator/integrator-operator/controllers/importruns"
	"github.com/integrator-operator/integrator-operator/controllers/imports"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// DefaultCreateUnconfirmedTimeout is the default of Options.CreateUnconfirmedTimeout.
const DefaultCreateUnconfirmedTimeout = imports.DefaultCreateUnconfirmedTimeout

// Options configure the three controllers.
type Options struct {
	// AllowedHosts are the hosts that an Account's baseURL may name.
	AllowedHosts []string
	// AllowHTTP permits base URLs without TLS and on the machine itself, for tests and demos.
	AllowHTTP bool
	// AllowPrivate permits hosts with addresses of private networks.
	AllowPrivate bool
	// RootCAs, when set, replaces the system's certificate authorities.
	RootCAs *x509.CertPool
	// Proxy, when set, is what the API is called through.
	Proxy *url.URL
	// Owner decides what the ownership markers say.
	Owner ownership.Owner
	// Clock tells the time; nil is the real one.
	Clock clock.Clock
	// CreateUnconfirmedTimeout is how long after an unanswered create its import may still turn
	// up; 0 is DefaultCreateUnconfirmedTimeout.
	CreateUnconfirmedTimeout time.Duration
	// BlockedDeletionPause is how long a blocked deletion waits before it is retried; 0 is
	// imports.DefaultBlockedDeletionPause.
	BlockedDeletionPause time.Duration
	// ScanPatience is how long no scan of an account may reach its end at least, before that is
	// reported; 0 is account.DefaultScanPatience.
	ScanPatience time.Duration
	// ConcurrentImports and ConcurrentRuns are how many objects are reconciled at once.
	ConcurrentImports, ConcurrentRuns int
}

// Setup registers the controllers with a manager. Scanners of accounts end with ctx.
func Setup(ctx context.Context, mgr ctrl.Manager, options Options) error {
	options.setDefaults()
	if err := options.Owner.Validate(); err != nil {
		return err
	}
	if err := watch.SetupIndexes(ctx, mgr.GetFieldIndexer(), options.Owner); err != nil {
		return err
	}
	registry := account.NewRegistry(ctx, mgr.GetClient(), options.Clock,
		account.Options{AllowHTTP: options.AllowHTTP, AllowPrivate: options.AllowPrivate, RootCAs: options.RootCAs, Proxy: options.Proxy, Owner: options.Owner, ScanPatience: options.ScanPatience})
	metrics.ServeObjects(mgr.GetClient(), mgr.Elected())
	recorder := mgr.GetEventRecorder("integrator-operator")
	for _, reconciler := range []interface{ SetupWithManager(ctrl.Manager) error }{
		&accounts.Reconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Registry: registry, Recorder: recorder,
			AllowedHosts: options.AllowedHosts,
		},
		&imports.Reconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Registry: registry, Recorder: recorder, Clock: options.Clock, Owner: options.Owner,
			CreateUnconfirmedTimeout: options.CreateUnconfirmedTimeout, BlockedDeletionPause: options.BlockedDeletionPause,
			Concurrency: options.ConcurrentImports,
		},
		&importruns.Reconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Registry: registry, Recorder: recorder, Clock: options.Clock,
			Holder: uuid.NewString(), Concurrency: options.ConcurrentRuns,
		},
	} {
		if err := reconciler.SetupWithManager(mgr); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) setDefaults() {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.CreateUnconfirmedTimeout == 0 {
		o.CreateUnconfirmedTimeout = DefaultCreateUnconfirmedTimeout
	}
	if o.BlockedDeletionPause == 0 {
		o.BlockedDeletionPause = imports.DefaultBlockedDeletionPause
	}
}
