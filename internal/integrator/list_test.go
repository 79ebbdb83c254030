// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// listed returns the ids of a list, and its error.
func listed(c *Client, t *testing.T, opts ListOptions) (ids []string, err error) {
	for doc, e := range c.ListImports(t.Context(), opts) {
		if err != nil {
			t.Error("the sequence went on after an error")
		}
		if e != nil {
			err = e
			continue
		}
		ids = append(ids, doc.ID)
	}
	return ids, err
}

func TestListPages(t *testing.T) {
	type pageOf struct {
		status int
		body   string
		link   string // "{host}" is replaced
	}
	tests := []struct {
		name  string
		pages map[string]pageOf // by query
		want  []string
		fails string
	}{
		{name: "empty account", pages: map[string]pageOf{"limit=100": {status: 204}}},
		{name: "empty array", pages: map[string]pageOf{"limit=100": {body: "[]"}}},
		{name: "one page", pages: map[string]pageOf{"limit=100": {body: `[{"_id":"a"},{"_id":"b"}]`}}, want: []string{"a", "b"}},
		{
			name: "three pages, the last one empty",
			pages: map[string]pageOf{
				"limit=100": {body: `[{"_id":"a"}]`, link: `<{host}/v1/imports?skip=1>; rel="next"`},
				"skip=1":    {body: `[{"_id":"b"}]`, link: `</v1/imports?skip=0>; rel="prev", <?skip=2>; title="x"; rel=next`},
				"skip=2":    {status: 204},
			},
			want: []string{"a", "b"},
		},
		{
			name: "an empty page in the middle",
			pages: map[string]pageOf{
				"limit=100": {body: "[]", link: `<?skip=1>; rel="next"`},
				"skip=1":    {body: `[{"_id":"b"}]`},
			},
			want: []string{"b"},
		},
		{
			name:  "a link to itself",
			pages: map[string]pageOf{"limit=100": {body: `[{"_id":"a"}]`, link: `</v1/imports>; rel="next"`}},
			fails: "the link to the next page (/v1/imports) has no query",
		},
		{
			name: "a longer circle",
			pages: map[string]pageOf{
				"limit=100": {body: `[{"_id":"a"}]`, link: `<?skip=1>; rel="next"`},
				"skip=1":    {body: `[{"_id":"b"}]`, link: `<?skip=2>; rel="next"`},
				"skip=2":    {body: `[{"_id":"c"}]`, link: `<?skip=1#again>; rel="next"`},
			},
			want: []string{"a", "b", "c"}, fails: "the link to the next page leads back to an earlier page",
		},
		{
			name: "links to other servers, schemes and paths",
			pages: map[string]pageOf{
				"limit=100":      {body: `[{"_id":"a"}]`, link: `<http://169.254.169.254/latest/meta-data?skip=1>; rel="next"`},
				"skip=1":         {body: `[{"_id":"b"}]`, link: `<https://backend.internal:1/v2/../imports?skip=2&limit=1>; rel="next"`},
				"skip=2&limit=1": {body: `[{"_id":"c"}]`},
			},
			want: []string{"a", "b", "c"},
		},
		{
			name: "a circle over another server",
			pages: map[string]pageOf{
				"limit=100": {body: `[{"_id":"a"}]`, link: `<?skip=1>; rel="next"`},
				"skip=1":    {body: `[{"_id":"b"}]`, link: `<https://backend.internal/imports?skip=1>; rel="next"`},
			},
			want: []string{"a", "b"}, fails: "the link to the next page (https://backend.internal/imports) leads back to an earlier page",
		},
		{
			name:  "a malformed link",
			pages: map[string]pageOf{"limit=100": {body: `[{"_id":"a"}]`, link: `nonsense`}},
			fails: "the link to the next page (nonsense) is malformed",
		},
		{
			name: "the second page fails",
			pages: map[string]pageOf{
				"limit=100": {body: `[{"_id":"a"}]`, link: `<?skip=1>; rel="next"`},
				"skip=1":    {status: 500, body: "<html>"},
			},
			want: []string{"a"}, fails: "500",
		},
		{
			name: "the second page is cut short",
			pages: map[string]pageOf{
				"limit=100": {body: `[{"_id":"a"}]`, link: `<?skip=1>; rel="next"`},
				"skip=1":    {body: `[{"_id":"b"},{"_id":"c"`},
			},
			want: []string{"a"}, fails: "ended too early",
		},
		{name: "an element without _id", pages: map[string]pageOf{"limit=100": {body: `[{"_id":"a"},{"name":"n"}]`}}, fails: "no _id"},
		{name: "an element whose _id is a number", pages: map[string]pageOf{"limit=100": {body: `[{"_id":7}]`}}, fails: "no _id"},
		{name: "an element that is null", pages: map[string]pageOf{"limit=100": {body: `[null]`}}, fails: "not a JSON object"},
		{name: "no array", pages: map[string]pageOf{"limit=100": {body: `{"_id":"a"}`}}, fails: "not a JSON array"},
		{name: "HTML", pages: map[string]pageOf{"limit=100": {body: `<html>sign in</html>`}}, fails: "not JSON"},
		{name: "nothing", pages: map[string]pageOf{"limit=100": {body: ""}}, fails: "ended too early"},
		{name: "something after the array", pages: map[string]pageOf{"limit=100": {body: `[{"_id":"a"}][]`}}, fails: "follows"},
		{name: "a comma too many", pages: map[string]pageOf{"limit=100": {body: `[{"_id":"a"},]`}}, fails: "not JSON"},
		{name: "a comma too few", pages: map[string]pageOf{"limit=100": {body: `[{"_id":"a"}{"_id":"b"}]`}}, fails: "not JSON"},
		{name: "the wrong bracket", pages: map[string]pageOf{"limit=100": {body: `[{"_id":"a"}}`}}, fails: "the answer"},
		{name: "a status that is not the call's", pages: map[string]pageOf{"limit=100": {status: 206, body: "[]"}}, fails: "206"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			asked := 0
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				p, ok := tc.pages[r.URL.RawQuery]
				if !ok || r.URL.Path != "/v1/imports" {
					t.Errorf("unexpected request for %s", r.URL)
				}
				if p.link != "" {
					w.Header().Set("Link", strings.ReplaceAll(p.link, "{host}", "http://"+r.Host))
				}
				if p.status == 0 {
					p.status = 200
				}
				answer(p.status, p.body)(w, r)
			})
			pages := 0
			got, err := listed(c, t, ListOptions{Pages: &pages})
			if tc.fails == "" && pages != asked {
				t.Errorf("%d pages are counted, want %d", pages, asked)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("imports (-want +got):\n%s", diff)
			}
			if tc.fails == "" && err != nil || tc.fails != "" && (err == nil || !strings.Contains(err.Error(), tc.fails)) {
				t.Errorf("error %v, want one with %q", err, tc.fails)
			}
			if asked != len(tc.pages) {
				t.Errorf("%d requests, want %d", asked, len(tc.pages))
			}
		})
	}
}

func TestListEndsSomewhere(t *testing.T) {
	asked := 0
	c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Link", fmt.Sprintf("<?skip=%d>; rel=next", asked))
		answer(200, "[]")(w, nil)
	})
	c.limiter.SetLimits(1_000_000, 1000, 1)
	_, err := listed(c, t, ListOptions{})
	if asked != maxPages || err == nil || !strings.Contains(err.Error(), "more pages") {
		t.Errorf("%d pages, %v; want %d and an error", asked, err, maxPages)
	}
}

func TestListOptions(t *testing.T) {
	tests := []struct {
		opts ListOptions
		want string // query, "-" for an error before any call
	}{
		{ListOptions{}, "limit=100"},
		{ListOptions{Include: []string{"lastModified", "externalId"}}, "include=lastModified,externalId"},
		{ListOptions{Include: []string{"http.relativeURI", "_connectionId"}}, "include=http.relativeURI,_connectionId"},
		{ListOptions{Include: []string{""}}, "-"},
		{ListOptions{Include: []string{"a,b"}}, "-"},
		{ListOptions{Include: []string{"a&limit=1"}}, "-"},
		{ListOptions{Include: []string{"a b"}}, "-"},
		{ListOptions{Include: []string{"a-b"}}, "-"},
		{ListOptions{Include: []string{"é"}}, "-"},
		{ListOptions{Include: []string{"a%2Cb"}}, "-"},
		{ListOptions{Include: []string{"ok", "a\r\nb"}}, "-"},
	}
	for _, tc := range tests {
		got := "-"
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.URL.RawQuery
			answer(200, "[]")(w, r)
		})
		_, err := listed(c, t, tc.opts)
		if got != tc.want {
			t.Errorf("%+v: query %q, want %q", tc.opts, got, tc.want)
		}
		if tc.want == "-" && !errors.Is(err, ErrInvalidArgument) || tc.want != "-" && err != nil {
			t.Errorf("%+v: %v", tc.opts, err)
		}
	}
}

// paged answers as the API does with a list of documents, and keeps the queries. An answer of more
// bytes than most is refused.
type paged struct {
	documents []string
	most      int
	asked     []string
}

func (p *paged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked = append(p.asked, r.URL.RawQuery)
	query := r.URL.Query()
	skip, _ := strconv.Atoi(query.Get("skip"))
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 1000
	}
	end := min(skip+limit, len(p.documents))
	documents := slices.Clone(p.documents[skip:end])
	if query.Has("include") {
		for i := range documents {
			documents[i] = fmt.Sprintf(`{"_id":"d%d","name":"n%[1]d"}`, skip+i)
		}
	}
	body := "[" + strings.Join(documents, ",") + "]"
	if p.most > 0 && len(body) > p.most {
		answer(http.StatusRequestEntityTooLarge, "<html>too large</html>")(w, r)
		return
	}
	if end < len(p.documents) {
		query.Set("skip", strconv.Itoa(end))
		query.Set("limit", strconv.Itoa(limit))
		w.Header().Set("Link", `<https://backend.internal/imports?`+query.Encode()+`>; rel="next"`)
	}
	answer(http.StatusOK, body)(w, r)
}

// documentsOf are documents of about so many bytes.
func documentsOf(sizes ...int) (documents []string) {
	for i, size := range sizes {
		documents = append(documents, fmt.Sprintf(`{"_id":"d%d","a":"%s"}`, i, strings.Repeat("x", size)))
	}
	return documents
}

// TestPageSizes: whole documents come in pages that can be read, whatever their sizes.
func TestPageSizes(t *testing.T) {
	const mb = 1 << 20
	small := slices.Repeat([]int{1}, 250)
	cases := []struct {
		reason  string
		list    paged
		include []string
		asked   []string
		fails   string
	}{
		{reason: "pages of 100, and links are followed", list: paged{documents: documentsOf(small...)},
			asked: []string{"limit=100", "limit=100&skip=100", "limit=100&skip=200"}},
		{reason: "a scan has large pages", list: paged{documents: documentsOf(small...)}, include: []string{"name"}, asked: []string{"include=name"}},
		{reason: "a gateway refuses large answers: pages are halved, and the links keep the size", list: paged{documents: documentsOf(slices.Repeat([]int{1000}, 60)...), most: 30_000},
			asked: []string{"limit=100", "limit=50", "limit=25", "limit=25&skip=25", "limit=25&skip=50"}},
		{reason: "a later page is larger", list: paged{documents: documentsOf(append(slices.Repeat([]int{1}, 100), 10_000, 10_000)...), most: 15_000},
			asked: []string{"limit=100", "limit=100&skip=100", "skip=100&limit=50", "skip=100&limit=25", "skip=100&limit=12", "skip=100&limit=6", "skip=100&limit=3", "skip=100&limit=1", "limit=1&skip=101"}},
		{reason: "above what is read, the page has as many as could be read", list: paged{documents: documentsOf(7*mb, 7*mb, 7*mb)}, asked: []string{"limit=100", "limit=2", "limit=2&skip=2"}},
		{reason: "a scan meets the bound", list: paged{documents: documentsOf(small...), most: 5000}, include: []string{"name"},
			asked: []string{"include=name", "include=name&limit=100", "include=name&limit=100&skip=100", "include=name&limit=100&skip=200"}},
		{reason: "a single document is refused", list: paged{documents: documentsOf(1, 10_000, 1), most: 5000},
			asked: []string{"limit=100", "limit=50", "limit=25", "limit=12", "limit=6", "limit=3", "limit=1", "limit=1&skip=1", "limit=1&skip=1&include=name"},
			fails: `the import d1 ("n1") alone is too large`},
		{reason: "a single document is above what is read", list: paged{documents: documentsOf(17 * mb)}, asked: []string{"limit=100", "limit=1", "limit=1&include=name"},
			fails: `the import d0 ("n0") alone is too large`},
		{reason: "even the name of one is refused", list: paged{documents: documentsOf(1000), most: 10},
			asked: []string{"limit=100", "limit=50", "limit=25", "limit=12", "limit=6", "limit=3", "limit=1", "limit=1&include=name"},
			fails: "a page of the list is too large"},
	}
	for _, tc := range cases {
		t.Run(tc.reason, func(t *testing.T) {
			c, _ := serve(t, tc.list.ServeHTTP)
			got, err := listed(c, t, ListOptions{Include: tc.include})
			if diff := cmp.Diff(tc.asked, tc.list.asked); diff != "" {
				t.Errorf("queries (-want +got):\n%s", diff)
			}
			if tc.fails == "" && (err != nil || len(got) != len(tc.list.documents)) {
				t.Errorf("%d of %d imports, %v", len(got), len(tc.list.documents), err)
			}
			if tc.fails != "" && (err == nil || !strings.Contains(err.Error(), tc.fails)) {
				t.Errorf("error %v, want one with %q", err, tc.fails)
			}
			if sorted := slices.Compact(slices.Clone(got)); len(sorted) != len(got) {
				t.Errorf("imports come twice: %v", got)
			}
		})
	}
}

// TestSmallerPages: where the place of a page may depend on its size, the size is not changed.
func TestSmallerPages(t *testing.T) {
	for _, tc := range []struct {
		reason string
		page   page
		most   int
		want   string // "" if it cannot be smaller
	}{
		{"the first page", page{query: "limit=100", first: true}, 1000, "limit=50"},
		{"without a limit", page{query: "include=a,b", first: true}, 1000, "include=a,b&limit=100"},
		{"with a limit that is no number", page{query: "limit=all", first: true}, 1000, "limit=100"},
		{"fewer could be read", page{query: "limit=100", first: true}, 7, "limit=7"},
		{"none could be read", page{query: "limit=100", first: true}, 0, "limit=1"},
		{"a later page, by skip", page{query: "a=%2C&limit=9&skip=3&%6cimit=9"}, 1000, "a=%2C&skip=3&limit=4"},
		{"a later page, by number", page{query: "limit=100&page=3"}, 1000, ""},
		{"a later page, by an opaque text", page{query: "after=abc"}, 1000, ""},
		{"one is the least", page{query: "limit=1", first: true}, 1000, ""},
	} {
		got, ok := tc.page.smaller(tc.most)
		if ok != (tc.want != "") || ok && got.query != tc.want {
			t.Errorf("%s: %q, %t, want %q", tc.reason, got.query, ok, tc.want)
		}
	}
}

// TestListReleases: while the caller uses an import, the list holds neither a connection nor a place
// in the limiter. When the caller stops, the next page is not requested.
func TestListReleases(t *testing.T) {
	asked := map[string]int{}
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked[r.RemoteAddr]++
		if strings.HasSuffix(r.URL.Path, "/a") {
			answer(200, `{"_id":"a"}`)(w, r)
			return
		}
		answer(200, `[{"_id":"a"},{"_id":"b"}]`, "Link", `<?skip=2>; rel="next"`)(w, r)
	})
	c.limiter.SetLimits(100, 100, 1)
	for doc, err := range c.ListImports(t.Context(), ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.GetImport(t.Context(), doc.ID); err != nil { // would wait for ever
			t.Fatal(err)
		}
		break
	}
	if len(asked) != 1 {
		t.Errorf("requests by connection: %v, want all on one", asked)
	}
	for _, n := range asked {
		if n != 2 {
			t.Errorf("%d requests, want a page and a get", n)
		}
	}
}

// TestListTwice: a sequence can be run again.
func TestListTwice(t *testing.T) {
	c, _ := serve(t, answer(200, `[{"_id":"a"}]`))
	seq := c.ListImports(t.Context(), ListOptions{})
	for range 2 {
		n := 0
		for _, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%d imports, want 1", n)
		}
	}
}

// TestListKeepsBytes: the documents are what the API wrote, each in memory of its own.
func TestListKeepsBytes(t *testing.T) {
	documents := []string{
		`{ "_id" : "a", "n": 12345678901234567890.00, "s":"\u00e9é", "x":{"b":1,"a":[ ]}, "n": 1e400 }`,
		`{"_id":"b","name":"<&>"}`,
	}
	c, _ := serve(t, answer(200, " [\n"+strings.Join(documents, " ,\n")+" ]\n"))
	var raws []json.RawMessage
	for doc, err := range c.ListImports(t.Context(), ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		raws = append(raws, doc.Raw)
	}
	for i, want := range documents {
		if string(raws[i]) != want {
			t.Errorf("document %d is %s, want %s", i, raws[i], want)
		}
	}
	for i := range raws[0] {
		raws[0][i] = '!'
	}
	_ = append(raws[0][:len(raws[0]):cap(raws[0])], "!!!!"...)
	if string(raws[1]) != documents[1] {
		t.Error("two documents share memory")
	}
}

// TestAuditPageIsOneCall: what only informs costs one request, however the API answers.
func TestAuditPageIsOneCall(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"empty":           answer(204, ""),
		"the whole log":   answer(200, `[{"_id":"1"}]`),
		"one of pages":    answer(200, `[{"_id":"1"}]`, "Link", `<?skip=1>; rel="next"`),
		"too many":        answer(429, `{}`),
		"gone":            answer(404, `{}`),
		"a broken link":   answer(200, `[]`, "Link", `<http://elsewhere.test/v1/x>; rel="next"`),
		"no answer to it": answer(503, ``),
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				handler(w, r)
			})
			entries, more, err := c.AuditPage(t.Context(), testID)
			if asked != 1 {
				t.Errorf("%d requests", asked)
			}
			if err != nil && (entries != nil || more) {
				t.Errorf("an error with entries %v, more %t", entries, more)
			}
			if more != (name == "one of pages") {
				t.Errorf("more = %t, %v", more, err)
			}
		})
	}
}

func TestListAudit(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/imports/"+testID+"/audit" {
			t.Errorf("asked for %s", r.URL)
		}
		skip, _ := strconv.Atoi(r.URL.Query().Get("skip"))
		switch skip {
		case 0:
			answer(200, `[{"_id":"1","resourceType":"import","source":"ui","event":"update","time":"2026-01-02T03:04:05.678Z",
				"byUser":{"_id":"u1","email":"ann@example.com","name":"Ann"},
				"fieldChanges":[{"fieldPath":"name","oldValue":"a","newValue":null},{"fieldPath":"http.body","newValue":[1.50]}]}]`,
				"Link", `<?skip=1>; rel="next"`)(w, r)
		default:
			answer(200, `[{"_id":"2","source":"api","event":"create","time":"t","byUser":null}]`)(w, r)
		}
	})
	want := []AuditEntry{
		{
			ID: "1", Source: "ui", Event: "update", Time: "2026-01-02T03:04:05.678Z",
			ByUser: AuditUser{ID: "u1", Email: "ann@example.com", Name: "Ann"},
			FieldChanges: []FieldChange{
				{FieldPath: "name"},
				{FieldPath: "http.body"},
			},
		},
		{ID: "2", Source: "api", Event: "create", Time: "t"},
	}
	var got []AuditEntry
	for e, err := range c.ListAudit(t.Context(), testID) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	page, more, err := c.AuditPage(t.Context(), testID)
	if diff := cmp.Diff(want[:1], page); diff != "" || !more || err != nil {
		t.Errorf("the first page: more %t, %v (-want +got):\n%s", more, err, diff)
	}

	for _, body := range []string{`[null]`, `[1]`, `{}`, `[{"_id":"x"}`} {
		c, _ := serve(t, answer(200, body))
		for _, err := range c.ListAudit(t.Context(), testID) {
			if e := apiError(t, err); !e.NotUnderstood() {
				t.Errorf("%s: %v", body, err)
			}
		}
		entries, more, err := c.AuditPage(t.Context(), testID)
		if e := apiError(t, err); !e.NotUnderstood() || entries != nil || more {
			t.Errorf("%s: %v, more %t, %v", body, entries, more, err)
		}
	}
}
