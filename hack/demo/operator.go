// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

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

// tokenSeconds is how long the manager's credential lasts; a demo may stay up.
const tokenSeconds = 30 * 24 * 3600

// startManager starts the manager with the credential of its ServiceAccount: what its
// ClusterRole forgets is forbidden to it here as on any cluster.
func (d *demo) startManager(ctx context.Context) error {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](tokenSeconds)}}
	granted, err := d.plane.Clients.CoreV1().ServiceAccounts(local.OperatorNamespace).CreateToken(ctx, local.OperatorServiceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("get a token for the manager's ServiceAccount: %w", err)
	}
	kubeconfig, err := d.plane.WriteKubeconfig("manager.kubeconfig", local.OperatorServiceAccount, granted.Status.Token)
	if err != nil {
		return err
	}
	api, err := url.Parse(d.platform.api)
	if err != nil {
		return err
	}
	_, err = d.processes.Start("manager", d.options.manager, append(os.Environ(), "KUBECONFIG="+kubeconfig),
		"--allow-http", "--allowed-api-hosts="+api.Host, "--health-probe-bind-address=0", "--zap-encoder=console")
	return err
}

// forbidden complains of every right that the manager missed.
func (d *demo) forbidden() error {
	for line := range strings.Lines(d.processes.Log("manager")) {
		if strings.Contains(line, "is forbidden") {
			return fmt.Errorf("the manager lacks a right: %s", line)
		}
	}
	return nil
}
