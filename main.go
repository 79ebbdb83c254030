// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command manager runs the operator: it keeps the imports of integrator.io accounts as they are
// declared in Kubernetes. "manager export" prints existing imports as such declarations, and "manager
// help" lists all commands.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
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
)

// shutdownGrace lets calls that are under way end: an ImportRun may take 10 minutes by default, and
// its response cannot be read a second time.
const shutdownGrace = 11 * time.Minute

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
	version                  bool
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
	set.BoolVar(&f.version, "version", false, "Print the version, and do nothing else.")
}

func main() {
	if code, ran := command.Execute(ctrl.SetupSignalHandler, os.Args, os.Stdout, os.Stderr); ran {
		os.Exit(code)
	}
	var f flags
	f.register(flag.CommandLine)
	// Errors of reconciles are expected and say where they come from, so stack traces are not needed.
	zapOptions := zap.Options{StacktraceLevel: zapcore.PanicLevel}
	zapOptions.BindFlags(flag.CommandLine)
	parse(&f.version)
	ctrl.SetLogger(logging.Bounded(zap.New(zap.UseFlagOptions(&zapOptions))))

	this := command.ThisVersion()
	ctrl.Log.Info("starting the operator", "version", this.Version, "commit", this.Commit)
	if err := run(f); err != nil {
		ctrl.Log.Error(err, "the operator stops")
		os.Exit(1)
	}
}

// parse reads the flags of the operator. It does not return if they ask for something else, or are
// wrong.
func parse(asksForVersion *bool) {
	flag.CommandLine.Init("manager", flag.ContinueOnError)
	flag.CommandLine.SetOutput(io.Discard)
	err := flag.CommandLine.Parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		command.PrintUsage(os.Stdout, "manager")
		fmt.Println("\nFlags of the operator:")
		flag.CommandLine.SetOutput(os.Stdout)
		flag.PrintDefaults()
		os.Exit(0)
	case err == nil && *asksForVersion:
		command.PrintVersion(os.Stdout)
		os.Exit(0)
	case err == nil && flag.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v; see manager --help\n", err)
		os.Exit(2)
	}
}

// run builds the manager, registers the controllers and serves until a signal stops it.
func run(f flags) error {
	ctx := ctrl.SetupSignalHandler()
	network, err := f.network.Config()
	if err != nil {
		return err
	}
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
