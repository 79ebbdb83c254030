// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// TestMetrics: every metric is served with a series of what was observed, and those of an Account
// are dropped with it, except the imports that it left behind.
func TestMetrics(t *testing.T) {
	account := types.NamespacedName{Namespace: "ns", Name: "forgotten"}
	ObserveRequest(account)(integrator.Observation{Method: "GET", Route: "/v1/imports", StatusCode: 200, Duration: time.Second})
	ObserveScan(account, 3, time.Second, time.Now())
	DriftDetected(account)
	ImportConflict(account, "elsewhere")
	ImportOrphaned(account)
	RunCompleted(v1alpha1.RunSucceeded)

	if diff := cmp.Diff(declared(t), served(t)); diff != "" {
		t.Errorf("the metrics of metrics.go and those that are served with a series (-declared +served):\n%s", diff)
	}
	ForgetAccount(account)
	if diff := cmp.Diff([]string{"integrator_import_orphaned_total", "integrator_importrun_completed_total"}, served(t)); diff != "" {
		t.Errorf("after the Account was deleted (-want +got):\n%s", diff)
	}
}

// declared gives the names of the metrics in metrics.go, sorted.
func declared(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "metrics.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if name, err := strconv.Unquote(literal.Value); err == nil && strings.HasPrefix(name, "integrator_") {
				names = append(names, name)
			}
		}
		return true
	})
	slices.Sort(names)
	return names
}

// served gives the names of the operator's metrics that the manager serves, sorted.
func served(t *testing.T) []string {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "integrator_") {
			names = append(names, family.GetName())
		}
	}
	return names
}
