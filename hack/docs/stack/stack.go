// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package stack is what the commands of the documentation are run against: a Kubernetes control plane, the
// simulator at the addresses of the real API, and the operator, which helm installs.
package stack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// Options are the programs and files that a stack is made of.
type Options struct {
	// Assets is the directory of etcd, kube-apiserver, kube-controller-manager and kubectl.
	Assets string
	// Manager and Helm are programs, Tools a directory with the other programs of a checkout.
	Manager, Helm string
	// Seed is the simulator's seed file.
	Seed string
}

// Stack is started once, for all pages.
type Stack struct {
	options Options
	// Dir is the directory of its files. Stop removes it.
	Dir       string
	processes *local.Processes
	plane     *local.ControlPlane
	remote    *remote

	readers  atomic.Int64
	running  *local.Process
	managers int
	// flags are those that the running manager has besides those of the Deployment.
	flags string
}

const (
	stopGrace = time.Second
	// The states of the manager besides one with flags.
	Running, Stopped = "running", "stopped"
)

// Start starts everything but the operator. failed is called when a program ends unexpectedly.
func Start(ctx context.Context, options Options, failed func(error)) (s *Stack, err error) {
	// Short: it has the socket of etcd.
	dir, err := os.MkdirTemp("", "docs-")
	if err != nil {
		return nil, err
	}
	s = &Stack{options: options, Dir: dir, processes: &local.Processes{Dir: dir, Ended: failed}}
	s.plane = &local.ControlPlane{Assets: options.Assets, Dir: dir, Processes: s.processes}
	if s.remote, err = newRemote(ctx, dir, options.Seed); err != nil {
		return s, err
	}
	if err := s.plane.Start(ctx); err != nil {
		return s, err
	}
	if err := s.plane.StartControllers(); err != nil {
		return s, err
	}
	return s, s.programs()
}

// Stop ends everything, and removes its files.
func (s *Stack) Stop() error {
	s.processes.Stop(stopGrace)
	return os.RemoveAll(s.Dir)
}

// programs makes the directory of the programs that a reader has. They reach the API through the proxy.
func (s *Stack) programs() error {
	if err := os.Mkdir(s.bin(), 0o700); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for name, program := range map[string]string{"helm": s.options.Helm, "platform": self} {
		if program, err = filepath.Abs(program); err != nil {
			return err
		}
		if err := os.Symlink(program, filepath.Join(s.bin(), name)); err != nil {
			return err
		}
	}
	manager, err := filepath.Abs(s.options.Manager)
	if err != nil {
		return err
	}
	kubectl, err := filepath.Abs(filepath.Join(s.options.Assets, "kubectl"))
	if err != nil {
		return err
	}
	for name, script := range map[string]string{
		"manager":            fmt.Sprintf("exec %s \"$@\" --https-proxy=%s", manager, s.remote.proxy),
		"kubectl-integrator": fmt.Sprintf(pluginScript, s.remote.proxy, manager),
		"kubectl":            fmt.Sprintf(kubectlScript, kubectl, s.logPattern()),
	} {
		if err := os.WriteFile(filepath.Join(s.bin(), name), []byte("#!/bin/bash\nset -euo pipefail\n"+script+"\n"), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// pluginScript is the plug-in. Not all of its commands call the API.
const pluginScript = `case "${1:-}" in
plan | diff | history | adopt | export | takeover | doctor) set -- "$@" --https-proxy=%s ;;
esac
exec %s kubectl "$@"`

// kubectlScript is kubectl, with a stand-in for the kubelet: the manager does not run in a pod, so what it
// logs is in a file. The Deployment that is named, or whose pods are selected, has to exist.
const kubectlScript = `kubectl=%s log=%s
for argument; do
	case "$argument" in -*|integrator-operator-system) continue ;; logs) ;; *) break ;; esac
	flags=()
	for argument; do
		case "$argument" in
		logs) ;;
		deployment/*) "$kubectl" -n integrator-operator-system get "$argument" >&2 >/dev/null ;;
		control-plane=*) "$kubectl" -n integrator-operator-system get deployments -o jsonpath='{..template.metadata.labels}' | grep -qF "\"control-plane\":\"${argument#*=}\"" ;;
		--tail=*) flags=(-n "${argument#*=}") ;;
		esac
	done
	cat $(ls -t $log) | tail "${flags[@]:--n+1}"
	exit
done
exec "$kubectl" "$@"`

func (s *Stack) bin() string { return filepath.Join(s.Dir, "bin") }

func (s *Stack) logPattern() string { return filepath.Join(s.Dir, "manager-*.log") }

// Environment is that of a reader's shell, whose kubeconfig is a file.
func (s *Stack) Environment(kubeconfig string) []string {
	drop := func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains([]string{"KUBECONFIG", "PATH", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "GOFLAGS"}, name)
	}
	return append(slices.DeleteFunc(os.Environ(), drop),
		"KUBECONFIG="+kubeconfig, "KUBERC=off", "KUBECACHEDIR="+filepath.Join(s.Dir, "kubectl-cache"),
		"HELM_CACHE_HOME="+filepath.Join(s.Dir, "helm-cache"), "HELM_CONFIG_HOME="+filepath.Join(s.Dir, "helm-config"), "HELM_DATA_HOME="+filepath.Join(s.Dir, "helm-data"),
		"KUBEBUILDER_ASSETS="+s.options.Assets,
		"PATH="+s.bin()+string(os.PathListSeparator)+os.Getenv("PATH"),
		"SSL_CERT_FILE="+s.remote.certificates, "NO_COLOR=1",
		"PLATFORM_API="+s.remote.api, "PLATFORM_ADMIN="+s.remote.admin)
}

// Install installs the operator as the README says, and starts it.
func (s *Stack) Install(ctx context.Context) error {
	reader, err := s.NewReader(ctx, "docs-install-operator")
	if err != nil {
		return err
	}
	if err := reader.Prepare(ctx, "install_operator"); err != nil {
		return err
	}
	return s.Manager(ctx, Running)
}

// Installed says whether the operator is installed.
func (s *Stack) Installed(ctx context.Context) (bool, error) {
	_, err := s.deployment(ctx)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

func (s *Stack) deployment(ctx context.Context) (*appsv1.Deployment, error) {
	return s.plane.Clients.AppsV1().Deployments(local.OperatorNamespace).Get(ctx, local.OperatorServiceAccount, metav1.GetOptions{})
}

// Manager makes the manager run with these flags, besides those of the Deployment, or stops it.
func (s *Stack) Manager(ctx context.Context, flags string) error {
	switch flags {
	case Stopped:
		return s.stopManager(ctx)
	case Running:
		flags = ""
	}
	if s.running != nil && s.flags == flags {
		return nil
	}
	if err := s.stopManager(ctx); err != nil {
		return err
	}
	return s.startManager(ctx, flags)
}

// startManager starts the manager of the Deployment, which calls the platform through the proxy.
func (s *Stack) startManager(ctx context.Context, flags string) error {
	deployment, err := s.deployment(ctx)
	if err != nil {
		return err
	}
	s.managers++
	started, ready, err := s.plane.StartDeployed(ctx, s.managerName(), s.options.Manager, deployment,
		[]string{"SSL_CERT_FILE=" + s.remote.certificates}, append([]string{"--https-proxy=" + s.remote.proxy}, strings.Fields(flags)...))
	if err != nil {
		return err
	}
	s.running, s.flags = started, flags
	return local.Await(ctx, local.Patience, "the manager to be ready", ready)
}

// stopManager ends the manager as a kubelet does, and its lease, so that the next one need not wait.
func (s *Stack) stopManager(ctx context.Context) error {
	if s.running == nil {
		return nil
	}
	s.running.Kill()
	s.running = nil
	return s.plane.Clients.CoordinationV1().Leases(local.OperatorNamespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
}

func (s *Stack) managerName() string { return fmt.Sprintf("manager-%03d", s.managers) }

// ManagerLog is the end of the log of the last manager, without the messages of its start.
func (s *Stack) ManagerLog() string {
	lines := strings.Split(strings.TrimSpace(s.processes.Log(s.managerName())), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, `"msg":"Starting `) })
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}
