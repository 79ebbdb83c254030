// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
			if (err != nil) != tc.bad || err == nil && got != tc.want {
				t.Errorf("got %q, %v; want %q, an error: %t", got, err, tc.want, tc.bad)
			}
		})
	}
}

// TestNextPage: only the query of a link counts, whatever server and path it names.
func TestNextPage(t *testing.T) {
	tests := []struct {
		reason, link string
		want         string // query
		problem      string
	}{
		{reason: "absolute", link: "https://api.test/v1/imports?skip=3&limit=3", want: "skip=3&limit=3"},
		{reason: "absolute path", link: "/v1/imports?skip=3", want: "skip=3"},
		{reason: "relative path", link: "imports?skip=3", want: "skip=3"},
		{reason: "query alone", link: "?skip=3", want: "skip=3"},
		{reason: "with a fragment", link: "?skip=3#top", want: "skip=3"},
		{reason: "of another host: a gateway is in between", link: "https://backend.internal:8443/v1/imports?skip=3", want: "skip=3"},
		{reason: "without TLS: it ends at a gateway", link: "http://api.test/v1/imports?skip=3", want: "skip=3"},
		{reason: "of another path", link: "https://api.test/celigo/../admin?skip=3", want: "skip=3"},
		{reason: "with a user name", link: "https://u:p@evil.test/v1/imports?skip=3", want: "skip=3"},
		{reason: "of no scheme that can be called", link: "javascript:alert(1)?skip=3", want: "skip=3"},
		{reason: "with a broken escape in what does not count", link: "https://%zz/%zz?skip=3", want: "skip=3"},
		{reason: "with escapes, and characters that need none", link: "?include=a,b.c;d&after=%2B%zz?/", want: "include=a,b.c;d&after=%2B%zz?/"},
		{reason: "with characters that need an escape", link: "?after=a b\"<é\x7f", want: "after=a%20b%22%3C%C3%A9%7F"},

		{reason: "without a query", link: "https://api.test/v1/imports/page/2",
			problem: "the link to the next page (https://api.test/v1/imports/page/2) has no query, and nothing but its query is followed"},
		{reason: "with an empty query", link: "/v1/imports?", problem: "the link to the next page (/v1/imports) has no query, and nothing but its query is followed"},
		{reason: "with a query in the fragment", link: "/v1/imports#?skip=3", problem: "the link to the next page (/v1/imports) has no query, and nothing but its query is followed"},
		{reason: "fragment alone", link: "#top", problem: "the link to the next page has no query, and nothing but its query is followed"},
		{reason: "the user name may be a credential", link: "https://u:p@evil.test/page/2", problem: "the link to the next page (https://evil.test/page/2) has no query, and nothing but its query is followed"},
		{reason: "the path may have the token", link: "https://api.test/" + testToken + "/imports", problem: "the link to the next page (https://api.test/[redacted]/imports) has no query, and nothing but its query is followed"},
		{reason: "a user name without a scheme", link: "u:p@evil.test", problem: "the link to the next page (evil.test) has no query, and nothing but its query is followed"},
	}
	for _, tc := range tests {
		t.Run(tc.reason, func(t *testing.T) {
			c := clientOf(t, "https://api.test")
			got, err := c.next([]string{"<" + tc.link + ">; rel=next"})
			problem := ""
			if err != nil {
				problem = err.Error()
			}
			if diff := cmp.Diff([]string{tc.want, tc.problem}, []string{got.query, problem}); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

// TestBadLinksAreNamed: a Link header that is not understood is named without its query.
func TestBadLinksAreNamed(t *testing.T) {
	c := clientOf(t, "https://api.test")
	for _, tc := range []struct {
		reason  string
		headers []string
		want    string
	}{
		{"no link at all", []string{"nonsense"}, "the link to the next page (nonsense) is malformed"},
		{"no brackets", []string{`https://u:p@api.test/v1/imports?token=s3cret; rel="next"`}, "the link to the next page (https://api.test/v1/imports) is malformed"},
		{"an open bracket", []string{`<https://u:p@api.test/v1/imports?token=s3cret`}, "the link to the next page (https://api.test/v1/imports) is malformed"},
		{"two of them", []string{`</a?token=s3cret>; rel=next`, `</b?token=s3cret>; rel=next`}, "the link to the next page (/b) is one of two different ones"},
		{"a long one", []string{strings.Repeat("x", 1000)}, "the link to the next page (" + strings.Repeat("x", maxLinkName-3) + "…) is malformed"},
	} {
		if _, err := c.next(tc.headers); err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", tc.reason, err, tc.want)
		}
	}
}
