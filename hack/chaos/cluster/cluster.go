// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster runs a control plane of Kubernetes that sandboxes share, and takes it down.
package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
)

// managerUser is the manager's ServiceAccount.
const managerUser = "system:serviceaccount:" + local.OperatorNamespace + ":" + local.OperatorServiceAccount

// Options say what a cluster is made of.
type Options struct {
	// Assets is the directory of etcd, kube-apiserver and kubectl, Dir where data and logs go.
	Assets, Dir string
	// Manager is the program under test.
	Manager string
	// Ended is called when a part of the control plane ends unexpectedly.
	Ended func(error)
}

// Cluster is a control plane with the operator's resources installed.
type Cluster struct {
	Dir       string
	Plane     *local.ControlPlane
	Processes *local.Processes
	// Manager is the program under test, User who it is to Kubernetes.
	Manager, User string
	// Objects are as users see them.
	Objects client.WithWatch
}

// Start starts a control plane with all that "make deploy" installs, except the Deployment. A
// cluster is returned also with an error: its processes have to be stopped.
func Start(ctx context.Context, name string, o Options) (*Cluster, error) {
	dir := filepath.Join(o.Dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	c := &Cluster{Dir: dir, Manager: o.Manager, User: managerUser}
	// Managers end all the time: their sandboxes restart them.
	c.Processes = &local.Processes{Dir: dir, Ended: func(err error) {
		if name := endedName(err); filepath.Base(name) == name {
			o.Ended(err)
		}
	}}
	c.Plane = &local.ControlPlane{Assets: o.Assets, Dir: dir, Processes: c.Processes}
	if err := c.Plane.Start(ctx); err != nil {
		return c, err
	}
	var err error
	if c.Objects, err = client.NewWithWatch(c.Plane.Config, client.Options{Scheme: scheme.All()}); err != nil {
		return c, err
	}
	return c, c.Plane.InstallOperator(ctx)
}

// endedName is the name of the program that an error is about.
func endedName(err error) string {
	if ended, ok := errors.AsType[*local.EndedError](err); ok {
		return ended.Name
	}
	return ""
}
