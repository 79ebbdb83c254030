// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/resource"

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
