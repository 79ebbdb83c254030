// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
)

// ApplyFor applies a kustomization after connecting its Account to an account of the simulator,
// with a scan every 2 s, and shows the command.
func (r *Runner) ApplyFor(ctx context.Context, account *platform.Account, kustomization string) error {
	dir, err := overlay(kustomization, r.Dir, fmt.Sprintf(`patches:
- patch: |-
    apiVersion: integrator.io/v1alpha1
    kind: Account
    metadata: {name: default}
    spec: {baseURL: %q, scanInterval: 2s}
- patch: |-
    apiVersion: v1
    kind: Secret
    metadata: {name: integrator-token}
    stringData: {token: %q}
`, r.Platform.API, account.Token))
	if err != nil {
		return err
	}
	return r.Kubectl.Show(ctx, "apply", "--validate=strict", "-k", dir)
}

// overlay writes a kustomization that lays patches over a directory of manifests, and returns
// the overlay's directory, which lies in dir. Kustomize accepts relative paths only.
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
