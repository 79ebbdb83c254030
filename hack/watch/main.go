// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command watch makes the dashboards of Grafana, and the picture of the first in the documentation. The picture
// is drawn from the results of the dashboard's queries over what a manager served during the demo:
//
//	make manifests                            # makes the dashboards and the picture
//	make demo DEMO_FLAGS="--once --metrics=DIR"
//	cd hack/watch && go run . --record=DIR    # replaces what the picture is drawn from
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dashboards := flag.String("dashboards", "../../config/grafana", "the directory for the dashboards")
	picture := flag.String("picture", "../../docs/images/dashboard.svg", "the file for the picture of the dashboard")
	samples := flag.String("samples", "testdata/demo.samples", "what the manager served during a demo")
	record := flag.String("record", "", "a directory of metrics that the demo recorded, to make the samples of first")
	flag.Parse()
	if err := run(*dashboards, *picture, *samples, *record); err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
}

func run(dashboards, picture, samples, recorded string) error {
	if recorded != "" {
		used, err := usedMetrics()
		if err != nil {
			return err
		}
		made, err := readScrapes(recorded, used)
		if err != nil {
			return err
		}
		if err := os.WriteFile(samples, made.format(), 0o644); err != nil {
			return err
		}
	}
	for name, board := range boards {
		made, err := board.json()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dashboards, name), made, 0o644); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(samples)
	if err != nil {
		return err
	}
	drawn, err := draw(text)
	if err != nil {
		return err
	}
	return os.WriteFile(picture, drawn, 0o644)
}
