// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command poller keeps imports of the API as Crossplane's providers keep theirs: with the managed.Reconciler of
// crossplane-runtime, set up as providers set it up by default. The benchmark starts it beside the operator, to
// compare the two.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/ratelimiter"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// What providers are shipped with: --poll is 1m in the template of providers, --max-reconcile-rate 10.
const (
	defaultPoll = time.Minute
	defaultRate = 10
)

type options struct {
	kubeconfig, api, token string
	poll                   time.Duration
	rate                   int
}

func main() {
	var o options
	// controller-runtime has a flag of its own for the kubeconfig.
	flags := flag.NewFlagSet("poller", flag.ExitOnError)
	flags.StringVar(&o.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "kubeconfig of the cluster")
	flags.StringVar(&o.api, "api", "", "base URL of the API")
	flags.StringVar(&o.token, "token", "", "token of the simulated account")
	flags.DurationVar(&o.poll, "poll", defaultPoll, "how often each object is looked at")
	flags.IntVar(&o.rate, "max-reconcile-rate", defaultRate, "reconciles a second, and workers")
	_ = flags.Parse(os.Args[1:]) // It ends the process.
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "poller:", err)
		os.Exit(1)
	}
}

// run sets up the manager and its controller as the main.go of a provider does.
func run(ctx context.Context, o options) error {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(ratelimiter.LimitRESTConfig(config, o.rate), ctrl.Options{
		Metrics: metricsserver.Options{BindAddress: "0"},
	})
	if err != nil {
		return err
	}
	if err := addToScheme(mgr.GetScheme()); err != nil {
		return err
	}
	settings := controller.Options{MaxConcurrentReconciles: o.rate, PollInterval: o.poll, GlobalRateLimiter: ratelimiter.NewGlobal(o.rate)}
	reconciler := managed.NewReconciler(mgr, resource.ManagedKind(kind),
		managed.WithTypedExternalConnector[*PolledImport](&connector{newAPI(o.api, o.token)}),
		// The id is the platform's, so nothing is there under the object's name.
		managed.WithInitializers(),
		managed.WithPollInterval(settings.PollInterval),
		managed.WithManagementPolicies())
	if err := ctrl.NewControllerManagedBy(mgr).Named("polledimports").
		WithOptions(settings.ForControllerRuntime()).
		WithEventFilter(resource.DesiredStateChanged()).
		For(&PolledImport{}).
		Complete(ratelimiter.NewReconciler("polledimports", reconciler, settings.GlobalRateLimiter)); err != nil {
		return err
	}
	return mgr.Start(ctx)
}
