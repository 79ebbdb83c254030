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
)

const (
	// maxPages ends a list that never does. At the smallest page size seen it is far more
	// than an account can hold.
	maxPages = 10_000
	// maxPageTries is how often one page is asked for when the answer is 429.
	maxPageTries = 5
)

// ListOptions narrows what a list answers of each import. Only one of the two may be set. Paths
// are dotted and made of letters, digits, "." and "_".
type ListOptions struct {
	// Include asks for these paths beside _id, name and adaptorType.
	Include []string
	// Exclude asks for all but these paths.
	Exclude []string
	// Patient waits as long as the account is paused, or has no place for the call. Otherwise
	// the list fails with 429 after some seconds.
	Patient bool
}

// ListImports lists all imports of the account. It holds one page at a time, and nothing (no
// connection, no place in the limiter) while the caller looks at an import, so the loop body may
// call the client. When the account is paused by a 429 it waits, see Patient, and asks for the
// same page again, five times at most. After an error the sequence ends.
//
// The account can change between two pages: an import that is absent is not proved to be gone.
func (c *Client) ListImports(ctx context.Context, opts ListOptions) iter.Seq2[Import, error] {
	query, err := opts.query()
	if err != nil {
		return failedSeq[Import](err)
	}
	e := listImports
	if opts.Patient {
		e.patience = forever
	}
	return pages(ctx, c, e, "", query, parseImport)
}

// ListAudit lists the audit log of one import in the API's order, with the same rules as
// ListImports without Patient.
func (c *Client) ListAudit(ctx context.Context, id string) iter.Seq2[AuditEntry, error] {
	return pages(ctx, c, listAudit, id, "", parseAuditEntry)
}

func (o ListOptions) query() (string, error) {
	if len(o.Include) > 0 && len(o.Exclude) > 0 {
		return "", invalid(listImports, "include and exclude exclude each other")
	}
	name, paths := "include", o.Include
	if len(o.Exclude) > 0 {
		name, paths = "exclude", o.Exclude
	}
	if len(paths) == 0 {
		return "", nil
	}
	for _, p := range paths {
		if p == "" || strings.ContainsFunc(p, notInFieldPath) {
			return "", invalid(listImports, "a path of %s must be letters, digits, \".\" and \"_\"", name)
		}
	}
	return name + "=" + strings.Join(paths, ","), nil // the characters need no escaping
}

func failedSeq[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}

// pages walks a Link-paged list.
func pages[T any](ctx context.Context, c *Client, e endpoint, id, query string, parse func(json.RawMessage) (T, error)) iter.Seq2[T, error] {
	first, err := c.target(e, id)
	if err != nil {
		return failedSeq[T](err)
	}
	first.RawQuery = query
	return func(yield func(T, error) bool) {
		var zero T
		seen := make(map[string]bool)
		for u := first; u != nil; {
			wrong := ""
			switch {
			case seen[u.String()]:
				wrong = "the links to the next page go round in a circle"
			case len(seen) == maxPages:
				wrong = "the list has more pages than any account can have"
			}
			if wrong != "" {
				yield(zero, &APIError{Op: e.op(), StatusCode: http.StatusOK, Sent: true, Err: errors.New(wrong)})
				return
			}
			seen[u.String()] = true
			items, next, err := page(ctx, c, e, u, parse)
			if err != nil {
				yield(zero, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			u = next
		}
	}
}

// page reads one page, element by element, and the URL of the next, nil after the last.
func page[T any](ctx context.Context, c *Client, e endpoint, u *url.URL, parse func(json.RawMessage) (T, error)) (items []T, next *url.URL, err error) {
	for try := 1; ; try++ {
		items, next = nil, nil
		err = c.do(ctx, e, u, nil, func(resp *http.Response, body io.Reader) error {
			if resp.StatusCode == http.StatusNoContent {
				return nil
			}
			target, err := nextLink(resp.Header.Values("Link"))
			if err != nil {
				return err
			}
			if target != "" {
				if next, err = c.follow(u, target); err != nil {
					return err
				}
			}
			return streamArray(body, func(element json.RawMessage) error {
				item, err := parse(element)
				items = append(items, item)
				return err
			})
		})
		if StatusCode(err) != http.StatusTooManyRequests || try == maxPageTries {
			return items, next, err
		}
	}
}

func notInFieldPath(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '_':
		return false
	}
	return true
}
