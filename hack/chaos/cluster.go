// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// managerUser is the manager's ServiceAccount.
const managerUser = "system:serviceaccount:" + local.OperatorNamespace + ":" + local.OperatorServiceAccount

// cluster is a control plane that stages share.
type cluster struct {
	dir       string
	plane     *local.ControlPlane
	processes *local.Processes
	// manager is the program under test, user who it is to Kubernetes.
	manager, user string
	objects       client.Client
	watcher       client.WithWatch
}

// startCluster starts a control plane with all that "make deploy" installs, but for the
// Deployment.
func startCluster(ctx context.Context, name, dir, assets, manager string, ended func(error)) (*cluster, error) {
	dir = filepath.Join(dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, manager: manager, user: managerUser}
	// Managers end all the time, and their stages see to it.
	c.processes = &local.Processes{Dir: dir, Ended: func(err error) {
		if name := endedName(err); filepath.Base(name) == name {
			ended(err)
		}
	}}
	c.plane = &local.ControlPlane{Assets: assets, Dir: dir, Processes: c.processes}
	if err := c.plane.Start(ctx); err != nil {
		return c, err
	}
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	var err error
	if c.watcher, err = client.NewWithWatch(c.plane.Config, client.Options{Scheme: scheme}); err != nil {
		return c, err
	}
	c.objects = c.watcher
	return c, c.plane.InstallOperator(ctx)
}
