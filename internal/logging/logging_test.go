// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package logging_test

import (
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/integrator-operator/integrator-operator/internal/logging"
)

func TestLogLevelIsBounded(t *testing.T) {
	var got []string
	logger := funcr.New(func(prefix, args string) { got = append(got, prefix+" "+args) }, funcr.Options{Verbosity: 100}).WithName("n")
	constructor := logging.Constructor(logger, "Import")
	for _, made := range []logr.Logger{constructor(nil), constructor(&reconcile.Request{}).WithName("m").WithValues("k", "v")} {
		for _, level := range []int{0, 5, 6, 8, 100} {
			made.V(level).Info("message")
		}
		made.Error(nil, "message")
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
		t.Errorf("the values are missing: %s", last)
	}
}
