// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/controllers/accounts"
	"github.com/integrator-operator/integrator-operator/controllers/imports"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// concurrent is how many Imports are compared at once.
const concurrent = 8

// maxPasses bounds the reconciles of one Import: each of them may need what the last one has written.
const maxPasses = 5

// engine has the operator's reconcilers, on objects in memory.
type engine struct {
	memory   client.Client
	registry *account.Registry
	accounts *accounts.Reconciler
	imports  *imports.Reconciler
	stop     context.CancelFunc
	drained  sync.WaitGroup
	// permitted has, by name, a channel for each Import that is told when it has its permit.
	permitted sync.Map
}

// silent drops events: a plan tells its user otherwise.
type silent struct{}

func (silent) Eventf(runtime.Object, runtime.Object, string, string, string, string, ...any) {}

// start puts the objects into memory and makes the reconcilers.
func (w *world) start(ctx context.Context) error {
	builder := fake.NewClientBuilder().WithScheme(scheme.All()).
		WithStatusSubresource(&v1alpha1.Account{}, &v1alpha1.Import{}, &v1alpha1.ImportRun{})
	for _, e := range w.entries {
		if e.typed != nil && e.typed.GetDeletionTimestamp().IsZero() {
			builder.WithObjects(e.typed)
		}
	}
	w.deletePruned()
	for _, object := range w.others {
		if object.GetDeletionTimestamp().IsZero() || len(object.GetFinalizers()) > 0 {
			builder.WithObjects(object)
		}
	}
	found := &memory{indexers: cache.Indexers{}}
	if err := watch.SetupIndexes(ctx, found, w.options.Owner); err != nil {
		return err
	}
	objects, err := found.client(builder)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	e := &engine{memory: objects, stop: stop}
	w.engine, w.live.Reader = e, e.memory
	e.registry = account.NewRegistry(running, e.memory, clock.RealClock{}, account.Options{
		Network: w.options.Network, Owner: w.options.Owner, Permits: concurrent,
	})
	e.accounts = &accounts.Reconciler{Client: e.memory, Live: w.live, Registry: e.registry, Recorder: silent{}, Clock: clock.RealClock{}, AllowedHosts: w.options.AllowedHosts, AllowHTTP: w.options.Network.AllowHTTP}
	e.imports = &imports.Reconciler{
		Client: e.memory, Live: w.live, Registry: e.registry, Recorder: silent{}, Clock: clock.RealClock{}, Owner: w.options.Owner,
		CreateUnconfirmedTimeout: imports.DefaultCreateUnconfirmedTimeout, BlockedDeletionPause: imports.DefaultBlockedDeletionPause,
	}
	for _, events := range []<-chan ctrlevent.GenericEvent{e.registry.AccountEvents(), e.registry.ImportEvents(), e.registry.RunEvents()} {
		e.drained.Go(func() { drain(running, events, func(client.Object) {}) })
	}
	e.drained.Go(func() {
		drain(running, e.registry.PermitEvents(), func(object client.Object) {
			select {
			case e.permit(client.ObjectKeyFromObject(object)) <- struct{}{}:
			default: // it was told before
			}
		})
	})
	return nil
}

// permit is the channel of an Import.
func (e *engine) permit(name types.NamespacedName) chan struct{} {
	channel, _ := e.permitted.LoadOrStore(name, make(chan struct{}, 1))
	return channel.(chan struct{})
}

// drain receives events. Most of them nobody needs: what they would start is done in order.
func drain(ctx context.Context, events <-chan ctrlevent.GenericEvent, do func(client.Object)) {
	for {
		select {
		case received := <-events:
			do(received.Object)
		case <-ctx.Done():
			return
		}
	}
}

func (w *world) close() {
	w.engine.stop()
	w.engine.drained.Wait()
}

// deletePruned marks the Imports that would be deleted, as the API server does.
func (w *world) deletePruned() {
	w.deleted = w.pruned()
	for _, object := range w.deleted {
		now := metav1.Now()
		object.DeletionTimestamp = &now
		dryRun(object)
	}
}

// run reconciles the Accounts, waits for a scan of each, and then reconciles the Imports: at first those that
// would be deleted, because others may adopt what they leave.
func (w *world) run(ctx context.Context) error {
	for _, name := range w.accounts() {
		// Again after the scan, which shows whether the token is of the same account as before.
		for range 2 {
			if _, err := w.engine.accounts.Reconcile(ctx, ctrl.Request{NamespacedName: name}); err != nil && ctx.Err() != nil {
				return err
			}
			if err := w.engine.awaitScan(ctx, name); err != nil {
				return err
			}
		}
	}
	var deleting, declared []types.NamespacedName
	for _, object := range w.deleted {
		deleting = append(deleting, client.ObjectKeyFromObject(object))
	}
	for _, e := range w.entries {
		if _, ok := e.typed.(*v1alpha1.Import); ok && e.typed.GetDeletionTimestamp().IsZero() {
			declared = append(declared, e.key.NamespacedName)
		}
	}
	if err := w.engine.reconcileAll(ctx, deleting); err != nil {
		return err
	}
	return w.engine.reconcileAll(ctx, declared)
}

// reconcileAll reconciles Imports, some at a time.
func (e *engine) reconcileAll(ctx context.Context, names []types.NamespacedName) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrent)
	for _, name := range names {
		group.Go(func() error { return e.reconcile(ctx, name) })
	}
	return group.Wait()
}

// accounts are the Accounts that the plan needs.
func (w *world) accounts() (names []types.NamespacedName) {
	needed := map[types.NamespacedName]bool{}
	need := func(name types.NamespacedName) {
		if !needed[name] {
			needed[name] = true
			names = append(names, name)
		}
	}
	for _, e := range w.entries {
		switch object := e.typed.(type) {
		case *v1alpha1.Account:
			need(e.key.NamespacedName)
		case *v1alpha1.Import:
			need(types.NamespacedName{Namespace: object.Namespace, Name: object.Spec.AccountRef.Name})
		}
	}
	for _, object := range w.deleted {
		need(types.NamespacedName{Namespace: object.Namespace, Name: object.Spec.AccountRef.Name})
	}
	return names
}

// awaitScan waits until the account was scanned, or cannot be.
func (e *engine) awaitScan(ctx context.Context, name types.NamespacedName) error {
	ticker := clock.RealClock{}.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		session, err := e.registry.Session(ctx, name.Namespace, name.Name)
		if err != nil || session.Scanned || session.ScanProblem != nil {
			return nil //nolint:nilerr // the Imports of the Account say why it cannot be used
		}
		select {
		case <-ticker.C():
		case <-ctx.Done():
			return fmt.Errorf("the list of the account of Account %s did not come to its end: %w", name, ctx.Err())
		}
	}
}

// reconcile takes one Import as far as it goes.
func (e *engine) reconcile(ctx context.Context, name types.NamespacedName) error {
	for passes := 0; passes < maxPasses; passes++ {
		result, err := e.imports.Reconcile(ctx, ctrl.Request{NamespacedName: name})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if e.registry.Permits.Waits(limit.Object(name)) {
			select {
			case <-e.permit(name):
				passes-- // it has made no call yet
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err != nil || result.RequeueAfter == 0 || result.RequeueAfter > time.Second {
			return nil //nolint:nilerr // the Import's conditions say what it is
		}
		select {
		case <-clock.RealClock{}.After(result.RequeueAfter):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
