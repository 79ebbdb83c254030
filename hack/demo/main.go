// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command demo shows the operator at work. It starts a Kubernetes control plane, the simulator of
// the integrator.io API and the manager, all for itself, and runs scenarios with the real
// kubectl. Every step of a scenario is checked.
//
// Run it from the top of the checkout: make demo.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
	"github.com/integrator-operator/integrator-operator/hack/demo/scenario"
)

// errInterrupted is the cause of an end that the user asked for.
var errInterrupted = errors.New("interrupted")

func main() {
	var options runner.Options
	flag.StringVar(&options.Assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "directory of etcd, kube-apiserver, kube-controller-manager and kubectl")
	flag.StringVar(&options.Manager, "manager", "bin/manager", "the manager's program")
	flag.StringVar(&options.Simulator, "simulator", "bin/simulator", "the simulator's program")
	flag.StringVar(&options.Seed, "seed", "hack/simulator/demo.json", "what the simulated accounts hold at the start")
	flag.StringVar(&options.Metrics, "metrics", "", "directory to record the manager's metrics in, for hack/watch")
	once := flag.Bool("once", false, "run the scenarios, then stop")
	flag.Parse()
	os.Exit(demo(options, *once))
}

// demo runs the demo and returns the exit status.
func demo(options runner.Options, once bool) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	r, err := runner.New(options, os.Stdout, cancel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 1
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	go stopOnSignal(signals, r, cancel)

	err = run(ctx, r, once)
	interrupted := errors.Is(context.Cause(ctx), errInterrupted)
	if err != nil && !interrupted {
		report(os.Stderr, r, err)
	}
	if interrupted {
		r.Terminal.Explain("stopping")
	}
	if removal := r.Stop(); removal != nil {
		fmt.Fprintln(os.Stderr, "demo:", removal)
	}
	switch {
	case err == nil:
		return 0
	case interrupted:
		return 130
	default:
		return 1
	}
}

// report prints an error with the end of the logs that may explain it.
func report(out io.Writer, r *runner.Runner, err error) {
	fmt.Fprintf(out, "\ndemo: %v\n", err)
	for _, log := range r.Logs(err) {
		if log.Tail != "" {
			fmt.Fprintf(out, "\nThe end of the log of %s:\n%s\n", log.Program, log.Tail)
		}
	}
}

// stopOnSignal ends the demo at the first signal. At the second it kills every program at once,
// unless that is a SIGPIPE: somebody read only the beginning of the output.
func stopOnSignal(signals <-chan os.Signal, r *runner.Runner, cancel context.CancelCauseFunc) {
	first := true
	for received := range signals {
		cancel(errInterrupted)
		if !first && received != syscall.SIGPIPE {
			r.Processes.Signal(syscall.SIGKILL)
		}
		first = false
	}
}

// run starts everything and runs the scenarios. Unless once is set, it then waits until it is
// interrupted.
func run(ctx context.Context, r *runner.Runner, once bool) error {
	if err := r.Start(ctx); err != nil {
		return err
	}
	if err := scenario.Run(ctx, r); err != nil {
		return err
	}
	if once {
		r.Terminal.Explain("every step was as expected")
		return nil
	}
	printInvitation(os.Stdout, r)
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, errInterrupted) {
		return cause
	}
	return nil
}

// printInvitation explains how to try more by hand.
func printInvitation(out io.Writer, r *runner.Runner) {
	fmt.Fprintf(out, `
The demo stays up. In another terminal:

  export KUBECONFIG=%[1]s PATH="%[8]s:%[2]s:$PATH"
  kubectl get accounts,imports,importruns -A
  kubectl integrator status --all

It ends with 2, because a run of the demo failed as it should. Commands that call the platform need the address, such as

  kubectl integrator export --allowed-api-hosts=%[9]s --allow-http

"A first import" of the README, with an account of the simulator. Paste this, and continue there with the Import:

kubectl create namespace first
kubectl config set-context --current --namespace=first
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Secret
metadata: {name: integrator-token}
stringData: {token: %[3]s}
---
apiVersion: integrator.io/v1alpha1
kind: Account
metadata: {name: default}
spec:
  baseURL: %[5]s
  tokenSecretRef: {name: integrator-token}
  aliases: {shop: 5e8c41d29a7f3b0012ab77e1}
  scanInterval: 2s
YAML

Be Jane in the UI and delete an import; the operator makes it again:

  curl -X DELETE -H 'Authorization: Bearer %[3]s' -H 'X-Simulator-User: %[4]s' \
    %[5]s/v1/imports/$(kubectl -n default get import orders-to-shop -o jsonpath='{.status.id}')

The simulator: API %[5]s, admin interface %[6]s (see internal/simulator/doc.go)
The logs:      %[7]s/*.log
Ctrl-C stops everything and removes it.
`, r.Plane.Kubeconfig, r.Options.Assets, r.Platform.Production.Token, platform.Jane, r.Platform.API, r.Platform.Admin, r.Dir, r.Programs(), strings.TrimPrefix(r.Platform.API, "http://"))
}
