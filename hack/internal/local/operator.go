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

// Where the operator is installed, and as whom it works.
const (
	OperatorNamespace      = "integrator-operator-system"
	OperatorServiceAccount = "integrator-operator-controller-manager"
)

// Kubectl runs the real kubectl as the cluster's administrator, and returns what it printed. A
// failure names the command.
func (c *ControlPlane) Kubectl(ctx context.Context, args ...string) (string, error) {
	// Neither what the user set up for kubectl nor what other clusters left counts here.
	env := append(os.Environ(), "KUBECONFIG="+c.Kubeconfig, "KUBECACHEDIR="+c.file("kubectl-cache"), "KUBERC=off")
	output, err := Run(ctx, filepath.Join(c.Assets, "kubectl"), env, args...)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, output)
	}
	return output, err
}

// InstallOperator installs what "make deploy" installs, but for the Deployment. It is run from
// the top of the checkout.
func (c *ControlPlane) InstallOperator(ctx context.Context) error {
	if _, err := c.Kubectl(ctx, "apply", "--server-side", "--validate=strict", "-k", "hack/demo/operator"); err != nil {
		return err
	}
	_, err := c.Kubectl(ctx, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
	return err
}
