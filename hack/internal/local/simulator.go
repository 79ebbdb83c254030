// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// StartSimulator starts the simulator's program, and returns the base URLs of its API and of its admin
// interface once it serves.
func (p *Processes) StartSimulator(ctx context.Context, program string, args ...string) (api, admin string, err error) {
	args = append([]string{"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"}, args...)
	if _, err := p.Start("simulator", program, os.Environ(), args...); err != nil {
		return "", "", err
	}
	err = Await(ctx, Patience, "the simulator to print its URLs", func(context.Context) error {
		log := p.Log("simulator")
		for line := range strings.Lines(log) {
			name, url, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch name {
			case "api":
				api = url
			case "admin":
				admin = url
			}
		}
		if api == "" || admin == "" {
			return fmt.Errorf("%q", log)
		}
		return nil
	})
	return api, admin, err
}
