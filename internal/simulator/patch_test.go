// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

func TestPatch(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	path := "/v1/imports/" + id
	created, _ := h.Import("acme", id)

	r := h.expect(http.StatusNoContent, http.MethodPatch, path,
		`[{"op":"add","path":"/debugUntil","value":"2026-03-01T13:59:59+01:00"},{"op":"replace","path":"/assistantMetadata","value":[1,{"x":1.10}]}]`)
	h.same("", r.body)
	doc, _ := h.Import("acme", id)
	h.same("2026-03-01T12:59:59.000Z", doc["debugUntil"])
	h.same([]any{json.Number("1"), Document{"x": json.Number("1.10")}}, doc["assistantMetadata"])
	if doc["lastModified"] == created["lastModified"] {
		t.Error("lastModified stands still")
	}

	// PUT can neither set nor erase debugUntil.
	doc = h.doc(h.expect(http.StatusOK, http.MethodPut, path, ftpImport))
	h.same("2026-03-01T12:59:59.000Z", doc["debugUntil"])
	if _, ok := doc["assistantMetadata"]; ok {
		t.Error("PUT kept assistantMetadata")
	}

	h.expect(http.StatusNoContent, http.MethodPatch, path, `[{"op":"remove","path":"/debugUntil"}]`)
	h.expect(http.StatusNoContent, http.MethodPatch, path, `[{"op":"remove","path":"/debugUntil"}]`)
	doc, _ = h.Import("acme", id)
	if _, ok := doc["debugUntil"]; ok {
		t.Error("debugUntil is still there")
	}

	must(t, h.SetChoices(func(c *Choices) { c.PatchTouchesLastModified = false }))
	h.expect(http.StatusNoContent, http.MethodPatch, path, `[{"op":"add","path":"/assistantMetadata","value":null}]`)
	after, _ := h.Import("acme", id)
	h.same(doc["lastModified"], after["lastModified"])
}

func TestPatchRefusals(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	before, _ := h.Import("acme", id)
	ahead := func(d time.Duration) string {
		return `[{"op":"add","path":"/debugUntil","value":"` + formatTime(startOfTime.Add(d)) + `"}]`
	}
	for _, test := range []struct {
		name, body string
		status     int
		want       []string
	}{
		{"another path", `[{"op":"replace","path":"/name","value":"x"}]`, 422, []string{"update_not_allowed /name"}},
		{"a path below", `[{"op":"add","path":"/assistantMetadata/x","value":1}]`, 422, []string{"update_not_allowed /assistantMetadata/x"}},
		{"another operation", `[{"op":"move","path":"/debugUntil"}]`, 422, []string{"invalid_field debugUntil"}},
		{"no value", `[{"op":"add","path":"/assistantMetadata"}]`, 422, []string{"missing_required_field assistantMetadata"}},
		{"no date", `[{"op":"add","path":"/debugUntil","value":"soon"}]`, 422, []string{"invalid_field debugUntil"}},
		{"no text", `[{"op":"add","path":"/debugUntil","value":5}]`, 422, []string{"invalid_field debugUntil"}},
		{"more than an hour ahead", ahead(time.Hour + time.Millisecond), 422, []string{"invalid_field debugUntil"}},
		{"no array", `{"op":"add"}`, 422, []string{"invalid_field"}},
		{"no JSON", `[`, 400, []string{"invalid_json"}},
		{"one good, two bad", `[{"op":"add","path":"/assistantMetadata","value":1},{"op":"add","path":"/name","value":1},{"op":"test","path":"/debugUntil"}]`,
			422, []string{"update_not_allowed /name", "invalid_field debugUntil"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := h.in(t)
			h.same(test.want, h.codes(h.expect(test.status, http.MethodPatch, "/v1/imports/"+id, test.body)))
			after, _ := h.Import("acme", id)
			h.same(before, after)
		})
	}
	h.expect(http.StatusNoContent, http.MethodPatch, "/v1/imports/"+id, ahead(time.Hour))
	h.expect(http.StatusNoContent, http.MethodPatch, "/v1/imports/"+id, ahead(-time.Hour))
	must(t, h.SetChoices(func(c *Choices) { c.DebugMinutes = 0 }))
	h.expect(http.StatusNoContent, http.MethodPatch, "/v1/imports/"+id, ahead(1000*time.Hour))
}
