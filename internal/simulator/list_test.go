// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

var nextLink = regexp.MustCompile(`^<([^>]+)>; rel="next"$`)

// pages follows the links of a list and returns the documents page by page.
func (h *harness) pages(path string) [][]Document {
	h.Helper()
	var pages [][]Document
	for path != "" {
		r := h.expect(http.StatusOK, http.MethodGet, path, "")
		pages = append(pages, h.docs(r))
		path = ""
		if link := r.header.Get("Link"); link != "" {
			match := nextLink.FindStringSubmatch(link)
			if match == nil {
				h.Fatalf("Link: %s", link)
			}
			path = match[1]
		}
	}
	return pages
}

func TestListPages(t *testing.T) {
	h := newHarness(t)
	r := h.expect(http.StatusNoContent, http.MethodGet, "/v1/imports", "")
	h.same("", r.body)
	h.same("", r.header.Get("Content-Type"))

	var ids []any
	for i := range 7 {
		ids = append(ids, h.create(fmt.Sprintf(`{"name":"n%d",%s`, i, ftpImport[len(`{"name":"Upload",`):])))
	}
	for path, sizes := range map[string][]int{
		"/v1/imports":                        {3, 3, 1},
		"/v1/imports?limit=7":                {7},
		"/v1/imports?limit=6":                {6, 1},
		"/v1/imports?skip=5":                 {2},
		"/v1/imports?include=name&exclude=":  {3, 3, 1},
		"/v1/imports?limit=4&exclude=ftp":    {4, 3},
		"/v1/imports?skip=1&limit=3&other=x": {3, 3},
	} {
		var got []int
		for _, page := range h.pages(path) {
			got = append(got, len(page))
		}
		h.same(sizes, got)
	}
	var got []any
	for _, page := range h.pages("/v1/imports?include=name") {
		for _, doc := range page {
			h.same(3, len(doc)) // the links carry the projection along
			got = append(got, doc["_id"])
		}
	}
	h.same(ids, got)
	h.expect(http.StatusNoContent, http.MethodGet, "/v1/imports?skip=7", "")

	must(t, h.SetChoices(func(c *Choices) { c.MaxPageSize = 2 }))
	h.same(4, len(h.pages("/v1/imports?limit=100")))

	must(t, h.SetChoices(func(c *Choices) { c.MaxPageBytes = 100 }))
	h.expect(http.StatusRequestEntityTooLarge, http.MethodGet, "/v1/imports", "")
	must(t, h.SetChoices(func(c *Choices) { c.MaxPageBytes = 0 }))

	must(t, h.SetChoices(func(c *Choices) { c.BasePath = "/gateway" }))
	h.expect(http.StatusOK, http.MethodGet, "/gateway/v1/imports", "")
	h.expect(http.StatusNotFound, http.MethodGet, "/gateway2/v1/imports", "")
	h.expect(http.StatusOK, http.MethodGet, "/v1/imports", "")
	must(t, h.SetChoices(func(c *Choices) { c.LinkURL = "https://backend.internal/imports" }))
	r = h.expect(http.StatusOK, http.MethodGet, "/v1/imports?include=name", "")
	h.same(`<https://backend.internal/imports?include=name&limit=2&skip=2>; rel="next"`, r.header.Get("Link"))
}

func TestListProjection(t *testing.T) {
	h := newHarness(t)
	id := h.create(`{"name":"n","_connectionId":"` + connFTP + `","ftp":{"directoryPath":"/a","fileName":"f"},"settings":{"fields":[{"extract":"a","generate":"b"},"odd"]}}`)
	base := Document{"_id": id, "name": "n", "adaptorType": "FTPImport"}
	list := func(query string) Document {
		return h.docs(h.expect(http.StatusOK, http.MethodGet, "/v1/imports?"+query, ""))[0]
	}
	h.same(base, list("include=nothing.here"))
	h.same(Document{
		"_id": id, "name": "n", "adaptorType": "FTPImport", "ftp": Document{"fileName": "f"},
		"settings": Document{"fields": []any{Document{"extract": "a"}}},
	}, list("include=ftp.fileName,settings.fields.extract,externalId"))
	h.same(Document{"directoryPath": "/a", "fileName": "f"}, list("include=ftp,ftp.fileName")["ftp"])
	h.same(Document{"directoryPath": "/a", "fileName": "f"}, list("include=ftp.fileName,ftp")["ftp"])

	whole := h.doc(h.expect(http.StatusOK, http.MethodGet, "/v1/imports/"+id, ""))
	h.same(whole, list("exclude=nothing.here"))
	delete(whole, "_connectionId")
	delete(document.Object(whole, "ftp"), "fileName")
	whole["settings"] = Document{"fields": []any{Document{"generate": "b"}, "odd"}}
	h.same(whole, list("exclude=_connectionId,ftp.fileName,settings.fields.extract"))
}

func TestListLag(t *testing.T) {
	h := newHarness(t)
	must(t, h.SetChoices(func(c *Choices) { c.ListLagMillis = 5000 }))
	id := h.create(ftpImport)
	h.expect(http.StatusNoContent, http.MethodGet, "/v1/imports", "")
	h.expect(http.StatusOK, http.MethodGet, "/v1/imports/"+id, "")
	h.clock.Step(5 * time.Second)
	h.expect(http.StatusOK, http.MethodGet, "/v1/imports", "")
}

func TestListRefusals(t *testing.T) {
	h := newHarness(t)
	h.create(ftpImport)
	for _, query := range []string{
		"include=name&exclude=ftp", "include=na%20me", "exclude=a;b", "include=a-b", "exclude=$where", "include=%C3%BC", "include=a[0]",
		"limit=0", "limit=-1", "limit=x", "limit=", "skip=-1", "skip=1.5",
	} {
		t.Run(query, func(t *testing.T) {
			h := h.in(t)
			h.same([]string{"invalid_query_params"}, h.codes(h.expect(http.StatusBadRequest, http.MethodGet, "/v1/imports?"+query, "")))
		})
	}
}
