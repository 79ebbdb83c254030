// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// build builds the manager with the mutant in it, and returns the path of the program. The
// changed files go into dir, and replace those of the checkout only for this build.
func (m *Mutant) build(ctx context.Context, dir string) (program string, err error) {
	dir = filepath.Join(dir, "mutant-"+m.Name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	files, err := m.Apply(".")
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for file, content := range files {
		changed := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(changed, content, 0o600); err != nil {
			return "", err
		}
		path, err := filepath.Abs(filepath.FromSlash(file))
		if err != nil {
			return "", err
		}
		replace[path] = changed
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		return "", err
	}
	program = filepath.Join(dir, "manager")
	output, err := local.Run(ctx, "go", append(os.Environ(), "CGO_ENABLED=0"), "build", "-trimpath", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".")
	if err != nil {
		return "", fmt.Errorf("build mutant %s: %w\n%s", m.Name, err, output)
	}
	return program, nil
}
