// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// ownNoValue are flags of the manager that only extraArgs can set.
var ownNoValue = map[string]string{
	"allow-http":           "for tests: the token is sent unencrypted",
	"enable-http2":         "nobody needs it for metrics",
	"kubeconfig":           "a pod has the credentials of its ServiceAccount",
	"metrics-cert-key":     "a Secret of type kubernetes.io/tls has the name of the default",
	"metrics-cert-name":    "a Secret of type kubernetes.io/tls has the name of the default",
	"pprof-bind-address":   "profiles are for the search of a fault",
	"version":              "it prints the version, and the manager ends",
	"zap-devel":            "for development: it changes the defaults of the other flags of the log",
	"zap-stacktrace-level": "errors of reconciles need no stack traces",
}

// programs is where manager is built.
var programs string

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard()) // of clients
	var err error
	if programs, err = os.MkdirTemp("", "chart-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(programs) // it is in the directory for temporary files
	os.Exit(code)
}

// manager is the manager's program, which is built once.
var manager = sync.OnceValues(func() (string, error) {
	program := filepath.Join(programs, "manager")
	// With the flags of "make build": the cache has its packages.
	build := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-o", program, ".")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	output, err := build.CombinedOutput()
	if err != nil {
		return string(output), err
	}
	return program, nil
})

func managerProgram(t *testing.T) string {
	t.Helper()
	program, err := manager()
	if err != nil {
		t.Fatalf("build the manager: %v\n%s", err, program)
	}
	return program
}

// knownFlags are those that the manager lists.
func knownFlags(t *testing.T) []string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), managerProgram(t), "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	var flags []string
	for _, match := range regexp.MustCompile(`(?m)^  -([a-z0-9-]+)`).FindAllSubmatch(output, -1) {
		flags = append(flags, string(match[1]))
	}
	return flags
}

// arguments are those of the manager in a manifest.
func arguments(t *testing.T, manifest string) []string {
	t.Helper()
	var deployment appsv1.Deployment
	object := objects(t, manifest)["Deployment integrator-operator-controller-manager"]
	if object == nil {
		return nil // another name
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &deployment); err != nil {
		t.Fatal(err)
	}
	return deployment.Spec.Template.Spec.Containers[0].Args
}

func flagOf(argument string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(argument, "-"), "=")
	return name
}

// renderedArguments are the arguments that the values of the chart make, by their flag, without those
// of extraArgs.
func renderedArguments(t *testing.T) map[string][]string {
	t.Helper()
	chart := load(t, directory)
	// Only what is said of the Deployment counts, and reading the others takes long.
	bare := together(at("crds.enabled", false), at("admissionPolicies.definitionWarnings", false))
	rendered := map[string][]string{}
	for path, change := range changes {
		if path == "extraArgs" {
			continue
		}
		for _, argument := range arguments(t, mustRender(t, chart, together(bare, change.with, at(path, change.to))).Manifest) {
			if !slices.Contains(rendered[flagOf(argument)], argument) {
				rendered[flagOf(argument)] = append(rendered[flagOf(argument)], argument)
			}
		}
	}
	return rendered
}

// TestFlags: every flag of the manager has a value in the chart, or a reason why it has none, and the
// manager understands every flag of the chart with its value.
func TestFlags(t *testing.T) {
	known, rendered := knownFlags(t), renderedArguments(t)
	for _, flag := range known {
		_, has := rendered[flag]
		_, excused := ownNoValue[flag]
		switch {
		case !has && !excused:
			t.Errorf("no value of the chart sets --%s: add one to values.yaml, or a reason to this test", flag)
		case has && excused:
			t.Errorf("a value of the chart sets --%s: remove it from the list of those that have none", flag)
		}
	}
	for _, flag := range slices.Sorted(maps.Keys(rendered)) {
		for _, argument := range rendered[flag] {
			// The manager reads all its arguments before it prints this.
			if output, err := exec.CommandContext(t.Context(), managerProgram(t), argument, "--help").CombinedOutput(); err != nil {
				first, _, _ := strings.Cut(string(output), "\n")
				t.Errorf("the manager does not understand %s: %s", argument, first)
			}
		}
	}
}
