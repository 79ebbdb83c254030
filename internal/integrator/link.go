// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"errors"
	"fmt"
	"strings"
)

// What is wrong with Link headers. That is an error and not "no next page": a list that ends early
// without an error would look complete.
var (
	errLink     = errors.New("is malformed")
	errTwoLinks = errors.New("is one of two different ones")
)

// nextLink returns the target of rel="next" in Link headers (RFC 8288), "" when there is none.
// Targets contain commas (include=a,b), so the headers cannot be split at commas. With an error it
// returns the header or the target that is wrong.
func nextLink(headers []string) (string, error) {
	next := ""
	for _, h := range headers {
		rest := strings.TrimLeft(h, " \t,")
		for rest != "" {
			link, after, err := parseLink(rest)
			if err != nil {
				return h, err
			}
			if link.isNext() {
				if next != "" && next != link.target {
					return link.target, errTwoLinks
				}
				next = link.target
			}
			rest = strings.TrimLeft(after, " \t,")
		}
	}
	return next, nil
}

// link is one link-value: its target and the parameters that are used here.
type link struct {
	target string
	rel    string
	hasRel bool
	anchor bool // the link is about another resource
}

// isNext reports whether the link leads to the next page.
func (l link) isNext() bool {
	for _, rel := range strings.Fields(l.rel) {
		if strings.EqualFold(rel, "next") {
			return !l.anchor && l.target != ""
		}
	}
	return false
}

// parseLink reads one link-value, and returns what follows it, from the comma on.
func parseLink(s string) (link, string, error) {
	var l link
	if s[0] != '<' {
		return l, "", errLink
	}
	target, rest, ok := strings.Cut(s[1:], ">")
	if !ok {
		return l, "", errLink
	}
	l.target = strings.TrimSpace(target)
	for {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" || rest[0] == ',' {
			return l, rest, nil
		}
		if rest[0] != ';' {
			return l, "", errLink
		}
		rest = strings.TrimLeft(rest[1:], " \t")
		end := strings.IndexAny(rest, "=;, \t")
		if end < 0 {
			end = len(rest)
		}
		name := strings.ToLower(rest[:end])
		rest = strings.TrimLeft(rest[end:], " \t")
		value := ""
		if strings.HasPrefix(rest, "=") {
			if value, rest, ok = paramValue(strings.TrimLeft(rest[1:], " \t")); !ok {
				return l, "", errLink
			}
		}
		switch {
		case name == "rel" && !l.hasRel: // the first counts
			l.rel, l.hasRel = value, true
		case name == "anchor":
			l.anchor = true
		}
	}
}

// paramValue reads a parameter's value: a token or a quoted string.
func paramValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ";, \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// LinkError reports that the link to the next page of a list cannot be followed.
type LinkError struct {
	Link    string // host and path, without the token; "" when the link has neither
	Problem string
}

func (e *LinkError) Error() string {
	if e.Link == "" {
		return "the link to the next page " + e.Problem
	}
	return "the link to the next page (" + e.Link + ") " + e.Problem
}

// linkError names a link, or the header that should be one, by its host and path. Its query and its
// user name may be credentials.
func (c *Client) linkError(link, problem string) *LinkError {
	name := strings.TrimLeft(link, "< \t,")
	if end := strings.IndexAny(name, "?#<>;, \t"); end >= 0 {
		name = name[:end]
	}
	if scheme, rest, ok := strings.Cut(name, "//"); ok {
		authority, path := rest, ""
		if end := strings.IndexByte(rest, '/'); end >= 0 {
			authority, path = rest[:end], rest[end:]
		}
		name = scheme + "//" + authority[strings.LastIndexByte(authority, '@')+1:] + path
	} else {
		name = name[strings.LastIndexByte(name, '@')+1:]
	}
	return &LinkError{Link: cut(c.redact(name), maxLinkName), Problem: problem}
}

// maxLinkName is how much of a link an error names, in bytes.
const maxLinkName = 256

// nextPage is the link to the next page of a list; the zero value is that of the last page.
type nextPage struct{ link, query string }

// next returns the next page that an answer links to. Nothing but the query of the link counts: the
// page is requested where the first one was, because a gateway in between may leave the name of the
// server behind it in the link, and because the token must not be sent to where an answer leads.
func (c *Client) next(headers []string) (nextPage, error) {
	link, err := nextLink(headers)
	if err != nil {
		return nextPage{}, c.linkError(link, err.Error())
	}
	if link == "" {
		return nextPage{}, nil
	}
	reference, _, _ := strings.Cut(link, "#")
	_, query, _ := strings.Cut(reference, "?")
	if query == "" {
		return nextPage{}, c.linkError(link, "has no query, and nothing but its query is followed")
	}
	return nextPage{link: link, query: escapeQuery(query)}, nil
}

// escapeQuery escapes what cannot be part of a query, and leaves everything else as it is.
func escapeQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
