// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

func TestLedger(t *testing.T) {
	h := newHarness(t)
	id := h.create(ftpImport)
	h.expect(http.StatusOK, http.MethodGet, "/v1/imports?include=name", "")
	h.expect(http.StatusUnprocessableEntity, http.MethodPut, "/v1/imports/"+id, `{}`)
	h.expect(http.StatusOK, http.MethodPost, "/v1/imports/"+id+"/invoke", `[1,2]`, UserHeader, "ui; Jane <jane@example.com>")
	h.expect(http.StatusUnauthorized, http.MethodGet, "/v1/nowhere", "", "Authorization", "Bearer wrong")
	clone := document.Text(h.doc(h.expect(http.StatusCreated, http.MethodPost, "/v1/imports/"+id+"/clone", `{}`)), "_id")

	sum := func(body string) string {
		digest := sha256.Sum256([]byte(body))
		return hex.EncodeToString(digest[:])
	}
	robot := "robot@acme.example.com"
	want := []Entry{
		{Method: "POST", Path: "/v1/imports", Route: "/v1/imports", User: robot, BodyBytes: int64(len(ftpImport)), BodySHA256: sum(ftpImport), Applied: true, AppliedID: id, Status: 201},
		{Method: "GET", Path: "/v1/imports", Route: "/v1/imports", Query: "include=name", User: robot, Status: 200},
		{Method: "PUT", Path: "/v1/imports/" + id, Route: "/v1/imports/{id}", User: robot, BodyBytes: 2, BodySHA256: sum("{}"), Status: 422},
		{Method: "POST", Path: "/v1/imports/" + id + "/invoke", Route: "/v1/imports/{id}/invoke", User: "jane@example.com", Source: "ui", BodyBytes: 5, BodySHA256: sum("[1,2]"), Records: 2, Applied: true, AppliedID: id, Status: 200},
		{Method: "GET", Path: "/v1/nowhere", Status: 401},
		{Method: "POST", Path: "/v1/imports/" + id + "/clone", Route: "/v1/imports/{id}/clone", User: robot, BodyBytes: 2, BodySHA256: sum("{}"), Applied: true, AppliedID: clone, Status: 201},
	}
	got := h.Ledger(Filter{})
	for i := range got {
		if got[i].RemoteAddr == "" || got[i].Answered == nil || !got[i].Received.Equal(startOfTime) {
			t.Errorf("entry %d: %+v", i, got[i])
		}
		got[i].RemoteAddr, got[i].Answered, got[i].Received = "", nil, want[i].Received
		want[i].Seq = int64(i + 1)
		if want[i].Status != 401 {
			want[i].Account = "acme"
		}
		if want[i].User == robot {
			want[i].Source = "api"
		}
	}
	h.same(want, got)

	yes, no := true, false
	for name, test := range map[string]struct {
		filter Filter
		want   []int64
	}{
		"account":      {Filter{Account: "acme"}, []int64{1, 2, 3, 4, 6}},
		"method":       {Filter{Method: "PUT"}, []int64{3}},
		"route":        {Filter{Route: "/v1/imports/{id}/invoke"}, []int64{4}},
		"path":         {Filter{Path: "/v1/imports"}, []int64{1, 2}},
		"id":           {Filter{ID: id}, []int64{1, 4}},
		"source":       {Filter{Source: "ui"}, []int64{4}},
		"applied":      {Filter{Applied: &yes, Method: "POST"}, []int64{1, 4, 6}},
		"not applied":  {Filter{Applied: &no}, []int64{2, 3, 5}},
		"status":       {Filter{Status: 422}, []int64{3}},
		"after":        {Filter{AfterSeq: 4}, []int64{5, 6}},
		"nothing left": {Filter{AfterSeq: 6}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var seqs []int64
			for _, e := range h.Ledger(test.filter) {
				seqs = append(seqs, e.Seq)
			}
			h.in(t).same(test.want, seqs)
		})
	}

	data, err := json.Marshal(h.Ledger(Filter{}))
	must(t, err)
	for _, secret := range []string{testToken, "wrong", "Bearer"} {
		if strings.Contains(string(data), secret) {
			t.Errorf("the ledger holds %q", secret)
		}
	}
	h.ClearLedger()
	h.expect(http.StatusOK, http.MethodGet, "/v1/tokenInfo", "")
	h.same(int64(7), h.Ledger(Filter{})[0].Seq)
}

// TestConcurrentUse is for the race detector, and shows that no request is lost.
func TestConcurrentUse(t *testing.T) {
	h := newHarness(t)
	const workers, rounds = 8, 10
	var wg sync.WaitGroup
	errs := make(chan error, workers*rounds*10)
	for worker := range workers {
		wg.Go(func() {
			for round := range rounds {
				r, err := h.try(http.MethodPost, "/v1/imports", ftpImport)
				if err != nil {
					errs <- err
					return
				}
				doc, _ := document.DecodeObject([]byte(r.body))
				path := "/v1/imports/" + document.Text(doc, "_id")
				for _, step := range [][3]string{
					{http.MethodPut, path, ftpImport}, {http.MethodGet, "/v1/imports", ""}, {http.MethodPost, path + "/invoke", "[1]"},
					{http.MethodGet, path + "/audit", ""}, {http.MethodPost, path + "/clone", "{}"}, {http.MethodDelete, path, ""},
				} {
					if r, err = h.try(step[0], step[1], step[2]); err != nil || r.status >= 400 {
						errs <- fmt.Errorf("%s: %d %w", step, r.status, err)
					}
				}
				if _, err := h.AddRule(Rule{Phase: PhaseAfter, Account: "none", Action: Action{Kind: ActionReset}}); err != nil {
					errs <- err
				}
				errs <- h.EditAs(User{Email: "a@example.com"}, "acme", document.Text(h.Imports("acme")[0], "_id"), func(d Document) { d["maxAttempts"] = worker*100 + round })
				h.Rules()
				h.Ledger(Filter{})
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		// Another worker may have deleted what was to be edited.
		if err != nil && !strings.Contains(err.Error(), ErrNotExist.Error()) {
			t.Error(err)
		}
	}
	h.same(workers*rounds, len(h.Imports("acme")))
	h.same(workers*rounds, len(h.RecycleBin("acme")))
	h.same(workers*rounds*7, len(h.Ledger(Filter{})))
	seen := map[any]bool{}
	for _, doc := range h.Imports("acme") {
		if seen[doc["createdAt"]] {
			t.Errorf("two imports created at %v", doc["createdAt"])
		}
		seen[doc["createdAt"]] = true
	}
}
