// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

func TestCallsFor(t *testing.T) {
	cases := map[string]struct {
		reason   string
		found    []string
		released []string
		rewrite  bool
		want     []string
	}{
		"Nothing":      {reason: "never a PUT when nothing differs"},
		"Field":        {reason: "a field goes by PUT", found: []string{"/name"}, want: []string{CallPut}},
		"Connection":   {reason: "the connection alone has a call of its own", found: []string{"/_connectionId"}, want: []string{CallReplaceConnection}},
		"ConnectionTo": {reason: "together with others it goes by PUT", found: []string{"/_connectionId", "/name"}, want: []string{CallPut}},
		"Released":     {reason: "what is taken back needs a PUT", found: []string{"/_connectionId"}, released: []string{"/description"}, want: []string{CallPut}},
		"Rewrite":      {reason: "what cannot be compared is written", rewrite: true, want: []string{CallPut}},
		"Assistant":    {reason: "assistantMetadata alone goes by PATCH", found: []string{"/assistantMetadata/a", "/assistantMetadata"}, want: []string{CallPatch}},
		"Namesake":     {reason: "a field that only begins alike does not", found: []string{"/assistantMetadata2"}, want: []string{CallPut}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var found []drift.Difference
			for _, path := range tc.found {
				found = append(found, drift.Difference{Path: path})
			}
			if diff := cmp.Diff(tc.want, callsFor(found, tc.released, tc.rewrite)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDeclaredChanged(t *testing.T) {
	differs := func(paths ...string) (found []drift.Difference) {
		for _, path := range paths {
			found = append(found, drift.Difference{Path: path})
		}
		return found
	}
	cases := map[string]struct {
		reason, before, now string
		secrets, released   []string
		ignore              []string
		found               []drift.Difference
		writeOnly           bool
		changed, rewrites   bool
	}{
		"Same":           {reason: "the same document is no change", before: "a.1", now: "a.1", secrets: []string{"/key"}, found: differs("/key")},
		"Touched":        {reason: "another version without a difference is none", before: "a.1", now: "a.2", secrets: []string{"/key"}},
		"Elsewhere":      {reason: "nor when the remote differs elsewhere", before: "a.1", now: "a.2", secrets: []string{"/key"}, found: differs("/keys", "/name")},
		"Rotated":        {reason: "it is one when the remote differs at the value", before: "a.1", now: "a.2", secrets: []string{"/key"}, found: differs("/key/a"), changed: true},
		"Above":          {reason: "or above it", before: "a.1", now: "a.2", secrets: []string{"/list/0/key"}, found: differs("/list"), changed: true},
		"Fewer":          {reason: "or has what the value had before", before: "a.1", now: "a.2", secrets: []string{"/key"}, released: []string{"/key/gone"}, changed: true},
		"Masked":         {reason: "what cannot be compared is written", before: "a.1", now: "a.2", secrets: []string{"/encrypted/key"}, writeOnly: true, changed: true, rewrites: true},
		"MaskIgnored":    {reason: "nor what is ignored", before: "a.1", now: "a.2", secrets: []string{"/encrypted/key"}, ignore: []string{"/encrypted/*"}, writeOnly: true},
		"DeclareIgnored": {reason: "another definition does not write what is ignored", before: "a", now: "b", ignore: []string{"/encrypted"}, writeOnly: true, changed: true},
		"OtherMask":      {reason: "but not for the sake of another value", before: "a.1", now: "a.2", secrets: []string{"/key"}, writeOnly: true},
		"Definition":     {reason: "another definition is a change", before: "a.1", now: "b.1", secrets: []string{"/key"}, writeOnly: true, changed: true, rewrites: true},
		"Added":          {reason: "so are the first values", before: "a", now: "a.1", secrets: []string{"/key"}, changed: true},
		"Removed":        {reason: "and that there are none any more", before: "a.1", now: "a", changed: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			document := map[string]any{}
			if tc.writeOnly {
				document["encrypted"] = map[string]any{"key": "S"}
			}
			object, desired := &v1alpha1.Import{}, &definition.Desired{Document: document, Hash: tc.now, Secrets: tc.secrets}
			object.Status.DesiredHash, object.Spec.IgnoreDifferences = tc.before, tc.ignore
			changed := SpecChanged(ownership.Owner{}, object, desired, integrator.Import{})
			if got := changed && declaredChanged(object, desired, tc.found, tc.released); got != tc.changed {
				t.Errorf("%s: changed = %v", tc.reason, got)
			}
			if got := changed && needsRewrite(object, desired); got != tc.rewrites {
				t.Errorf("%s: rewrites = %v", tc.reason, got)
			}
		})
	}
}

// compared compares a definition with a document of the API, for an Import that was in sync before.
func compared(t *testing.T, object *v1alpha1.Import, definitionText, remote string) Comparison {
	t.Helper()
	object.UID, object.Spec.Definition.Raw = "u1", []byte(definitionText)
	response := integrator.Import{ID: "1", Raw: []byte(remote)}
	for field, value := range map[string]*string{"name": &response.Name, "externalId": &response.ExternalID} {
		document, err := drift.Parse(response.Raw)
		if err != nil {
			t.Fatal(err)
		}
		*value, _ = document[field].(string)
	}
	desired, err := definition.Desire(object, ownership.Owner{}.Marker(object), "default", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compare(ownership.Owner{}, object, desired, response, drift.Foreign{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRefused(t *testing.T) {
	const declared, masked = `{"name": "n", "externalId": "e"}`, `{"name": "o", "externalId": "e", "encrypted": {"a": "******", "b": ["******"]}}`
	const advice = "; declare each with spec.valuesFrom, or set spec.maskedFields to Send, if the API keeps the stored value when it gets the mask"
	refuses := func(fields string) string {
		return "MaskedField: the API masks " + fields + " in the import, and an update would write the mask over its value: nothing is written" + advice
	}
	cases := map[string]struct {
		reason, declared, remote string
		object                   v1alpha1.Import
		calls, masked            []string
		refused                  string
	}{
		"Refuse": {
			reason:   "a PUT would send the mask",
			declared: declared, remote: masked, calls: []string{CallPut}, masked: []string{"/encrypted/a", "/encrypted/b"},
			refused: refuses("/encrypted/a, /encrypted/b"),
		},
		"RefuseByName": {
			reason:   "and so it is when the default is spelled out",
			declared: declared, remote: `{"name": "o", "externalId": "e", "encrypted": "***"}`, calls: []string{CallPut}, masked: []string{"/encrypted"},
			object:  v1alpha1.Import{Spec: v1alpha1.ImportSpec{MaskedFields: v1alpha1.MaskedFieldsRefuse}},
			refused: refuses("/encrypted"),
		},
		"Send": {
			reason:   "the user wants it to be sent",
			declared: declared, remote: masked, calls: []string{CallPut}, masked: []string{"/encrypted/a", "/encrypted/b"},
			object: v1alpha1.Import{Spec: v1alpha1.ImportSpec{MaskedFields: v1alpha1.MaskedFieldsSend}},
		},
		"Nothing": {
			reason:   "without a difference there is no PUT",
			declared: `{"name": "o", "externalId": "e"}`, remote: masked, masked: []string{"/encrypted/a", "/encrypted/b"},
		},
		"Connection": {
			reason:   "another call than PUT leaves it alone",
			declared: `{"name": "o", "externalId": "e", "_connectionId": "64a0000000000000000000a1"}`, remote: masked, calls: []string{CallReplaceConnection}, masked: []string{"/encrypted/a", "/encrypted/b"},
		},
		"Patch": {
			reason:   "so does PATCH",
			declared: `{"name": "o", "externalId": "e", "assistantMetadata": {"a": 1}}`, remote: masked, calls: []string{CallPatch}, masked: []string{"/encrypted/a", "/encrypted/b"},
		},
		"Report": {
			reason:   "drift that is only reported needs no PUT",
			declared: declared, remote: masked, calls: []string{CallPut}, masked: []string{"/encrypted/a", "/encrypted/b"},
			object: v1alpha1.Import{Spec: v1alpha1.ImportSpec{DriftPolicy: v1alpha1.DriftPolicyReport}},
		},
		"Declared": {
			reason:   "what is declared is written",
			declared: `{"name": "n", "externalId": "e", "encrypted": {"a": "S", "b": ["S"]}}`, remote: masked, calls: []string{CallPut},
		},
		"DeclaredInPart": {
			reason:   "what is declared beside it does not help",
			declared: `{"name": "n", "externalId": "e", "encrypted": {"b": ["S"]}}`, remote: masked, calls: []string{CallPut}, masked: []string{"/encrypted/a"},
			refused: refuses("/encrypted/a"),
		},
		"Ignored": {
			reason:   "what is declared and ignored is not written, so the mask would be",
			declared: `{"name": "n", "externalId": "e", "encrypted": {"a": "S", "b": ["S"]}}`, remote: masked, calls: []string{CallPut}, masked: []string{"/encrypted/a"},
			object:  v1alpha1.Import{Spec: v1alpha1.ImportSpec{IgnoreDifferences: []string{"/encrypted/a"}}},
			refused: strings.Replace(refuses("/encrypted/a"), "spec.valuesFrom,", "spec.valuesFrom and remove it from spec.ignoreDifferences,", 1),
		},
		"Released": {
			reason:   "what is no longer declared is removed",
			declared: declared, remote: masked, calls: []string{CallPut}, masked: []string{"/encrypted/a"},
			object:  v1alpha1.Import{Status: v1alpha1.ImportStatus{OwnedFields: []string{"/encrypted/b", "/externalId"}}},
			refused: refuses("/encrypted/a"),
		},
		"Empty": {
			reason:   "an empty field has nothing to lose",
			declared: declared, remote: `{"name": "o", "externalId": "e", "encrypted": {"a": "", "b": {}}}`, calls: []string{CallPut},
		},
		"Elsewhere": {
			reason:   "asterisks in a field that the API does not mask are asterisks",
			declared: declared, remote: `{"name": "o", "externalId": "e", "description": "******"}`, calls: []string{CallPut},
		},
		"Many": {
			reason:   "the message stays short",
			declared: declared, remote: `{"name": "o", "externalId": "e", "encrypted": {"a": "*", "b": "*", "c": "*", "d": "*", "e": "*", "f": "*"}}`, calls: []string{CallPut},
			masked:  []string{"/encrypted/a", "/encrypted/b", "/encrypted/c", "/encrypted/d", "/encrypted/e", "/encrypted/f"},
			refused: refuses("/encrypted/a, /encrypted/b, /encrypted/c, /encrypted/d and 2 more"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.object.DeepCopy()
			if desired, err := definition.Desire(&v1alpha1.Import{Spec: v1alpha1.ImportSpec{Definition: v1alpha1.ImportDefinition{Raw: []byte(tc.declared)}}}, "k8s/u1", "default", nil, nil); err == nil {
				object.Status.DesiredHash = desired.Hash
			}
			c := compared(t, object, tc.declared, tc.remote)
			if diff := cmp.Diff(tc.calls, c.Calls); diff != "" {
				t.Errorf("%s: calls: -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.masked, c.Masked); diff != "" {
				t.Errorf("%s: masked: -want, +got:\n%s", tc.reason, diff)
			}
			got := ""
			if refused := c.Refused(object); refused != nil {
				got = refused.Error()
			}
			if diff := cmp.Diff(tc.refused, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestRefusedClone(t *testing.T) {
	const original = `{"name": "o", "encrypted": {"a": "******"}}`
	cases := map[string]struct {
		reason, declared, original string
		policy                     v1alpha1.MaskedFieldsPolicy
		want                       string
	}{
		"Refuse": {
			reason:   "the update of the clone would send the mask",
			declared: `{"name": "n"}`, original: original,
			want: "MaskedField: the API masks /encrypted/a in the import, and an update would write the mask over its value: no clone of it is made; declare each with spec.valuesFrom, or set spec.maskedFields to Send, if the API keeps the stored value when it gets the mask",
		},
		"Send":     {reason: "the user wants it to be sent", declared: `{"name": "n"}`, original: original, policy: v1alpha1.MaskedFieldsSend},
		"Declared": {reason: "what is declared is written", declared: `{"name": "n", "encrypted": {"a": "S"}}`, original: original},
		"None":     {reason: "the original has none", declared: `{"name": "n"}`, original: `{"name": "o"}`},
		"NoObject": {reason: "what is no document is not taken for one without", declared: `{"name": "n"}`, original: `[]`, want: "UnexpectedResponse: the API's import document is not a JSON object"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := &v1alpha1.Import{Spec: v1alpha1.ImportSpec{MaskedFields: tc.policy, Definition: v1alpha1.ImportDefinition{Raw: []byte(tc.declared)}}}
			desired, err := definition.Desire(object, "k8s/u1", "default", nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := RefusedClone(object, desired, integrator.Import{Raw: []byte(tc.original)}); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestIgnored(t *testing.T) {
	const declared, remote = `{"name": "n", "description": "d", "settings": {"a": 1, "b": 1}}`, `{"description": "x", "settings": {"a": 2, "b": 2}, "theirs": 1, `
	cases := map[string]struct {
		reason                    string
		ignore, differ, unmatched []string
		clone                     bool
	}{
		"Pointers":  {reason: "pointers with and without a star are left alone, and those that match nothing are named", ignore: []string{"/settings/*", "/theirs/*", "/descriptions", "/description", "/*/c"}, differ: []string{"/externalId", "/name"}, unmatched: []string{"/theirs/*", "/descriptions", "/*/c"}},
		"All":       {reason: "a star at the top is every field", ignore: []string{"/*"}},
		"Clone":     {reason: "name and externalId of a new clone are written", ignore: []string{"/externalId", "/name", "/settings/a", "/none"}, clone: true, differ: []string{"/description", "/externalId", "/name", "/settings/b"}, unmatched: []string{"/none"}},
		"CloneStar": {reason: "also if every field is left alone", ignore: []string{"/*"}, clone: true, differ: []string{"/externalId", "/name"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := &v1alpha1.Import{Spec: v1alpha1.ImportSpec{IgnoreDifferences: tc.ignore}}
			named := `"name": "o", "externalId": "theirs"}`
			if tc.clone {
				object.Spec.CloneFrom = &v1alpha1.CloneSpec{ID: "64a0000000000000000000f0"}
				named = `"name": "k8s/u1", "externalId": "theirs"}`
			}
			c := compared(t, object, declared, remote+named)
			var differ []string
			for _, difference := range c.Shown {
				differ = append(differ, difference.Path)
			}
			if diff := cmp.Diff(tc.differ, differ); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.unmatched, c.Unmatched); diff != "" {
				t.Errorf("%s: unmatched: -want, +got:\n%s", tc.reason, diff)
			}
			if c.Merged("k8s/u1")["theirs"] == nil {
				t.Error("what nobody declared is not written back")
			}
		})
	}
}
