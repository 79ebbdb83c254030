// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"net/http"
	"testing"
	"time"
)

func TestRateLimit(t *testing.T) {
	h := newHarness(t, func(o *Options) { o.RequestsPerSecond, o.Burst = 0.5, 3 })
	must(t, h.AddAccount(AccountSpec{Name: "other", Tokens: []Token{{Token: "t2"}}}))
	get := func() int { return h.call(http.MethodGet, "/v1/tokenInfo", "").status }
	for range 3 {
		h.same(200, get())
	}
	r := h.expect(http.StatusTooManyRequests, http.MethodPost, "/v1/imports", ftpImport)
	h.same(`{"errors":[{"code":"rate_limited","message":"Too many requests. Retry after 2 seconds."}]}`, r.body)
	h.same("2", r.header.Get("Retry-After"))
	h.same(0, len(h.Imports("acme")))
	h.expect(http.StatusOK, http.MethodGet, "/v1/tokenInfo", "", "Authorization", "Bearer t2") // buckets are apart

	h.clock.Step(1500 * time.Millisecond)
	r = h.expect(http.StatusTooManyRequests, http.MethodGet, "/v1/imports", "")
	h.same("1", r.header.Get("Retry-After")) // half a second, in whole ones
	h.same("Too many requests. Retry after 1 second.", h.errors(r)[0].Message)
	h.clock.Step(500 * time.Millisecond)
	h.same(200, get())
	h.same(429, get())

	must(t, h.SetRate(300, 1000))
	for range 1000 {
		h.same(200, get())
	}
	h.same(429, get())
	if h.SetRate(0, 1) == nil || h.SetRate(1, 0) == nil {
		t.Error("a bucket that admits nothing")
	}
}
