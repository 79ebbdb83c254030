// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// tokenSeconds is how long the manager's token is valid. A demo may stay up for long.
const tokenSeconds = 30 * 24 * 3600

// startManager starts the manager with the token of its ServiceAccount. A right that is missing
// from its ClusterRole is missing here too, as on any cluster.
func (r *Runner) startManager(ctx context.Context) error {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](tokenSeconds)}}
	granted, err := r.Plane.Clients.CoreV1().ServiceAccounts(local.OperatorNamespace).CreateToken(ctx, local.OperatorServiceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("get a token for the manager's ServiceAccount: %w", err)
	}
	kubeconfig, err := r.Plane.WriteKubeconfig("manager.kubeconfig", local.OperatorServiceAccount, granted.Status.Token)
	if err != nil {
		return err
	}
	api, err := url.Parse(r.Platform.API)
	if err != nil {
		return err
	}
	_, err = r.Processes.Start("manager", r.Options.Manager, append(os.Environ(), "KUBECONFIG="+kubeconfig),
		"--allow-http", "--allowed-api-hosts="+api.Host, "--health-probe-bind-address=0", "--zap-encoder=console")
	return err
}

// CheckRights returns an error if the manager was refused something by the API server.
func (r *Runner) CheckRights() error {
	for line := range strings.Lines(r.Processes.Log("manager")) {
		if strings.Contains(line, "is forbidden") {
			return fmt.Errorf("the manager lacks a right: %s", line)
		}
	}
	return nil
}
