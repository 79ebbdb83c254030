// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command demo shows the operator at work: it starts a Kubernetes control plane, the
// simulator of the integrator.io API and the manager, all for itself, and tells a story
// with the real kubectl. It checks every step of the story.
//
// It is run from the top of the checkout: make demo.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const (
	namespace = "default"
	samples   = "config/samples"
	// stopGrace is how long the programs have to end. The manager ends well within it; what
	// etcd and kube-apiserver would take longer for, to lose nothing, is thrown away.
	stopGrace = time.Second
)

type options struct {
	assets, manager, simulator, seed string
	once                             bool
}

// demo is all that the story needs.
type demo struct {
	options   options
	dir       string
	screen    *screen
	processes *local.Processes
	plane     *local.ControlPlane
	platform  *platform
	kubectl   *kubectl
	// objects reads the operator's kinds.
	objects client.Client
}

// errInterrupted is the cause of an end that the user asked for.
var errInterrupted = errors.New("interrupted")

func main() {
	var o options
	flag.StringVar(&o.assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "directory of etcd, kube-apiserver, kube-controller-manager and kubectl")
	flag.StringVar(&o.manager, "manager", "bin/manager", "the manager's program")
	flag.StringVar(&o.simulator, "simulator", "bin/simulator", "the simulator's program")
	flag.StringVar(&o.seed, "seed", "hack/simulator/demo.json", "what the simulated account holds at the start")
	flag.BoolVar(&o.once, "once", false, "check every step, then stop")
	flag.Parse()
	os.Exit(play(o))
}

// play runs the demo and returns the exit status.
func play(o options) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	d, err := newDemo(o, cancel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 1
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	go d.obey(signals, cancel)

	err = d.run(ctx)
	interrupted := errors.Is(context.Cause(ctx), errInterrupted)
	if err != nil && !interrupted {
		d.report(err)
	}
	if interrupted {
		d.screen.say("stopping")
	}
	d.processes.Stop(stopGrace)
	if removal := os.RemoveAll(d.dir); removal != nil {
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

func newDemo(o options, cancel context.CancelCauseFunc) (*demo, error) {
	if _, err := os.Stat(filepath.Join(samples, "kustomization.yaml")); err != nil {
		return nil, fmt.Errorf("run it from the top of the checkout, as make demo does: %w", err)
	}
	if o.assets == "" {
		return nil, errors.New("--assets is missing: make demo builds a control plane and passes its directory")
	}
	dir, err := os.MkdirTemp("", "integrator-demo-")
	if err != nil {
		return nil, err
	}
	d := &demo{options: o, dir: dir, screen: newScreen(os.Stdout)}
	d.processes = &local.Processes{Dir: dir, Ended: func(err error) { cancel(err) }}
	d.plane = &local.ControlPlane{Assets: o.assets, Dir: dir, Processes: d.processes}
	d.platform = &platform{seed: o.seed, binary: o.simulator, processes: d.processes}
	return d, nil
}

// report tells what went wrong, with the end of the logs that may tell why.
func (d *demo) report(err error) {
	fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
	logs := []string{"manager"}
	if ended, ok := errors.AsType[*local.EndedError](err); ok && ended.Name != "manager" {
		logs = append(logs, ended.Name)
	}
	for _, name := range logs {
		if log := d.processes.Tail(name, 25); log != "" {
			fmt.Fprintf(os.Stderr, "\nThe end of the log of %s:\n%s\n", name, log)
		}
	}
}

// obey ends the demo at the first signal, and at the second all that is left of it at
// once. A closed pipe is a signal too: somebody looked at the beginning only.
func (d *demo) obey(signals <-chan os.Signal, cancel context.CancelCauseFunc) {
	first := true
	for received := range signals {
		cancel(errInterrupted)
		if !first && received != syscall.SIGPIPE {
			d.processes.Signal(syscall.SIGKILL)
		}
		first = false
	}
}

// run starts everything and tells the story. Without --once it then stays until it is
// interrupted.
func (d *demo) run(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	if err := d.tell(ctx); err != nil {
		return err
	}
	if d.options.once {
		d.screen.say("every step was as expected")
		return nil
	}
	d.invite()
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, errInterrupted) {
		return cause
	}
	return nil
}

// start starts everything.
func (d *demo) start(ctx context.Context) error {
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"starting a Kubernetes control plane: etcd, kube-apiserver, kube-controller-manager", d.startPlane},
		{"starting the simulator of the integrator.io API", d.platform.start},
		{"installing the CRDs, the roles and the manager's ServiceAccount", d.plane.InstallOperator},
		{"starting the manager with the rights of that ServiceAccount", d.startManager},
	} {
		d.screen.say("%s", step.what)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// startPlane starts the control plane and makes what talks to it.
func (d *demo) startPlane(ctx context.Context) error {
	if err := d.plane.Start(ctx); err != nil {
		return err
	}
	if err := d.plane.StartControllers(); err != nil {
		return err
	}
	d.kubectl = &kubectl{plane: d.plane, screen: d.screen}
	scheme := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	var err error
	d.objects, err = client.New(d.plane.Config, client.Options{Scheme: scheme})
	return err
}

// invite says how to go on by oneself.
func (d *demo) invite() {
	fmt.Fprintf(d.screen.out, `
The demo stays up. In another terminal:

  export KUBECONFIG=%[1]s PATH="%[2]s:$PATH"
  kubectl get accounts,imports,importruns -A

Be Jane in the UI and delete an import; the operator makes it again:

  curl -X DELETE -H 'Authorization: Bearer %[3]s' -H 'X-Simulator-User: %[4]s' \
    %[5]s/v1/imports/$(kubectl get import orders-to-shop -o jsonpath='{.status.id}')

The simulator: API %[5]s, admin interface %[6]s (see internal/simulator/doc.go)
The logs:      %[7]s/*.log
Ctrl-C stops everything and removes it.
`, d.plane.Kubeconfig, d.options.assets, d.platform.production.token, jane, d.platform.api, d.platform.admin, d.dir)
}
