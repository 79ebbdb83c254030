// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package runner starts what the demo needs: a Kubernetes control plane, the simulator and the
// manager. Scenarios use it to act on the cluster, to show what they do, and to check the result.
package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const (
	// Namespace is where the scenarios work, unless they say otherwise.
	Namespace = "default"
	// Samples is the directory of the sample manifests.
	Samples = "config/samples"
	// stopGrace is how long the programs have to end. The manager needs much less. etcd and
	// kube-apiserver would need longer to lose nothing, but their data is thrown away.
	stopGrace = time.Second
)

// Options are the files that a demo is made of.
type Options struct {
	// Assets is the directory of etcd, kube-apiserver, kube-controller-manager and kubectl.
	Assets string
	// Manager and Simulator are the two programs, Seed is the simulator's seed file.
	Manager, Simulator, Seed string
	// Metrics, if any, is the directory for what the manager serves as metrics over time.
	Metrics string
}

// Runner is the environment of the scenarios.
type Runner struct {
	Options Options
	// Dir is the directory of the demo's own files. Stop removes it.
	Dir       string
	Terminal  *Terminal
	Processes *local.Processes
	Plane     *local.ControlPlane
	Platform  *platform.Platform
	// Kubectl and Objects are there once Start has returned. Objects reads the operator's kinds.
	Kubectl *Kubectl
	Objects client.Client
	// metricsAddress is where the manager serves its metrics, if they are recorded.
	metricsAddress string
}

// New prepares a demo that prints to out. failed is called when one of its programs ends
// unexpectedly.
func New(options Options, out *os.File, failed func(error)) (*Runner, error) {
	if _, err := os.Stat(filepath.Join(Samples, "kustomization.yaml")); err != nil {
		return nil, fmt.Errorf("run it from the top of the checkout, as make demo does: %w", err)
	}
	if options.Assets == "" {
		return nil, errors.New("--assets is missing: make demo builds a control plane and passes its directory")
	}
	dir, err := os.MkdirTemp("", "integrator-demo-")
	if err != nil {
		return nil, err
	}
	r := &Runner{Options: options, Dir: dir, Terminal: NewTerminal(out)}
	r.Processes = &local.Processes{Dir: dir, Ended: failed}
	r.Plane = &local.ControlPlane{Assets: options.Assets, Dir: dir, Processes: r.Processes}
	r.Platform = &platform.Platform{Seed: options.Seed, Binary: options.Simulator, Processes: r.Processes}
	return r, nil
}

// Start starts everything.
func (r *Runner) Start(ctx context.Context) error {
	for _, step := range []struct {
		what string
		run  func(context.Context) error
	}{
		{"starting a Kubernetes control plane: etcd, kube-apiserver, kube-controller-manager", r.startPlane},
		{"starting the simulator of the integrator.io API", r.Platform.Start},
		{"installing the CRDs, the roles and the manager's ServiceAccount", r.Plane.InstallOperator},
		{"starting the manager with the rights of that ServiceAccount", r.startManager},
	} {
		r.Terminal.Explain("%s", step.what)
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// startPlane starts the control plane and makes its clients.
func (r *Runner) startPlane(ctx context.Context) error {
	if err := r.Plane.Start(ctx); err != nil {
		return err
	}
	if err := r.Plane.StartControllers(); err != nil {
		return err
	}
	if err := r.linkPlugin(); err != nil {
		return err
	}
	r.Kubectl = &Kubectl{plane: r.Plane, terminal: r.Terminal}
	scheme := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	var err error
	r.Objects, err = client.New(r.Plane.Config, client.Options{Scheme: scheme})
	return err
}

// Programs is the directory of the plug-in of kubectl.
func (r *Runner) Programs() string { return filepath.Join(r.Dir, "bin") }

// linkPlugin makes the manager the plug-in "kubectl integrator" of the programs that this one starts.
func (r *Runner) linkPlugin() error {
	manager, err := filepath.Abs(r.Options.Manager)
	if err != nil {
		return err
	}
	if err := os.Mkdir(r.Programs(), 0o700); err != nil {
		return err
	}
	if err := os.Symlink(manager, filepath.Join(r.Programs(), "kubectl-integrator")); err != nil {
		return err
	}
	return os.Setenv("PATH", r.Programs()+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// Stop ends all programs and removes their files.
func (r *Runner) Stop() error {
	r.Processes.Stop(stopGrace)
	return os.RemoveAll(r.Dir)
}

// Log is the end of a program's log.
type Log struct{ Program, Tail string }

// Logs returns the logs that may explain an error: the manager's, and that of a program that ended
// unexpectedly.
func (r *Runner) Logs(err error) []Log {
	programs := []string{"manager"}
	if ended, ok := errors.AsType[*local.EndedError](err); ok && ended.Name != "manager" {
		programs = append(programs, ended.Name)
	}
	logs := make([]Log, len(programs))
	for i, program := range programs {
		logs[i] = Log{Program: program, Tail: r.Processes.Tail(program, 25)}
	}
	return logs
}

// Key returns the key of an object in Namespace.
func Key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: Namespace, Name: name}
}
