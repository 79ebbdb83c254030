// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"strconv"
	"strings"
	"testing"
)

// layers are the packages of the root module from top to bottom. A package may only import those
// of the rows below its own. A new package gets a place here, in .golangci.yml (depguard) and in
// the map of docs/architecture.md.
var layers = [][]string{
	{"."},
	{"internal/command/plugin"},
	{"internal/command", "internal/serving"},
	{"internal/doctor", "internal/report", "internal/takeover"},
	{"internal/plan"},
	{"controllers"},
	{"controllers/accounts", "controllers/imports", "controllers/importruns"},
	{"internal/account"},
	{"internal/account/shared"},
	{"internal/status"},
	{"internal/watch"},
	{"internal/importstate", "internal/runstate"},
	{"internal/definition", "internal/export"},
	{"internal/keyref"},
	{"internal/ownership"},
	{"internal/metrics", "internal/logging", "internal/tracing"},
	{"internal/problem"},
	{"internal/drift", "internal/records"},
	{"internal/integrator"},
	{"internal/integrator/jsonscan", "internal/integrator/limit"},
	{"internal/admission", "internal/scheme"},
	{"internal/places"},
	{"api/v1alpha1", "config/crd"},
	// Not shipped.
	{"internal/modelcheck", "internal/simulator"},
	{"internal/fields"},
}

// apart are trees of packages that have an order of their own, below their top: the Go compiler
// keeps it free of cycles. Each has its place in layers.
var apart = []string{"internal/simulator"}

// rowOf gives the row of a package in layers, -1 when it has none.
func rowOf(dir string) int {
	for row, dirs := range layers {
		for _, known := range dirs {
			if dir == known {
				return row
			}
		}
	}
	for _, top := range apart {
		if within(dir, top) {
			return rowOf(top)
		}
	}
	return -1
}

// TestImportsPointDown: an import of the same or a higher row lets two packages grow together.
func TestImportsPointDown(t *testing.T) {
	up := 0
	for _, file := range project(t).code {
		if file.test || within(file.dir, "hack") {
			continue
		}
		from := rowOf(file.dir)
		if from < 0 {
			t.Errorf("%s: package %s has no place in the list of layers", file.path, file.dir)
			continue
		}
		for _, dir := range importsOf(file) {
			switch to := rowOf(dir); {
			case sameTree(file.dir, dir):
			case to < 0:
				t.Errorf("%s imports %s, which has no place in the list of layers", file.path, dir)
			case to <= from:
				up++
				t.Errorf("%s imports %s, which is not in a lower layer", file.path, dir)
			}
		}
	}
	t.Logf("%d imports run up", up)
}

// TestLayersExist: a row of a package that is deleted would permit imports that nobody decided on.
func TestLayersExist(t *testing.T) {
	code := project(t)
	for _, dirs := range layers {
		for _, dir := range dirs {
			if dir != "." && !code.exists(dir+"/*.go") {
				t.Errorf("there is no package %s", dir)
			}
		}
	}
}

// TestInternalDoesNotImportControllers: neither does a test in internal/, which the layers leave out. A
// plan is made by the reconcilers.
func TestInternalDoesNotImportControllers(t *testing.T) {
	for _, file := range project(t).code {
		if !within(file.dir, "internal") && !within(file.dir, "api") || within(file.dir, "internal/plan") {
			continue
		}
		for _, dir := range importsOf(file) {
			if within(dir, "controllers") {
				t.Errorf("%s imports %s: what both need belongs under internal/", file.path, dir)
			}
		}
	}
}

// TestHackIsOnTop: the tools may use what is shipped, never the other way round, and a tool only
// shares hack/internal with another.
func TestHackIsOnTop(t *testing.T) {
	for _, file := range project(t).code {
		for _, dir := range importsOf(file) {
			if within(dir, "hack") && !within(dir, "hack/internal") && tool(dir) != tool(file.dir) {
				t.Errorf("%s imports %s", file.path, dir)
			}
			if within(dir, "hack") && !within(file.dir, "hack") {
				t.Errorf("%s imports %s, which is for developers only", file.path, dir)
			}
		}
	}
}

// tool is the directory of a tool in hack/: its first two names.
func tool(dir string) string {
	names := strings.SplitN(dir, "/", 3)
	return strings.Join(names[:min(2, len(names))], "/")
}

func sameTree(from, to string) bool {
	for _, top := range apart {
		if within(from, top) && within(to, top) {
			return true
		}
	}
	return false
}

// importsOf gives the packages of the project that a file imports, relative to the root.
func importsOf(file *goFile) []string {
	var dirs []string
	for _, spec := range file.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if name == module {
			dirs = append(dirs, ".")
		} else if dir, ok := strings.CutPrefix(name, module+"/"); ok {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}
