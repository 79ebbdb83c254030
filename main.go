// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command manager runs the operator: it keeps the imports of integrator.io accounts as they are
// declared in Kubernetes. "manager export" prints existing imports as such declarations.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/controllers"
	"github.com/integrator-operator/integrator-operator/internal/command"
	"github.com/integrator-operator/integrator-operator/internal/logging"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/serving"
	"github.com/integrator-operator/integrator-operator/internal/tracing"
)

// shutdownGrace lets calls that are under way end: an ImportRun may take 10 minutes by default, and
// its response cannot be read a second time.
const shutdownGrace = 11 * time.Minute

// tracesGrace is how long the end waits for the collector of traces.
const tracesGrace = 5 * time.Second

type flags struct {
	metrics                  serving.Metrics
	probeAddress             string
	leaderElect              bool
	leaderNamespace          string
	network                  command.Network
	ownerID, formerOwnerIDs  string
	createUnconfirmedTimeout time.Duration
	concurrentImports        int
	concurrentRuns           int
	otlpEndpoint             string
}

func (f *flags) register(set *flag.FlagSet) {
	f.metrics.Register(set)
	set.StringVar(&f.probeAddress, "health-probe-bind-address", ":8081", "Address to serve /healthz and /readyz at; 0 serves none.")
	set.BoolVar(&f.leaderElect, "leader-elect", false, "Work only while holding the lease, so that several replicas can run.")
	set.StringVar(&f.leaderNamespace, "leader-election-namespace", "", "Namespace of the lease; by default the one that the operator runs in.")
	f.network.Register(set)
	set.StringVar(&f.ownerID, "owner-id", "", "Name of this cluster in the ownership markers of imports, such as prod: a cluster that is built again with the same id and the same Git finds its imports. Without it, only the very objects that created them do.")
	set.StringVar(&f.formerOwnerIDs, "former-owner-ids", "", "Owner ids that this cluster had before, separated by commas: imports with their markers are taken for its own, and get new markers.")
	set.DurationVar(&f.createUnconfirmedTimeout, "create-unconfirmed-timeout", controllers.DefaultCreateUnconfirmedTimeout,
		"How long after an unanswered creation its import may still turn up before another one is created.")
	set.IntVar(&f.concurrentImports, "concurrent-imports", 8, "Imports reconciled at once.")
	set.IntVar(&f.concurrentRuns, "concurrent-runs", 16, "ImportRuns in flight at once.")
	set.StringVar(&f.otlpEndpoint, "otlp-endpoint", "", "URL of a collector, such as http://collector:4318, that gets traces of reconciles and of calls by OTLP over HTTP; none by default.")
}

func main() {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		os.Exit(execute(os.Args[1], os.Args[2:]))
	}
	var f flags
	f.register(flag.CommandLine)
	// Errors of reconciles are expected and say where they come from, so stack traces are not needed.
	zapOptions := zap.Options{StacktraceLevel: zapcore.PanicLevel}
	zapOptions.BindFlags(flag.CommandLine)
	flag.Parse()
	ctrl.SetLogger(logging.Bounded(zap.New(zap.UseFlagOptions(&zapOptions))))

	if err := run(f); err != nil {
		ctrl.Log.Error(err, "the operator stops")
		os.Exit(1)
	}
}

// execute runs a subcommand, and returns the exit code.
func execute(name string, args []string) int {
	if name != "export" {
		fmt.Fprintf(os.Stderr, "error: there is no command %q; it is export, or none to run the operator\n", name)
		return 1
	}
	return command.Export(ctrl.SetupSignalHandler(), args, os.Stdout, os.Stderr)
}

// run builds the manager, registers the controllers and serves until a signal stops it.
func run(f flags) error {
	ctx := ctrl.SetupSignalHandler()
	network, err := f.network.Config()
	if err != nil {
		return err
	}
	stopTraces, err := tracing.Setup(ctx, f.otlpEndpoint, ctrl.Log.WithName("tracing"))
	if err != nil {
		return fmt.Errorf("--otlp-endpoint: %w", err)
	}
	defer endTraces(stopTraces)
	mgr, err := newManager(f)
	if err != nil {
		return fmt.Errorf("set up the manager: %w", err)
	}
	if err := controllers.Setup(ctx, mgr, controllers.Options{
		AllowedHosts:             command.List(f.network.AllowedHosts),
		AllowHTTP:                network.AllowHTTP,
		AllowPrivate:             network.AllowPrivate,
		RootCAs:                  network.RootCAs,
		Proxy:                    network.Proxy,
		Owner:                    ownership.Owner{ID: f.ownerID, Former: command.List(f.formerOwnerIDs)},
		CreateUnconfirmedTimeout: f.createUnconfirmedTimeout,
		ConcurrentImports:        f.concurrentImports,
		ConcurrentRuns:           f.concurrentRuns,
	}); err != nil {
		return fmt.Errorf("set up the controllers: %w", err)
	}
	if err := mgr.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("readyz", healthz.Ping); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// endTraces sends what is left of the traces, but does not wait long for a collector that does not answer.
func endTraces(stop func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), tracesGrace)
	defer cancel()
	if err := stop(ctx); err != nil {
		ctrl.Log.Info("Some traces were not sent", "error", err.Error())
	}
}

func newManager(f flags) (manager.Manager, error) {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))

	metrics, err := f.metrics.Options()
	if err != nil {
		return nil, err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, err
	}
	grace := shutdownGrace
	return ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		Cache:                   controllers.CacheOptions(),
		Client:                  controllers.ClientOptions(),
		Metrics:                 metrics,
		HealthProbeBindAddress:  f.probeAddress,
		LeaderElection:          f.leaderElect,
		LeaderElectionID:        "integrator-operator.integrator.io",
		LeaderElectionNamespace: f.leaderNamespace,
		GracefulShutdownTimeout: &grace,
	})
}
