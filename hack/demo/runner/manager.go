// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// startManager starts the manager with the rights of its ServiceAccount.
func (r *Runner) startManager(ctx context.Context) error {
	kubeconfig, err := r.Plane.OperatorKubeconfig(ctx)
	if err != nil {
		return err
	}
	api, err := url.Parse(r.Platform.API)
	if err != nil {
		return err
	}
	metrics, err := r.metricsArguments(ctx)
	if err != nil {
		return err
	}
	_, err = r.Processes.Start("manager", r.Options.Manager, append(os.Environ(), "KUBECONFIG="+kubeconfig),
		append(metrics, "--allow-http", "--allowed-api-hosts="+api.Host, "--health-probe-bind-address=0", "--zap-encoder=console")...)
	if err != nil || metrics == nil {
		return err
	}
	return r.recordMetrics(ctx)
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
