// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// written are the records that reached the destination, as text.
func (h *harness) written(id string) (out []string) {
	records, count := h.Written("acme", id)
	if count != len(records) {
		h.Errorf("count %d, records %d", count, len(records))
	}
	for _, r := range records {
		out = append(out, string(r))
	}
	return out
}

func TestInvokeOutcomes(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	path := "/v1/imports/" + id + "/invoke"
	h.same("[]", h.expect(http.StatusOK, http.MethodPost, path, "[]").body)

	for _, test := range []struct {
		name, record, want string
		written            bool
	}{
		{"own text id", `{"id":"a-1"}`, `{"statusCode":200,"id":"a-1","_json":{}}`, true},
		{"own number id", `{"id":12345678901234567890}`, `{"statusCode":200,"id":12345678901234567890,"_json":{}}`, true},
		{"scripted id and answer", `{"_simulate":{"id":7,"json":{"_raw":"ok"},"headers":{"x":"y"},"dataURI":"https://shop/7"}}`,
			`{"statusCode":200,"id":7,"_json":{"_raw":"ok"},"_headers":{"x":"y"},"dataURI":"https://shop/7"}`, true},
		{"failure", `{"id":1,"_simulate":{"statusCode":422,"code":"422","message":"no such sku","source":"application"}}`,
			`{"statusCode":422,"_json":{},"errors":[{"code":"422","message":"no such sku","source":"application"}]}`, false},
		{"ignored", `{"_simulate":{"ignored":true}}`, `{"statusCode":200,"_json":{},"ignored":true}`, false},
		{"rows", `[{"id":"r1"},{"id":"r2"}]`, `{"statusCode":200,"id":"r1","_json":{}}`, true},
		{"rows, scripted", `[{"_simulate":{"statusCode":500}},{}]`, `{"statusCode":500,"_json":{}}`, false},
		{"malformed script", `{"_simulate":{"status":500}}`, `{"statusCode":422,"_json":{},"errors":[{"code":"invalid_field","message":"_simulate: json: unknown field \"status\""}]}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := h.in(t)
			before := len(h.written(id))
			h.same("["+test.want+"]", h.expect(http.StatusOK, http.MethodPost, path, "["+test.record+"]").body)
			after := h.written(id)
			h.same(test.written, len(after) > before)
			if test.written {
				h.same(test.record, after[len(after)-1])
			}
		})
	}

	// A record without an id gets one, and the text "_simulate" is no script.
	var results []struct{ ID string }
	r := h.expect(http.StatusOK, http.MethodPost, path, `["text",{"note":"_simulate"},{"id":null}]`)
	must(t, json.Unmarshal([]byte(r.body), &results))
	for _, result := range results {
		if !document.IsID(result.ID) {
			t.Errorf("id %q", result.ID)
		}
	}
	stored, _ := h.Import("acme", id)
	h.same(stored["createdAt"], stored["lastModified"]) // running an import does not change it
}

func TestInvokeForms(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	path := "/v1/imports/" + id + "/invoke"
	h.same(`[{"statusCode":200,"id":"a","_json":{}},{"statusCode":200,"id":"b","_json":{}}]`,
		h.expect(http.StatusOK, http.MethodPost, path, ` {"data":[{"id":"a"},{"id":"b"}],"settings":{"x":1}}`).body)
	h.same([]string{`{"id":"a"}`, `{"id":"b"}`}, h.written(id))

	for body, want := range map[string]string{
		`{}`:            "missing_required_field data",
		`{"data":{}}`:   "invalid_field data",
		`{"data":null}`: "invalid_field data",
		`5`:             "invalid_field",
		`{"data":[],"settings":{"_simulate":{"status":1}}}`: "invalid_field settings",
	} {
		h.same([]string{want}, h.codes(h.expect(http.StatusUnprocessableEntity, http.MethodPost, path, body)))
	}
	for _, body := range []string{"", "[", "[1],[2]"} {
		h.same([]string{"invalid_json"}, h.codes(h.expect(http.StatusBadRequest, http.MethodPost, path, body)))
	}
	h.same(2, len(h.written(id)))
}

func TestInvokeFailsAsAWhole(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	path := "/v1/imports/" + id + "/invoke"
	h.ClearLedger()
	h.same(`{"errors":[{"code":"closed","message":"the shop is closed","source":"application"}]}`,
		h.expect(http.StatusOK, http.MethodPost, path,
			`{"data":[1,2,3],"settings":{"_simulate":{"errors":[{"code":"closed","message":"the shop is closed","source":"application"}]}}}`).body)
	h.same(0, len(h.written(id)))
	h.expect(http.StatusUnprocessableEntity, http.MethodPost, path,
		`{"data":[1,2,3],"settings":{"_simulate":{"statusCode":422,"written":2,"errors":[{"code":"c","message":"m"}]}}}`)
	h.same([]string{"1", "2"}, h.written(id))

	entries := h.Ledger(Filter{})
	h.same([]bool{false, true}, []bool{entries[0].Applied, entries[1].Applied})
	h.same(3, entries[1].Records)
}
