// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	appsv1 "k8s.io/api/apps/v1"
)

// StartDeployed does what a kubelet would: it starts the manager with the arguments and the environment of
// its Deployment, as its ServiceAccount. What differs: the addresses, because other programs run on this
// machine too, the namespace of the lease, which a pod finds in a file, and the variables and arguments that
// are added. It returns the readiness probe too.
func (c *ControlPlane) StartDeployed(ctx context.Context, name, program string, deployment *appsv1.Deployment, env, args []string) (started *Process, ready func(context.Context) error, err error) {
	kubeconfig, err := c.OperatorKubeconfig(ctx)
	if err != nil {
		return nil, nil, err
	}
	probes, err := FreeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	container := deployment.Spec.Template.Spec.Containers[0]
	all := []string{"--leader-election-namespace=" + OperatorNamespace}
	for _, arg := range container.Args {
		switch arg {
		case "--health-probe-bind-address=:8081":
			arg = "--health-probe-bind-address=" + probes
		case "--metrics-bind-address=:8443":
			arg = "--metrics-bind-address=127.0.0.1:0"
		}
		all = append(all, arg)
	}
	env = append(append(os.Environ(), "KUBECONFIG="+kubeconfig), env...)
	for _, variable := range container.Env {
		env = append(env, variable.Name+"="+variable.Value)
	}
	if started, err = c.Processes.Start(name, program, env, append(all, args...)...); err != nil {
		return nil, nil, err
	}
	probe := "http://" + probes + container.ReadinessProbe.HTTPGet.Path
	return started, func(ctx context.Context) error {
		if err := answers(ctx, probe); err != nil {
			return fmt.Errorf("%w: %s", err, c.Processes.Tail(name, 3))
		}
		return nil
	}, nil
}

// answers asks an address, and returns an error unless the answer is 200.
func answers(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // nothing is read
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// FreeAddress is an address of this machine at which nobody listens now.
func FreeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
