// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// managerProcess is the manager's program, with its proxy to Kubernetes.
type managerProcess struct {
	proxy      *proxy.Proxy
	process    *local.Process
	kubeconfig string
	// restarts is how often it was started again.
	restarts int
}

const (
	// restartDelay is how long a manager that ended stays down.
	restartDelay = 500 * time.Millisecond
	// acceptTime is how long a proxy takes at most to accept a connection; the next process takes
	// longer to make its first.
	acceptTime = 20 * time.Millisecond
)

// identity is who the manager is to the API server: its ServiceAccount, with RBAC on.
func (s *Sandbox) identity() *rest.Config {
	as := rest.CopyConfig(s.cluster.Plane.Config)
	as.Impersonate.UserName = cmp.Or(s.User, s.cluster.User)
	return as
}

// addManager makes a proxy for another process, and starts it.
func (s *Sandbox) addManager() error {
	number := len(s.managers)
	filter := proxy.Filter(s.Noise)
	if number == 0 {
		filter = s.Noise.Behind(s.Other)
	}
	p, err := proxy.NewKubernetes(proxy.KubernetesOptions{Controller: s, Recorder: s.recorder, Filter: filter,
		Manager: number, Config: s.identity(), Namespace: s.Namespace, Selector: s.selector(), IgnoreForbidden: s.Outage})
	if err != nil {
		return err
	}
	m := &managerProcess{proxy: p, kubeconfig: filepath.Join(s.dir, fmt.Sprintf("manager-%d.kubeconfig", number))}
	config := clientcmdapi.NewConfig()
	config.Clusters["proxy"] = &clientcmdapi.Cluster{Server: "http://" + p.Address()}
	config.Contexts["proxy"] = &clientcmdapi.Context{Cluster: "proxy"}
	config.CurrentContext = "proxy"
	if err := clientcmd.WriteToFile(*config, m.kubeconfig); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.managers = append(s.managers, m)
	return s.startLocked(number)
}

// startLocked starts the program of a manager as it is shipped.
func (s *Sandbox) startLocked(number int) error {
	m := s.managers[number]
	args := []string{
		"--allow-http", "--allowed-api-hosts=" + s.remote.Address(), "--health-probe-bind-address=0",
		"--create-unconfirmed-timeout=" + s.CreateUnconfirmedTimeout.String(), "--zap-log-level=1", "--zap-encoder=console",
	}
	if s.MetricsAddress != "" {
		args = append(args, "--metrics-secure=false", "--metrics-bind-address="+s.MetricsAddress)
	}
	if s.Watches {
		args = append(args, "--watch-namespaces="+strings.Join(s.Namespaces(), ","))
	}
	if s.Shards {
		// The first one has what is new.
		args = append(args, "--watch-label-selector="+[]string{"!", ""}[number]+shardLabel, "--account-share=1/2")
	}
	if s.Election {
		args = append(args, "--leader-elect", "--leader-election-namespace="+s.Namespace)
	}
	process, err := s.cluster.Processes.Start(s.logName(number), cmp.Or(s.Program, s.cluster.Manager), append(os.Environ(), "KUBECONFIG="+m.kubeconfig), args...)
	if err != nil {
		return err
	}
	m.process = process
	go s.supervise(number, process)
	return nil
}

// shardLabel is the label of what the second of two managers has.
const shardLabel = "example.com/moved"

// Relabel gives an object to the second manager.
func (s *Sandbox) Relabel(ctx context.Context, object client.Object) error {
	return s.Objects.Patch(ctx, object, client.RawPatch(MergePatch, []byte(`{"metadata":{"labels":{"`+shardLabel+`":"yes"}}}`)))
}

// supervise starts a manager again that ended unexpectedly, as when it lost the lease: a cluster
// would do so too.
func (s *Sandbox) supervise(number int, process *local.Process) {
	<-process.Done()
	time.Sleep(restartDelay)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.managers[number].process == process {
		s.restartLocked(number)
	}
}

// restartLocked starts the next process of a manager.
func (s *Sandbox) restartLocked(number int) {
	s.managers[number].restarts++
	if err := s.startLocked(number); err != nil {
		s.failure = errors.Join(s.failure, err)
	}
}

// Restarts is how often the first manager was started again.
func (s *Sandbox) Restarts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.managers[0].restarts
}

// Managers is how many managers there are.
func (s *Sandbox) Managers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.managers)
}

// Kill ends a manager's process at once, and starts the next one.
func (s *Sandbox) Kill(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.managers[number].process.Kill()
	// What it has sent can still be read, also from connections that the proxy has yet to accept.
	time.Sleep(acceptTime)
	s.managers[number].proxy.Killed()
	if len(s.managers) == 1 {
		s.remote.Killed()
	}
	s.restartLocked(number)
}

// KillAfter gives a manager's process its last answer and kills it. What it writes in between does
// not arrive: on a busy machine that could be a claim, or a call.
func (s *Sandbox) KillAfter(number int, answer func()) {
	dead := make(chan struct{})
	defer close(dead)
	s.setDying(dead)
	defer s.setDying(nil)
	answer()
	s.Kill(number)
}

func (s *Sandbox) setDying(dead chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dying = dead
}

// Discard implements proxy.Controller.
func (s *Sandbox) Discard() bool {
	s.mu.Lock()
	dead := s.dying
	s.mu.Unlock()
	if dead == nil {
		return false
	}
	<-dead
	return true
}

// Terminate asks a manager's process to stop, as a rollout does. The next one is started once it has ended.
func (s *Sandbox) Terminate(number int) (ended <-chan struct{}) {
	s.mu.Lock()
	process := s.managers[number].process
	s.mu.Unlock()
	process.Signal(syscall.SIGTERM)
	return process.Done()
}

// Silence has Kubernetes answer a manager nothing until the returned function is called.
func (s *Sandbox) Silence(number int) (speak func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.managers[number].proxy.Silence()
}

// Freeze stops a manager's process where it is; thaw lets it go on.
func (s *Sandbox) Freeze(number int) { s.signal(number, syscall.SIGSTOP) }
func (s *Sandbox) thaw(number int)   { s.signal(number, syscall.SIGCONT) }

func (s *Sandbox) signal(number int, signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.managers[number].process.Signal(signal)
}

// WithoutManager does something while no manager runs.
func (s *Sandbox) WithoutManager(do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number, m := range s.managers {
		m.process.Kill()
		defer s.restartLocked(number)
	}
	return do()
}

// Log is what the managers printed.
func (s *Sandbox) Log() string {
	var all strings.Builder
	for i := range s.managers {
		all.WriteString(s.cluster.Processes.Log(s.logName(i)))
	}
	return all.String()
}
