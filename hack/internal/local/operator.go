// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Where the operator is installed, and its ServiceAccount.
const (
	OperatorNamespace      = "integrator-operator-system"
	OperatorServiceAccount = "integrator-operator-controller-manager"
)

// Kubectl runs the real kubectl as the cluster's administrator, and returns its output. The error
// of a command that fails names it.
func (c *ControlPlane) Kubectl(ctx context.Context, args ...string) (string, error) {
	// Neither the user's preferences for kubectl nor its cache of other clusters is used.
	env := append(os.Environ(), "KUBECONFIG="+c.Kubeconfig, "KUBECACHEDIR="+c.file("kubectl-cache"), "KUBERC=off")
	output, err := Run(ctx, filepath.Join(c.Assets, "kubectl"), env, args...)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, output)
	}
	return output, err
}

// InstallOperator installs what "make deploy" installs, without the Deployment. The working
// directory has to be the top of the checkout.
func (c *ControlPlane) InstallOperator(ctx context.Context) error {
	if _, err := c.Kubectl(ctx, "apply", "--server-side", "--validate=strict", "-k", "hack/internal/local/operator"); err != nil {
		return err
	}
	_, err := c.Kubectl(ctx, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
	return err
}
