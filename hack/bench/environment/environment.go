// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package environment is where a measurement is made: a control plane, the simulator and the manager,
// each a process of its own, and nothing of a measurement before.
package environment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/bench/meter"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
)

// Options are the programs that are measured, and those that this takes.
type Options struct {
	// Assets is the directory of etcd, kube-apiserver and kubectl.
	Assets string
	// Manager and Simulator are programs.
	Manager, Simulator string
	// Poller is the program of hack/poller, "" if there is none.
	Poller string
}

// Environment is all that runs for one measurement.
type Environment struct {
	Plane *local.ControlPlane
	// Objects are as users see them.
	Objects client.WithWatch
	// Flags are further flags of managers that are started.
	Flags []string

	options   Options
	dir       string
	processes *local.Processes
	// manager is the process that was started last.
	manager *local.Process
	// replaced is when a manager was killed or asked to end.
	replaced   time.Time
	api, admin string
	// profiles is where the manager serves its profiles.
	profiles string
}

// Programs of an environment, in the order in which a request passes them.
const (
	Manager   = "manager"
	Server    = "kube-apiserver"
	Etcd      = "etcd"
	Simulator = "simulator"
)

const (
	// managerLog is the log of all managers.
	managerLog = Manager
	// leaseAsked is what client-go logs when it begins to ask for a lease.
	leaseAsked = "Attempting to acquire leader lease"
)

// stopGrace is how long the programs have to end. Their data is thrown away.
const stopGrace = time.Second

// Start starts a control plane with all that "make deploy" installs except the Deployment, and the
// simulator. An environment is returned also with an error: it has to be stopped.
func Start(ctx context.Context, o Options, ended func(error)) (*Environment, error) {
	if o.Assets == "" {
		return nil, errors.New("--assets is missing: make bench builds a control plane and passes its directory")
	}
	dir, err := os.MkdirTemp("", "integrator-bench-")
	if err != nil {
		return nil, err
	}
	e := &Environment{options: o, dir: dir, processes: &local.Processes{Dir: dir, Ended: ended}}
	e.Plane = &local.ControlPlane{Assets: o.Assets, Dir: dir, Processes: e.processes}
	if err := e.Plane.Start(ctx); err != nil {
		return e, err
	}
	if err := e.Plane.InstallOperator(ctx); err != nil {
		return e, err
	}
	if e.Objects, err = client.NewWithWatch(e.Plane.Config, client.Options{Scheme: scheme.All()}); err != nil {
		return e, err
	}
	e.api, e.admin, err = e.processes.StartSimulator(ctx, o.Simulator, fmt.Sprint("--page-size=", PageSize))
	return e, err
}

// StartManager starts the manager as it is shipped, with the rights of its ServiceAccount. Others that were
// started go on: the last one waits for their lease.
func (e *Environment) StartManager(ctx context.Context) error {
	kubeconfig, err := e.Plane.OperatorKubeconfig(ctx)
	if err != nil {
		return err
	}
	api, err := url.Parse(e.api)
	if err != nil {
		return err
	}
	if e.profiles, err = local.FreeAddress(ctx); err != nil {
		return err
	}
	flags := append([]string{
		"--leader-elect", "--leader-election-namespace=" + local.OperatorNamespace, "--allow-http", "--allowed-api-hosts=" + api.Host,
		"--health-probe-bind-address=0", "--pprof-bind-address=" + e.profiles,
	}, e.Flags...)
	e.manager, err = e.processes.Start(managerLog, e.options.Manager, append(os.Environ(), "KUBECONFIG="+kubeconfig), flags...)
	return err
}

// Roll starts another manager, waits until it asks for the lease, and asks the one before it to end, as
// a rollout does.
func (e *Environment) Roll(ctx context.Context) (ended <-chan struct{}, err error) {
	former, asked := e.manager, strings.Count(e.processes.Log(managerLog), leaseAsked)
	if err := e.StartManager(ctx); err != nil {
		return nil, err
	}
	if err := local.Await(ctx, local.Patience, "the next manager to ask for the lease", func(context.Context) error {
		if n := strings.Count(e.processes.Log(managerLog), leaseAsked); n == asked {
			return errors.New("it has not asked")
		}
		return nil
	}); err != nil {
		return nil, err
	}
	e.replaced = time.Now()
	former.Terminate()
	return former.Done(), nil
}

// KillManager kills the manager.
func (e *Environment) KillManager() {
	e.replaced = time.Now()
	e.manager.Kill()
}

// Replaced is when a manager was killed or asked to end last.
func (e *Environment) Replaced() time.Time { return e.replaced }

// StopManager ends the manager as a rollout does, and returns when it has ended. One that has ended stays so.
func (e *Environment) StopManager() {
	e.replaced = time.Now()
	e.manager.Terminate()
	<-e.manager.Done()
}

// RestartManager ends the manager and starts another.
func (e *Environment) RestartManager(ctx context.Context) error {
	e.StopManager()
	return e.StartManager(ctx)
}

// Profile writes a profile of the manager into a file: "heap?gc=1" is of what is in use after a garbage
// collection.
func (e *Environment) Profile(ctx context.Context, name string) (file string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.profiles+"/debug/pprof/"+name, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the manager answers %s to the request for a profile", response.Status)
	}
	file = filepath.Join(e.dir, "profile")
	return file, os.WriteFile(file, content, 0o600)
}

// ManagerPID is the process id of the manager.
func (e *Environment) ManagerPID() int { return e.manager.PID() }

// Programs are the process ids of all programs by their names: Manager, Server, Etcd and Simulator.
func (e *Environment) Programs() map[string]int { return e.processes.PIDs() }

const (
	// idle is what the API server may take of a processor with nothing to do, and idleFor how long that is looked
	// at. On a busy machine it is the same.
	idle, idleFor = 0.15, time.Second
	// idleWithin is how long it may take until there is nothing to do.
	idleWithin = time.Minute
)

// Idle waits until the API server has nothing to do.
func (e *Environment) Idle(ctx context.Context) error {
	began := time.Now()
	for time.Since(began) < idleWithin {
		before, err := meter.CPU(e.Plane.ServerPID())
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(idleFor):
		}
		after, err := meter.CPU(e.Plane.ServerPID())
		if err != nil || float64(after-before) < idle*float64(idleFor) {
			return err
		}
	}
	return fmt.Errorf("the API server takes more than %g of a processor after %s with nothing to do", idle, idleWithin)
}

// Log is the end of the manager's log.
func (e *Environment) Log() string { return e.processes.Tail(managerLog, 25) }

// Stop ends all programs and removes their files.
func (e *Environment) Stop() error {
	e.processes.Stop(stopGrace)
	return os.RemoveAll(e.dir)
}

// kubernetesVersion is where the name of the directory of the control plane has its version.
var kubernetesVersion = regexp.MustCompile(`k8s-(v[0-9.]+)_`)

// Kubernetes is the version of the control plane in a directory, "unknown" if its name does not say it.
func Kubernetes(assets string) string {
	if match := kubernetesVersion.FindStringSubmatch(assets); match != nil {
		return match[1]
	}
	return "unknown"
}
