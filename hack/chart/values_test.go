// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// change is another value, and what else has to be set for it to count.
type change struct {
	to   any
	with values
}

var (
	monitored = at("metrics.serviceMonitor.enabled", true)
	isolated  = at("networkPolicy.enabled", true)
	budget    = at("podDisruptionBudget.enabled", true)
	// plain are metrics that need no right in the cluster.
	plain = at("metrics.secure", false)
)

// changes are another value for every value of the chart.
var changes = map[string]change{
	"replicaCount":                         {to: 2},
	"image.repository":                     {to: "registry.example.com/operator"},
	"image.tag":                            {to: "v1"},
	"image.digest":                         {to: digest},
	"image.pullPolicy":                     {to: "Always"},
	"imagePullSecrets":                     {to: []any{values{"name": "registry"}}},
	"nameOverride":                         {to: "importer"},
	"fullnameOverride":                     {to: "importer"},
	"commonLabels":                         {to: values{"team": "orders"}},
	"commonAnnotations":                    {to: values{"team": "orders"}},
	"crds.enabled":                         {to: false},
	"crds.keep":                            {to: false},
	"watchNamespaces":                      {[]any{"team-a"}, plain},
	"watchLabelSelector":                   {to: "shard in (a,b)"},
	"accountShare":                         {to: "1/3"},
	"api.allowedHosts":                     {to: []any{"api.integrator.io", "gateway.example.com:8443/celigo"}},
	"api.allowPrivateAddresses":            {to: true},
	"api.httpsProxy":                       {to: "http://proxy.example.com:3128"},
	"api.httpsProxySecret.name":            {to: "proxy"},
	"api.httpsProxySecret.key":             {"address", at("api.httpsProxySecret.name", "proxy")},
	"api.noProxy":                          {to: []any{"gateway.example.com", "10.0.0.0/8"}},
	"api.nat64Prefixes":                    {to: []any{"64:ff9b:1::/96", "2001:db8::/96"}},
	"api.ca.configMapName":                 {to: "authorities"},
	"api.ca.secretName":                    {to: "authorities"},
	"api.ca.key":                           {"bundle.pem", at("api.ca.configMapName", "authorities")},
	"ownership.ownerId":                    {to: "prod"},
	"ownership.formerOwnerIds":             {to: []any{"old", "older"}},
	"createUnconfirmedTimeout":             {to: "3m"},
	"otlpEndpoint":                         {to: "http://collector:4318"},
	"concurrentImports":                    {to: 4},
	"concurrentRuns":                       {to: 5},
	"leaderElection.enabled":               {to: false},
	"leaderElection.namespace":             {to: "leases"},
	"leaderElection.id":                    {to: "importer"},
	"leaderElection.leaseDuration":         {to: "60s"},
	"leaderElection.renewDeadline":         {to: "40s"},
	"leaderElection.retryPeriod":           {to: "5s"},
	"log.level":                            {to: "debug"},
	"log.format":                           {to: "console"},
	"log.timeEncoding":                     {to: "iso8601"},
	"extraArgs":                            {to: []any{"--enable-http2"}},
	"extraEnv":                             {to: []any{values{"name": "TZ", "value": "UTC"}}},
	"extraVolumes":                         {to: []any{values{"name": "more", "emptyDir": values{}}}},
	"extraVolumeMounts":                    {[]any{values{"name": "more", "mountPath": "/more"}}, at("extraVolumes", []any{values{"name": "more", "emptyDir": values{}}})},
	"resources":                            {to: values{"limits": values{"memory": "1Gi"}}},
	"goMemLimit":                           {to: "920MiB"},
	"terminationGracePeriodSeconds":        {to: 1300},
	"deploymentStrategy":                   {to: values{"type": "Recreate"}},
	"revisionHistoryLimit":                 {to: 0},
	"healthPort":                           {to: 9081},
	"livenessProbe":                        {to: values{"periodSeconds": 30}},
	"readinessProbe":                       {to: values{"periodSeconds": 30}},
	"podLabels":                            {to: values{"team": "orders"}},
	"podAnnotations":                       {to: values{"team": "orders"}},
	"podSecurityContext":                   {to: values{"fsGroup": 65532}},
	"securityContext":                      {to: values{"runAsUser": 65532}},
	"priorityClassName":                    {to: "system-cluster-critical"},
	"nodeSelector":                         {to: values{"kubernetes.io/os": "linux"}},
	"tolerations":                          {to: []any{values{"key": "infra", "operator": "Exists"}}},
	"affinity":                             {to: values{"nodeAffinity": values{"preferredDuringSchedulingIgnoredDuringExecution": []any{values{"weight": 1, "preference": values{"matchExpressions": []any{values{"key": "infra", "operator": "Exists"}}}}}}}},
	"topologySpreadConstraints":            {to: []any{values{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}}},
	"dnsPolicy":                            {to: "Default"},
	"dnsConfig":                            {to: values{"options": []any{values{"name": "ndots", "value": "2"}}}},
	"podDisruptionBudget.enabled":          {to: true},
	"podDisruptionBudget.minAvailable":     {1, budget},
	"podDisruptionBudget.maxUnavailable":   {"50%", budget},
	"serviceAccount.create":                {false, at("serviceAccount.name", "importer")},
	"serviceAccount.name":                  {to: "importer"},
	"serviceAccount.annotations":           {to: values{"team": "orders"}},
	"rbac.create":                          {to: false},
	"rbac.userRoles":                       {to: false},
	"admissionPolicies.manager":            {to: false},
	"admissionPolicies.definitionWarnings": {to: false},
	"admissionPolicies.secrets":            {to: true},
	"networkPolicy.enabled":                {to: true},
	"networkPolicy.metricsFrom":            {[]any{values{"podSelector": values{}}}, isolated},
	"networkPolicy.kubernetesAPI.cidrs":    {[]any{"10.0.0.1/32"}, isolated},
	"networkPolicy.kubernetesAPI.ports":    {[]any{6443}, isolated},
	"networkPolicy.extraEgress":            {[]any{values{"ports": []any{values{"port": 3128, "protocol": "TCP"}}}}, isolated},
	"metrics.enabled":                      {to: false},
	"metrics.port":                         {to: 9443},
	"metrics.secure":                       {to: false},
	"metrics.certificateSecretName":        {to: "metrics"},
	"metrics.certManager.enabled":          {to: true},
	"metrics.certManager.issuerRef":        {values{"kind": "ClusterIssuer", "name": "internal"}, at("metrics.certManager.enabled", true)},
	"metrics.readers":                      {to: []any{values{"namespace": "monitoring", "name": "prometheus"}}},
	"metrics.serviceAnnotations":           {to: values{"team": "orders"}},
	"metrics.serviceMonitor.enabled":       {to: true},
	"metrics.serviceMonitor.labels":        {values{"release": "prometheus"}, monitored},
	"metrics.serviceMonitor.interval":      {"30s", monitored},
	"metrics.serviceMonitor.scrapeTimeout": {"10s", monitored},
	"prometheusRule.enabled":               {to: true},
	"prometheusRule.labels":                {values{"release": "prometheus"}, at("prometheusRule.enabled", true)},
	"dashboards.enabled":                   {to: true},
	"dashboards.labels":                    {values{"dashboard": "yes"}, at("dashboards.enabled", true)},
	"dashboards.annotations":               {values{"folder": "Integrations"}, at("dashboards.enabled", true)},
}

// withFiles is a copy of the chart with a rule and a dashboard, in case it has none.
func withFiles(t *testing.T) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "integrator-operator")
	if err := os.CopyFS(copied, os.DirFS(directory)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"rules/example.yaml":      "groups:\n- name: example\n  rules:\n  - alert: Example\n    expr: up == 0\n    annotations:\n      summary: '{{ $labels.name }} is down'\n",
		"dashboards/example.json": "{\n  \"title\": \"{{name}}\"\n}\n",
	} {
		file := filepath.Join(copied, "files", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

// leaves are the values of the chart, by their path: what values.schema.json says more about is a map
// of values, and what it does not is one value.
func leaves(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(directory, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema values
	if err := yaml.Unmarshal(content, &schema); err != nil {
		t.Fatal(err)
	}
	var all []string
	var walk func(path string, schema values)
	walk = func(path string, schema values) {
		members, _ := schema["properties"].(values)
		if _, described := schema["description"]; described {
			all = append(all, path)
			return
		}
		for name, member := range members {
			walk(strings.TrimPrefix(path+"."+name, "."), member.(values)) //nolint:forcetypeassert // a schema
		}
	}
	walk("", schema)
	return slices.DeleteFunc(all, func(path string) bool { return path == "global" })
}

// TestEveryValueCounts: each value of the chart changes what is rendered.
func TestEveryValueCounts(t *testing.T) {
	all := leaves(t)
	for path := range changes {
		if !slices.Contains(all, path) {
			t.Errorf("the chart does not have the value %s", path)
		}
	}
	chart := load(t, withFiles(t))
	defaults := mustRender(t, chart, nil).Manifest
	for _, path := range slices.Sorted(slices.Values(all)) {
		t.Run(path, func(t *testing.T) {
			changed, known := changes[path]
			if !known {
				t.Fatal("the list of changes does not have it")
			}
			before := defaults
			if changed.with != nil {
				before = mustRender(t, chart, changed.with).Manifest
			}
			if mustRender(t, chart, together(changed.with, at(path, changed.to))).Manifest == before {
				t.Errorf("%v changes nothing", changed.to)
			}
		})
	}
	if len(all) < 80 {
		t.Errorf("the chart has %d values, which is less than expected", len(all))
	}
}

// TestRulesAndDashboards: what stands in double braces there is not for helm.
func TestRulesAndDashboards(t *testing.T) {
	made := objects(t, mustRender(t, load(t, withFiles(t)), together(at("prometheusRule.enabled", true), at("dashboards.enabled", true))).Manifest)
	rule, dashboard := made["PrometheusRule integrator-operator-example"], made["ConfigMap integrator-operator-example"]
	if rule == nil || dashboard == nil {
		t.Fatalf("not rendered: %v", slices.Sorted(maps.Keys(made)))
	}
	for what, object := range map[string]values{"{{ $labels.name }} is down": rule.Object, `"title": "{{name}}"`: dashboard.Object} {
		text, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), what) {
			t.Errorf("%q is missing in\n%s", what, text)
		}
	}
}

func TestRefusedValues(t *testing.T) {
	for name, tc := range map[string]struct {
		with       values
		kubernetes string
		want       string
	}{
		"a typo":                       {with: at("replicas", 2), want: "replicas"},
		"a typo below":                 {with: at("metrics.serviceMonitor.enable", true), want: "enable"},
		"a typo in resources":          {with: at("resources.limit", values{}), want: "limit"},
		"a text for a number":          {with: at("replicaCount", "two"), want: "replicaCount"},
		"a text for a boolean":         {with: at("crds.keep", "yes"), want: "keep"},
		"a number of nothing":          {with: at("concurrentRuns", 0), want: "concurrentRuns"},
		"a duration without unit":      {with: at("createUnconfirmedTimeout", "90"), want: "createUnconfirmedTimeout"},
		"a URL as a host":              {with: at("api.allowedHosts", []any{"https://gateway.example.com"}), want: "allowedHosts"},
		"several hosts in one":         {with: at("api.allowedHosts", []any{"a.example.com,b.example.com"}), want: "allowedHosts"},
		"a short digest":               {with: at("image.digest", "sha256:0123"), want: "digest"},
		"a tag with a digest":          {with: at("image.tag", "v1@"+digest), want: "tag"},
		"a pull policy":                {with: at("image.pullPolicy", "Sometimes"), want: "pullPolicy"},
		"an argument that is no flag":  {with: at("extraArgs", []any{"export"}), want: "extraArgs"},
		"a log level beyond the limit": {with: at("log.level", 9), want: "level"},
		"a reader without a namespace": {with: at("metrics.readers", []any{values{"name": "prometheus"}}), want: "namespace"},
		"two sources of the proxy":     {with: together(at("api.httpsProxy", "http://proxy:3128"), at("api.httpsProxySecret.name", "proxy")), want: "api"},
		"two sources of authorities":   {with: together(at("api.ca.configMapName", "a"), at("api.ca.secretName", "b")), want: "ca"},
		"both ends of a budget":        {with: at("podDisruptionBudget", values{"enabled": true, "minAvailable": 1, "maxUnavailable": 1}), want: "podDisruptionBudget"},
		"a pattern of namespaces":      {with: together(plain, at("watchNamespaces", []any{"team-*"})), want: "watchNamespaces"},
		"a percentage for a part":      {with: at("accountShare", "33%"), want: "accountShare"},
		"several selectors":            {with: at("watchLabelSelector", []any{"shard=a"}), want: "watchLabelSelector"},
		"metrics for whom nobody asks": {with: at("watchNamespaces", []any{"team-a"}), want: "metrics.secure"},
		"replicas without the lease":   {with: together(at("replicaCount", 2), at("leaderElection.enabled", false)), want: "leaderElection.enabled"},
		"rights for the default":       {with: at("serviceAccount.create", false), want: "serviceAccount.name"},
		"policies that are not yet":    {with: at("admissionPolicies.secrets", true), kubernetes: "v1.32.0", want: "1.33"},
		"Kubernetes without policies":  {kubernetes: "v1.29.0", want: "kubeVersion"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.kubernetes == "" {
				tc.kubernetes = kubernetes
			}
			_, err := render(load(t, directory), tc.kubernetes, tc.with)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one about %q", err, tc.want)
			}
		})
	}
}

// TestNetworkPolicyFollowsTheHosts: the policy permits the ports at which the manager calls.
func TestNetworkPolicyFollowsTheHosts(t *testing.T) {
	for name, tc := range map[string]struct {
		hosts []any
		want  []any
	}{
		"the default":         {nil, []any{float64(443)}},
		"without a port":      {[]any{"gateway.example.com"}, []any{float64(443)}},
		"with a path":         {[]any{"gateway.example.com/celigo:1"}, []any{float64(443)}},
		"with a port":         {[]any{"gateway.example.com:8443"}, []any{float64(8443)}},
		"with both":           {[]any{"gateway.example.com:8443/celigo"}, []any{float64(8443)}},
		"several, some alike": {[]any{"a.example.com:8443", "b.example.com", "c.example.com:8443", "d.example.com/x"}, []any{float64(8443), float64(443)}},
	} {
		t.Run(name, func(t *testing.T) {
			with := isolated
			if tc.hosts != nil {
				with = together(isolated, at("api.allowedHosts", tc.hosts))
			}
			policy := objects(t, mustRender(t, load(t, directory), with).Manifest)["NetworkPolicy integrator-operator-controller-manager"]
			var got []any
			egress, _, _ := unstructured.NestedSlice(policy.Object, "spec", "egress")
			for _, rule := range egress {
				rule, _ := rule.(map[string]any)
				if _, restricted := rule["to"]; !restricted {
					continue
				}
				ports, _, _ := unstructured.NestedSlice(rule, "ports")
				for _, port := range ports {
					port, _ := port.(map[string]any)
					got = append(got, port["port"])
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("ports (-want +got)\n%s", diff)
			}
		})
	}
}

// TestGlobal: a parent chart may have values for all its charts.
func TestGlobal(t *testing.T) {
	mustRender(t, load(t, directory), at("global.region", "eu"))
}
