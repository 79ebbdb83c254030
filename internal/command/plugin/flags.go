// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/command"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/plan"
)

// files are the flags that name manifests, as those of kubectl apply.
type files struct{ resource.FilenameOptions }

func (f *files) register(set *pflag.FlagSet) {
	set.StringSliceVarP(&f.Filenames, "filename", "f", nil, "Files, folders or URLs with manifests; - is standard input. May be given several times.")
	set.StringVarP(&f.Kustomize, "kustomize", "k", "", "A folder with a kustomization.")
	set.BoolVarP(&f.Recursive, "recursive", "R", false, "Read folders with all folders in them.")
}

// read reads the manifests. It fails with everything that cannot be read.
func (f *files) read(in io.Reader) ([]plan.Manifest, error) {
	if len(f.Filenames) == 0 && f.Kustomize == "" {
		return nil, errors.New("name the manifests with -f or -k")
	}
	builder := resource.NewLocalBuilder().Unstructured().Local().ContinueOnError()
	options := f.FilenameOptions
	options.Filenames = nil
	for _, name := range f.Filenames {
		if name == "-" {
			builder = builder.Stream(in, "standard input")
			continue
		}
		options.Filenames = append(options.Filenames, name)
	}
	if len(options.Filenames) > 0 || options.Kustomize != "" {
		builder = builder.FilenameParam(false, &options)
	}
	infos, err := builder.Flatten().Do().Infos()
	if err != nil {
		return nil, fmt.Errorf("read the manifests: %w", utilerrors.Reduce(err))
	}
	var manifests []plan.Manifest
	for _, info := range infos {
		object, ok := info.Object.(*unstructured.Unstructured)
		if !ok {
			return nil, fmt.Errorf("%s: %T is no manifest", info.Source, info.Object)
		}
		manifests = append(manifests, plan.Manifest{Object: object, Source: info.Source})
	}
	return manifests, nil
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

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

// connector is connect for the Accounts of one cluster.
func (f *networkFlags) connector(cluster client.Reader) func(context.Context, client.ObjectKey) (*integrator.Client, *v1alpha1.Account, error) {
	return func(ctx context.Context, name client.ObjectKey) (*integrator.Client, *v1alpha1.Account, error) {
		return f.connect(ctx, cluster, name)
	}
}
