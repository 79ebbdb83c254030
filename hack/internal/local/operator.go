// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// Where the operator is installed, and its ServiceAccount.
const (
	OperatorNamespace      = "integrator-operator-system"
	OperatorServiceAccount = "integrator-operator-controller-manager"
)

// applyRetries is how often manifests are applied again that the API server did not take in time.
const applyRetries = 2

// tokenSeconds is how long the operator's token is valid. A demo may stay up for long.
const tokenSeconds = 30 * 24 * 3600

// OperatorKubeconfig writes a kubeconfig with a token of the operator's ServiceAccount, and returns its
// path. A right that is missing from its ClusterRole is missing here too, as on any cluster.
func (c *ControlPlane) OperatorKubeconfig(ctx context.Context) (string, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](tokenSeconds)}}
	granted, err := c.Clients.CoreV1().ServiceAccounts(OperatorNamespace).CreateToken(ctx, OperatorServiceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("get a token for the operator's ServiceAccount: %w", err)
	}
	return c.WriteKubeconfig("manager.kubeconfig", OperatorServiceAccount, granted.Status.Token)
}

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
	for retries := 0; ; retries++ {
		output, err := c.Kubectl(ctx, "apply", "--server-side", "--validate=strict", "-k", "hack/internal/local/operator")
		if err == nil {
			break
		}
		// The API server compiles each admission policy before it answers, and on a busy machine that takes
		// longer than a request may.
		if retries == applyRetries || !strings.Contains(output, "(Timeout)") {
			return err
		}
	}
	_, err := c.Kubectl(ctx, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
	return err
}
