// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"net/url"
	"testing"
)

func TestNextLink(t *testing.T) {
	tests := []struct {
		name    string
		headers []string
		want    string
		bad     bool
	}{
		{name: "none"},
		{name: "empty header", headers: []string{""}},
		{name: "plain", headers: []string{`<https://api.test/v1/imports?skip=3&limit=3>; rel="next"`}, want: "https://api.test/v1/imports?skip=3&limit=3"},
		{name: "no blanks", headers: []string{`</a>;rel="next"`}, want: "/a"},
		{name: "many blanks", headers: []string{"  <  /a  >  ;\trel  =  next  ; x = \"y\"  "}, want: "/a"},
		{name: "rel is a token", headers: []string{`</a>; rel=next`}, want: "/a"},
		{name: "rel comes last", headers: []string{`</a>; title="x, y; rel=prev"; type="text/html"; rel="next"`}, want: "/a"},
		{name: "rel comes first", headers: []string{`</a>; rel="next"; title=z`}, want: "/a"},
		{name: "upper case", headers: []string{`</a>; REL="NEXT"`}, want: "/a"},
		{name: "several relations", headers: []string{`</a>; rel="last  next"`}, want: "/a"},
		{name: "not a prefix", headers: []string{`</a>; rel="nextish"`}},
		{name: "the first rel counts", headers: []string{`</a>; rel="prev"; rel="next"`}},
		{name: "parameters without value", headers: []string{`</a>; hreflang; rel="next"; crossorigin`}, want: "/a"},
		{name: "commas in the target", headers: []string{`</v1/imports?include=a,b;c&skip=1>; rel="next", </v1/imports?include=a,b>; rel="first"`}, want: "/v1/imports?include=a,b;c&skip=1"},
		{name: "among others", headers: []string{`</first>; rel="first", </prev>; rel=prev,</next>; rel="next" ,, </last>; rel="last"`}, want: "/next"},
		{name: "in the second header", headers: []string{`</prev>; rel="prev"`, `</next>; rel="next"`}, want: "/next"},
		{name: "escaped quotes", headers: []string{`</a>; title="a \" , <x>; rel=\"prev\""; rel="next"`}, want: "/a"},
		{name: "about something else", headers: []string{`</a>; rel="next"; anchor="/other"`}},
		{name: "only prev", headers: []string{`</a>; rel="prev"`}},
		{name: "the same twice", headers: []string{`</a>; rel="next", </a>; rel="next"`}, want: "/a"},
		{name: "two different", headers: []string{`</a>; rel="next", </b>; rel="next"`}, bad: true},
		{name: "no brackets", headers: []string{`/a; rel="next"`}, bad: true},
		{name: "open bracket", headers: []string{`</a; rel="next"`}, bad: true},
		{name: "open quote", headers: []string{`</a>; rel="next`}, bad: true},
		{name: "quote that ends in a backslash", headers: []string{`</a>; rel="next\`}, bad: true},
		{name: "no semicolon", headers: []string{`</a> rel="next"`}, bad: true},
		{name: "garbage after a quote", headers: []string{`</a>; rel="next"x`}, bad: true},
		{name: "garbage after a link", headers: []string{`</a>; rel="next", x`}, bad: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := nextLink(tc.headers)
			if got != tc.want || (err != nil) != tc.bad {
				t.Errorf("got %q, %v; want %q, an error: %t", got, err, tc.want, tc.bad)
			}
		})
	}
}

func TestFollow(t *testing.T) {
	tests := []struct {
		name, base, target, want string // want "" = refused
	}{
		{"absolute", "https://api.test", "https://api.test/v1/imports?skip=3", "https://api.test/v1/imports?skip=3"},
		{"absolute path", "https://api.test", "/v1/imports?skip=3", "https://api.test/v1/imports?skip=3"},
		{"relative path", "https://api.test", "imports?skip=3", "https://api.test/v1/imports?skip=3"},
		{"query only", "https://api.test", "?skip=3", "https://api.test/v1/imports?skip=3"},
		{"scheme-relative", "https://api.test", "//api.test/v1/imports?skip=3", "https://api.test/v1/imports?skip=3"},
		{"host in upper case", "https://api.test", "https://API.test/v1/imports?skip=3", "https://api.test/v1/imports?skip=3"},
		{"default port written", "https://api.test", "https://api.test:443/v1/imports?skip=3", "https://api.test/v1/imports?skip=3"},
		{"fragment", "https://api.test", "/v1/imports?skip=3#top", "https://api.test/v1/imports?skip=3"},
		{"under a path", "https://gw.test/celigo", "/celigo/v1/imports?skip=3", "https://gw.test/celigo/v1/imports?skip=3"},
		{"dots that stay inside", "https://api.test", "/v1/x/../imports?skip=3", "https://api.test/v1/imports?skip=3"},

		{"another host", "https://api.test", "https://evil.test/v1/imports", ""},
		{"another host, scheme-relative", "https://api.test", "//evil.test/v1/imports", ""},
		{"a longer host", "https://api.test", "https://api.test.evil.test/v1/imports", ""},
		{"link-local address", "https://api.test", "http://169.254.169.254/v1/imports", ""},
		{"without TLS", "https://api.test", "http://api.test/v1/imports", ""},
		{"without TLS on the same port", "https://api.test", "http://api.test:443/v1/imports", ""},
		{"another port", "https://api.test", "https://api.test:8443/v1/imports", ""},
		{"user name", "https://api.test", "https://u:p@api.test/v1/imports", ""},
		{"out of the API", "https://api.test", "/admin?skip=3", ""},
		{"out of the API by dots", "https://api.test", "/v1/../admin?skip=3", ""},
		{"out of the API by encoded dots", "https://api.test", "/v1/%2e%2e%2fadmin", ""},
		{"only like the API", "https://api.test", "/v10/imports", ""},
		{"out of the path", "https://gw.test/celigo", "/v1/imports?skip=3", ""},
		{"opaque", "https://api.test", "https:api.test/v1/imports", ""},
		{"javascript", "https://api.test", "javascript:alert(1)", ""},
		{"control character", "https://api.test", "/v1/imports\x7f", ""},
		{"broken escape", "https://api.test", "/v1/%zz", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c := clientOf(t, tc.base)
			page, err := url.Parse(tc.base + "/v1/imports?skip=0")
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.follow(page, tc.target)
			if tc.want == "" {
				if err == nil {
					t.Errorf("followed to %s", got)
				}
				return
			}
			if err != nil || got.String() != tc.want {
				t.Errorf("got %v, %v; want %s", got, err, tc.want)
			}
		})
	}
}
