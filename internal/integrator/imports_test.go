// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
)

func TestParseImport(t *testing.T) {
	tests := []struct {
		name string
		raw  string
		want Import // without Raw
		bad  bool
	}{
		{
			name: "all fields",
			raw: `{"_id":"i","name":"n","adaptorType":"HTTPImport","_connectionId":"c","externalId":"e","apiIdentifier":"i1","createdAt":"t1",
				"lastModified":"t2","_connectorId":"k","_integrationId":"g","other":[1,{"_id":"inner"}]}`,
			want: Import{
				ID: "i", Name: "n", AdaptorType: "HTTPImport", ConnectionID: "c", ExternalID: "e", APIIdentifier: "i1",
				CreatedAt: "t1", LastModified: "t2", ConnectorID: "k",
			},
		},
		{name: "wrong types are as good as absent", raw: `{"_id":"i","name":1,"externalId":null,"_connectionId":{"a":1},"lastModified":[]}`, want: Import{ID: "i"}},
		{name: "names are exact", raw: `{"_id":"i","_ID":"j","NAME":"n"}`, want: Import{ID: "i"}},
		{name: "the last of two counts", raw: `{"_id":"i","_id":"j"}`, want: Import{ID: "j"}},
		{name: "escapes", raw: `{"\u005fid":"\u0069","name":"\u00e9\ud83d\ude00"}`, want: Import{ID: "i", Name: "é😀"}},
		{name: "no _id", raw: `{}`, bad: true},
		{name: "empty _id", raw: `{"_id":""}`, bad: true},
		{name: "null", raw: `null`, bad: true},
		{name: "array", raw: `[]`, bad: true},
		{name: "cut", raw: `{"_id":"i"`, bad: true},
		{name: "two documents", raw: `{"_id":"i"}{"_id":"i"}`, bad: true},
		{name: "deep", raw: `{"_id":"i","x":` + strings.Repeat("[", 9999) + strings.Repeat("]", 9999) + `}`, want: Import{ID: "i"}},
		{name: "too deep", raw: `{"_id":"i","x":` + strings.Repeat("[", 10001) + strings.Repeat("]", 10001) + `}`, bad: true},
		{name: "too deep and cut", raw: `{"_id":"i","x":` + strings.Repeat(`{"a":`, 2_000_000), bad: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			raw, err := jsonscan.Read(strings.NewReader(" " + tc.raw + "\n"))
			var got Import
			if err == nil {
				got, err = parseImport(raw)
			}
			if (err != nil) != tc.bad {
				t.Fatalf("error %v, want one: %t", err, tc.bad)
			}
			if tc.bad {
				return
			}
			tc.want.Raw = json.RawMessage(tc.raw)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestDocumentsPassUnchanged: what is no Unicode goes through the client byte for byte, both ways.
func TestDocumentsPassUnchanged(t *testing.T) {
	document := `{"_id":"` + testID + `","a":"\ud83d \uDE00\ud83d \u0000 <&> \u2028","\ud83d":["` + "\xff\xed\xa0\xbd\u2028" + `", 1.0]}`
	var sent []string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = append(sent, string(body))
		answer(http.StatusOK, document)(w, r)
	})
	for call, do := range map[string]func() (Import, error){
		"read":   func() (Import, error) { return c.GetImport(t.Context(), testID) },
		"update": func() (Import, error) { return c.PutImport(t.Context(), testID, json.RawMessage(document)) },
	} {
		answered, err := do()
		if diff := cmp.Diff(document, string(answered.Raw)); err != nil || diff != "" {
			t.Errorf("%s: %v, -answered, +read:\n%s", call, err, diff)
		}
	}
	slices.Sort(sent)
	if diff := cmp.Diff([]string{"", document}, sent); diff != "" {
		t.Errorf("sent: -want, +got:\n%s", diff)
	}
	value := `{"a":"\ud83d","\ude00":"` + "\xff\xed\xa0\xbd" + `"}`
	if err := c.PatchImport(t.Context(), testID, []PatchOperation{{Op: "add", Path: "/assistantMetadata", Value: json.RawMessage(value)}}); err != nil {
		t.Fatal(err)
	}
	if patch := sent[len(sent)-1]; !strings.Contains(patch, value) {
		t.Errorf("the patch %s has not the value %s", patch, value)
	}
}

// TestNotUnderstood: success with a body that cannot be the answer.
func TestNotUnderstood(t *testing.T) {
	tests := []struct {
		op     string
		status int
		body   string
		text   string
	}{
		{getImport.op(), 200, `{"_id":"` + otherID + `"}`, "another import"},
		{putImport.op(), 200, `{"_id":"` + otherID + `"}`, "another import"},
		{getImport.op(), 200, `{"name":"n"}`, "no _id"},
		{createImport.op(), 201, `{"name":"n"}`, "no _id"},
		{createImport.op(), 201, ``, "too early"},
		{createImport.op(), 201, `<html>sign in</html>`, "not JSON"},
		{createImport.op(), 202, `{"_id":"x"}`, "status"},
		{createImport.op(), 204, ``, "status"},
		{getImport.op(), 204, ``, "status"},
		{deleteImport.op(), 202, ``, "status"},
		{invokeImport.op(), 201, `[]`, "status"},
		{invokeImport.op(), 204, ``, "status"},
		{tokenInfo.op(), 200, `{}`, "_userId"},
		{tokenInfo.op(), 200, `{"_userId":5}`, "_userId"},
		{tokenInfo.op(), 200, `<html>sign in</html>`, "not JSON"},
		{cloneImport.op(), 201, `{"_id":"` + testID + `"}`, "original"},
		{cloneImport.op(), 201, `[{"model":"Import","_id":"` + testID + `"}]`, "original"},
		{cloneImport.op(), 201, `[]`, "exactly one"},
		{cloneImport.op(), 201, `[{"model":"Export","_id":"x"}]`, "exactly one"},
		{cloneImport.op(), 201, `[{"model":"Import","_id":"x"},{"model":"Import","_id":"y"}]`, "exactly one"},
		{cloneImport.op(), 201, `[{"model":"Import"}]`, "no _id"},
		{cloneImport.op(), 201, `["x"]`, "not a JSON object"},
		{cloneImport.op(), 201, `{"name":"n"}`, "no _id"},
		{dependencies.op(), 200, `[]`, "not a JSON object"},
		{dependencies.op(), 200, `{"flows":{}}`, "not a JSON array"},
		{dependencies.op(), 200, `{"flows":["x"]}`, "not a JSON object"},
		{dependencies.op(), 200, `{"flows":[{"_id":"x"}]`, "too early"},
		{getImport.op(), 200, `{"_id":"` + testID + `","x":` + strings.Repeat("[", 10001) + strings.Repeat("]", 10001) + `}`, "max depth"},
	}
	for _, tc := range tests {
		c, _ := serve(t, answer(tc.status, tc.body))
		e := apiError(t, calls(c)[tc.op](t.Context()))
		if e.StatusCode != tc.status || !e.Sent || !e.NotUnderstood() || !strings.Contains(e.Error(), tc.text) {
			t.Errorf("%s, %d %s: got %v (NotUnderstood %t), want an error with %q", tc.op, tc.status, cut(tc.body, 40), e, e.NotUnderstood(), tc.text)
		}
	}
}

// TestInvalidArguments: invalid arguments are rejected before anything is sent.
func TestInvalidArguments(t *testing.T) {
	asked := 0
	c, _ := serve(t, func(http.ResponseWriter, *http.Request) { asked++ })
	ctx := t.Context()
	var errs []error
	add := func(err error) { errs = append(errs, err) }

	doc, secret := json.RawMessage(`{}`), "s3cret"
	for _, id := range []string{"", "/", ".", "..", "a/b", "../x", "a?b", "a#b", "a b", "a%2fb", "é", "a\n", secret + "/", strings.Repeat("a", 65)} {
		_, err := c.GetImport(ctx, id)
		add(err)
		_, err = c.PutImport(ctx, id, doc)
		add(err)
		add(c.PatchImport(ctx, id, []PatchOperation{{Op: "remove", Path: "/debugUntil"}}))
		add(c.DeleteImport(ctx, id))
		_, err = c.CloneImport(ctx, id, CloneRequest{})
		add(err)
		add(c.ReplaceConnection(ctx, id, otherID))
		add(c.ReplaceConnection(ctx, testID, id))
		_, err = c.Dependencies(ctx, id)
		add(err)
		_, err = invoke(ctx, c, id, InvokeRequest{})
		add(err)
		for _, err := range c.ListAudit(ctx, id) {
			add(err)
		}
		_, _, err = c.AuditPage(ctx, id)
		add(err)
	}
	for _, body := range []string{"", "null", "[]", "{", `"` + secret + `"`, "{}" + secret, "{}{}"} {
		_, err := c.CreateImport(ctx, json.RawMessage(body))
		add(err)
		_, err = c.PutImport(ctx, testID, json.RawMessage(body))
		add(err)
	}
	value := json.RawMessage(`"2026-01-01T00:00:00.000Z"`)
	for _, ops := range [][]PatchOperation{
		nil,
		{{Op: "replace", Path: "/name", Value: value}},
		{{Op: "replace", Path: "/assistantMetadata/" + secret, Value: value}},
		{{Op: "replace", Path: "debugUntil", Value: value}},
		{{Op: "remove", Path: "/debugUntil"}, {Op: "remove", Path: ""}},
		{{Op: "test", Path: "/debugUntil", Value: value}},
		{{Op: "move", Path: "/debugUntil"}},
		{{Op: "add", Path: "/debugUntil"}},
		{{Op: "add", Path: "/debugUntil", Value: json.RawMessage("{" + secret)}},
		{{Op: "remove", Path: "/debugUntil", Value: value}},
	} {
		add(c.PatchImport(ctx, testID, ops))
	}
	for _, req := range []InvokeRequest{
		{Data: []json.RawMessage{nil}},
		{Data: []json.RawMessage{doc, json.RawMessage(secret)}},
		{Data: []json.RawMessage{json.RawMessage("1,2")}},
		{Settings: json.RawMessage("{" + secret)},
		{Settings: json.RawMessage(`{}}, "x": {`)},
	} {
		_, err := invoke(ctx, c, testID, req)
		add(err)
	}

	for i, err := range errs {
		if e := apiError(t, err); !errors.Is(err, ErrInvalidArgument) || e.Sent || e.StatusCode != 0 {
			t.Errorf("call %d: %+v", i, e)
		} else if strings.Contains(everyText(err), secret) {
			t.Errorf("call %d: the error repeats what the caller gave: %v", i, err)
		}
	}
	if asked != 0 {
		t.Errorf("%d requests were sent", asked)
	}
}

// TestRequestBodies checks what is sent, byte for byte.
func TestRequestBodies(t *testing.T) {
	var got string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = string(body)
		w.WriteHeader(http.StatusTeapot)
	})
	ctx := t.Context()
	doc := `{"z":1.0, "a":[], "n":null, "big":12345678901234567890, "s":"<é>"}`
	tests := []struct {
		name string
		call func() error
		want string
	}{
		{"create", func() error { _, err := c.CreateImport(ctx, json.RawMessage(doc)); return err }, doc},
		{"put", func() error { _, err := c.PutImport(ctx, testID, json.RawMessage(doc)); return err }, doc},
		{"patch", func() error {
			return c.PatchImport(ctx, testID, []PatchOperation{
				{Op: "remove", Path: "/debugUntil"}, {Op: "add", Path: "/assistantMetadata", Value: json.RawMessage(`null`)},
			})
		}, `[{"op":"remove","path":"/debugUntil"},{"op":"add","path":"/assistantMetadata","value":null}]`},
		{"delete", func() error { return c.DeleteImport(ctx, testID) }, ""},
		{"clone", func() error { _, err := c.CloneImport(ctx, testID, CloneRequest{}); return err }, `{}`},
		{"clone with all", func() error {
			_, err := c.CloneImport(ctx, testID, CloneRequest{Name: "n", ConnectionMap: map[string]string{"a": "b"}})
			return err
		}, `{"name":"n","connectionMap":{"a":"b"}}`},
		{"replaceConnection", func() error { return c.ReplaceConnection(ctx, testID, otherID) }, `{"_newConnectionId":"` + otherID + `"}`},
		{"invoke nothing", func() error { _, err := invoke(ctx, c, testID, InvokeRequest{}); return err }, `[]`},
		{"invoke", func() error {
			_, err := invoke(ctx, c, testID, InvokeRequest{Data: []json.RawMessage{json.RawMessage(doc), json.RawMessage(`"x"`)}, Settings: json.RawMessage(" ")})
			return err
		}, `[` + doc + `,"x"]`},
		{"invoke with settings", func() error {
			_, err := invoke(ctx, c, testID, InvokeRequest{Data: []json.RawMessage{json.RawMessage(doc)}, Settings: json.RawMessage(`{"k": 1.0}`)})
			return err
		}, `{"data":[` + doc + `],"settings":{"k": 1.0}}`},
	}
	for _, tc := range tests {
		got = "-"
		if err := tc.call(); StatusCode(err) != http.StatusTeapot {
			t.Errorf("%s: %v", tc.name, err)
		}
		if got != tc.want {
			t.Errorf("%s: sent %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestCloneForms(t *testing.T) {
	for _, body := range []string{
		`{"_id":"x","name":"Clone - n"}`,
		` [{"model":"Import","_id":"x","name":"n"}]`,
		`[{"model":"Connection","_id":"c"},{"model":"Import","_id":"x"}]`,
	} {
		for _, status := range []int{200, 201} {
			c, _ := serve(t, answer(status, body))
			if id, err := c.CloneImport(t.Context(), testID, CloneRequest{}); err != nil || id != "x" {
				t.Errorf("%d %s: %q, %v", status, body, id, err)
			}
		}
	}
}

func TestDependencies(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   []Dependency
	}{
		{200, `{}`, nil},
		{204, ``, nil},
		{200, `{"flows":null,"exports":[]}`, nil},
		{
			200, `{"integrations":[{"id":"i1","name":"I"}],"flows":[{"_id":"f2","id":"x"},{"id":7,"name":"F"},{"name":"nameless"}]}`,
			[]Dependency{
				{Kind: "flows", Name: "nameless"}, {Kind: "flows", ID: "7", Name: "F"}, {Kind: "flows", ID: "f2"},
				{Kind: "integrations", ID: "i1", Name: "I"},
			},
		},
	}
	for _, tc := range tests {
		c, _ := serve(t, answer(tc.status, tc.body))
		got, err := c.Dependencies(t.Context(), testID)
		if err != nil {
			t.Errorf("%s: %v", tc.body, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.body, diff)
		}
	}
}
