// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package export_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/export"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

const (
	id   = `"_id": "6b047dc8773a222bad86bd2a"`
	head = "apiVersion: integrator.io/v1alpha1\nkind: Import\nmetadata:\n  name: orders\nspec:\n"
)

var aliases = map[string]v1alpha1.ID{
	"shop": "64a0000000000000000000a1", "b-shop": "64a0000000000000000000a1", "script": "64a0000000000000000000f1",
}

func TestMake(t *testing.T) {
	cases := map[string]struct {
		reason, document string
		options          export.Options
		want             string // after the head
		comments         string
	}{
		"Small": {
			reason:   "what the server makes is left out, and what is nothing",
			document: `{` + id + `, "name": "Orders", "createdAt": "x", "lastModified": "x", "apiIdentifier": "i1", "sandbox": false, "draft": false, "description": null, "_integrationId": "", "externalId": "k8s/uid-1", "oneToMany": false}`,
			want:     "  definition:\n    name: Orders\n    oneToMany: false\n",
		},
		"Order": {
			reason:   "what an import is comes first",
			document: `{` + id + `, "adaptorType": "HTTPImport", "a": 1, "externalId": "erp", "_connectionId": "64a0000000000000000000ff", "name": "x", "http": {"z": 1, "name": 2, "b": 3}}`,
			want: "  definition:\n    name: x\n    adaptorType: HTTPImport\n    _connectionId: \"64a0000000000000000000ff\"\n    externalId: erp\n    a: 1\n" +
				"    http:\n      name: 2\n      b: 3\n      z: 1\n",
		},
		"AccountAndAdopt": {
			reason:   "an account that is not the default one, and the id to take over",
			document: `{` + id + `, "name": "x"}`,
			options:  export.Options{Account: "prod", Adopt: v1alpha1.AdoptionModeMatch},
			want:     "  accountRef:\n    name: prod\n  adopt:\n    id: \"6b047dc8773a222bad86bd2a\"\n    mode: Match\n  deletionPolicy: Orphan\n  definition:\n    name: x\n",
		},
		"DefaultAccount": {
			reason:   "the default account goes without saying",
			document: `{` + id + `, "name": "x"}`,
			options:  export.Options{Account: "default"},
			want:     "  definition:\n    name: x\n",
		},
		"Aliases": {
			reason:   "ids become aliases in id fields at any depth, and nowhere else; of two aliases always the same one",
			document: `{` + id + `, "name": "64a0000000000000000000a1", "_connectionId": "64a0000000000000000000a1", "hooks": {"preMap": {"_scriptId": "64a0000000000000000000f1"}}, "list": [{"_fileIds": ["64a0000000000000000000a1", "64a0000000000000000000ee"]}]}`,
			options:  export.Options{Aliases: aliases},
			want: "  definition:\n    name: \"64a0000000000000000000a1\"\n    _connectionId: \"@b-shop\"\n    hooks:\n      preMap:\n        _scriptId: \"@script\"\n" +
				"    list:\n      - _fileIds:\n          - \"@b-shop\"\n          - \"64a0000000000000000000ee\"\n",
		},
		"Secrets": {
			reason:   "a masked secret is left out and named; asterisks in data are data",
			document: `{` + id + `, "name": "x", "encrypted": {"apiKey": "******", "deep": {"a/b": "******"}}, "http": {"headers": [{"name": "X", "value": "********"}, {"name": "Y", "value": "1"}], "auth": {"key": "******"}}, "sampleData": {"card": "********"}}`,
			want:     "  definition:\n    name: x\n    http:\n      auth: {}\n      headers:\n        - name: X\n        - name: \"Y\"\n          value: \"1\"\n    sampleData:\n      card: \"********\"\n",
			comments: "# Secret, so the API does not show it. It is left out, and stays as it is where this import is taken over:\n#   /encrypted/apiKey\n#   /encrypted/deep/a~1b\n#   /http/auth/key\n#   /http/headers/0/value\n",
		},
		"SecretsAdopted": {
			reason:   "an array is declared whole, so one with a secret cannot be declared of an import that has it",
			document: `{` + id + `, "name": "x", "http": {"headers": [{"name": "X", "value": "********"}], "body": ["a"]}}`,
			options:  export.Options{Adopt: v1alpha1.AdoptionModeMatch},
			want:     "  adopt:\n    id: \"6b047dc8773a222bad86bd2a\"\n    mode: Match\n  deletionPolicy: Orphan\n  definition:\n    name: x\n    http:\n      body:\n        - a\n",
			comments: "# Secret, so the API does not show it. It is left out, and stays as it is where this import is taken over:\n#   /http/headers/0/value (and with it all of /http/headers)\n",
		},
		"PlainCredential": {
			reason:   "a credential that the API shows is pointed out; a template is none",
			document: `{` + id + `, "name": "x", "http": {"headers": [{"name": "Authorization", "value": "Bearer abc"}, {"name": "X-Api-Key", "value": "{{{connection.key}}}"}]}}`,
			want:     "  definition:\n    name: x\n    http:\n      headers:\n        - name: Authorization\n          value: Bearer abc\n        - name: X-Api-Key\n          value: \"{{{connection.key}}}\"\n",
			comments: "# Looks like a credential in plain text. Think twice before it goes into Git:\n#   /http/headers/0/value\n",
		},
		"NotAnAlias": {
			reason:   "what would be read as an alias cannot be declared",
			document: `{` + id + `, "name": "x", "sampleData": {"_userId": "@jane", "to": "@joe"}}`,
			want:     "  definition:\n    name: x\n    sampleData:\n      to: \"@joe\"\n",
			comments: "# Left out: it begins with @ and would be read as an alias:\n#   /sampleData/_userId\n",
		},
		"Numbers": {
			reason:   "numbers keep their digits",
			document: `{` + id + `, "name": "x", "settings": {"a": 9007199254740993, "b": 1.0, "c": 1e2, "d": -0.10, "e": 1E-7, "f": -9223372036854775808}}`,
			want:     "  definition:\n    name: x\n    settings:\n      a: 9007199254740993\n      b: 1.0\n      c: 1.0e+2\n      d: -0.10\n      e: 1.0e-7\n      f: -9223372036854775808\n",
		},
		"Rounded": {
			reason:   "a number that Kubernetes rounds is pointed out",
			document: `{` + id + `, "name": "x", "settings": {"a": 12345678901234567890.10, "b": 1234567890123456789012}}`,
			want:     "  definition:\n    name: x\n    settings:\n      a: 12345678901234567890.10\n      b: 1234567890123456789012\n",
			comments: "# Kubernetes rounds this number when the manifest is applied:\n#   /settings/a\n#   /settings/b\n",
		},
		"TooPrecise": {
			reason:   "and cannot be declared of an import that has it",
			document: `{` + id + `, "name": "x", "settings": {"a": 12345678901234567890.10, "b": [12345678901234567891]}}`,
			options:  export.Options{Adopt: v1alpha1.AdoptionModeMatch},
			want:     "  adopt:\n    id: \"6b047dc8773a222bad86bd2a\"\n    mode: Match\n  deletionPolicy: Orphan\n  definition:\n    name: x\n    settings: {}\n",
			comments: "# Left out: Kubernetes cannot hold this number to its last digit:\n#   /settings/a\n#   /settings/b/0 (and with it all of /settings/b)\n",
		},
		"NotUnicode": {
			reason:   "a text that Kubernetes would change is left out and named, as a value and as a name",
			document: `{` + id + `, "name": "x", "description": "a\ud83d", "\ude00": 1, "settings": {"a": "` + "\xff" + `", "b": ["\ud83d", "c"], "\udc00": {"d": 1}}}`,
			want:     "  definition:\n    name: x\n    settings:\n      b:\n        - null\n        - c\n",
			comments: "# Left out: Kubernetes cannot hold this text, because it is not Unicode (an unpaired surrogate or bytes that are not UTF-8):\n#   /description\n#   /settings/a\n#   /settings/b/0\n#   /settings/\\udc00\n#   /\\ude00\n",
		},
		"NotUnicodeAdopted": {
			reason:   "and an array with such a text cannot be declared of the import that has it, nor can such an externalId name it",
			document: `{` + id + `, "name": "x", "externalId": "\ud83d", "settings": {"b": ["\ud83d", "c"]}}`,
			options:  export.Options{Adopt: v1alpha1.AdoptionModeMatch, ByExternalID: true},
			want:     "  adopt:\n    id: \"6b047dc8773a222bad86bd2a\"\n    mode: Match\n  deletionPolicy: Orphan\n  definition:\n    name: x\n    settings: {}\n",
			comments: "# Left out: Kubernetes cannot hold this text, because it is not Unicode (an unpaired surrogate or bytes that are not UTF-8):\n#   /externalId\n#   /settings/b/0 (and with it all of /settings/b)\n",
		},
		"Echoes": {
			reason:   "of what the API says twice, one is declared",
			document: `{` + id + `, "name": "x", "adaptorType": "RESTImport", "rest": {"method": ["POST"], "lookups": [{"a": 1}]}, "http": {"formType": "rest", "method": ["POST"]}, "lookups": [{"a": 1}], "filter": {"rules": ["a"], "expression": {"version": "1", "rules": ["a"]}}}`,
			want: "  definition:\n    name: x\n    adaptorType: RESTImport\n    filter:\n      expression:\n        version: \"1\"\n      rules:\n        - a\n" +
				"    rest:\n      lookups:\n        - a: 1\n      method:\n        - POST\n",
		},
		"CommentStaysOne": {
			reason:   "a path cannot break out of its comment",
			document: `{` + id + `, "name": "x", "http": {"a\nkind: Secret": "******"}}`,
			want:     "  definition:\n    name: x\n    http: {}\n",
			comments: "# Secret, so the API does not show it. It is left out, and stays as it is where this import is taken over:\n#   /http/a?kind: Secret\n",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			manifest, err := export.Make(json.RawMessage(c.document), "orders", c.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.comments+head+c.want, string(manifest.YAML)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestMakeRefuses(t *testing.T) {
	for _, text := range []string{`[]`, `{`, ``, `"x"`} {
		if _, err := export.Make(json.RawMessage(text), "n", export.Options{}); err == nil {
			t.Errorf("%q became a manifest", text)
		}
	}
}

// read is what kubectl makes of a manifest, as the API server gets it.
func read(t *testing.T, text []byte) v1alpha1.Import {
	t.Helper()
	var object v1alpha1.Import
	if err := yaml.UnmarshalStrict(text, &object); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return object
}

// texts that YAML, in one version or another, reads as something else, or folds or trims.
var texts = []string{
	"", " ", "yes", "No", "on", "OFF", "y", "N", "true", "False", "null", "Null", "~", "0123", "0x1F", "0b1", "0o17", "1_000", "1e3", ".5", "1.",
	"12:30:45", "2001-01-01", "2001-01-01T00:00:00Z", ".inf", "-.Inf", ".nan", "<<", "=", "-", "--- ", "---", "...", "? a", "- a", "a: b", "a:", ": a",
	"a #b", "#b", "&a", "*a", "!a", "!!str a", "%a", "@a", "`a`", "|", ">", "{a}", "[a]", "a, b", `"quoted"`, "'quoted'", `back\slash`, "$.lines[*].sku",
	"{{{record.id}}}", "{{#if a}}\n  b\n{{/if}}", "a\nb", "a\nb\n", "a\nb\n\n", "\na", "\n", "\n\n", "a\n\n\nb", " a\nb", "a \nb", "a\n b", "a\nb ", "\ta\nb", "a\tb", "a\n\tb", "a\r\nb",
	"#a\nb", "a\n#b", "- a\nb", "a: b\nc: d", "---\na", "a\n---\nb", "a\n...\nb", "%a\nb",
	"a\u0000b", "a\u0007", "a\u0085b", "a\u2028b\nc", "\ufeffa", "a\ufeff\nb", "ü\nß", "😀", "😀\n😀", "日本語", "\u00a0", "a\u00a0\nb", "\u200b", "\x7f", "\ufffd",
	strings.Repeat("long words ", 40), strings.Repeat("x", 2000), strings.Repeat("long words\n", 40), "trailing space " + "\n" + "b",
	"é", "e\u0301", "E5", "e5", "_", "/", "/a b/c", "$ref", "a-b c.d", "a  b", "a b ", "Y2K", "nOt", "+1", "-1", "(a)", "a\\nb",
}

// TestTextSurvives: every text is read back as it was, as a value, in an array and as a key.
func TestTextSurvives(t *testing.T) {
	for _, text := range texts {
		checkText(t, text)
	}
}

func FuzzTextSurvives(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkText(t, strings.ToValidUTF8(text, "?")) })
}

func checkText(t *testing.T, text string) {
	t.Helper()
	settings := map[string]any{"value": text, "list": []any{text, []any{text}}, "k" + text: map[string]any{"x": "1"}}
	raw, err := json.Marshal(map[string]any{"_id": "1", "name": "n", "settings": settings})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := export.Make(raw, "n", export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Settings map[string]any }
	if err := json.Unmarshal(read(t, manifest.YAML).Spec.Definition.Raw, &got); err != nil {
		t.Fatal(err)
	}
	if strings.Trim(text, "*") == "" && len(text) >= 6 {
		return // a mask
	}
	if diff := cmp.Diff(settings, got.Settings); diff != "" {
		t.Errorf("%q (-want +got):\n%s\n%s", text, diff, manifest.YAML)
	}
}

// TestEveryKindSurvives: what the API answers to each fixture is in agreement with the
// manifest that is made of it, as kubectl reads it.
func TestEveryKindSurvives(t *testing.T) {
	sim := simulator.New(simulator.Options{})
	if err := sim.AddAccount(simulator.AccountSpec{Name: "a", Connections: simulator.FixtureConnections()}); err != nil {
		t.Fatal(err)
	}
	for _, fixture := range simulator.Fixtures() {
		t.Run(fixture.Name, func(t *testing.T) {
			seeded, err := sim.SeedImport("a", fixture.Document)
			if err != nil {
				t.Fatal(err)
			}
			stored, _ := sim.Import("a", seeded)
			raw, err := json.Marshal(stored)
			if err != nil {
				t.Fatal(err)
			}
			manifest, err := export.Make(raw, "n", export.Options{Adopt: v1alpha1.AdoptionModeMatch})
			if err != nil {
				t.Fatal(err)
			}
			object := read(t, manifest.YAML)
			declared, err := drift.Parse(object.Spec.Definition.Raw)
			if err != nil {
				t.Fatal(err)
			}
			remote, err := drift.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			if found := drift.Compare(declared, remote, nil); len(found) > 0 {
				t.Errorf("the manifest differs from the import: %v\n%s", found, manifest.YAML)
			}
			if diff := cmp.Diff(manifest.Definition["name"], declared["name"]); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(string(manifest.YAML), "a-secret-of") {
				t.Error("a secret is in the manifest")
			}
		})
	}
}

func TestNames(t *testing.T) {
	type ask struct{ id, name string }
	long := strings.Repeat("Sehr lange Namen ", 6)
	cases := []struct {
		reason string
		asks   []ask
		want   []string
	}{
		{"small letters, digits and hyphens", []ask{{"1", "Orders → Shop (v2)"}, {"2", "  Übergröße & Łódź's  "}, {"3", "_a__b.c_"}}, []string{"orders-shop-v2", "ubergrosse-lodzs", "a-b-c"}},
		{"something even where nothing is left", []ask{{"64a0000000000000000000a1", "日本語"}, {"64a0000000000000000000a2", "!!!"}}, []string{"import", "import-000000a2"}},
		{"the second of a name gets part of its id, the third too", []ask{{"64a0000000000000000000A1", "Orders"}, {"64a0000000000000000000A2", "orders"}, {"64b0000000000000000000A2", "ORDERS"}}, []string{"orders", "orders-000000a2", "orders-64b0000000000000000000a2"}},
		{"the same import has the same name", []ask{{"1", "a"}, {"2", "a"}, {"1", "renamed"}, {"2", "a"}}, []string{"a", "a-2", "a", "a-2"}},
		{"63 characters at most, with the part of the id", []ask{{"64a0000000000000000000a1", long}, {"64a0000000000000000000a2", long}}, []string{
			"sehr-lange-namen-sehr-lange-namen-sehr-lange-namen-sehr-lange-n", "sehr-lange-namen-sehr-lange-namen-sehr-lange-namen-seh-000000a2"}},
		{"a name that another object has is not given", []ask{{"9", "Taken"}, {"8", "x"}}, []string{"taken-9", "kept"}},
	}
	for _, c := range cases {
		names := export.NewNames()
		names.Reserve("taken")
		names.Fix("8", "kept")
		var got []string
		for _, ask := range c.asks {
			got = append(got, names.Of(ask.id, ask.name))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.reason, diff)
		}
	}
}
