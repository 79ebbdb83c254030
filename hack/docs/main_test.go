// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/hack/docs/page"
)

// TestPages reads all pages, so that a comment that is misspelt is found without a cluster.
func TestPages(t *testing.T) {
	t.Chdir("../..")
	files, err := pagesToRun("")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(last, names(files[len(files)-len(last):])); diff != "" || files[0] != "README.md" {
		t.Errorf("the README is not the first page, or these are not the last: -want, +got\n%s", diff)
	}
	pages, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	run := 0
	for _, p := range pages {
		if _, err := os.Stat(p.file); err != nil {
			t.Error(err)
		}
		for _, block := range p.blocks {
			run += len(block.Commands)
		}
	}
	if run == 0 {
		t.Error("no page has commands")
	}
	if _, err := pagesToRun("README,nothing"); err == nil {
		t.Error("a page that does not exist is not refused")
	}
}

func TestBatches(t *testing.T) {
	plain := func(name string) pageFile { return pageFile{file: name, blocks: []page.Block{{}}} }
	moving := func(name string) pageFile {
		return pageFile{file: name, blocks: []page.Block{{}, {Before: []page.Step{{Script: "lost"}, {Manager: "stopped"}}}}}
	}
	var got [][]string
	for _, batch := range batches([]pageFile{moving("a"), plain("b"), plain("c"), moving("d"), moving("e"), plain("f")}) {
		var files []string
		for _, p := range batch {
			files = append(files, p.file)
		}
		got = append(got, files)
	}
	if diff := cmp.Diff([][]string{{"a"}, {"b", "c"}, {"d"}, {"e"}, {"f"}}, got); diff != "" {
		t.Errorf("a page that stops the manager is not alone: -want, +got\n%s", diff)
	}
}

func names(files []string) (all []string) {
	for _, file := range files {
		all = append(all, nameOf(file))
	}
	return all
}
