// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var fieldList = regexp.MustCompile(`^[A-Za-z0-9._,]+$`)

// alwaysIncluded are in a list whatever `include` names.
var alwaysIncluded = []string{"_id", "name", "adaptorType"}

func invalidQuery(format string, args ...any) *response {
	refusal := failf(http.StatusBadRequest, codeInvalidQueryParams, "", format, args...)
	return &refusal
}

// readQuery reads the parameters of a list.
func (c *call) readQuery() (url.Values, *response) {
	query, err := url.ParseQuery(c.request.URL.RawQuery)
	if err != nil {
		return nil, invalidQuery("malformed query: %v", err)
	}
	return query, nil
}

// page is the part of a list that a request asks for.
type page struct{ skip, limit int }

func (s *Server) readPage(query url.Values) (page, *response) {
	p := page{limit: s.pageSize}
	for _, param := range []struct {
		name  string
		least int
		into  *int
	}{{"skip", 0, &p.skip}, {"limit", 1, &p.limit}} {
		if !query.Has(param.name) {
			continue
		}
		n, err := strconv.Atoi(query.Get(param.name))
		if err != nil || n < param.least {
			return p, invalidQuery("%s must be a whole number, %d at least", param.name, param.least)
		}
		*param.into = n
	}
	p.limit = min(p.limit, s.choices.MaxPageSize)
	return p, nil
}

// answerPage cuts a page out of a list of which only the items asked for are
// rendered. An empty page has no body at all.
func (c *call) answerPage(p page, total int, item func(i int) any) response {
	start := min(p.skip, total)
	end := start + min(p.limit, total-start)
	if start == end {
		return answer(http.StatusNoContent, nil)
	}
	items := make([]any, 0, end-start)
	for i := start; i < end; i++ {
		items = append(items, item(i))
	}
	resp := answer(http.StatusOK, items)
	if end < total {
		resp.header = http.Header{"Link": {fmt.Sprintf(`<%s>; rel="next"`, c.linkTo(page{skip: end, limit: p.limit}))}}
	}
	return resp
}

// linkTo is the address of another page of the list that is being read.
func (c *call) linkTo(p page) string {
	link := url.URL{Scheme: "http", Host: c.request.Host, Path: c.request.URL.Path}
	if c.request.TLS != nil {
		link.Scheme = "https"
	}
	query := c.request.URL.Query()
	query.Set("skip", strconv.Itoa(p.skip))
	query.Set("limit", strconv.Itoa(p.limit))
	link.RawQuery = query.Encode()
	return link.String()
}

// readProjection reads include and exclude into the rendering of a document.
func readProjection(query url.Values) (func(Document) any, *response) {
	include, exclude := query.Get("include"), query.Get("exclude")
	if include != "" && exclude != "" {
		return nil, invalidQuery("include and exclude cannot be used together")
	}
	for name, value := range map[string]string{"include": include, "exclude": exclude} {
		if value != "" && !fieldList.MatchString(value) {
			return nil, invalidQuery("%s may hold letters, digits, dots and commas only", name)
		}
	}
	split := func(list string) []string {
		return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
	}
	switch {
	case include != "":
		tree := newPathTree(append(split(include), alwaysIncluded...))
		return func(doc Document) any {
			kept, _ := tree.pick(doc)
			return kept
		}, nil
	case exclude != "":
		tree := newPathTree(split(exclude))
		return func(doc Document) any { return tree.omit(doc) }, nil
	default:
		return func(doc Document) any { return doc }, nil
	}
}

// listImports is GET /v1/imports.
func (s *Server) listImports(c *call) response {
	query, refusal := c.readQuery()
	if refusal != nil {
		return *refusal
	}
	project, refusal := readProjection(query)
	if refusal != nil {
		return *refusal
	}
	p, refusal := s.readPage(query)
	if refusal != nil {
		return *refusal
	}
	records := c.account.listed()
	if lag := time.Duration(s.choices.ListLagMillis) * time.Millisecond; lag > 0 {
		horizon := s.clock.Now().Add(-lag)
		for len(records) > 0 && records[len(records)-1].CreatedAt.After(horizon) {
			records = records[:len(records)-1]
		}
	}
	return c.answerPage(p, len(records), func(i int) any { return project(shown(records[i].Doc)) })
}
