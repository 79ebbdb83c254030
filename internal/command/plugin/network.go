// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"flag"

	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/command"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// networkFlags are the flags of the commands that call the platform.
type networkFlags struct{ network command.Network }

func (f *networkFlags) register(set *pflag.FlagSet) {
	var network flag.FlagSet
	f.network.Register(&network)
	set.AddGoFlagSet(&network)
}

// hosts are those that an Account's baseURL may name.
func (f *networkFlags) hosts() []string { return command.List(f.network.AllowedHosts) }

// connect reads an Account of the cluster, and returns a client for it that makes no call that writes.
func (f *networkFlags) connect(ctx context.Context, cluster client.Reader, name client.ObjectKey) (*integrator.Client, *v1alpha1.Account, error) {
	network, err := f.network.Config()
	if err != nil {
		return nil, nil, err
	}
	network.ReadOnly = true
	account := &v1alpha1.Account{}
	remote, err := command.Connect(ctx, cluster, name, account, f.hosts(), network)
	return remote, account, err
}
