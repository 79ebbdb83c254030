// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// InvalidQuery is the refusal of a query parameter.
func InvalidQuery(format string, args ...any) *Response {
	refusal := Failf(http.StatusBadRequest, CodeInvalidQueryParams, "", format, args...)
	return &refusal
}

// ReadQuery reads the query parameters of a list.
func ReadQuery(r *http.Request) (url.Values, *Response) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, InvalidQuery("malformed query: %v", err)
	}
	return query, nil
}

// Page is the part of a list that a request asks for.
type Page struct{ Skip, Limit int }

// ReadPage reads skip and limit. A limit that is not given is size, and no limit is above most.
func ReadPage(query url.Values, size, most int) (Page, *Response) {
	p := Page{Limit: size}
	for _, param := range []struct {
		name  string
		least int
		into  *int
	}{{"skip", 0, &p.Skip}, {"limit", 1, &p.Limit}} {
		if !query.Has(param.name) {
			continue
		}
		n, err := strconv.Atoi(query.Get(param.name))
		if err != nil || n < param.least {
			return p, InvalidQuery("%s must be a whole number, %d at least", param.name, param.least)
		}
		*param.into = n
	}
	p.Limit = min(p.Limit, most)
	return p, nil
}

// AnswerPage answers a request with a page of a list of total items. item renders one of them, and
// is called only for those of the page. An empty page has no body at all. Links begin with base
// instead of the URL of the request, unless it is empty.
func AnswerPage(r *http.Request, base string, p Page, total int, item func(i int) any) Response {
	start := min(p.Skip, total)
	end := start + min(p.Limit, total-start)
	if start == end {
		return Answer(http.StatusNoContent, nil)
	}
	items := make([]any, 0, end-start)
	for i := start; i < end; i++ {
		items = append(items, item(i))
	}
	resp := Answer(http.StatusOK, items)
	if end < total {
		resp.Header = http.Header{"Link": {fmt.Sprintf(`<%s>; rel="next"`, linkTo(r, base, Page{Skip: end, Limit: p.Limit}))}}
	}
	return resp
}

// linkTo returns the address of another page of the list that r reads.
func linkTo(r *http.Request, base string, p Page) string {
	link := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path}
	if r.TLS != nil {
		link.Scheme = "https"
	}
	query := r.URL.Query()
	query.Set("skip", strconv.Itoa(p.Skip))
	query.Set("limit", strconv.Itoa(p.Limit))
	if base != "" {
		return base + "?" + query.Encode()
	}
	link.RawQuery = query.Encode()
	return link.String()
}
