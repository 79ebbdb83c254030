// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/controllers"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/logging"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// The suite runs the controllers in a manager against a real kube-apiserver and etcd, and
// against the simulator over HTTP. Each story has a namespace and an account of its own.
var (
	k8s    client.Client
	sim    *simulator.Server
	simURL string
	// restConfig is for stories that start a manager of their own.
	restConfig *rest.Config
	kubeconfig []byte
	// logged is all that was logged.
	logged = &collected{}
	// stopManager stops the suite's own manager, for stories that start it anew.
	stopManager func()
)

func TestControllers(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run make test, which builds a control plane")
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyDuration(2 * time.Second)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Controllers")
}

var _ = BeforeSuite(func() {
	// At the highest verbosity: a story searches whatever can be logged at all.
	ctrl.SetLogger(logging.Bounded(zap.New(zap.WriteTo(io.MultiWriter(GinkgoWriter, logged)), zap.UseDevMode(true),
		zap.Level(zapcore.Level(-100)), zap.StacktraceLevel(zapcore.PanicLevel))))

	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	// Registered first: a start that fails half-way leaves processes too.
	DeferCleanup(environment.Stop)
	var err error
	restConfig, err = environment.Start()
	Expect(err).NotTo(HaveOccurred())
	kubeconfig = environment.KubeConfig

	k8s, err = client.New(restConfig, client.Options{Scheme: scheme.All()})
	Expect(err).NotTo(HaveOccurred())

	sim = simulator.New(simulator.Options{})
	var stop func() error
	simURL, stop, err = sim.Start("127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { sim.Close(); Expect(stop()).To(Succeed()) })

	DeferCleanup(func() { Expect(bulk.ofBodies()).To(BeEmpty(), "lists and watches of more than metadata") })
	stopManager = startManager(scheme.All())
	DeferCleanup(func() { stopManager() })
})

// startManager runs the three controllers until the returned function is called.
func startManager(scheme *runtime.Scheme) (stop func()) {
	GinkgoHelper()
	return startManagerOf(scheme, ownership.Owner{})
}

// startManagerOf is startManager with an owner of imports, in some namespaces or in all.
func startManagerOf(scheme *runtime.Scheme, owner ownership.Owner, namespaces ...string) (stop func()) {
	GinkgoHelper()
	skipNames := true
	recorded := rest.CopyConfig(restConfig)
	recorded.Wrap(bulk.record)
	recorded.Wrap(statusRefusals.answer)
	recorded.Wrap(requests.record)
	options := ctrl.Options{
		Scheme:     scheme,
		Cache:      controllers.CacheOptions(nil, namespaces...),
		Client:     controllers.ClientOptions(),
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: &skipNames},
	}
	mgr, err := ctrl.NewManager(recorded, options)
	Expect(err).NotTo(HaveOccurred())

	ctx, cancel := context.WithCancel(context.Background())
	host, err := url.Parse(simURL)
	Expect(err).NotTo(HaveOccurred())
	setup := controllers.Options{
		WatchNamespaces:          namespaces,
		AllowedHosts:             []string{host.Host, "api.integrator.io"},
		Network:                  integrator.Config{AllowHTTP: true},
		Owner:                    owner,
		CreateUnconfirmedTimeout: createUnconfirmedTimeout,
		BlockedDeletionPause:     time.Second,
		QueuedShown:              2 * time.Second,
		ConcurrentImports:        4,
	}
	changeOptions(&setup)
	Expect(controllers.Setup(ctx, mgr, setup)).To(Succeed())

	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	return func() {
		cancel()
		Eventually(ended, 30*time.Second).Should(Receive(BeNil()))
	}
}

// replaceManager gives a story the stop of the suite's manager, and the start of another, to be
// called at its end whatever comes: without one every story after it would fail.
func replaceManager() (stop, start func()) {
	stop = stopManager
	stopManager = func() {}
	return stop, sync.OnceFunc(func() { stopManager = startManager(k8s.Scheme()) })
}

// operators replaces the suite's manager by others until the story ends, one at a time and in the
// namespace of the story, and in others that are named: operate starts one after it has stopped the
// one before.
func (w *world) operators() (operate func(owner ownership.Owner, others ...string), stop func()) {
	GinkgoHelper()
	stopSuite, startSuite := replaceManager()
	stopSuite()
	running := func() {}
	stop = func() {
		running()
		running = func() {}
	}
	DeferCleanup(func() { stop(); startSuite() })
	return func(owner ownership.Owner, others ...string) {
		GinkgoHelper()
		stop()
		running = startManagerOf(k8s.Scheme(), owner, append(others, w.namespace)...)
	}, stop
}

// changeOptions changes the options of the managers that are started.
var changeOptions = func(*controllers.Options) {}

// withOptions changes the options of the managers that a story starts.
func withOptions(change func(*controllers.Options)) {
	changeOptions = change
	DeferCleanup(func() { changeOptions = func(*controllers.Options) {} })
}

// createUnconfirmedTimeout is that of the managers of the suite.
const createUnconfirmedTimeout = 6 * time.Second

var stories atomic.Int64

// world is what a story plays in: a namespace, an account of the simulator, and the
// Account "default" that leads there.
type world struct {
	namespace string
	account   string // in the simulator
	token     string
}

const (
	shopConnection = "64a0000000000000000000a1"
	ftpConnection  = "64a0000000000000000000a3"
)

// newWorld makes a namespace with a Ready Account "default" with the aliases shop and ftp.
func newWorld(ctx context.Context) *world {
	GinkgoHelper()
	w := newEmptyWorld(ctx)
	Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
	Expect(k8s.Create(ctx, w.accountObject("default"))).To(Succeed())
	w.eventuallyReady(ctx, &v1alpha1.Account{}, "default")
	return w
}

// newEmptyWorld makes a namespace, and an account of the simulator, but no Account.
func newEmptyWorld(ctx context.Context) *world {
	GinkgoHelper()
	name := fmt.Sprintf("story-%d", stories.Add(1))
	w := &world{namespace: name, account: name, token: "token-of-" + name}
	Expect(sim.AddAccount(simulator.AccountSpec{
		Name:        w.account,
		Tokens:      []simulator.Token{{Token: w.token}},
		Connections: simulator.FixtureConnections(),
	})).To(Succeed())
	namespace := &corev1.Namespace{}
	namespace.Name = name
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	// No scanner outlives its story: the Accounts are deleted, be they in use or not.
	DeferCleanup(func(ctx context.Context) {
		var accounts v1alpha1.AccountList
		Expect(k8s.List(ctx, &accounts, client.InNamespace(name))).To(Succeed())
		for i := range accounts.Items {
			Expect(client.IgnoreNotFound(k8s.Delete(ctx, &accounts.Items[i]))).To(Succeed())
			Expect(client.IgnoreNotFound(k8s.Patch(ctx, &accounts.Items[i],
				client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))))).To(Succeed())
		}
	})
	return w
}
