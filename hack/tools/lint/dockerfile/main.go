// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command dockerfile checks Dockerfiles with the rules of BuildKit, those that
// "docker build --check" applies, without a daemon or a registry. With --pinned, it checks instead
// that each image is named by its digest, so that a tag which is moved changes nothing.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	digest "github.com/opencontainers/go-digest"
)

func main() {
	pinned := flag.Bool("pinned", false, "Check that each image is named by its digest.")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: dockerfile [--pinned] FILE...")
		os.Exit(2)
	}
	verify := check
	if *pinned {
		verify = checkPinned
	}
	status := 0
	for _, path := range flag.Args() {
		ok, err := verify(context.Background(), path)
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

// checkPinned prints the images of the Dockerfile at path that no digest names, and reports whether
// there are none.
func checkPinned(_ context.Context, path string) (ok bool, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	parsed, err := parser.Parse(bytes.NewReader(content))
	if err != nil {
		return false, err
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return false, err
	}
	var images []string
	if syntax, _, _, found := parser.DetectSyntax(content); found {
		images = append(images, syntax)
	}
	made := map[string]bool{"scratch": true}
	for _, stage := range stages {
		if !made[stage.BaseName] {
			images = append(images, stage.BaseName)
		}
		made[stage.Name] = true
	}
	ok = true
	for _, image := range images {
		if !digested.MatchString(image) {
			ok = false
			fmt.Printf("%s: %s has no digest: run \"make pin-images\" where the registry can be reached\n", path, image)
		}
	}
	return ok, nil
}

var digested = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// bareImages answers for every base image that it sets nothing: the rules are about
// the Dockerfile, and a check must give the same result without a network.
type bareImages struct{}

// ResolveImageConfig returns an empty image configuration.
func (bareImages) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, "", []byte("{}"), nil
}
