// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kubestatemetrics tests the configuration of kube-state-metrics for the operator's kinds: that it
// has the documented form, and that each path of it leads to a field of the CRDs.
package kubestatemetrics

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

const (
	dir  = "../../../config/kube-state-metrics/"
	crds = "../../../config/crd/bases/*.yaml"
)

// configuration is the documented form of what --custom-resource-state-config-file names, as far as it is
// used. kube-state-metrics has no strict decoding of its own: it ignores what it does not know.
type configuration struct {
	Kind string `json:"kind"`
	Spec struct {
		Resources []resource `json:"resources"`
	} `json:"spec"`
}

type resource struct {
	GroupVersionKind struct {
		Group   string `json:"group"`
		Version string `json:"version"`
		Kind    string `json:"kind"`
	} `json:"groupVersionKind"`
	MetricNamePrefix string              `json:"metricNamePrefix"`
	ErrorLogV        int                 `json:"errorLogV"`
	LabelsFromPath   map[string][]string `json:"labelsFromPath"`
	Metrics          []metric            `json:"metrics"`
}

type metric struct {
	Name string `json:"name"`
	Help string `json:"help"`
	Each struct {
		Type     string  `json:"type"`
		Gauge    *values `json:"gauge,omitempty"`
		Info     *values `json:"info,omitempty"`
		StateSet *values `json:"stateSet,omitempty"`
	} `json:"each"`
}

// values are those that become series.
type values struct {
	Path           []string            `json:"path"`
	ValueFrom      []string            `json:"valueFrom"`
	LabelsFromPath map[string][]string `json:"labelsFromPath"`
	LabelFromKey   string              `json:"labelFromKey"`
	NilIsZero      bool                `json:"nilIsZero"`
	LabelName      string              `json:"labelName"`
	List           []string            `json:"list"`
}

type schema = apiextensionsv1.JSONSchemaProps

func TestConfiguration(t *testing.T) {
	var config configuration
	read(t, dir+"custom-resource-state.yaml", &config)
	if config.Kind != "CustomResourceStateMetrics" {
		t.Errorf("kind %s", config.Kind)
	}
	names, kinds := map[string]bool{}, []string{}
	for _, r := range config.Spec.Resources {
		kinds = append(kinds, r.GroupVersionKind.Kind)
		root := schemaOf(t, r.GroupVersionKind.Group, r.GroupVersionKind.Version, r.GroupVersionKind.Kind)
		if r.MetricNamePrefix != "kube_integrator" || r.ErrorLogV < 5 {
			t.Errorf("%s: the metrics begin with %q, and errors are logged from level %d", r.GroupVersionKind.Kind, r.MetricNamePrefix, r.ErrorLogV)
		}
		for label, path := range r.LabelsFromPath {
			checkLabel(t, r.GroupVersionKind.Kind, label, root, path)
		}
		for _, m := range r.Metrics {
			if names[m.Name] || !strings.HasPrefix(m.Name, strings.ToLower(r.GroupVersionKind.Kind)+"_") || m.Help == "" {
				t.Errorf("%s: is used: %t, help: %q", m.Name, names[m.Name], m.Help)
			}
			names[m.Name] = true
			m.check(t, root, r.LabelsFromPath)
		}
	}
	if diff := cmp.Diff([]string{"Account", "Import", "ImportRun"}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

// check follows every path of a metric.
func (m metric) check(t *testing.T, root *schema, common map[string][]string) {
	t.Helper()
	sources := map[string]*values{"Gauge": m.Each.Gauge, "Info": m.Each.Info, "StateSet": m.Each.StateSet}
	v := sources[m.Each.Type]
	for kind, other := range sources {
		if (other != nil) != (kind == m.Each.Type) {
			t.Errorf("%s is of the type %s, and has %s: %t", m.Name, m.Each.Type, kind, other != nil)
		}
	}
	if v == nil {
		return
	}
	at, err := follow(root, v.Path)
	if err != nil {
		t.Errorf("%s: path: %v", m.Name, err)
		return
	}
	// The elements of an array and the values of an object become a series each.
	each := at
	if at.Type == "array" {
		each = at.Items.Schema
	}
	for label, path := range v.LabelsFromPath {
		checkLabel(t, m.Name, label, each, path)
		if _, twice := common[label]; twice {
			t.Errorf("%s: the label %s is one of all metrics of the kind", m.Name, label)
		}
	}
	switch m.Each.Type {
	case "Gauge":
		v.checkGauge(t, m.Name, each)
	case "Info":
		if !strings.HasSuffix(m.Name, "_info") || len(v.LabelsFromPath) == 0 {
			t.Errorf("%s has to end with _info, and to have labels", m.Name)
		}
	case "StateSet":
		value, err := follow(each, v.ValueFrom)
		if err != nil {
			t.Errorf("%s: valueFrom: %v", m.Name, err)
			return
		}
		var enum []string
		for _, one := range value.Enum {
			enum = append(enum, strings.Trim(string(one.Raw), `"`))
		}
		if diff := cmp.Diff(enum, v.List); diff != "" || v.LabelName == "" {
			t.Errorf("%s: label %q, the values of the CRD and of the list (-CRD +list):\n%s", m.Name, v.LabelName, diff)
		}
	}
}

// checkGauge checks that the values are numbers, or texts that kube-state-metrics makes numbers of.
func (v *values) checkGauge(t *testing.T, name string, each *schema) {
	t.Helper()
	found := map[string]*schema{"": each}
	if v.LabelFromKey != "" {
		found = map[string]*schema{}
		for key := range each.Properties {
			property := each.Properties[key]
			found[key] = &property
		}
	}
	if len(found) == 0 {
		t.Errorf("%s: there is nothing under the path", name)
	}
	for key, s := range found {
		value, err := follow(s, v.ValueFrom)
		if err != nil {
			t.Errorf("%s: valueFrom: %s: %v", name, key, err)
			continue
		}
		var enum []string
		for _, one := range value.Enum {
			enum = append(enum, string(one.Raw))
		}
		status := slices.Contains(enum, `"True"`) && slices.Contains(enum, `"False"`)
		switch {
		case value.Type == "integer", value.Type == "boolean", value.Format == "date-time", status:
		default:
			t.Errorf("%s: %s has the type %q and the format %q, which is no number", name, key, value.Type, value.Format)
		}
	}
}

// labelName is that of a label.
var labelName = regexp.MustCompile(`^[a-z][a-z_]*$`)

func checkLabel(t *testing.T, where, label string, from *schema, path []string) {
	t.Helper()
	value, err := follow(from, path)
	if err != nil {
		t.Errorf("%s: label %s: %v", where, label, err)
		return
	}
	if value.Type != "string" || !labelName.MatchString(label) {
		t.Errorf("%s: label %s is of the type %s", where, label, value.Type)
	}
	// Whatever is long, or differs for each object without naming it, is no label.
	last := path[len(path)-1]
	if slices.Contains([]string{"id", "message", "connectionID", "apiIdentifier", "importID", "call", "uid", "lastModified"}, last) {
		t.Errorf("%s: label %s is %s", where, label, strings.Join(path, "."))
	}
}

// follow leads from a schema along a path.
func follow(s *schema, path []string) (*schema, error) {
	for i, part := range path {
		property, ok := s.Properties[part]
		if !ok {
			return nil, fmt.Errorf("%s has no field %s", strings.Join(path[:i], "."), part)
		}
		s = &property
	}
	return s, nil
}

// metadata are the fields of the metadata that CRDs do not have.
var metadata = map[string]schema{
	"name": {Type: "string"}, "namespace": {Type: "string"},
	"creationTimestamp": {Type: "string", Format: "date-time"}, "deletionTimestamp": {Type: "string", Format: "date-time"},
}

// schemaOf returns the schema of a kind.
func schemaOf(t *testing.T, group, version, kind string) *schema {
	t.Helper()
	files, err := filepath.Glob(crds)
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	for _, file := range files {
		var crd apiextensionsv1.CustomResourceDefinition
		read(t, file, &crd)
		for _, v := range crd.Spec.Versions {
			if crd.Spec.Group == group && crd.Spec.Names.Kind == kind && v.Name == version {
				root := v.Schema.OpenAPIV3Schema
				object := root.Properties["metadata"]
				object.Properties = metadata
				root.Properties["metadata"] = object
				return root
			}
		}
	}
	t.Fatalf("there is no CRD of %s/%s %s", group, version, kind)
	return nil
}

// TestRole: kube-state-metrics may list and watch what it makes metrics of, and find the CRDs.
func TestRole(t *testing.T) {
	var role rbacv1.ClusterRole
	read(t, dir+"role.yaml", &role)
	want := []rbacv1.PolicyRule{
		{APIGroups: []string{"integrator.io"}, Resources: []string{"accounts", "importruns", "imports"}, Verbs: []string{"list", "watch"}},
		{APIGroups: []string{"apiextensions.k8s.io"}, Resources: []string{"customresourcedefinitions"}, Verbs: []string{"list", "watch"}},
	}
	if diff := cmp.Diff(want, role.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func read(t *testing.T, file string, to any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, to); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
