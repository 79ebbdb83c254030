// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command figures makes the tables and the charts of the documentation from the figures that the benchmark has
// written. The same figures always give the same files.
//
// It is run by make bench-record.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	file := flag.String("json", "", "file of the benchmark's figures")
	docs := flag.String("docs", "", "page whose tables are made anew, between their comments")
	charts := flag.String("charts", "", "directory of the charts")
	flag.Parse()
	if err := run(*file, *docs, *charts); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

func run(file, docs, charts string) error {
	record, err := readRecord(file)
	if err != nil {
		return err
	}
	if docs != "" {
		page, err := os.ReadFile(docs)
		if err != nil {
			return err
		}
		filled, err := fill(string(page), record)
		if err != nil {
			return fmt.Errorf("%s: %w", docs, err)
		}
		if err := os.WriteFile(docs, []byte(filled), 0o644); err != nil {
			return err
		}
	}
	if charts == "" {
		return nil
	}
	drawn, err := draw(record)
	if err != nil {
		return err
	}
	for name, svg := range drawn {
		if err := os.WriteFile(filepath.Join(charts, name), svg, 0o644); err != nil {
			return err
		}
	}
	return nil
}
