// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// The namespaces, each with an account of the same name.
const (
	adopted = "adopted"
	copied  = "copied"
	pasted  = "pasted"
)

var ways = []string{adopted, copied, pasted}

const (
	requestsPerSecond = 300
	// noLimit is the rate of the simulator: the operator shares it with this program.
	noLimit = 100_000
	// scanInterval is the longest time until the operator notices a change.
	scanInterval = "10s"
	stopGrace    = time.Second
)

// environment is a control plane, the simulator and the manager, each a process of its own.
type environment struct {
	options   options
	dir       string
	processes *local.Processes
	plane     *local.ControlPlane
	// objects writes, seen reads what a watch has brought.
	objects    client.Client
	seen       cache.Cache
	api, admin string
}

// start starts all programs. An environment is returned also with an error: it has to be stopped.
func start(ctx context.Context, o options, ended func(error)) (*environment, error) {
	if o.assets == "" {
		return nil, errors.New("--assets is missing: make corpus builds a control plane and passes its directory")
	}
	dir, err := os.MkdirTemp("", "integrator-corpus-")
	if err != nil {
		return nil, err
	}
	e := &environment{options: o, dir: dir, processes: &local.Processes{Dir: dir, Ended: ended}}
	e.plane = &local.ControlPlane{Assets: o.assets, Dir: dir, Processes: e.processes}
	if err := e.plane.Start(ctx); err != nil {
		return e, err
	}
	if err := e.plane.InstallOperator(ctx); err != nil {
		return e, err
	}
	if e.api, e.admin, err = e.processes.StartSimulator(ctx, o.simulator,
		"--page-size=500", fmt.Sprint("--rate=", noLimit), fmt.Sprint("--burst=", noLimit)); err != nil {
		return e, err
	}
	if err := e.connect(ctx); err != nil {
		return e, err
	}
	return e, e.startManager(ctx)
}

func (e *environment) connect(ctx context.Context) (err error) {
	if e.objects, err = client.New(e.plane.Config, client.Options{Scheme: scheme.All()}); err != nil {
		return err
	}
	if e.seen, err = cache.New(e.plane.Config, cache.Options{Scheme: scheme.All()}); err != nil {
		return err
	}
	go func() { _ = e.seen.Start(ctx) }() // it ends with ctx
	_, err = e.seen.GetInformer(ctx, &v1alpha1.Import{})
	return err
}

func (e *environment) startManager(ctx context.Context) error {
	kubeconfig, err := e.plane.OperatorKubeconfig(ctx)
	if err != nil {
		return err
	}
	_, err = e.processes.Start("manager", e.options.manager, append(os.Environ(), "KUBECONFIG="+kubeconfig),
		append(e.hosts(), "--health-probe-bind-address=0", "--zap-log-level=error")...)
	return err
}

// hosts are the flags that permit the simulator.
func (e *environment) hosts() []string {
	api, err := url.Parse(e.api)
	if err != nil {
		return nil
	}
	return []string{"--allow-http", "--allowed-api-hosts=" + api.Host}
}

// addAccount makes an account of the platform, a namespace, and the Account in it.
func (e *environment) addAccount(ctx context.Context, name string, connections []simulator.Connection) error {
	spec := simulator.AccountSpec{Name: name, Tokens: []simulator.Token{{Token: tokenOf(name)}}, Connections: connections}
	if err := local.CallSimulator(ctx, http.MethodPost, e.admin+"/accounts", nil, spec, nil); err != nil {
		return err
	}
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "token"}, StringData: map[string]string{"token": tokenOf(name)}},
		&v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "default"}, Spec: v1alpha1.AccountSpec{
			BaseURL: e.api, TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token"}, RequestsPerSecond: requestsPerSecond, ScanInterval: scanInterval,
		}},
	} {
		if err := e.objects.Create(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

func tokenOf(account string) string { return "token-of-" + account }

// imports are the Imports of a namespace, by name.
func (e *environment) imports(ctx context.Context, namespace string) (map[string]*v1alpha1.Import, error) {
	var list v1alpha1.ImportList
	if err := e.seen.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	byName := make(map[string]*v1alpha1.Import, len(list.Items))
	for i := range list.Items {
		byName[list.Items[i].Name] = &list.Items[i]
	}
	return byName, nil
}

func (e *environment) log() string { return e.processes.Tail("manager", 25) }

// stop ends all programs and removes their files.
func (e *environment) stop() error {
	e.processes.Stop(stopGrace)
	return os.RemoveAll(e.dir)
}
