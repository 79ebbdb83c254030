// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command dockerfile checks Dockerfiles with the rules of BuildKit, those that
// "docker build --check" applies, without a daemon or a registry.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	digest "github.com/opencontainers/go-digest"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: dockerfile FILE...")
		os.Exit(2)
	}
	status := 0
	for _, path := range os.Args[1:] {
		ok, err := check(context.Background(), path)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
		}
		if err != nil || !ok {
			status = 1
		}
	}
	os.Exit(status)
}

// check prints what is wrong with the Dockerfile at path and reports whether nothing is.
func check(ctx context.Context, path string) (ok bool, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	source := llb.NewSourceMap(nil, path, "Dockerfile", content)
	source.Definition = &llb.Definition{} // the results copy it, and do not take nil
	results, err := dockerfile2llb.DockerfileLint(ctx, content, dockerfile2llb.ConvertOpt{
		MetaResolver: bareImages{},
		SourceMap:    source,
	})
	if err != nil {
		return false, err
	}
	if err := results.PrintTo(os.Stdout, nil); err != nil {
		return false, err
	}
	results.PrintErrorTo(os.Stdout, nil)
	return len(results.Warnings) == 0 && results.Error == nil, nil
}

// bareImages answers for every base image that it sets nothing: the rules are about
// the Dockerfile, and a check must give the same result without a network.
type bareImages struct{}

// ResolveImageConfig returns an empty image configuration.
func (bareImages) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, "", []byte("{}"), nil
}
