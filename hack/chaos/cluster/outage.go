// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"time"
)

// downtime is how long a part of the control plane is down.
const downtime = 2 * time.Second

// Outage is what happens to the control plane while every scenario is played.
type Outage struct {
	Name string
	// Inject ends a part of it and starts it again on the same data; nil for a rollback.
	Inject func(context.Context, *Cluster) error
	// Rollback is true when etcd gets an older copy of its data once all scenarios are over, and
	// the managers are started again, as Kubernetes asks for when etcd is restored. The copy is
	// made when every scenario is about to make its write number CopyAt, from 0.
	Rollback bool
	CopyAt   int
}

// Outages are all of them, in the order of the report.
var Outages = []Outage{
	{Name: "apiserver-restarted", Inject: restartServer},
	{Name: "etcd-restarted", Inject: restartEtcd},
	{Name: "apiserver-restarted", Inject: restartServer},
	{Name: "etcd-restarted", Inject: restartEtcd},
	{Name: "etcd-rolled-back", Rollback: true, CopyAt: 0},
	{Name: "etcd-rolled-back", Rollback: true, CopyAt: 1},
	{Name: "etcd-rolled-back", Rollback: true, CopyAt: 2},
}

func restartServer(ctx context.Context, c *Cluster) error {
	c.Plane.KillServer()
	time.Sleep(downtime)
	return c.Plane.StartServer(ctx)
}

func restartEtcd(_ context.Context, c *Cluster) error {
	c.Plane.KillEtcd()
	time.Sleep(downtime)
	return c.Plane.StartEtcd()
}

// ReplaceData ends the control plane, has its data changed, and starts it again.
func (c *Cluster) ReplaceData(ctx context.Context, change func(data string) error) error {
	c.Plane.KillServer()
	c.Plane.KillEtcd()
	return errors.Join(change(c.Plane.EtcdData()), c.Plane.StartEtcd(), c.Plane.StartServer(ctx))
}
