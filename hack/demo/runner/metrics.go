// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// scrapeInterval is the time between two scrapes of the manager's metrics.
const scrapeInterval = 2 * time.Second

// metricsArguments are those with which the manager serves its metrics at a free port of this machine.
func (r *Runner) metricsArguments(ctx context.Context) ([]string, error) {
	if r.Options.Metrics == "" {
		return nil, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r.metricsAddress = listener.Addr().String()
	return []string{"--metrics-bind-address=" + r.metricsAddress, "--metrics-secure=false"}, listener.Close()
}

// recordMetrics scrapes the manager as Prometheus does, until ctx ends. Each scrape becomes a file of the
// directory, with the time in milliseconds as its name.
func (r *Runner) recordMetrics(ctx context.Context) error {
	if err := os.MkdirAll(r.Options.Metrics, 0o755); err != nil {
		return err
	}
	go func() {
		for tick := time.NewTicker(scrapeInterval); ; {
			// One that fails leaves a gap: the manager may not listen yet.
			_ = r.scrape(ctx)
			select {
			case <-tick.C:
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
	}()
	return nil
}

func (r *Runner) scrape(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.metricsAddress+"/metrics", nil)
	if err != nil {
		return err
	}
	at := time.Now().UnixMilli()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	return os.WriteFile(filepath.Join(r.Options.Metrics, fmt.Sprintf("%d.prom", at)), text, 0o644)
}
