// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/plan"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

const (
	token      = "token-of-shop"
	connection = "5f00000000000000000000c1"
)

// platform is a simulated account, and the options of a plan without a cluster for it.
func platform(t *testing.T, imports ...json.RawMessage) (*simulator.Server, plan.Options) {
	t.Helper()
	sim := simulator.New(simulator.Options{})
	base, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close(); _ = stop() })
	if err := sim.AddAccount(simulator.AccountSpec{
		Name: "shop", Tokens: []simulator.Token{{Token: token}}, Connections: []simulator.Connection{{ID: connection}}, Imports: imports,
	}); err != nil {
		t.Fatal(err)
	}
	host, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return sim, plan.Options{
		Namespace:    "shop",
		AllowedHosts: []string{host.Host},
		Network:      integrator.Config{AllowHTTP: true},
		Account:      plan.Account{BaseURL: base, Token: token, Aliases: map[string]v1alpha1.ID{"shop": connection}},
		Timeout:      time.Minute,
	}
}

// manifests are the documents of a YAML stream.
func manifests(t *testing.T, stream string) (found []plan.Manifest) {
	t.Helper()
	for i, document := range strings.Split(stream, "\n---\n") {
		text, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			t.Fatal(err)
		}
		found = append(found, plan.Manifest{Object: object, Source: fmt.Sprintf("%d.yaml", i)})
	}
	return found
}

// httpImport is a manifest with further lines of its spec.
func httpImport(name, lines string) string {
	return "apiVersion: integrator.io/v1alpha1\nkind: Import\nmetadata: {name: " + name + "}\nspec:\n" + lines +
		"  definition: {name: " + name + ", adaptorType: HTTPImport, _connectionId: '@shop', http: {relativeURI: [/items], method: [POST]}}\n"
}

func TestWithoutCluster(t *testing.T) {
	const id = "64b0000000000000000000d1"
	sim, options := platform(t, json.RawMessage(fmt.Sprintf(
		`{"_id": %q, "name": "existing", "adaptorType": "HTTPImport", "_connectionId": %q, "externalId": "existing-1", "http": {"relativeURI": ["/items"], "method": ["POST"]}}`,
		id, connection)))
	made, err := plan.Make(t.Context(), manifests(t, strings.Join([]string{
		httpImport("created", ""),
		httpImport("existing", "  adopt: {id: "+id+"}\n"),
		httpImport("renamed", "  adopt: {externalId: existing-1, mode: Override}\n"),
		httpImport("aliased", "") + "  valuesFrom: [{path: /http/body, secretKeyRef: {name: missing, key: body}}]\n",
		"apiVersion: integrator.io/v1alpha1\nkind: ImportRun\nmetadata: {generateName: hook-}\nspec: {importRef: {name: created}, data: [{n: 1}]}\n",
		"apiVersion: integrator.io/v1alpha1\nkind: ImportRun\nmetadata: {generateName: hook-}\nspec: {importRef: {name: created}, data: [{n: 1}]}\n",
		"apiVersion: integrator.io/v1alpha1\nkind: ImportRun\nmetadata: {}\nspec: {importRef: {name: created}, data: [{n: 1}]}\n",
		strings.ReplaceAll(httpImport("wrong", "  suspended: true\n"), "@shop", "@erp"),
		strings.ReplaceAll(httpImport("unknown", ""), "@shop", "@erp"),
	}, "\n---\n")), options)
	if err != nil {
		t.Fatal(err)
	}
	want := []plan.Item{
		{Name: "created", Action: plan.Create, Calls: []string{"POST /v1/imports"}},
		{Name: "existing", Action: plan.Adopt},
		{Name: "renamed", Action: plan.Adopt, Calls: []string{"PUT /v1/imports/{id}"}, Differences: []v1alpha1.Difference{{Path: "/name", Declared: `"renamed"`, Remote: `"existing"`}}},
		{Name: "aliased", Action: plan.Wait, Reason: v1alpha1.ReasonValueNotFound},
		{Name: "hook-…", Action: plan.Invoke, Calls: []string{"POST /v1/imports/{id}/invoke"}},
		{Name: "hook-…", Action: plan.Invoke, Calls: []string{"POST /v1/imports/{id}/invoke"}},
		{Name: "", Action: plan.Fail, Reason: plan.ReasonRefused},
		{Name: "wrong", Action: plan.Fail, Reason: plan.ReasonRefused},
		{Name: "unknown", Action: plan.Fail, Reason: v1alpha1.ReasonUnknownAlias},
	}
	if diff := cmp.Diff(want, made.Items, cmpopts.IgnoreFields(plan.Item{}, "Kind", "Namespace", "Source", "Message", "ID"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the plan (-want +got):\n%s", diff)
	}
	for _, item := range made.Items {
		if (item.Action == plan.Fail || item.Action == plan.Wait) != (item.Message != "") {
			t.Errorf("%s: %s with the message %q", item.Name, item.Action, item.Message)
		}
	}
	for _, entry := range sim.Ledger(simulator.Filter{Account: "shop"}) {
		if entry.Method != "GET" {
			t.Errorf("the plan made the call %s %s", entry.Method, entry.Path)
		}
	}
}
