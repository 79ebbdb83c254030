// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command release makes what is given to users: the image of the manager, and all files of a release.
// It needs Go and git; a registry only where it pushes. Two runs of it give the same bytes.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/integrator-operator/integrator-operator/hack/release/assets"
	"github.com/integrator-operator/integrator-operator/hack/release/image"
	"github.com/integrator-operator/integrator-operator/hack/release/source"
)

const usage = `Usage:
  release image [flags] FILE     write the image as an OCI archive
  release push FILE NAME:TAG     push such an archive to a registry
  release all [flags] DIRECTORY  write all files of a release
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run does what the arguments say, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	o := assets.Options{Log: stderr}
	platforms := ""
	set := flag.NewFlagSet("release "+args[0], flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&o.Source, "source", ".", "Directory of the checkout.")
	set.StringVar(&o.Repository, "repository", "", "Name of the image, without a tag.")
	set.StringVar(&o.Stamp.Version, "version", "", "Version, such as v0.1.0; for an image by default one that is made of the commit.")
	set.StringVar(&o.Stamp.Commit, "commit", "", "Commit that the source is of, where there is no repository; its date is SOURCE_DATE_EPOCH.")
	set.StringVar(&platforms, "platforms", "", "Platforms, separated by commas; by default all of a release, and those with Linux for an image.")
	if err := set.Parse(args[1:]); err != nil {
		return 2
	}
	var err error
	switch {
	case args[0] == "image" && set.NArg() == 1:
		err = makeImage(ctx, o, platforms, set.Arg(0))
	case args[0] == "all" && set.NArg() == 1:
		err = makeRelease(ctx, o, platforms, set.Arg(0))
	case args[0] == "push" && set.NArg() == 2:
		err = push(ctx, set.Arg(0), set.Arg(1), stdout)
	default:
		fmt.Fprint(stderr, usage)
		return 2
	}
	if err != nil {
		fmt.Fprintf(stderr, "error: %v\n", err)
		return 1
	}
	return 0
}

// complete fills in what the flags left out.
func complete(ctx context.Context, o *assets.Options, platforms string) (err error) {
	if o.Repository == "" {
		return errors.New("--repository has to name the image")
	}
	if platforms == "" {
		o.Platforms = source.Released
	} else if o.Platforms, err = source.ParsePlatforms(platforms); err != nil {
		return err
	}
	if o.Authorities, err = authorities(); err != nil {
		return err
	}
	o.Stamp, err = source.Describe(ctx, o.Source, o.Stamp)
	return err
}

//go:embed go.mod
var goMod []byte

//go:embed go.sum
var goSum string

// authorities is the module that the certificate authorities of an image come from, as this program
// was built with it.
func authorities() (debug.Module, error) {
	file, err := modfile.ParseLax("go.mod", goMod, nil)
	if err != nil {
		return debug.Module{}, err
	}
	for _, required := range file.Require {
		if required.Mod.Path != image.RootsModule {
			continue
		}
		_, after, found := strings.Cut(goSum, required.Mod.Path+" "+required.Mod.Version+" ")
		sum, _, _ := strings.Cut(after, "\n")
		if found {
			return debug.Module{Path: required.Mod.Path, Version: required.Mod.Version, Sum: sum}, nil
		}
	}
	return debug.Module{}, fmt.Errorf("go.mod and go.sum do not have %s", image.RootsModule)
}

func makeImage(ctx context.Context, o assets.Options, platforms, file string) error {
	if platforms == "" {
		platforms = "linux/amd64,linux/arm64"
	}
	if err := complete(ctx, &o, platforms); err != nil {
		return err
	}
	if err := assets.WriteImage(ctx, o, file); err != nil {
		return err
	}
	fmt.Fprintf(o.Log, "%s in %s\n", o.Image(), file)
	return nil
}

func makeRelease(ctx context.Context, o assets.Options, platforms, dir string) error {
	if err := source.CheckVersion(o.Stamp.Version); err != nil {
		return err
	}
	if err := complete(ctx, &o, platforms); err != nil {
		return err
	}
	if err := source.CheckCommit(ctx, o.Source, o.Stamp); err != nil {
		return err
	}
	return assets.Release(ctx, o, dir)
}

func push(ctx context.Context, file, to string, stdout io.Writer) error {
	dir, err := os.MkdirTemp("", "integrator-push-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	index, err := image.Read(file, dir)
	if err != nil {
		return err
	}
	pushed, err := image.Push(ctx, index, to)
	if err == nil {
		fmt.Fprintln(stdout, pushed)
	}
	return err
}
