// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

const (
	kubernetesModule = "k8s.io/kubernetes"
	etcdModule       = "go.etcd.io/etcd/server/v3"
)

// versions is everything that decides what the built programs are.
type versions struct {
	kubernetes string // "v1.37.2"
	etcd       string // "v3.7.0"
	goVersion  string // "go1.26.8"
	platform   string // "linux-amd64"
	pins       string // hash of the module files and of the build flags, in hex
}

// readVersions asks the go command, in the directory of this module, for the versions
// that go.mod pins. It needs no network once the two modules' go.mod files are cached.
func readVersions(ctx context.Context) (versions, error) {
	var v versions
	out, err := goOutput(ctx, "list", "-m", "-f", "{{.Version}}", kubernetesModule, etcdModule)
	if err != nil {
		return v, err
	}
	if len(out) != 2 {
		return v, fmt.Errorf("expected the versions of %s and %s, the go command printed %q", kubernetesModule, etcdModule, out)
	}
	v.kubernetes, v.etcd = out[0], out[1]

	out, err = goOutput(ctx, "env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return v, err
	}
	if len(out) != 3 {
		return v, fmt.Errorf("expected version, system and architecture, the go command printed %q", out)
	}
	v.goVersion, v.platform = out[0], out[1]+"-"+out[2]

	sum := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(name)
		if err != nil {
			return v, fmt.Errorf("read the pinned versions: %w", err)
		}
		sum.Write(content)
	}
	fmt.Fprint(sum, buildArgs(v.kubernetes))
	v.pins = hex.EncodeToString(sum.Sum(nil))[:12]
	return v, nil
}

// key names the cache directory of these versions.
func (v versions) key() string {
	return strings.Join([]string{"k8s-" + v.kubernetes, "etcd-" + v.etcd, v.goVersion, v.platform, v.pins}, "_")
}

// goOutput runs the go command and returns the words it prints.
func goOutput(ctx context.Context, args ...string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out)), nil
}
