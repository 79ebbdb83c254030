// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command manager runs the operator: it keeps the imports of integrator.io accounts as they are
// declared in Kubernetes. "manager export" prints existing imports as such declarations, and "manager
// help" lists all commands.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap/zapcore"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/integrator-operator/integrator-operator/controllers"
	"github.com/integrator-operator/integrator-operator/internal/command"
	"github.com/integrator-operator/integrator-operator/internal/command/plugin"
	"github.com/integrator-operator/integrator-operator/internal/logging"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/serving"
	"github.com/integrator-operator/integrator-operator/internal/tracing"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

const (
	// stopTimeout is how long the controllers have to stop before the lease is given up. What takes
	// longer goes on beside the next leader, which the protocols permit.
	stopTimeout = time.Second
	// drainTimeout is how long the process stays for calls of ImportRuns whose outcomes are not recorded
	// yet: their response cannot be read a second time. It is longer than the longest
	// activeDeadlineSeconds. terminationGracePeriodSeconds of config/manager is longer.
	drainTimeout = 62 * time.Minute
	// resumePause is the pause before a process that has lost the lease during calls asks for it again.
	resumePause = time.Second
)

// tracesGrace is how long the end waits for the collector of traces.
const tracesGrace = 5 * time.Second

type flags struct {
	metrics                  serving.Metrics
	probeAddress             string
	pprofAddress             string
	election                 serving.Election
	network                  command.Network
	namespaces               command.Namespaces
	selector                 command.Selector
	share                    command.Share
	ownerID, formerOwnerIDs  string
	createUnconfirmedTimeout time.Duration
	concurrentImports        int
	concurrentRuns           int
	version                  bool
	otlpEndpoint             string
}

func (f *flags) register(set *flag.FlagSet) {
	f.metrics.Register(set)
	set.StringVar(&f.probeAddress, "health-probe-bind-address", ":8081", "Address to serve /healthz and /readyz at; 0 serves none.")
	set.StringVar(&f.pprofAddress, "pprof-bind-address", "", "Loopback address, such as 127.0.0.1:6060, to serve profiles of the process at, which kubectl port-forward reaches; none by default.")
	f.election.Register(set)
	f.network.Register(set)
	set.Var(&f.namespaces, "watch-namespaces", "Namespaces that the operator watches, separated by commas; all by default. It then needs no right in any other namespace, and none in the cluster.")
	set.Var(&f.selector, "watch-label-selector", "Label selector, such as shard=a: the Imports and ImportRuns that the operator reconciles, and the Accounts whose status it writes; all by default. Operators with other selectors do the rest.")
	set.Var(&f.share, "account-share", "Which part of requestsPerSecond and maxInFlight of each Account the operator uses, such as 1/3, where several share the Accounts.")
	set.StringVar(&f.ownerID, "owner-id", "", "Name of this cluster in the ownership markers of imports, such as prod: a cluster that is built again with the same id and the same Git finds its imports. Without it, only the very objects that created them do.")
	set.StringVar(&f.formerOwnerIDs, "former-owner-ids", "", "Owner ids that this cluster had before, separated by commas: imports with their markers are taken for its own, and get new markers.")
	set.DurationVar(&f.createUnconfirmedTimeout, "create-unconfirmed-timeout", controllers.DefaultCreateUnconfirmedTimeout,
		"How long after an unanswered creation its import may still turn up before another one is created.")
	set.IntVar(&f.concurrentImports, "concurrent-imports", controllers.DefaultConcurrentImports, "Imports reconciled at once; three quarters of them may make calls.")
	set.IntVar(&f.concurrentRuns, "concurrent-runs", controllers.DefaultConcurrentRuns, "Calls of ImportRuns in flight at once. One namespace has half of them at most.")
	set.BoolVar(&f.version, "version", false, "Print the version, and do nothing else.")
	set.StringVar(&f.otlpEndpoint, "otlp-endpoint", "", "URL of a collector, such as http://collector:4318, that gets traces of reconciles and of calls by OTLP over HTTP; none by default.")
}

func main() {
	if args, ok := command.PluginArguments(os.Args); ok {
		os.Exit(plugin.Run(ctrl.SetupSignalHandler(), args, os.Stdin, os.Stdout, os.Stderr))
	}
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
	ctrl.Log.Info("starting the operator", "version", this.Version, "commit", this.Commit, "namespaces", cmp.Or(f.namespaces.String(), "all"), "selector", f.selector.String())
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

// run serves until a signal stops it, and then stays until the calls under way are recorded. A second
// signal ends the process at once.
func run(f flags) error {
	ctx := ctrl.SetupSignalHandler()
	if err := f.validate(); err != nil {
		return err
	}
	serving.LimitMemory(ctx, ctrl.Log.WithName("memory"))
	// Of the process and not of a manager: calls outlive that.
	stopTraces, err := tracing.Setup(ctx, f.otlpEndpoint, ctrl.Log.WithName("tracing"))
	if err != nil {
		return fmt.Errorf("--otlp-endpoint: %w", err)
	}
	defer endTraces(stopTraces)
	calls := controllers.NewCalls(f.concurrentRuns)
	err = serve(ctx, f, calls, false)
	for err != nil && ctx.Err() == nil && calls.UnderWay() > 0 {
		// Such as a lost lease. The calls are worth more than a process that begins anew, and nobody else
		// may be there to lead meanwhile.
		ctrl.Log.Error(err, "the controllers have stopped; the process stays because of its calls, and begins again", "calls", calls.UnderWay())
		select {
		case <-time.After(resumePause):
			err = serve(ctx, f, calls, true)
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		ctrl.Log.Info("not all controllers have stopped in time", "timeout", stopTimeout)
		err = nil
	}
	if n := calls.UnderWay(); n > 0 {
		ctrl.Log.Info("waiting for calls of ImportRuns to end", "calls", n)
	}
	limited, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	return errors.Join(err, calls.Drain(limited))
}

func (f *flags) validate() error {
	if f.concurrentImports < 1 || f.concurrentRuns < 1 {
		return errors.New("--concurrent-imports and --concurrent-runs have to be 1 or more")
	}
	if err := serving.ValidatePprof(f.pprofAddress); err != nil {
		return err
	}
	return f.election.Validate()
}

// serve builds the manager, registers the controllers and serves until the context ends, or until the
// manager cannot go on. again says that the process had a manager before.
func serve(ctx context.Context, f flags, calls *controllers.Calls, again bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	network, err := f.network.Config()
	if err != nil {
		return err
	}
	selection := watch.Select(f.selector.Selector)
	mgr, err := newManager(f, selection, again)
	if err != nil {
		return fmt.Errorf("set up the manager: %w", err)
	}
	if err := controllers.Setup(ctx, mgr, controllers.Options{
		AllowedHosts:             command.List(f.network.AllowedHosts),
		Network:                  network,
		WatchNamespaces:          f.namespaces,
		Selection:                selection,
		AccountShare:             float64(f.share),
		Owner:                    ownership.Owner{ID: f.ownerID, Former: command.List(f.formerOwnerIDs)},
		CreateUnconfirmedTimeout: f.createUnconfirmedTimeout,
		ConcurrentImports:        f.concurrentImports,
		Calls:                    calls,
	}); err != nil {
		return fmt.Errorf("set up the controllers: %w", err)
	}
	if err := mgr.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("readyz", serving.Ready(mgr.GetCache())); err != nil {
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

func newManager(f flags, selection *watch.Selection, again bool) (manager.Manager, error) {
	metrics, err := f.metrics.Options()
	if err != nil {
		return nil, err
	}
	kubernetes, err := ctrl.GetConfig()
	if err != nil {
		return nil, err
	}
	timeout := stopTimeout
	return ctrl.NewManager(kubernetes, ctrl.Options{
		Scheme:                  scheme.All(),
		Cache:                   controllers.CacheOptions(selection, f.namespaces...),
		Client:                  controllers.ClientOptions(),
		Controller:              config.Controller{SkipNameValidation: &again},
		Metrics:                 metrics,
		HealthProbeBindAddress:  f.probeAddress,
		PprofBindAddress:        f.pprofAddress,
		LeaderElection:          f.election.Enabled,
		LeaderElectionID:        f.election.Lease(f.namespaces, f.selector.String()),
		LeaderElectionNamespace: f.election.Namespace,
		// The calls of ImportRuns go on without the lease, which their claims permit.
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &f.election.LeaseDuration,
		RenewDeadline:                 &f.election.RenewDeadline,
		RetryPeriod:                   &f.election.RetryPeriod,
		GracefulShutdownTimeout:       &timeout,
	})
}
