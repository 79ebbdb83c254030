// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// program is one executable of the control plane.
type program struct {
	name string // file name in the assets directory
	pkg  string // package it is built from, pinned as a tool in go.mod
}

// programs are in the order of building: etcd is small and shows at once that things
// work, and those after kube-apiserver share most of its packages.
var programs = []program{
	{"etcd", etcdModule},
	{"kube-apiserver", kubernetesModule + "/cmd/kube-apiserver"},
	{"kubectl", kubernetesModule + "/cmd/kubectl"},
	{"kube-controller-manager", kubernetesModule + "/cmd/kube-controller-manager"},
}

// envtestNames are the programs that envtest starts or calls.
var envtestNames = []string{"kube-apiserver", "etcd", "kubectl"}

// allNames returns the names of programs.
func allNames() []string {
	names := make([]string, 0, len(programs))
	for _, p := range programs {
		names = append(names, p.name)
	}
	return names
}

// buildArgs are the arguments of "go build" before -o and the package. The version is
// stamped the way the upstream release does it: the modules themselves carry none.
func buildArgs(kubernetesVersion string) []string {
	major, minor := majorMinor(kubernetesVersion)
	ldflags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, stamp := range [][2]string{
			{"gitVersion", kubernetesVersion},
			{"gitMajor", major},
			{"gitMinor", minor},
			{"gitCommit", ""},
			{"gitTreeState", "archive"},
		} {
			ldflags = append(ldflags, "-X "+pkg+"."+stamp[0]+"="+stamp[1])
		}
	}
	return []string{"build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", strings.Join(ldflags, " ")}
}

// majorMinor splits "v1.37.2" into "1" and "37".
func majorMinor(version string) (major, minor string) {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return "", ""
	}
	return parts[0], parts[1]
}

// buildInto builds every program and makes dir appear with all of them at once. The
// caller holds the lock. Interrupted, it leaves at most a work directory, which the
// next build removes; what was compiled stays in Go's own cache.
func buildInto(ctx context.Context, dir string, v versions) error {
	for _, left := range leftovers(dir) {
		if err := os.RemoveAll(left); err != nil {
			return fmt.Errorf("remove what an interrupted build left: %w", err)
		}
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+workSuffix)
	if err != nil {
		return fmt.Errorf("make a work directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // gone already when the build succeeds

	fmt.Fprintf(os.Stderr, "Building the control plane (Kubernetes %s, etcd %s) into %s\n", v.kubernetes, v.etcd, dir)
	fmt.Fprintln(os.Stderr, "This is done once per version; on two cores it takes up to ten minutes.")
	start := time.Now()
	for i, p := range programs {
		label := fmt.Sprintf("[%d/%d] %s", i+1, len(programs), p.name)
		if err := buildOne(ctx, label, p, filepath.Join(work, p.name), v); err != nil {
			return fmt.Errorf("build %s: %w", p.name, err)
		}
	}

	if err := os.Chmod(work, 0o755); err != nil {
		return fmt.Errorf("open the work directory to others: %w", err)
	}
	if err := os.Rename(work, dir); err != nil {
		return fmt.Errorf("put the finished directory in place: %w", err)
	}
	fmt.Fprintf(os.Stderr, "Control plane built in %s\n", time.Since(start).Round(time.Second))
	return nil
}

// workSuffix tells a work directory from a finished one.
const workSuffix = ".building-"

// leftovers are dir itself, if it is there but incomplete, and the work directories of
// builds that were killed: the lock is held, so nobody is at work in them.
func leftovers(dir string) []string {
	old, err := filepath.Glob(dir + workSuffix + "*")
	if err != nil { // only a malformed pattern: nothing to remove
		return []string{dir}
	}
	return append(old, dir)
}

// buildOne builds one program, showing its progress.
func buildOne(ctx context.Context, label string, p program, out string, v versions) error {
	args := append(buildArgs(v.kubernetes), "-o", out, p.pkg)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	// An interrupt lets the go command clean its temporary directory; a kill would not.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 20 * time.Second

	progress := newProgress(os.Stderr, label)
	cmd.Stderr = progress
	err := cmd.Run()
	progress.finish(err == nil)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		progress.showOutput()
		return fmt.Errorf("see the go command's messages above: %w", err)
	}
	return nil
}
