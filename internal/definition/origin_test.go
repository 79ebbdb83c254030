// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// fromEverywhere is a document with values of every origin.
func fromEverywhere(t *testing.T) *Desired {
	t.Helper()
	d, err := Desire(newImport(`{
		"name": "n", "_connectionId": "@shop", "adaptorType": "HTTPImport", "description": "d",
		"http": {"method": ["POST"], "headers": [{"name": "a", "value": "to come"}], "_connIds": ["64a0000000000000000000b1", "@erp.1"]},
		"lookups": [{"name": "x"}], "filter": {"rules": ["a"]}
	}`), testMarker, "default", testAliases, []Value{
		{Path: "/http/headers/0/value", Content: "S", Key: `key "k" of Secret "s"`},
		{Path: "/hooks", Content: map[string]any{"preMap": map[string]any{"_scriptId": "@shop"}}, Key: `key "h" of ConfigMap "c"`},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNotAccepted(t *testing.T) {
	const says = "the API did not accept what is declared: "
	d := fromEverywhere(t)
	for name, tc := range map[string]struct {
		reason string
		shown  []v1alpha1.Difference
		want   string
	}{
		"Definition": {
			reason: "what is written in the definition needs no other place",
			shown:  []v1alpha1.Difference{{Path: "/description", Declared: `"D"`, Remote: `"d"`, Hint: "they differ only in letter case"}},
			want:   says + `/description (declared "D", remote "d": they differ only in letter case); declare what it answers, or list the path in spec.ignoreDifferences`,
		},
		"Dropped": {
			reason: "there is no answer that could be declared",
			shown:  []v1alpha1.Difference{{Path: "/description", Declared: `"d"`}},
			want:   says + `/description (declared "d", remote none); remove it from the definition, or list the path in spec.ignoreDifferences`,
		},
		"Required": {
			reason: "a definition cannot be without a connection, nor an adaptor be changed",
			shown:  []v1alpha1.Difference{{Path: "/adaptorType", Declared: `"HTTPImport"`, Remote: `"FTPImport"`}, {Path: "/name", Declared: `"n"`}},
			want:   says + `/adaptorType (declared "HTTPImport", remote "FTPImport"); /name (declared "n", remote none); list the path in spec.ignoreDifferences`,
		},
		"Marker": {
			reason: "nobody declared the ownership marker",
			shown:  []v1alpha1.Difference{{Path: "/externalId", Declared: `"k8s/1"`, Remote: `"k8s/2"`}},
			want:   says + `/externalId (declared "k8s/1", remote "k8s/2"); list the path in spec.ignoreDifferences`,
		},
		"Alias": {
			reason: "the id is not in the definition",
			shown:  []v1alpha1.Difference{{Path: "/_connectionId", Declared: `"64a0000000000000000000a1"`, Remote: `"64a0000000000000000000a2"`}},
			want:   says + `/_connectionId (declared "64a0000000000000000000a1", remote "64a0000000000000000000a2"; from alias "shop" of Account "default"); correct alias "shop" of Account "default" in spec.aliases, or list the path in spec.ignoreDifferences`,
		},
		"AliasInArray": {
			reason: "an array that became shorter is compared as a whole",
			shown:  []v1alpha1.Difference{{Path: "/http/_connIds", Declared: `["a","b"]`, Remote: `["a"]`}},
			want:   says + `/http/_connIds (declared ["a","b"], remote ["a"]; from alias "erp.1" of Account "default"); correct alias "erp.1" of Account "default" in spec.aliases, or list the path in spec.ignoreDifferences`,
		},
		"Secret": {
			reason: "the answer is not shown, so nobody can declare it",
			shown:  []v1alpha1.Difference{{Path: "/http/headers/0/value", Declared: "(redacted)", Remote: "(redacted)"}},
			want:   says + `/http/headers/0/value (declared (redacted), remote (redacted); from key "k" of Secret "s"); correct the value in key "k" of Secret "s", or list the path in spec.ignoreDifferences`,
		},
		"SecretDropped": {
			reason: "the field is in no definition",
			shown:  []v1alpha1.Difference{{Path: "/http/headers", Declared: "(redacted)"}},
			want:   says + `/http/headers (declared (redacted), remote none; from key "k" of Secret "s"); remove it from spec.valuesFrom, or list the path in spec.ignoreDifferences`,
		},
		"AliasInValue": {
			reason: "what is in a value is the value's, and its aliases are not repeated",
			shown:  []v1alpha1.Difference{{Path: "/hooks/preMap/_scriptId", Declared: "(redacted)", Remote: "(redacted)"}},
			want:   says + `/hooks/preMap/_scriptId (declared (redacted), remote (redacted); from key "h" of ConfigMap "c"); correct the value in key "h" of ConfigMap "c", or list the path in spec.ignoreDifferences`,
		},
		"Several": {
			reason: "each advice names the fields that it is for",
			shown:  []v1alpha1.Difference{{Path: "/a", Declared: "1", Remote: "2"}, {Path: "/b", Declared: "1"}, {Path: "/c", Declared: "1", Remote: "2"}},
			want: says + `/a (declared 1, remote 2); /b (declared 1, remote none); /c (declared 1, remote 2); for /a, /c: declare what it answers, or list the path in spec.ignoreDifferences;` +
				` for /b: remove it from the definition, or list the path in spec.ignoreDifferences`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, d.NotAccepted(tc.shown)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestNotAcceptedTwin(t *testing.T) {
	d, err := Desire(newImport(`{"http": {"lookups": [{"name": "a"}]}, "lookups": [{"name": "b"}]}`), testMarker, "default", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `the API did not accept what is declared: /lookups/0/name (declared "b", remote "a"); the API makes /lookups and /http/lookups from each other: declare only one of them, or list the path in spec.ignoreDifferences`
	got := d.NotAccepted([]v1alpha1.Difference{{Path: "/lookups/0/name", Declared: `"b"`, Remote: `"a"`}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

func TestExplain(t *testing.T) {
	d := fromEverywhere(t)
	remote, err := drift.Parse([]byte(`{"description": "r", "rdbms": {"queryType": ["old"]}, "mapping": [{"a": 1}], "debugUntil": "x"}`))
	if err != nil {
		t.Fatal(err)
	}
	sent := Sent{Remote: remote, Ignored: []string{"/description"}}
	const stands = " is not in spec.definition, so it is sent as it is in the remote import: declare it with a value that the API accepts"
	for name, tc := range map[string]struct {
		reason string
		fields []string
		sent   Sent
		want   string
		all    bool
	}{
		"None":      {reason: "the API names no field", sent: sent},
		"Unnamed":   {reason: "nor for this error", fields: []string{""}, sent: sent},
		"Declared":  {reason: "it is written in the definition", fields: []string{"http.method"}, sent: sent},
		"Nowhere":   {reason: "neither side has it: the message of the API says that it is required", fields: []string{"rdbms.bulkInsert"}, sent: sent},
		"Remote":    {reason: "a person or an older version of the API wrote it", fields: []string{"rdbms.queryType"}, sent: sent, want: "rdbms.queryType" + stands, all: true},
		"Pointer":   {reason: "the API may name it by a pointer", fields: []string{"/rdbms/queryType"}, sent: sent, want: "/rdbms/queryType" + stands, all: true},
		"Element":   {reason: "or its element", fields: []string{"rdbms.queryType[0]"}, sent: sent, want: "rdbms.queryType[0]" + stands, all: true},
		"Dotted":    {reason: "or its element with a dot", fields: []string{"mapping.0.a"}, sent: sent, want: "mapping.0.a" + stands, all: true},
		"NoElement": {reason: "the remote import has no such element", fields: []string{"mapping.1.a", "mapping.x", "mapping.0.a.b"}, sent: sent},
		"Creation":  {reason: "there is no remote import", fields: []string{"rdbms.queryType"}},
		"Server":    {reason: "a field that the API sets cannot be declared", fields: []string{"debugUntil"}, sent: sent},
		"Alias":     {reason: "the id is in the Account", fields: []string{"_connectionId"}, want: `_connectionId comes from alias "shop" of Account "default": correct it there`, all: true},
		"Key":       {reason: "the value is in a Secret", fields: []string{"http.headers.0.value"}, want: `http.headers.0.value comes from key "k" of Secret "s": correct it there`, all: true},
		"Ignored": {reason: "the declared value is not sent", fields: []string{"description"}, sent: sent,
			want: "description is in spec.ignoreDifferences, so it is sent as it is in the remote import: remove it from spec.ignoreDifferences", all: true},
		"IgnoredByPattern": {reason: "also by a pattern", fields: []string{"description"}, sent: Sent{Remote: remote, Ignored: []string{"/*"}},
			want: "description is in spec.ignoreDifferences, so it is sent as it is in the remote import: remove it from spec.ignoreDifferences", all: true},
		"Released": {reason: "it was declared before", fields: []string{"rdbms.queryType"}, sent: Sent{Remote: remote, Released: []string{"/rdbms/queryType"}},
			want: "rdbms.queryType is no longer in spec.definition, so it is removed from the remote import: declare it again", all: true},
		"Several": {reason: "a field that is not explained leaves the general advice", fields: []string{"rdbms.queryType", "http.method", "rdbms.queryType"}, sent: sent, want: "rdbms.queryType" + stands},
	} {
		t.Run(name, func(t *testing.T) {
			got, all := d.Explain(tc.fields, tc.sent)
			if diff := cmp.Diff(tc.want, got); diff != "" || all != tc.all {
				t.Errorf("%s: explains all: %t; -want, +got:\n%s", tc.reason, all, diff)
			}
		})
	}
}
