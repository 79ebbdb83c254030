// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const (
	root      = "../.."
	directory = root + "/charts/integrator-operator"
	// With this name in this namespace, the chart has the names of config/default.
	releaseName      = "integrator-operator"
	releaseNamespace = "integrator-operator-system"
)

// values are those of a release.
type values = map[string]any

func load(t *testing.T, directory string) *chartv2.Chart {
	t.Helper()
	chart, err := loader.Load(directory)
	if err != nil {
		t.Fatal(err)
	}
	return chart
}

func quiet() slog.Handler { return slog.NewTextHandler(io.Discard, nil) }

// kubernetes is the version that charts are rendered for, where a test names no other.
const kubernetes = "v1.37.0"

// render does what "helm template" does.
func render(chart *chartv2.Chart, kubernetes string, with values) (*releasev1.Release, error) {
	install := action.NewInstall(action.NewConfiguration(action.ConfigurationSetLogger(quiet())))
	install.ReleaseName, install.Namespace = releaseName, releaseNamespace
	install.DryRunStrategy = action.DryRunClient
	version, err := common.ParseKubeVersion(kubernetes)
	if err != nil {
		return nil, err
	}
	install.KubeVersion = version
	made, err := install.Run(chart, with)
	if err != nil {
		return nil, err
	}
	release, ok := made.(*releasev1.Release)
	if !ok {
		return nil, fmt.Errorf("helm made a %T", made)
	}
	return release, nil
}

func mustRender(t *testing.T, chart *chartv2.Chart, with values) *releasev1.Release {
	t.Helper()
	release, err := render(chart, kubernetes, with)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// objects decodes a manifest: objects by kind and name.
func objects(t *testing.T, manifest string) map[string]*unstructured.Unstructured {
	t.Helper()
	all := map[string]*unstructured.Unstructured{}
	for document := range strings.SplitSeq("\n"+manifest, "\n---") {
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict([]byte(document), &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(object.Object) == 0 {
			continue
		}
		key := object.GetKind() + " " + object.GetName()
		if all[key] != nil {
			t.Errorf("%s is rendered twice", key)
		}
		all[key] = object
	}
	return all
}

// at is a value below nested keys, such as "metrics.serviceMonitor.enabled", as values of a release.
func at(path string, value any) values {
	names := strings.Split(path, ".")
	for i := len(names) - 1; i >= 0; i-- {
		value = values{names[i]: value}
	}
	made, _ := value.(values)
	return made
}

// together merges values; later ones win.
func together(all ...values) values {
	merged := values{}
	for _, one := range all {
		merged = merge(merged, one)
	}
	return merged
}

func merge(into, from values) values {
	merged := maps.Clone(into)
	for name, value := range from {
		below, isMap := value.(values)
		if existing, both := merged[name].(values); isMap && both {
			value = merge(existing, below)
		}
		merged[name] = value
	}
	return merged
}
