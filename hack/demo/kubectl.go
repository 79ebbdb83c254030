// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// kubectl is the real kubectl, as the cluster's administrator.
type kubectl struct {
	plane  *local.ControlPlane
	screen *screen
}

// quiet runs a command and returns what it printed. A failure names the command.
func (k *kubectl) quiet(ctx context.Context, args ...string) (string, error) {
	return k.plane.Kubectl(ctx, args...)
}

// show runs a command and shows it with what it printed.
func (k *kubectl) show(ctx context.Context, args ...string) error {
	_, err := k.shown(ctx, args...)
	return err
}

// shown is show, and returns what the command printed.
func (k *kubectl) shown(ctx context.Context, args ...string) (string, error) {
	k.screen.command("kubectl", args...)
	output, err := k.quiet(ctx, args...)
	if err == nil {
		k.screen.output(output)
	}
	return output, err
}

// cell is what a table of kubectl says of an object under a header: "" where it says nothing.
// The columns of a table begin where their headers do.
func cell(table, object, header string) string {
	lines := strings.Split(table, "\n")
	start := strings.Index(" "+lines[0]+" ", " "+header+" ")
	if start < 0 {
		return ""
	}
	rest := lines[0][start+len(header):]
	end := len(lines[0]) - len(strings.TrimLeft(rest, " "))
	for _, line := range lines[1:] {
		if !strings.HasPrefix(line, object+" ") || len(line) < start {
			continue
		}
		if rest == "" || end > len(line) {
			end = len(line)
		}
		return strings.TrimSpace(line[start:end])
	}
	return ""
}

// overlay writes a kustomization that lays patches over a directory of manifests, and
// returns the overlay's directory. Kustomize knows relative paths alone.
func overlay(base, dir, patches string) (string, error) {
	from, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(base)
	if err != nil {
		return "", err
	}
	if to, err = filepath.EvalSymlinks(to); err != nil {
		return "", err
	}
	target := filepath.Join(from, filepath.Base(base))
	relative, err := filepath.Rel(target, to)
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(target, 0o700); err != nil {
		return "", err
	}
	content := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- " + relative + "\n" + patches
	return target, os.WriteFile(filepath.Join(target, "kustomization.yaml"), []byte(content), 0o600)
}
