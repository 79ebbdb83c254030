// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/fluxcd/pkg/envsubst"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
)

// samples are the manifests in config/samples of our kinds, by file.
func samples(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "config/samples/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]any{}
	for _, file := range files {
		for document := range strings.SplitSeq(string(read(t, file)), "\n---\n") {
			var object map[string]any
			decode(t, []byte(document), &object)
			if object["apiVersion"] == "integrator.io/v1alpha1" {
				found[filepath.Base(file)] = object
			}
		}
	}
	if len(found) < 8 {
		t.Fatalf("only %d samples", len(found))
	}
	return found
}

// TestNoDifferenceAfterASync compares as Argo CD does by default: what the last apply would change in
// the object that the cluster has. The operator writes a status and annotations of its own, and never
// the spec; the API server writes defaults.
func TestNoDifferenceAfterASync(t *testing.T) {
	known := knownKinds(t)
	for name, config := range samples(t) {
		live := asRead(t, config)
		known.Default(live)
		live.Object["status"] = map[string]any{"observedGeneration": int64(1)}
		live.SetAnnotations(map[string]string{"integrator.io/id": "5f0000000000000000000001"})
		live.SetFinalizers([]string{"integrator.io/finalizer"})

		patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(marshal(t, config), marshal(t, config), marshal(t, live.Object))
		if err != nil {
			t.Fatal(err)
		}
		if string(patch) != "{}" {
			t.Errorf("%s: Argo CD shows the difference %s", name, patch)
		}
	}
}

// replaceVariables does what postBuild does.
func replaceVariables(t *testing.T, text string) string {
	t.Helper()
	replaced, err := envsubst.Eval(text, func(name string) (string, bool) { return map[string]string{"region": "eu"}[name], true })
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return replaced
}

// TestVariablesOfFlux replaces variables as postBuild does.
func TestVariablesOfFlux(t *testing.T) {
	for name, object := range samples(t) {
		text := string(marshal(t, object))
		if diff := cmp.Diff(text, replaceVariables(t, text)); diff != "" {
			t.Errorf("%s changes:\n%s", name, diff)
		}
	}
	page := string(read(t, filepath.Join(root, "docs/flux.md")))
	_, block, found := strings.Cut(page, "  name: orders-${region}\n")
	if !found {
		t.Fatal("the page has no example with a variable")
	}
	block, _, _ = strings.Cut(block, "```")
	got := replaceVariables(t, "  name: orders-${region}\n"+block)
	for _, want := range []string{"name: orders-eu\n", "name: Orders eu\n", `"/orders?at={{timestamp}}"`, `["{\"total\": \"${total}\"}"]`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// TestNotification fills the template of the page about Argo CD.
func TestNotification(t *testing.T) {
	var text string
	for _, object := range manifests(t, "argocd.md") {
		if data, ok := object["data"].(map[string]any); ok && data["template.imports-degraded"] != nil {
			var parsed struct{ Message string }
			decode(t, []byte(data["template.imports-degraded"].(string)), &parsed)
			text = parsed.Message
		}
	}
	if text == "" {
		t.Fatal("the page has no template")
	}
	var app map[string]any
	decode(t, []byte(`
metadata: {name: shop}
status:
  operationState:
    syncResult:
      resources:
      - {group: "", kind: ConfigMap, name: data, message: unchanged}
      - {group: integrator.io, kind: Import, name: orders, message: "TokenRejected: the API returns 401"}
`), &app)
	var got strings.Builder
	if err := template.Must(template.New("").Parse(text)).Execute(&got, map[string]any{"app": app}); err != nil {
		t.Fatal(err)
	}
	want := "shop needs a person.\nImport orders: TokenRejected: the API returns 401"
	if diff := cmp.Diff(want, strings.Join(nonEmpty(strings.Split(got.String(), "\n")), "\n")); diff != "" {
		t.Errorf("the message (-want +got):\n%s", diff)
	}
}

// TestStricterHealth holds the stricter health check beside the one that it is made of.
func TestStricterHealth(t *testing.T) {
	usual := strings.Split(string(read(t, filepath.Join(root, "config/argocd/resource_customizations/integrator.io/Import/health.lua"))), "\n")[2:]
	strict := strings.Split(string(read(t, filepath.Join(root, "config/argocd-degraded-on-drift/health.lua"))), "\n")[2:]
	var differ []string
	for i := range max(len(usual), len(strict)) {
		if i >= len(usual) || i >= len(strict) {
			t.Fatalf("%d and %d lines", len(usual), len(strict))
		}
		if usual[i] != strict[i] {
			differ = append(differ, strings.TrimSpace(strict[i]))
		}
	}
	if diff := cmp.Diff([]string{`{ type = "Drifted", status = "Degraded" },`}, differ); diff != "" {
		t.Errorf("the lines that differ (-want +got):\n%s", diff)
	}
}

func nonEmpty(lines []string) (kept []string) {
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			kept = append(kept, line)
		}
	}
	return kept
}

func marshal(t *testing.T, object any) []byte {
	t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
