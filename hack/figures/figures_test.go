// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is made into testdata")

// TestPageAndCharts: the same figures give the same page and the same charts.
func TestPageAndCharts(t *testing.T) {
	r, err := readRecord("testdata/record.json")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("testdata/page.md")
	if err != nil {
		t.Fatal(err)
	}
	filled, err := fill(string(page), r)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "filled.md", []byte(filled))
	again, err := fill(filled, r)
	if err != nil || again != filled {
		t.Errorf("a page that was filled is changed again: %v", err)
	}
	drawn, err := draw(r)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(drawn)), []string{"performance-knee.svg", "performance-operations.svg", "performance-poller.svg"}; !slices.Equal(got, want) {
		t.Errorf("charts %v, want %v", got, want)
	}
	for name, svg := range drawn {
		compare(t, name, svg)
	}
}

// TestNoFigures: a table is not shown empty, nor left as it was.
func TestNoFigures(t *testing.T) {
	if _, err := fill("<!-- figures: storm -->\n<!-- /figures -->\n", &record{}); err == nil {
		t.Error("no error for a table without figures")
	}
}

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s:\n%s", name, diff)
	}
}
