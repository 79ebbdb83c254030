// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// cachedClient reads Imports and the Account as the manager does: a copy of what an informer has, which is stripped. Everything
// else is a request to Kubernetes, and is counted.
type cachedClient struct {
	client.Client
	informer cache.Store
	account  *v1alpha1.Account
	requests atomic.Int64
}

func (c *cachedClient) Get(ctx context.Context, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
	switch object := into.(type) {
	case *v1alpha1.Import:
		if found, exists, _ := c.informer.GetByKey(key.String()); exists {
			found.(*v1alpha1.Import).DeepCopyInto(object)
			return nil
		}
	case *v1alpha1.Account:
		c.account.DeepCopyInto(object)
		return nil
	}
	c.requests.Add(1)
	return c.Client.Get(ctx, key, into, options...)
}

func (c *cachedClient) Patch(ctx context.Context, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	c.requests.Add(1)
	return c.Client.Patch(ctx, object, patch, options...)
}

func (c *cachedClient) Status() client.SubResourceWriter {
	c.requests.Add(1)
	return c.Client.Status()
}

// countedReader counts what is read past the cache.
type countedReader struct {
	client.Reader
	requests *atomic.Int64
}

func (c countedReader) Get(ctx context.Context, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
	c.requests.Add(1)
	return c.Reader.Get(ctx, key, into, options...)
}

func (c countedReader) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	c.requests.Add(1)
	return c.Reader.List(ctx, list, options...)
}

type indexBuilder struct{ *fake.ClientBuilder }

func (i indexBuilder) IndexField(_ context.Context, object client.Object, name string, values client.IndexerFunc) error {
	i.WithIndex(object, name, values)
	return nil
}

type noEvents struct{}

func (noEvents) Eventf(runtime.Object, runtime.Object, string, string, string, string, ...any) {}

// settledImport is an Import that the reconciler has created, and that does not change any more.
type settledImport struct {
	reconciler *Reconciler
	name       types.NamespacedName
	requests   *atomic.Int64
	sim        *simulator.Server
}

const benchConnection = "64a0000000000000000000a1"

func newSettled(tb testing.TB, mappings int) *settledImport {
	tb.Helper()
	sim := simulator.New(simulator.Options{})
	base, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	tb.Cleanup(func() { cancel(); sim.Close(); _ = stop() })
	if err := sim.AddAccount(simulator.AccountSpec{Name: "shop", Tokens: []simulator.Token{{Token: "t"}}, Connections: []simulator.Connection{{ID: benchConnection}}}); err != nil {
		tb.Fatal(err)
	}
	name := types.NamespacedName{Namespace: "shop", Name: "orders"}
	object := &v1alpha1.Import{}
	object.Namespace, object.Name, object.UID, object.Generation = name.Namespace, name.Name, "11111111-2222", 1
	object.Spec.AccountRef.Name = "default"
	object.Spec.Definition.Raw = []byte(`{"name":"Orders","_connectionId":"` + benchConnection + `","adaptorType":"HTTPImport","http":{"method":["POST"],"relativeURI":["/orders"]},"mappings":[` +
		strings.TrimSuffix(strings.Repeat(`{"generate":"a","dataType":"string","extract":"$.a","status":"Active"},`, mappings), ",") + `]}`)
	account := &v1alpha1.Account{}
	account.Namespace, account.Name, account.UID = "shop", "default", "3"
	builder := fake.NewClientBuilder().WithScheme(scheme.All()).WithStatusSubresource(&v1alpha1.Import{}).WithObjects(object, account)
	if err := watch.SetupIndexes(ctx, indexBuilder{builder}, ownership.Owner{}); err != nil {
		tb.Fatal(err)
	}
	objects := builder.Build()
	cached := &cachedClient{Client: objects, informer: cache.NewStore(cache.MetaNamespaceKeyFunc), account: account}
	s := &settledImport{name: name, requests: &cached.requests, sim: sim}
	s.reconciler = &Reconciler{
		Client: cached, Live: countedReader{objects, &cached.requests}, Registry: usableRegistry(ctx, tb, cached, base), Recorder: noEvents{}, Clock: clock.RealClock{},
		CreateUnconfirmedTimeout: DefaultCreateUnconfirmedTimeout, BlockedDeletionPause: DefaultBlockedDeletionPause,
	}
	for range 3 { // the informer is up to date after each
		if _, err := s.reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: name}); err != nil {
			tb.Fatal(err)
		}
		now := &v1alpha1.Import{}
		if err := objects.Get(ctx, name, now); err != nil {
			tb.Fatal(err)
		}
		definition.Strip(now, nil)
		if err := cached.informer.Add(now); err != nil {
			tb.Fatal(err)
		}
	}
	if len(sim.Imports("shop")) != 1 {
		tb.Fatal("the import was not created")
	}
	return s
}

// usableRegistry has the session of the Account default, which was scanned.
func usableRegistry(ctx context.Context, tb testing.TB, reader client.Reader, base string) *account.Registry {
	tb.Helper()
	registry := account.NewRegistry(ctx, reader, clock.RealClock{}, account.Options{Network: integrator.Config{AllowHTTP: true}, Permits: 4})
	for _, events := range []<-chan ctrlevent.GenericEvent{registry.AccountEvents(), registry.ImportEvents(), registry.RunEvents(), registry.PermitEvents()} {
		go func() {
			for {
				select {
				case <-events:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	key := types.NamespacedName{Namespace: "shop", Name: "default"}
	spec := &v1alpha1.AccountSpec{BaseURL: base, ScanInterval: "1h", RequestsPerSecond: 300, MaxInFlight: 16}
	if _, err := registry.Configure(key, spec, "t", account.Trust{}); err != nil {
		tb.Fatal(err)
	}
	registry.TokenAccepted(key, "user", "1", false)
	if err := wait.PollUntilContextTimeout(ctx, time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		session, err := registry.Session(ctx, key.Namespace, key.Name)
		return err == nil && session.Scanned, nil
	}); err != nil {
		tb.Fatal("the account was not scanned: ", err)
	}
	return registry
}

// reconcile reconciles once.
func (s *settledImport) reconcile(tb testing.TB) {
	if result, err := s.reconciler.Reconcile(context.Background(), ctrl.Request{NamespacedName: s.name}); err != nil || result != (ctrl.Result{}) {
		tb.Fatalf("%+v, %v", result, err)
	}
}

// calls are the requests to Kubernetes and to the API since the beginning.
func (s *settledImport) calls() string {
	return fmt.Sprintf("%d to Kubernetes, %d to the API", s.requests.Load(), len(s.sim.Ledger(simulator.Filter{})))
}

// settledSizes are a definition that the cache has, and two that it has not.
var settledSizes = []struct {
	name     string
	mappings int
	// most is how many allocations it may take.
	most float64
}{{"400B", 3, 500}, {"1KiB", 12, 120}, {"100KiB", 1400, 120}}

// BenchmarkSettled is a reconcile in which nothing is to be done: what is most of the work at rest. It should take
// 50 µs at most.
func BenchmarkSettled(b *testing.B) {
	for _, size := range settledSizes {
		b.Run(size.name, func(b *testing.B) {
			s := newSettled(b, size.mappings)
			s.reconcile(b)
			before := s.calls()
			b.ReportAllocs()
			for b.Loop() {
				s.reconcile(b)
			}
			b.StopTimer()
			if after := s.calls(); after != before {
				b.Errorf("requests: %s before, %s after", before, after)
			}
		})
	}
}

// TestSettledMakesNoCall: what is as declared is reconciled without a request, and in bounded memory, however large
// its definition is.
func TestSettledMakesNoCall(t *testing.T) {
	for _, size := range settledSizes {
		t.Run(size.name, func(t *testing.T) {
			s := newSettled(t, size.mappings)
			s.reconcile(t)
			before := s.calls()
			allocations := testing.AllocsPerRun(10, func() { s.reconcile(t) })
			if after := s.calls(); after != before {
				t.Errorf("requests: %s before, %s after", before, after)
			}
			if allocations > size.most {
				t.Errorf("%.0f allocations; want at most %.0f", allocations, size.most)
			}
		})
	}
}
