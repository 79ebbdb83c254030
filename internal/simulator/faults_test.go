// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func (h *harness) rule(r Rule) string {
	h.Helper()
	id, err := h.AddRule(r)
	must(h.T, err)
	return id
}

func TestAnsweringFaults(t *testing.T) {
	for _, test := range []struct {
		name   string
		action Action
		status int
		header map[string]string
		body   string
	}{
		{"JSON 503", Action{Kind: ActionAnswer, Status: 503}, 503, map[string]string{"Content-Type": "application/json; charset=utf-8"},
			`{"errors":[{"code":"injected","message":"503 Service Unavailable"}]}`},
		{"HTML 502", Action{Kind: ActionAnswer, Status: 502, HTML: true}, 502, map[string]string{"Content-Type": "text/html; charset=utf-8"},
			"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>\n"},
		{"429", Action{Kind: ActionAnswer, Status: 429, RetryAfter: "7"}, 429, map[string]string{"Retry-After": "7"},
			`{"errors":[{"code":"rate_limited","message":"Too many requests. Retry after 7 seconds."}]}`},
		{"bare 401", Action{Kind: ActionAnswer, Status: 401}, 401, nil, `{"message":"Unauthorized"}`},
		{"own body", Action{Kind: ActionAnswer, Status: 200, Body: "<html>", ContentType: "text/plain"}, 200, map[string]string{"Content-Type": "text/plain"}, "<html>"},
		{"no body", Action{Kind: ActionAnswer, Status: 204, Body: "x"}, 204, map[string]string{"Content-Length": ""}, ""},
		{"redirect", Action{Kind: ActionRedirect, Location: "http://169.254.169.254/"}, 307, map[string]string{"Location": "http://169.254.169.254/"},
			`{"errors":[{"code":"injected","message":"307 Temporary Redirect"}]}`},
		{"permanent redirect", Action{Kind: ActionRedirect, Status: 308, Location: "/x"}, 308, map[string]string{"Location": "/x"},
			`{"errors":[{"code":"injected","message":"308 Permanent Redirect"}]}`},
		{"garbage", Action{Kind: ActionGarbage}, 200, nil, "\x00\xff\xfe{\"_id\":\x80\x81]]}\x00"},
		{"oversize", Action{Kind: ActionOversize, Bytes: 60}, 200, map[string]string{"Content-Length": "60"},
			`{"_id":"000000000000000000000000","padding":"xxxxxxxxxxxxx"}`},
	} {
		for _, phase := range []Phase{PhaseBefore, PhaseAfter} {
			t.Run(test.name+" "+string(phase), func(t *testing.T) {
				h := newHarness(t)
				id := h.rule(Rule{Method: http.MethodPost, Phase: phase, Action: test.action})
				r := h.expect(test.status, http.MethodPost, "/v1/imports", ftpImport)
				h.same(test.body, r.body)
				for key, want := range test.header {
					h.same(want, r.header.Get(key))
				}
				applied := phase == PhaseAfter
				h.same(applied, len(h.Imports("acme")) == 1)
				entry := h.Ledger(Filter{})[0]
				h.same([]any{test.status, applied, string(phase) + ":" + id}, []any{entry.Status, entry.Applied, entry.Fault})
			})
		}
	}
}

func TestOversizeIsCompressed(t *testing.T) {
	h := newHarness(t)
	h.rule(Rule{Phase: PhaseAfter, Action: Action{Kind: ActionOversize, Bytes: 4 << 20}})
	r := h.expect(http.StatusOK, http.MethodGet, "/v1/tokenInfo", "", "Accept-Encoding", "gzip")
	if len(r.body) > 100<<10 {
		t.Errorf("%d bytes on the wire", len(r.body))
	}
	zip, err := gzip.NewReader(strings.NewReader(r.body))
	must(t, err)
	data, err := io.ReadAll(io.LimitReader(zip, 8<<20))
	must(t, err)
	h.same(4<<20, len(data))
}

func TestConnectionFaults(t *testing.T) {
	for _, test := range []struct {
		name   string
		action Action
		want   error
	}{
		{"reset", Action{Kind: ActionReset}, syscall.ECONNRESET},
		{"hang", Action{Kind: ActionHang, DelayMillis: 1000}, io.EOF},
	} {
		for _, phase := range []Phase{PhaseBefore, PhaseAfter} {
			t.Run(test.name+" "+string(phase), func(t *testing.T) {
				h := newHarness(t)
				h.rule(Rule{Method: http.MethodPost, Phase: phase, Action: test.action})
				done := make(chan error, 1)
				go func() {
					_, err := h.try(http.MethodPost, "/v1/imports", ftpImport)
					done <- err
				}()
				if test.action.Kind == ActionHang {
					h.awaitTimer()
					h.clock.Step(time.Second)
				}
				if err := <-done; !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				applied := phase == PhaseAfter
				h.same(applied, len(h.Imports("acme")) == 1)
				entry := h.Ledger(Filter{})[0]
				h.same([]any{0, applied}, []any{entry.Status, entry.Applied})
			})
		}
	}
}

// awaitTimer returns once a rule waits for the clock.
func (h *harness) awaitTimer() {
	h.Helper()
	await(h.T, "a rule waits for the clock", h.clock.HasWaiters)
}

// await polls for what another goroutine is about to do.
func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(time.Minute)
	for !happened() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// TestHangEndsWithTheClient: a request that hangs before it is applied never is.
func TestHangEndsWithTheClient(t *testing.T) {
	h := newHarness(t)
	h.rule(Rule{Phase: PhaseBefore, Action: Action{Kind: ActionHang}})
	h.giveUp()
	await(t, "the server noticed", func() bool { return h.Ledger(Filter{})[0].Answered != nil })
	h.same(0, len(h.Imports("acme")))
}

// giveUp posts an import and disconnects once a rule has fired.
func (h *harness) giveUp() {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.base+"/v1/imports", strings.NewReader(ftpImport))
	must(h.T, err)
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Content-Type", "application/json")
	done := make(chan error, 1)
	go func() {
		resp, err := h.http.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		done <- err
	}()
	await(h.T, "a rule to fire", func() bool { return len(h.Rules()) > 0 && h.Rules()[0].Fired == 1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		h.Errorf("got %v", err)
	}
}

// TestLatencyOutlivesTheClient: the request is applied after its sender gave up.
func TestLatencyOutlivesTheClient(t *testing.T) {
	h := newHarness(t)
	id := h.rule(Rule{Phase: PhaseBefore, Action: Action{Kind: ActionLatency}})
	h.giveUp()
	h.same(0, len(h.Imports("acme")))
	must(t, h.ReleaseRule(id))
	await(t, "the import is there", func() bool { return len(h.Imports("acme")) == 1 })
	h.create(ftpImport) // a released rule holds nothing any more
}

func TestLatency(t *testing.T) {
	h := newHarness(t)
	h.rule(Rule{Phase: PhaseAfter, Action: Action{Kind: ActionLatency, DelayMillis: 250}})
	done := make(chan reply, 1)
	go func() {
		r, _ := h.try(http.MethodPost, "/v1/imports", ftpImport)
		done <- r
	}()
	h.awaitTimer()
	h.same(1, len(h.Imports("acme")))
	h.clock.Step(250 * time.Millisecond)
	h.same(http.StatusCreated, (<-done).status)
}

func TestAlteredAnswers(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	path := "/v1/imports/" + id
	whole := h.expect(http.StatusOK, http.MethodGet, path, "")

	for _, test := range []struct {
		keep int64
		want int
	}{{0, len(whole.body) / 2}, {10, 10}, {1 << 20, len(whole.body)}} {
		h.rule(Rule{Phase: PhaseAfter, Action: Action{Kind: ActionTruncate, Bytes: test.keep}})
		r, err := h.try(http.MethodGet, path, "")
		if test.want < len(whole.body) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("keep %d: got %v, want an unexpected end", test.keep, err)
		}
		h.same(whole.body[:test.want], r.body)
		h.same(whole.header.Get("Content-Length"), r.header.Get("Content-Length"))
		h.ClearRules()
	}

	h.rule(Rule{Phase: PhaseAfter, Action: Action{Kind: ActionOtherID, ID: noSuchID}})
	h.same(noSuchID, h.doc(h.expect(http.StatusOK, http.MethodGet, path, ""))["_id"])
	h.same(noSuchID, h.docs(h.expect(http.StatusOK, http.MethodGet, "/v1/imports", ""))[0]["_id"])
	h.ClearRules()

	h.rule(Rule{Phase: PhaseAfter, Action: Action{Kind: ActionFields, Body: `{"_id": 7, "name": null}`}})
	for _, doc := range []Document{h.doc(h.expect(http.StatusOK, http.MethodGet, path, "")), h.docs(h.expect(http.StatusOK, http.MethodGet, "/v1/imports", ""))[0]} {
		h.same(Document{"_id": json.Number("7"), "name": nil, "adaptorType": "FTPImport"},
			Document{"_id": doc["_id"], "name": doc["name"], "adaptorType": doc["adaptorType"]})
	}
	h.ClearRules()
	h.same(whole.body, h.expect(http.StatusOK, http.MethodGet, path, "").body)
}

func TestDrip(t *testing.T) {
	h := newHarness(t)
	h.rule(Rule{Phase: PhaseAfter, Action: Action{Kind: ActionDrip, Bytes: 30, DelayMillis: 100}})
	done := make(chan reply, 1)
	go func() {
		r, _ := h.try(http.MethodGet, "/v1/tokenInfo", "")
		done <- r
	}()
	want := `{"_userId":"` + userID("robot@acme.example.com") + `","scope":"*"}`
	for range (len(want) + 29) / 30 { // one wait after each piece
		h.awaitTimer()
		h.clock.Step(100 * time.Millisecond)
	}
	h.same(want, (<-done).body)
}

// TestEndless: it ends when the client goes, or the rule.
func TestEndless(t *testing.T) {
	h := newHarness(t)
	id := h.rule(Rule{Phase: PhaseBefore, Action: Action{Kind: ActionEndless, DelayMillis: 100}})
	done := make(chan error, 1)
	go func() {
		_, err := h.try(http.MethodGet, "/v1/tokenInfo", "")
		done <- err
	}()
	for range 5 {
		h.awaitTimer()
		h.clock.Step(100 * time.Millisecond)
	}
	h.awaitTimer()
	must(t, h.RemoveRule(id))
	if err := <-done; err == nil {
		t.Error("an answer that never comes is whole")
	}
}

func TestWhichRequestsRulesFireFor(t *testing.T) {
	strike := Action{Kind: ActionAnswer, Status: 503}
	for _, test := range []struct {
		name string
		rule Rule
		want string // of GET /v1/tokenInfo, ten times: x: the rule fires
	}{
		{"all", Rule{}, "xxxxxxxxxx"},
		{"once", Rule{Count: 1}, "x........."},
		{"the third", Rule{Nth: 3, Count: 1}, "..x......."},
		{"from the third", Rule{Nth: 3}, "..xxxxxxxx"},
		{"every other", Rule{Every: 2}, "x.x.x.x.x."},
		{"two of every third from the second", Rule{Nth: 2, Every: 3, Count: 2}, ".x..x....."},
		{"method", Rule{Method: "POST"}, ".........."},
		{"account", Rule{Account: "acme"}, "xxxxxxxxxx"},
		{"other account", Rule{Account: "other"}, ".........."},
		{"glob", Rule{Path: "/v1/t*"}, "xxxxxxxxxx"},
		{"glob of one level", Rule{Path: "/*"}, ".........."},
		{"route", Rule{Route: "/v1/tokenInfo"}, "xxxxxxxxxx"},
		{"other route", Rule{Route: "/v1/imports"}, ".........."},
		{"source", Rule{Source: "ui"}, ".........."},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t)
			test.rule.Phase, test.rule.Action = PhaseBefore, strike
			h.rule(test.rule)
			var got strings.Builder
			for range 10 {
				if h.call(http.MethodGet, "/v1/tokenInfo", "").status == 503 {
					got.WriteByte('x')
				} else {
					got.WriteByte('.')
				}
			}
			h.same(test.want, got.String())
			h.same(strings.Count(test.want, "x"), h.Rules()[0].Fired)
		})
	}
}

// TestRulesTogether: only the oldest rule fires, but all of them count; one of each
// phase can fire for the same request, also for an unauthenticated one.
func TestRulesTogether(t *testing.T) {
	h := newHarness(t)
	h.rule(Rule{Phase: PhaseBefore, Count: 1, Action: Action{Kind: ActionAnswer, Status: 500}})
	h.rule(Rule{Phase: PhaseBefore, Nth: 2, Count: 1, Action: Action{Kind: ActionLatency, DelayMillis: 0}})
	h.rule(Rule{Phase: PhaseAfter, Action: Action{Kind: ActionAnswer, Status: 502}})
	must(t, h.ReleaseRule("rule-2"))
	h.expect(500, http.MethodGet, "/v1/imports", "", "Authorization", "")
	h.expect(502, http.MethodGet, "/v1/imports", "")
	h.same("before:rule-2,after:rule-3", h.Ledger(Filter{})[1].Fault)
	var counts [][2]int
	for _, r := range h.Rules() {
		counts = append(counts, [2]int{r.Matched, r.Fired})
	}
	h.same([][2]int{{2, 1}, {2, 1}, {1, 1}}, counts)

	must(t, h.RemoveRule("rule-3"))
	h.expect(204, http.MethodGet, "/v1/imports", "")
	if h.RemoveRule("rule-3") == nil || h.ReleaseRule("rule-3") == nil {
		t.Error("no error for a rule that was removed")
	}
}

func TestRefusedRules(t *testing.T) {
	h := newHarness(t)
	for name, rule := range map[string]Rule{
		"no phase":               {Action: Action{Kind: ActionReset}},
		"no kind":                {Phase: PhaseAfter},
		"bad glob":               {Phase: PhaseAfter, Path: "[", Action: Action{Kind: ActionReset}},
		"negative":               {Phase: PhaseAfter, Nth: -1, Action: Action{Kind: ActionReset}},
		"no status":              {Phase: PhaseAfter, Action: Action{Kind: ActionAnswer}},
		"no location":            {Phase: PhaseAfter, Action: Action{Kind: ActionRedirect}},
		"no size":                {Phase: PhaseAfter, Action: Action{Kind: ActionOversize}},
		"no id":                  {Phase: PhaseAfter, Action: Action{Kind: ActionOtherID}},
		"nothing to truncate":    {Phase: PhaseBefore, Action: Action{Kind: ActionTruncate}},
		"nothing to drip":        {Phase: PhaseBefore, Action: Action{Kind: ActionDrip}},
		"no answer to overlay":   {Phase: PhaseBefore, Action: Action{Kind: ActionFields, Body: "{}"}},
		"no fields":              {Phase: PhaseAfter, Action: Action{Kind: ActionFields, Body: "[]"}},
		"no answer to mangle id": {Phase: PhaseBefore, Action: Action{Kind: ActionOtherID, ID: noSuchID}},
	} {
		if _, err := h.AddRule(rule); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	h.same(0, len(h.Rules()))
}

// TestCloseEndsDelays: a test that ends must not wait for a rule.
func TestCloseEndsDelays(t *testing.T) {
	h := newHarness(t)
	h.rule(Rule{Phase: PhaseAfter, Action: Action{Kind: ActionHang}})
	done := make(chan error, 1)
	go func() {
		_, err := h.try(http.MethodGet, "/v1/tokenInfo", "")
		done <- err
	}()
	await(t, "the rule to fire", func() bool { return h.Rules()[0].Fired == 1 })
	h.Close()
	if err := <-done; !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}
