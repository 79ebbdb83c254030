// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// errLink reports that a Link header was not understood. That is an error and not "no next page": a
// list that ends early without an error would look complete.
var errLink = errors.New("the Link header is malformed")

// nextLink returns the target of rel="next" in Link headers (RFC 8288), "" when there is none.
// Targets contain commas (include=a,b), so the headers cannot be split at commas.
func nextLink(headers []string) (string, error) {
	next := ""
	for _, h := range headers {
		rest := strings.TrimLeft(h, " \t,")
		for rest != "" {
			link, after, err := parseLink(rest)
			if err != nil {
				return "", err
			}
			if link.isNext() {
				if next != "" && next != link.target {
					return "", errors.New("the Link header names two different next pages")
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

// follow resolves a link against the page that it was on. The token is sent to where the link
// leads, so it must stay on the API's own scheme, host and path.
func (c *Client) follow(page *url.URL, target string) (*url.URL, error) {
	next, err := page.Parse(target)
	if err != nil {
		return nil, errors.New("the link to the next page is not a URL")
	}
	if next.Scheme != c.base.Scheme || next.User != nil || next.Opaque != "" || hostPort(next) != hostPort(c.base) {
		return nil, errors.New("the link to the next page leads to another server")
	}
	if next.RawPath != "" || !strings.HasPrefix(next.Path, c.base.Path+apiPrefix+"/") {
		return nil, errors.New("the link to the next page leads out of the API's path")
	}
	next.Host, next.Fragment, next.RawFragment = c.base.Host, "", ""
	return next, nil
}

// hostPort returns the host in lower case and the port, by default that of the scheme.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
