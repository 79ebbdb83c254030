// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
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

// TestNoFigures: a table that was not measured says so, and is not left as it was. Another one is a mistake of the page.
func TestNoFigures(t *testing.T) {
	got, err := fill("<!-- figures: storm -->\nformer text\n<!-- /figures -->\n", &record{})
	if err != nil {
		t.Fatal(err)
	}
	want := "<!-- figures: storm -->\n\nNot part of this record: `make bench BENCH_FLAGS=--only=storm` measures it.\n\n<!-- /figures -->\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := fill("<!-- figures: storms -->\n<!-- /figures -->\n", &record{}); err == nil {
		t.Error("no error for a table that there is not")
	}
}

// TestDocumentation: the page and its charts are made of the figures beside them (make figures).
func TestDocumentation(t *testing.T) {
	const docs = "../../docs/"
	r, err := readRecord(docs + "performance.json")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(docs + "performance.md")
	if err != nil {
		t.Fatal(err)
	}
	filled, err := fill(string(page), r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(page), filled); diff != "" {
		t.Errorf("docs/performance.md: run make figures:\n%s", diff)
	}
	drawn, err := draw(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range regexp.MustCompile(`images/(performance-[a-z]+\.svg)`).FindAllStringSubmatch(string(page), -1) {
		if drawn[image[1]] == nil {
			t.Errorf("docs/performance.md shows %s, for which there are no figures", image[1])
		}
	}
	for name, svg := range drawn {
		shown, err := os.ReadFile(docs + "images/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(shown), string(svg)); diff != "" {
			t.Errorf("docs/images/%s: run make figures:\n%s", name, diff)
		}
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
