// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// Kubectl runs the real kubectl as the cluster's administrator.
type Kubectl struct {
	plane    *local.ControlPlane
	terminal *Terminal
}

// Show runs a command and shows it with its output. The error of a command that fails names it.
func (k *Kubectl) Show(ctx context.Context, args ...string) error {
	_, err := k.ShowOutput(ctx, args...)
	return err
}

// ShowOutput is Show, and returns the output as well.
func (k *Kubectl) ShowOutput(ctx context.Context, args ...string) (string, error) {
	k.terminal.Command("kubectl", args...)
	output, err := k.plane.Kubectl(ctx, args...)
	if err == nil {
		k.terminal.Output(output)
	}
	return output, err
}

// ShowExit is ShowOutput for a command that ends with an exit code.
func (k *Kubectl) ShowExit(ctx context.Context, code int, args ...string) (string, error) {
	k.terminal.Command("kubectl", args...)
	output, err := k.plane.Kubectl(ctx, args...)
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return output, fmt.Errorf("kubectl %s: expected the exit code %d\n%s", strings.Join(args, " "), code, output)
	case !ok || exit.ExitCode() != code:
		return output, err
	default:
		k.terminal.Output(output)
		return output, nil
	}
}

// Cell returns the cell of an object's row under a header of a table that kubectl printed, ""
// if there is none. The columns of such a table begin where their headers do.
func Cell(table, object, header string) string {
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
