// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	ctrl "sigs.k8s.io/controller-runtime"
)

func TestLogLevelIsBounded(t *testing.T) {
	var got []string
	logger := funcr.New(func(prefix, args string) { got = append(got, prefix+" "+args) }, funcr.Options{Verbosity: 100}).WithName("n")
	for _, made := range []logr.Logger{logConstructor(logger, "Import")(nil), logConstructor(logger, "Import")(&ctrl.Request{}).WithName("m").WithValues("k", "v")} {
		for _, level := range []int{0, 5, 6, 8, 100} {
			made.V(level).Info("told")
		}
		made.Error(nil, "told")
	}
	var lines []string
	for _, line := range got {
		level, _, _ := strings.Cut(line, ` "msg"`)
		lines = append(lines, level)
	}
	want := []string{`n "level"=0`, `n "level"=5`, `n`, `n/m "level"=0`, `n/m "level"=5`, `n/m`}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("-want, +got:\n%s\n%s", diff, strings.Join(got, "\n"))
	}
	if last := got[len(got)-1]; !strings.Contains(last, `"controllerKind"="Import"`) || !strings.Contains(last, `"k"="v"`) {
		t.Errorf("the values are gone: %s", last)
	}
}
