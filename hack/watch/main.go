// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command watch makes the dashboard of Grafana, and the picture of it in the documentation. The picture
// is drawn from the results of the dashboard's queries over what a manager served during the demo:
//
//	make manifests                            # makes the dashboard and the picture
//	make demo DEMO_FLAGS="--once --metrics=DIR"
//	cd hack/watch && go run . --record=DIR    # replaces what the picture is drawn from
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	dashboard := flag.String("dashboard", "../../config/grafana/integrator-operator.json", "the file for the dashboard")
	picture := flag.String("picture", "../../docs/images/dashboard.svg", "the file for the picture of the dashboard")
	samples := flag.String("samples", "testdata/demo.samples", "what the manager served during a demo")
	record := flag.String("record", "", "a directory of metrics that the demo recorded, to make the samples of first")
	flag.Parse()
	if err := run(*dashboard, *picture, *samples, *record); err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
}

func run(dashboard, picture, samples, recorded string) error {
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
	made, err := dashboardJSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(dashboard, made, 0o644); err != nil {
		return err
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
