// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
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
)

// ListOptions is how ListImports lists.
type ListOptions struct {
	// Include limits each import to these paths, _id, name and adaptorType. A path consists of
	// letters, digits, "." and "_". Without paths the documents are whole.
	Include []string
	// UnlimitedWait makes the list wait as long as the account is paused or has no place for the
	// call. Otherwise it fails with 429 after some seconds.
	UnlimitedWait bool
}

// ListImports lists all imports of the account, one page at a time. While the caller uses an import
// the list holds neither a connection nor a place in the limiter, so the loop body may call the
// client. When a page is answered with 429, the list waits (see UnlimitedWait) and requests the
// page again, five times in all. After an error the sequence ends.
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
	return pages(ctx, c, e, "", query, parseImport)
}

// query returns the query of the first page.
func (o ListOptions) query() (string, error) {
	if len(o.Include) == 0 {
		return "", nil
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
		for p := (page{list: list, query: query}); ; {
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
			p.query = next.query
		}
	}
}

// page is a page of a list: the query of the list's URL is that of the page.
type page struct {
	list  *url.URL
	query string
}

func (p page) url() *url.URL {
	u := *p.list
	u.RawQuery = p.query
	return &u
}

// readPage reads one page, and requests it again while it is answered with 429. It also returns the
// link to the next page.
func readPage[T any](ctx context.Context, c *Client, e endpoint, p page, parse func(json.RawMessage) (T, error)) (items []T, next nextPage, err error) {
	for attempt := 1; ; attempt++ {
		items, next, err = requestPage(ctx, c, e, p, parse)
		if StatusCode(err) != http.StatusTooManyRequests || attempt == maxPageAttempts {
			return items, next, err
		}
	}
}

// requestPage requests a page once, and reads it element by element.
func requestPage[T any](ctx context.Context, c *Client, e endpoint, p page, parse func(json.RawMessage) (T, error)) (items []T, next nextPage, err error) {
	e.page = p.url()
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
