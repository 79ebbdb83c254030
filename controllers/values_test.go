// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestDesireWithValues(t *testing.T) {
	document := map[string]any{"_scriptId": "@shop", "list": []any{json.Number("1.0")}}
	cases := map[string]struct {
		reason, definition, want, fails string
		values                          []value
	}{
		"Overlay": {
			reason:     "values replace, and make the objects on their way",
			definition: `{"http": {"headers": [{"name": "key", "value": "to come"}]}}`,
			values:     []value{{path: "/http/headers/0/value", content: "S"}, {path: "/settings/deep/key", content: true}},
			want:       `{"http": {"headers": [{"name": "key", "value": "S"}]}, "settings": {"deep": {"key": true}}, "externalId": "k8s/11111111-2222"}`,
		},
		"Aliases": {
			reason:     "aliases resolve in a value, and in a field that is one",
			definition: `{}`,
			values:     []value{{path: "/hooks/preMap", content: document}, {path: "/hooks/postMap/_scriptId", content: "@erp.1"}},
			want: `{"hooks": {"preMap": {"_scriptId": "64a0000000000000000000a1", "list": [1.0]}, "postMap": {"_scriptId": "64a0000000000000000000a2"}},
				"externalId": "k8s/11111111-2222"}`,
		},
		"AliasReplaced": {
			reason:     "what a value replaces need not exist",
			definition: `{"hooks": {"preMap": {"_scriptId": "@nope"}}}`,
			values:     []value{{path: "/hooks/preMap", content: "x"}},
			want:       `{"hooks": {"preMap": "x"}, "externalId": "k8s/11111111-2222"}`,
		},
		"UnknownAlias": {
			reason:     "an alias that comes from a Secret is not repeated",
			definition: `{}`,
			values:     []value{{path: "/a", content: map[string]any{"_scriptId": "@canary"}}},
			fails:      `UnknownAlias: definition/a/_scriptId: Account "default" has no such alias in spec.aliases as spec.valuesFrom has there; it has erp.1, shop`,
		},
		"ServerOwned": {
			reason:     "fields that the server makes are refused",
			definition: `{}`,
			values:     []value{{path: "/_sourceId/a", content: "canary"}},
			fails:      "InvalidDefinition: spec.valuesFrom, path /_sourceId/a: the server makes _sourceId itself; remove it from spec.valuesFrom",
		},
		"Through": {
			reason:     "a path that does not fit is named",
			definition: `{"a": "canary"}`,
			values:     []value{{path: "/a/b", content: "canary"}},
			fails:      "InvalidValue: spec.valuesFrom, path /a/b does not fit the definition: /a is neither an object nor an array; correct the path or the definition",
		},
		"LongName": {
			reason:     "a name too long for status is not repeated",
			definition: `{}`,
			values:     []value{{path: "/a", content: map[string]any{strings.Repeat("canary", 100): json.Number("1")}}},
			fails:      "InvalidValue: spec.valuesFrom has a value with a field whose path is longer than 512 bytes",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := desire(definition(tc.definition), "default", testIDs, tc.values)
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Fatalf("%s: got error %v, want %q", tc.reason, err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			want, err := drift.Parse([]byte(tc.want))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.document); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestHashOfValues(t *testing.T) {
	hash := func(ids map[string]v1alpha1.ID, values ...value) string {
		t.Helper()
		got, err := desire(definition(`{"a": {"b": 1}}`), "default", ids, values)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.hash) > 64 {
			t.Errorf("%q is longer than status.desiredHash", got.hash)
		}
		return got.hash
	}
	base := hash(testIDs, value{path: "/key", version: "1", content: "S"})
	cases := map[string]struct {
		reason string
		got    string
		same   bool
	}{
		"Content": {reason: "the content alone does not tell in the hash", got: hash(testIDs, value{path: "/key", version: "1", content: "T"}), same: true},
		"Version": {reason: "another version is another hash", got: hash(testIDs, value{path: "/key", version: "2", content: "S"})},
		"Path":    {reason: "so is another path", got: hash(testIDs, value{path: "/keys", version: "1", content: "S"})},
		"Aliases": {reason: "an alias may stand in the value", got: hash(map[string]v1alpha1.ID{"shop": "64a0000000000000000000b1"}, value{path: "/key", version: "1", content: "S"})},
		"None":    {reason: "without values all is another", got: hash(testIDs)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if (tc.got == base) != tc.same {
				t.Errorf("%s: %s and %s", tc.reason, base, tc.got)
			}
		})
	}
	if hash(testIDs) != hash(map[string]v1alpha1.ID{"shop": "64a0000000000000000000b1"}) {
		t.Error("aliases count although nothing uses them")
	}
}

func TestParseValue(t *testing.T) {
	cases := map[string]struct {
		reason, content string
		format          v1alpha1.ValueFormat
		want            any
		fails           string
	}{
		"Text":       {reason: "text is taken byte for byte", content: " \"a\"\r\n<&\u0000 ", want: " \"a\"\r\n<&\u0000 "},
		"Empty":      {reason: "an empty text is one", content: "", format: v1alpha1.ValueFormatText, want: ""},
		"NotText":    {reason: "what JSON cannot hold is refused", content: "canary\xff", fails: "not UTF-8 text"},
		"Number":     {reason: "numbers stay as they are written", content: "9007199254740993.10", format: v1alpha1.ValueFormatJSON, want: json.Number("9007199254740993.10")},
		"Null":       {reason: "null is a value", content: " null\n", format: v1alpha1.ValueFormatJSON},
		"Object":     {reason: "so is an object", content: `{"a": [1, "x"]}`, format: v1alpha1.ValueFormatJSON, want: map[string]any{"a": []any{json.Number("1"), "x"}}},
		"NotJSON":    {reason: "the error repeats nothing", content: `{"canary": canary}`, format: v1alpha1.ValueFormatJSON, fails: "not JSON: syntax error near byte 12"},
		"Cut":        {reason: "half a document is none", content: `{"canary": `, format: v1alpha1.ValueFormatJSON, fails: "not JSON: syntax error near byte 11"},
		"Nothing":    {reason: "nothing is no JSON", content: "", format: v1alpha1.ValueFormatJSON, fails: "not JSON: syntax error near byte 0"},
		"Followed":   {reason: "two values are not one", content: "1 2", format: v1alpha1.ValueFormatJSON, fails: "not JSON: syntax error near byte 3"},
		"FollowedBy": {reason: "whatever follows", content: "1 canary", format: v1alpha1.ValueFormatJSON, fails: "not JSON: syntax error near byte 3"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parseValue([]byte(tc.content), tc.format)
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Fatalf("%s: got error %v, want %q", tc.reason, err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// counting counts the reads of a client.
type counting struct {
	client.Reader
	reads int
}

func (c *counting) Get(_ context.Context, name types.NamespacedName, object client.Object, _ ...client.GetOption) error {
	c.reads++
	secret, ok := object.(*corev1.Secret)
	if !ok {
		return apierrors.NewNotFound(corev1.Resource("configmaps"), name.Name)
	}
	secret.UID, secret.ResourceVersion = "u", strconv.Itoa(c.reads)
	secret.Data = map[string][]byte{"user": []byte("jane"), "password": []byte("S")}
	return nil
}

func TestKeysOfOneSecretAreOfOneVersion(t *testing.T) {
	live := &counting{}
	keys := keyReader{live: live, namespace: "n", reason: reasonValueNotFound}
	for _, name := range []string{"user", "password", "user"} {
		_, version, err := keys.read(t.Context(), keyOf(&v1alpha1.KeyReference{Name: "s", Key: name}, nil))
		if err != nil || version != "u 1" {
			t.Errorf("%s: version %q, %v", name, version, err)
		}
	}
	if live.reads != 1 {
		t.Errorf("%d reads", live.reads)
	}
	_, _, err := keys.read(t.Context(), keyOf(nil, &v1alpha1.KeyReference{Name: "s", Key: "user"}))
	if p := classify(err, ""); p == nil || p.class != waiting || p.Error() != `ValueNotFound: waiting for key "user" of ConfigMap "s", which is not in namespace "n"` {
		t.Errorf("a ConfigMap of a Secret's name: %v", err)
	}
}

func TestChangedValues(t *testing.T) {
	differs := func(paths ...string) (found []drift.Difference) {
		for _, path := range paths {
			found = append(found, drift.Difference{Path: path})
		}
		return found
	}
	cases := map[string]struct {
		reason, before, now string
		secrets, released   []string
		found               []drift.Difference
		writeOnly           bool
		changed, rewrites   bool
	}{
		"Same":       {reason: "the same document is no change", before: "a.1", now: "a.1", secrets: []string{"/key"}, found: differs("/key")},
		"Touched":    {reason: "another version of which nothing differs is none", before: "a.1", now: "a.2", secrets: []string{"/key"}},
		"Elsewhere":  {reason: "nor when the remote differs elsewhere", before: "a.1", now: "a.2", secrets: []string{"/key"}, found: differs("/keys", "/name")},
		"Rotated":    {reason: "it is one when the remote differs at the value", before: "a.1", now: "a.2", secrets: []string{"/key"}, found: differs("/key/a"), changed: true},
		"Above":      {reason: "or above it", before: "a.1", now: "a.2", secrets: []string{"/list/0/key"}, found: differs("/list"), changed: true},
		"Fewer":      {reason: "or has what the value had before", before: "a.1", now: "a.2", secrets: []string{"/key"}, released: []string{"/key/gone"}, changed: true},
		"Masked":     {reason: "what cannot be compared is written", before: "a.1", now: "a.2", secrets: []string{"/encrypted/key"}, writeOnly: true, changed: true, rewrites: true},
		"OtherMask":  {reason: "but not for the sake of another value", before: "a.1", now: "a.2", secrets: []string{"/key"}, writeOnly: true},
		"Definition": {reason: "another definition is a change", before: "a.1", now: "b.1", secrets: []string{"/key"}, writeOnly: true, changed: true, rewrites: true},
		"Added":      {reason: "so are the first values", before: "a", now: "a.1", secrets: []string{"/key"}, changed: true},
		"Removed":    {reason: "and that there are none any more", before: "a.1", now: "a", changed: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			document := map[string]any{}
			if tc.writeOnly {
				document["encrypted"] = map[string]any{"key": "S"}
			}
			s := &importScope{object: definition("{}"), desired: &desired{document: document, hash: tc.now, secrets: tc.secrets}}
			s.object.Status.DesiredHash = tc.before
			if got := s.changed(tc.found, tc.released); got != tc.changed {
				t.Errorf("%s: changed = %v", tc.reason, got)
			}
			if got := s.rewrites(); got != tc.rewrites {
				t.Errorf("%s: rewrites = %v", tc.reason, got)
			}
		})
	}
}

func TestWithoutWords(t *testing.T) {
	details := []integrator.ErrorDetail{
		{Code: "invalid_field", Field: "http.headers[0].value", Message: "canary", Source: "canary"},
		{Code: "the canary", Field: "the canary", Message: "the canary"},
	}
	api := &integrator.APIError{StatusCode: 422, Sent: true, Errors: details}
	cases := map[string]struct {
		reason string
		err    error
		fields bool
		want   string
	}{
		"Fields":  {reason: "codes and fields stay", err: api, fields: true, want: ": field http.headers[0].value: " + notShown + " [invalid_field]; " + notShown},
		"Codes":   {reason: "or the codes alone", err: api, want: ": " + notShown + " [invalid_field]; " + notShown},
		"Wrapped": {reason: "whatever is around them", err: fmt.Errorf("canary: %w", api), want: ": " + notShown + " [invalid_field]; " + notShown},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := withoutWords(tc.err, tc.fields)
			if got := saying(apiError(err)); got != tc.want {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
			if text := err.Error(); strings.Contains(text, "canary") {
				t.Errorf("%s: %s", tc.reason, text)
			}
		})
	}
	worded := terminalf(reasonRejected, "in our words")
	worded.cause = api
	if got := withoutWords(worded, true); !errors.Is(got, worded) || strings.Contains(got.Error(), "canary") {
		t.Errorf("a problem that was worded already became %v", got)
	}
	if details[0].Message != "canary" {
		t.Error("the argument was changed")
	}
}
