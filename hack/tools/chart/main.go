// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command chart makes what the Helm chart shares with the kustomizations of config/: its templates of
// the CRDs, of RBAC and of the admission policies, and its alerting rules and dashboards. It also copies
// the comments of values.yaml into values.schema.json.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

func main() {
	config := flag.String("config", "../../config", "the directory of the kustomizations")
	chart := flag.String("chart", "../../charts/integrator-operator", "the directory of the chart, which is written")
	flag.Parse()
	if err := run(*config, *chart); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(config, chart string) error {
	// A template whose source was removed must not stay.
	generated := filepath.Join(chart, "templates", "generated")
	if err := errors.Join(os.RemoveAll(generated), os.MkdirAll(generated, 0o755)); err != nil {
		return err
	}
	templates, err := crdTemplates(filepath.Join(config, "crd", "bases"))
	if err != nil {
		return err
	}
	others, err := objectTemplates(config)
	if err != nil {
		return err
	}
	for name, text := range others {
		templates[name] = text
	}
	for name, text := range templates {
		if err := write(filepath.Join(generated, name), text); err != nil {
			return err
		}
	}
	return errors.Join(copyRules(config, chart), copyDashboards(config, chart), describe(chart))
}

// eachFile does something with each file that a pattern names.
func eachFile(pattern string, do func(file string, content []byte) error) error {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := do(file, content); err != nil {
			return err
		}
	}
	return nil
}

// copyRules writes the groups of each PrometheusRule of config/prometheus. They are no templates: what
// stands in double braces is for Prometheus.
func copyRules(config, chart string) error {
	return eachFile(filepath.Join(config, "prometheus", "*.yaml"), func(file string, content []byte) error {
		var object struct {
			Kind string
			Spec yaml.Node
		}
		if err := yaml.Unmarshal(content, &object); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if object.Kind != "PrometheusRule" {
			return nil
		}
		var spec bytes.Buffer
		encoder := yaml.NewEncoder(&spec)
		encoder.SetIndent(2)
		if err := encoder.Encode(&object.Spec); err != nil {
			return err
		}
		return write(filepath.Join(chart, "files", "rules", filepath.Base(file)), spec.String())
	})
}

func copyDashboards(config, chart string) error {
	return eachFile(filepath.Join(config, "grafana", "*.json"), func(file string, content []byte) error {
		return write(filepath.Join(chart, "files", "dashboards", filepath.Base(file)), string(content))
	})
}

func write(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
