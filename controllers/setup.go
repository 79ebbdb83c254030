// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers reconciles Accounts, Imports and ImportRuns with integrator.io.
//
// Data flows one way: an object and what it refers to become the desired document
// (desired.go), the API client reads the remote one, package drift compares the two, one
// write follows if it must, then one status patch, then events. What an error means is
// decided in errors.go alone.
package controllers

import (
	"context"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// Options configure the three controllers.
type Options struct {
	// AllowedHosts are the hosts that an Account's baseURL may name.
	AllowedHosts []string
	// AllowHTTP permits base URLs without TLS and on the machine itself, for tests and demos.
	AllowHTTP bool
	// AllowPrivate permits hosts with addresses of private networks.
	AllowPrivate bool
	// Clock tells the time; nil is the real one.
	Clock clock.Clock
	// CreateUnconfirmedTimeout is how long after an unanswered create its import may still turn up.
	CreateUnconfirmedTimeout time.Duration
	// BlockedPause is how long a deletion that something stands against waits before it is
	// tried again; 0 is DefaultBlockedPause.
	BlockedPause time.Duration
	// ConcurrentImports and ConcurrentRuns are how many are reconciled at once.
	ConcurrentImports, ConcurrentRuns int
}

// DefaultCreateUnconfirmedTimeout is longer than a create can be under way (30 s) plus any lag of the list.
const DefaultCreateUnconfirmedTimeout = 90 * time.Second

// Setup registers the controllers with a manager. Scanners end with ctx.
func Setup(ctx context.Context, mgr ctrl.Manager, options Options) error {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.BlockedPause == 0 {
		options.BlockedPause = DefaultBlockedPause
	}
	if err := SetupIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	accounts := NewAccounts(ctx, mgr.GetClient(), options.Clock, options.AllowHTTP, options.AllowPrivate)
	recorder := mgr.GetEventRecorder("integrator-operator")
	for _, reconciler := range []interface{ SetupWithManager(ctrl.Manager) error }{
		&AccountReconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Accounts: accounts, Recorder: recorder,
			AllowedHosts: options.AllowedHosts,
		},
		&ImportReconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Accounts: accounts, Recorder: recorder,
			Clock: options.Clock, CreateUnconfirmedTimeout: options.CreateUnconfirmedTimeout, BlockedPause: options.BlockedPause, Concurrency: options.ConcurrentImports,
		},
		&ImportRunReconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Accounts: accounts, Recorder: recorder,
			Clock: options.Clock, Holder: uuid.NewString(), Concurrency: options.ConcurrentRuns,
		},
	} {
		if err := reconciler.SetupWithManager(mgr); err != nil {
			return err
		}
	}
	return nil
}

// CacheOptions keeps the cache small: no managed fields, and no data of runs that have
// ended. Secrets and ConfigMaps are never cached but for their metadata, and of that not the
// annotations: kubectl keeps all it has applied in one.
func CacheOptions() cache.Options {
	return cache.Options{
		DefaultTransform:            stripMetadata,
		ReaderFailOnMissingInformer: true,
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.ImportRun{}: {Transform: stripFinishedRun},
		},
	}
}

// ClientOptions reads Secrets and ConfigMaps past the cache, and lets a read wait until the
// cache has this process's own writes: a pass that still saw the status before the last
// one would find nothing to write.
func ClientOptions() client.Options {
	readYourWrites := true
	return client.Options{Cache: &client.CacheOptions{
		DisableFor:                      []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}},
		EnableReadYourWritesConsistency: &readYourWrites,
	}}
}

// notCached goes along with every write of a Secret or ConfigMap: a client whose reads wait for
// its writes watches all of what it writes, bodies included.
const notCached = client.DisableReadYourWritesConsistency

func stripMetadata(object any) (any, error) {
	if bare, ok := object.(*metav1.PartialObjectMetadata); ok {
		bare.Annotations = nil
	}
	return cache.TransformStripManagedFields()(object)
}

func stripFinishedRun(object any) (any, error) {
	if run, ok := object.(*v1alpha1.ImportRun); ok && finished(run) {
		run.ManagedFields = nil
		run.Spec.Data, run.Spec.Settings = nil, nil
		return run, nil
	}
	return cache.TransformStripManagedFields()(object)
}
