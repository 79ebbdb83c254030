// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command controlplane builds the programs of a Kubernetes control plane from their
// Go modules into a cache outside the checkout and prints the directory they are in.
// It is started by the script "build" beside it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// assetsVariable is where envtest looks for the programs.
const assetsVariable = "KUBEBUILDER_ASSETS"

func main() { os.Exit(run()) }

// run returns the exit status.
func run() int {
	callerDir := flag.String("caller-dir", ".", "directory that a relative "+assetsVariable+" is relative to")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	dir, err := assets(ctx, *callerDir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		return 1
	}
	fmt.Println(dir)
	return 0
}

// assets returns the directory that holds the programs: the one the environment
// names, or else the cached one, built first if it is missing.
func assets(ctx context.Context, callerDir string) (string, error) {
	if set := os.Getenv(assetsVariable); set != "" {
		if !filepath.IsAbs(set) {
			set = filepath.Join(callerDir, set)
		}
		return set, checkGiven(set)
	}

	v, err := readVersions(ctx)
	if err != nil {
		return "", err
	}
	root, err := cacheRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, v.key())
	if len(missing(dir, allNames())) == 0 {
		return dir, nil
	}

	if err := os.MkdirAll(root, 0o750); err != nil {
		return "", fmt.Errorf("make the cache directory: %w", err)
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if len(missing(dir, allNames())) == 0 { // built by someone else while this one waited
		return dir, nil
	}
	return dir, buildInto(ctx, dir, v)
}

// checkGiven reports, as an error, whether a directory named by the user holds what envtest starts.
// kube-controller-manager is not asked for: packaged envtest assets do not have it.
func checkGiven(dir string) error {
	if lacking := missing(dir, envtestNames); len(lacking) > 0 {
		return fmt.Errorf("%s is set to %s, which has no %s: unset it to have the programs built, or point it at a directory that has them",
			assetsVariable, dir, strings.Join(lacking, ", "))
	}
	return nil
}

// cacheRoot is the directory under which each version has a directory of its own.
func cacheRoot() (string, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if !filepath.IsAbs(base) { // the XDG specification has relative paths ignored
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no place for the cache, set XDG_CACHE_HOME or HOME: %w", err)
		}
		base = filepath.Join(home, ".cache")
	}
	return filepath.Join(base, "integrator-operator", "controlplane"), nil
}

// missing returns those of names that are not an executable file in dir.
func missing(dir string, names []string) []string {
	var lacking []string
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			lacking = append(lacking, name)
		}
	}
	return lacking
}
