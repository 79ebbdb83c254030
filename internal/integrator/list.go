// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
)

const (
	// maxPages ends a list that would never end. At the smallest page size seen it is far more
	// than an account can have.
	maxPages = 10_000
	// maxPageAttempts is how often one page is requested when the answer is 429.
	maxPageAttempts = 5
	// documentsPerPage is how many whole documents a page has at first. The largest that are known have
	// 50 KB: with 100 of them, a page is far below what the client reads, and not much slower than a
	// larger one.
	documentsPerPage = 100
)

// ListOptions is how ListImports lists.
type ListOptions struct {
	// Include limits each import to these paths, _id, name and adaptorType. A path consists of
	// letters, digits, "." and "_". Without paths the documents are whole. With paths, Raw is nil.
	Include []string
	// UnlimitedWait makes the list wait as long as the account is paused or has no place for the
	// call. Otherwise it fails with 429 after some seconds.
	UnlimitedWait bool
	// Pages, when set, is increased by each page that was read.
	Pages *int
}

// ListImports lists all imports of the account, one page at a time. While the caller uses an import
// the list holds neither a connection nor a place in the limiter, so the loop body may call the
// client. When a page is answered with 429, the list waits (see UnlimitedWait) and requests the
// page again, five times in all. A page that is too large is requested again with at most
// half as many imports, down to one: see [PageTooLargeError]. After an error the sequence ends.
//
// The account can change between two pages: that the list lacks an import does not prove that it
// was deleted.
func (c *Client) ListImports(ctx context.Context, opts ListOptions) iter.Seq2[Import, error] {
	query, err := opts.query()
	if err != nil {
		return failedSeq[Import](err)
	}
	e := listImports
	if opts.UnlimitedWait {
		e.maxWait = limit.NoMaxWait
	}
	e.pages = opts.Pages
	parse := parseImport
	if len(opts.Include) > 0 {
		parse = parseIncluded
	}
	return pages(ctx, c, e, "", query, parse)
}

// parseIncluded keeps the fields of an import and not its text: of a page with thousands of imports, no more
// than that is in memory.
func parseIncluded(raw json.RawMessage) (Import, error) {
	doc, err := parseImport(raw)
	doc.Raw = nil
	return doc, err
}

// query returns the query of the first page.
func (o ListOptions) query() (string, error) {
	if len(o.Include) == 0 {
		return withParameter("", "limit", strconv.Itoa(documentsPerPage)), nil
	}
	for _, p := range o.Include {
		if p == "" || strings.ContainsFunc(p, notInFieldPath) {
			return "", invalidArgument(listImports, "a path of include must be letters, digits, \".\" and \"_\"")
		}
	}
	return "include=" + strings.Join(o.Include, ","), nil // the characters need no escaping
}

// failedSeq is a list that fails before its first element.
func failedSeq[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}

// pages walks a list whose pages are linked by Link headers.
func pages[T any](ctx context.Context, c *Client, e endpoint, id, query string, parse func(json.RawMessage) (T, error)) iter.Seq2[T, error] {
	list, err := c.target(e, id)
	if err != nil {
		return failedSeq[T](err)
	}
	return func(yield func(T, error) bool) {
		var zero T
		fail := func(err error) {
			yield(zero, &APIError{Op: e.op(), StatusCode: http.StatusOK, Sent: true, Err: err})
		}
		seen := map[string]bool{}
		for p := (page{list: list, query: query, first: true}); ; {
			if len(seen) == maxPages {
				fail(errors.New("the list has more pages than any account can have"))
				return
			}
			seen[p.query] = true
			items, next, err := readPage(ctx, c, e, p, parse)
			if err != nil {
				yield(zero, err)
				return
			}
			if e.pages != nil {
				*e.pages++
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next.link == "" {
				return
			}
			if seen[next.query] {
				fail(c.linkError(next.link, "leads back to an earlier page"))
				return
			}
			p.query, p.first = next.query, false
		}
	}
}

// page is a page of a list: the query of the list's URL is that of the page.
type page struct {
	list  *url.URL
	query string
	first bool
}

func (p page) url() *url.URL {
	u := *p.list
	u.RawQuery = p.query
	return &u
}

// smaller returns the page with at most half as many elements, unless it has one already, and with no
// more than most. On a later page, only the parameter skip says where it begins: what another parameter
// means may depend on limit. Without a limit the size of the page is the server's choice, so that any
// other is worth a try.
func (p page) smaller(most int) (page, bool) {
	size, err := strconv.Atoi(parameter(p.query, "limit"))
	switch {
	case !p.first && parameter(p.query, "skip") == "", err == nil && size <= 1:
		return p, false
	case err != nil:
		size = 2 * documentsPerPage
	}
	p.query = withParameter(p.query, "limit", strconv.Itoa(max(1, min(size/2, most))))
	return p, true
}

// parameter returns the value of a parameter of a query, "" if there is none.
func parameter(query, name string) string {
	values, _ := url.ParseQuery(query) // what it cannot read, it leaves out
	return values.Get(name)
}

// withParameter returns a query with another value of a parameter. Everything else stays as it is: the
// API made it. The value needs no escape.
func withParameter(query, name, value string) string {
	var parts []string
	for part := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(key); part != "" && (err != nil || plain != name) {
			parts = append(parts, part)
		}
	}
	return strings.Join(append(parts, name+"="+value), "&")
}

// PageTooLargeError reports that a page of a list is too large to be read, even with one element.
type PageTooLargeError struct {
	// ID and Name are those of the import that is too large, "" if they are not known.
	ID, Name string

	err error
}

func (e *PageTooLargeError) Error() string {
	if e.ID == "" {
		return "a page of the list is too large"
	}
	return fmt.Sprintf("the import %s (%q) alone is too large", e.ID, e.Name)
}

// Unwrap returns why the page could not be read.
func (e *PageTooLargeError) Unwrap() error { return e.err }

// isTooLarge reports whether a page failed because of its size: the client reads no more, or something in
// between sends no more.
func isTooLarge(err error) bool {
	return StatusCode(err) == http.StatusRequestEntityTooLarge || StatusCode(err) == http.StatusOK && errors.Is(err, ErrTooLarge)
}

// pageTooLarge returns the error of a page that is too large and cannot be smaller. If the page has a
// single import, that is looked up, with a call that asks for its name alone.
func (c *Client) pageTooLarge(ctx context.Context, e endpoint, p page, err error) error {
	tooLarge := &PageTooLargeError{err: Error(err).Err}
	if e.route == listImports.route && parameter(p.query, "limit") == "1" {
		p.query = withParameter(p.query, "include", "name")
		if found, _, failed := requestPage(ctx, c, e, p, parseImport); failed == nil && len(found) == 1 {
			tooLarge.ID, tooLarge.Name = found[0].ID, c.redact(found[0].Name)
		}
	}
	return &APIError{Op: e.op(), StatusCode: StatusCode(err), Sent: true, Err: tooLarge}
}

// readPage reads one page, and requests it again while it is answered with 429, and smaller while it is
// too large. It also returns the link to the next page.
func readPage[T any](ctx context.Context, c *Client, e endpoint, p page, parse func(json.RawMessage) (T, error)) (items []T, next nextPage, err error) {
	for attempt := 1; ; {
		items, next, err = requestPage(ctx, c, e, p, parse)
		switch {
		case StatusCode(err) == http.StatusTooManyRequests && attempt < maxPageAttempts:
			attempt++
		case isTooLarge(err):
			most := len(items) // as many could be read
			if StatusCode(err) == http.StatusRequestEntityTooLarge {
				most = math.MaxInt
			}
			var ok bool
			if p, ok = p.smaller(most); !ok {
				return nil, nextPage{}, c.pageTooLarge(ctx, e, p, err)
			}
		default:
			return items, next, err
		}
	}
}

// requestPage requests a page once, and reads it element by element.
func requestPage[T any](ctx context.Context, c *Client, e endpoint, p page, parse func(json.RawMessage) (T, error)) (items []T, next nextPage, err error) {
	e.page, e.further = p.url(), !p.first
	items = make([]T, 0, documentsPerPage)
	err = c.call(ctx, e, "", nil, func(resp *http.Response, body io.Reader) error {
		if resp.StatusCode == http.StatusNoContent {
			return nil
		}
		if next, err = c.next(resp.Header.Values("Link")); err != nil {
			return err
		}
		return jsonscan.StreamArray(body, func(element json.RawMessage) error {
			item, err := parse(element)
			items = append(items, item)
			return err
		})
	})
	return items, next, err
}

// notInFieldPath reports whether a character cannot be part of a path.
func notInFieldPath(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '_':
		return false
	}
	return true
}
