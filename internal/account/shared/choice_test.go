// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestChoice(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	large := choice{pages: 3, listed: now.Add(-time.Minute)}
	with := func(change func(*choice)) choice {
		changed := large
		change(&changed)
		return changed
	}
	ids := func(ids ...string) Wants { return Wants{IDs: ids} }
	for name, tc := range map[string]struct {
		reason string
		from   choice
		wanted []Wants
		want   []string
	}{
		"First":       {"how many pages there are is not known", choice{}, []Wants{ids("a")}, nil},
		"Fewer":       {"fewer calls", large, []Wants{ids("a", "b")}, []string{"a", "b"}},
		"AsMany":      {"not fewer calls", large, []Wants{ids("a", "b", "c")}, nil},
		"OnePage":     {"nothing is less than a page", with(func(c *choice) { c.pages = 1 }), []Wants{ids("a")}, nil},
		"Empty":       {"an account without imports", with(func(c *choice) { c.pages = 0; c.listed = time.Time{} }), []Wants{ids("a")}, nil},
		"None":        {"no call would show that the token is accepted", large, []Wants{ids()}, nil},
		"Several":     {"those of all Accounts that share the scan", large, []Wants{ids("a"), ids("b")}, []string{"a", "b"}},
		"SeveralMany": {"count together", large, []Wants{ids("a", "b"), ids("c")}, nil},
		"Same":        {"each once", large, []Wants{ids("a", "b"), ids("b", "a")}, []string{"a", "b"}},
		"List":        {"somebody needs the list", large, []Wants{ids("a"), {List: true}}, nil},
		"Due":         {"the list is due", with(func(c *choice) { c.singles = singleScans }), []Wants{ids("a")}, nil},
		"NotYetDue":   {"nine of ten", with(func(c *choice) { c.singles = singleScans - 1 }), []Wants{ids("a")}, []string{"a"}},
		"Old":         {"the list is too old", with(func(c *choice) { c.listed = now.Add(-listLife) }), []Wants{ids("a")}, nil},
		"Barred":      {"one of them could not be read", with(func(c *choice) { c.barred = 1 }), []Wants{ids("a")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, single(tc.wanted, tc.from.most(now))); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestChoiceAfterAScan(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	before := now.Add(-time.Minute)
	list, singles := List{Pages: 7}, List{Singles: map[string]bool{"a": true}}
	for name, tc := range map[string]struct {
		reason string
		from   choice
		asked  bool
		list   List
		err    error
		want   choice
	}{
		"List":       {"it says how many pages there are", choice{pages: 3, listed: before, singles: 9}, false, list, nil, choice{pages: 7, listed: now}},
		"ListFails":  {"it is still due", choice{pages: 3, listed: before, singles: 9}, false, List{}, errNoAnswer, choice{pages: 3, listed: before, singles: 9}},
		"Singles":    {"one more", choice{pages: 3, listed: before, singles: 4}, true, singles, nil, choice{pages: 3, listed: before, singles: 5}},
		"Fail":       {"one more, too", choice{pages: 3, listed: before, singles: 4}, true, List{}, errNoAnswer, choice{pages: 3, listed: before, singles: 5}},
		"Unreadable": {"the list came instead", choice{pages: 3, listed: before, singles: 4}, true, list, nil, choice{pages: 7, listed: now, barred: 9}},
		"Barred":     {"one less", choice{pages: 7, listed: before, barred: 9}, false, list, nil, choice{pages: 7, listed: now, barred: 8}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.from.ended(tc.asked, tc.list, tc.err, now), cmp.AllowUnexported(choice{})); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

// TestRead: an import that is not there is not found, and one that cannot be read has the list read.
func TestRead(t *testing.T) {
	const a, b = "64b0000000000000000000a1", "64b0000000000000000000b2"
	document := func(id string) string {
		return `{"_id":"` + id + `","name":"n","lastModified":"t1","externalId":"e"}`
	}
	whole := NewList(map[string]string{a: "t1"}, integrator.Import{ID: a, Name: "n", ExternalID: "e"})
	whole.Pages = 1
	singles := NewList(map[string]string{a: "t1"}, integrator.Import{ID: a, Name: "n", ExternalID: "e"})
	singles.Singles = map[string]bool{a: true, b: true}
	for name, tc := range map[string]struct {
		reason string
		status int
		want   List
		calls  string
		fails  bool
	}{
		"NotFound":    {"it is not there", 404, singles, "a1 b2", false},
		"Forbidden":   {"the list may have it", 403, whole, "a1 b2 imports", false},
		"Unavailable": {"the list may be read", 503, whole, "a1 b2 imports", false},
		"Rejected":    {"the token is not accepted: no other call would be", 401, List{}, "a1 b2", true},
	} {
		t.Run(name, func(t *testing.T) {
			var calls []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
				calls = append(calls, strings.TrimPrefix(last, "64b0000000000000000000"))
				w.Header().Set("Content-Type", "application/json")
				body := document(last)
				switch last {
				case b:
					w.WriteHeader(tc.status)
					body = `{"errors":[{"code":"x","message":"no"}]}`
				case "imports":
					body = "[" + document(a) + "]"
				}
				_, _ = w.Write([]byte(body))
			}))
			defer server.Close()
			client, err := integrator.New(integrator.Config{BaseURL: server.URL, Token: "t", AllowHTTP: true})
			if err != nil {
				t.Fatal(err)
			}
			got, err := read(t.Context(), client, []string{a, b})
			if (err != nil) != tc.fails {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(List{}, identity{})); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tc.reason, diff)
			}
			if got := strings.Join(calls, " "); got != tc.calls {
				t.Errorf("%s: the calls are %s", tc.reason, got)
			}
		})
	}
}

// TestReadImpossibleID: what is no id of an import is one that is not there.
func TestReadImpossibleID(t *testing.T) {
	client, err := integrator.New(integrator.Config{BaseURL: "http://127.0.0.1:1", Token: "t", AllowHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	list, err := read(t.Context(), client, []string{"no id"})
	if err != nil || !list.Singles["no id"] || len(list.Modified) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := read(t.Context(), client, []string{"64b0000000000000000000a1"}); err == nil || errors.Is(err, integrator.ErrInvalidArgument) {
		t.Errorf("no answer: %v", err)
	}
}
