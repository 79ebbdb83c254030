// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// fault is one thing that may happen to one write.
type fault struct {
	name string
	// where it may happen: at writes to Kubernetes, to the API, or both.
	kubernetes, remote bool
	// kills tells that the process does not survive it.
	kills bool
	// election tells that it needs a second manager that can take over.
	election bool
	strike   func(*exchange)
}

const (
	// staleLists is the fault after which a process gets the lists that the one before it got.
	staleLists   = "kill-stale"
	tokenRotated = "token-rotated"
	killLate     = "kill-late"
	// hanging is how long a connection says nothing: longer than any call may take here.
	hanging = 18 * time.Second
	// stuck is the same at the Kubernetes side, where a request has no bound of its own.
	stuck = 3 * time.Second
	// throttle is the Retry-After of a 429, in seconds.
	throttle = 2
	// late and latest bound how long after the process's end a write is applied that was under way.
	late, latest = time.Second, 3 * time.Second
)

// faults are all of them, in the order of the report.
var faults = []fault{
	{name: "kill-before", kubernetes: true, remote: true, kills: true, strike: func(x *exchange) {
		x.kill()
	}},
	{name: "kill-unanswered", kubernetes: true, remote: true, kills: true, strike: func(x *exchange) {
		x.apply()
		x.kill()
	}},
	{name: "kill-after", kubernetes: true, remote: true, kills: true, strike: func(x *exchange) {
		a := x.apply()
		x.last(func() { x.send(a) })
	}},
	{name: killLate, kubernetes: true, remote: true, kills: true, strike: func(x *exchange) {
		x.kill()
		x.tarry()
		x.apply()
	}},
	{name: staleLists, kubernetes: true, remote: true, kills: true, strike: func(x *exchange) {
		a := x.apply()
		x.last(func() {
			x.send(a)
			x.gate.stage.weather.replay()
		})
	}},
	{name: "lost", kubernetes: true, remote: true, strike: func(x *exchange) {
		x.apply()
		x.reset()
	}},
	{name: "reset", kubernetes: true, remote: true, strike: func(x *exchange) {
		x.reset()
	}},
	{name: "500", kubernetes: true, remote: true, strike: func(x *exchange) {
		x.refuse(http.StatusInternalServerError)
	}},
	{name: "504-applied", kubernetes: true, remote: true, strike: func(x *exchange) {
		x.apply()
		x.refuse(http.StatusGatewayTimeout)
	}},
	{name: "503-page", remote: true, strike: func(x *exchange) {
		x.send(page(http.StatusServiceUnavailable))
	}},
	{name: "200-page", remote: true, strike: func(x *exchange) {
		x.send(page(http.StatusOK))
	}},
	{name: "404-page", remote: true, strike: func(x *exchange) {
		x.send(page(http.StatusNotFound))
	}},
	{name: "429", kubernetes: true, remote: true, strike: func(x *exchange) {
		if !x.gate.kubernetes() {
			// Who hears the answer counts from then on, which is later.
			x.gate.stage.throttled(time.Now(), throttle*time.Second)
		}
		x.refuse(http.StatusTooManyRequests)
	}},
	{name: "409", kubernetes: true, strike: func(x *exchange) {
		x.refuse(http.StatusConflict)
	}},
	{name: "hang", kubernetes: true, remote: true, strike: func(x *exchange) {
		x.hang(x.patience())
		x.reset()
	}},
	{name: "hang-applied", kubernetes: true, remote: true, strike: func(x *exchange) {
		x.apply()
		x.hang(x.patience())
		x.reset()
	}},
	{name: "truncated", kubernetes: true, remote: true, strike: func(x *exchange) {
		x.cut(x.apply())
	}},
	{name: "garbage", kubernetes: true, remote: true, strike: func(x *exchange) {
		got := x.apply()
		x.send(&answer{status: got.status, header: http.Header{"Content-Type": {"application/json"}}, body: []byte("\x00\xff{\"_id\":\x80]]}")})
	}},
	{name: "redirect", remote: true, strike: func(x *exchange) {
		header := http.Header{"Location": {"http://" + x.gate.stage.trap.address() + x.r.URL.Path}}
		x.send(&answer{status: http.StatusTemporaryRedirect, header: header})
	}},
	{name: tokenRotated, kubernetes: true, remote: true, strike: func(x *exchange) {
		x.gate.stage.rotateToken()
		x.send(x.apply())
	}},
	{name: "leader-stopped-before", kubernetes: true, election: true, strike: func(x *exchange) {
		x.gate.stage.overtake(x.writer())
		x.send(x.apply())
	}},
	{name: "leader-stopped-after", kubernetes: true, remote: true, election: true, strike: func(x *exchange) {
		got := x.apply()
		x.gate.stage.freeze(x.writer())
		x.send(got)
		x.gate.stage.overtake(x.writer())
	}},
}

// kill ends the process that made the write. The next one starts at once.
func (x *exchange) kill() { x.gate.stage.kill(x.writer()) }

// last is kill, after a last answer.
func (x *exchange) last(answer func()) { x.gate.stage.last(x.writer(), answer) }

// writer is the number of the process that made the write. The gate to the API is shared by
// all of them: there it is the leader.
func (x *exchange) writer() int {
	if x.gate.kubernetes() {
		return x.gate.manager
	}
	return x.gate.stage.leader()
}

// tarry waits until the next process writes to the same side, since it takes it that the write was
// not made, or for as long as one may be under way. On a busy machine that is later than on an
// idle one.
func (x *exchange) tarry() {
	began, written := time.Now(), false
	before, _ := x.gate.stage.trace.standing()
	for time.Since(began) < late || !written && time.Since(began) < latest {
		time.Sleep(50 * time.Millisecond)
		written = slices.ContainsFunc(x.gate.stage.trace.since(before), func(w write) bool { return w.remote() == x.write.remote() })
	}
}

func (x *exchange) patience() time.Duration {
	if x.gate.kubernetes() {
		return stuck
	}
	return hanging
}

// refuse answers with an error of the side that is asked.
func (x *exchange) refuse(status int) {
	a := refusal(status)
	if x.gate.kubernetes() {
		a = failure(status)
	}
	if status == http.StatusTooManyRequests {
		a.header.Set("Retry-After", itoa(throttle))
	}
	x.send(a)
}

// refusal is an error of the API.
func refusal(status int) *answer {
	return &answer{status: status, header: http.Header{"Content-Type": {"application/json"}},
		body: fmt.Appendf(nil, `{"errors":[{"code":"injected","message":"%d %s"}]}`, status, http.StatusText(status))}
}

// failure is an error of the API server.
func failure(status int) *answer {
	return &answer{status: status, header: http.Header{"Content-Type": {"application/json"}},
		body: fmt.Appendf(nil, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d,"reason":%q,"message":"injected"}`, status, reasons[status])}
}

// reasons are the words of Kubernetes for a status.
var reasons = map[int]string{
	http.StatusInternalServerError: "InternalError",
	http.StatusGatewayTimeout:      "Timeout",
	http.StatusTooManyRequests:     "TooManyRequests",
	http.StatusConflict:            "Conflict",
	http.StatusGone:                "Expired",
	http.StatusUnprocessableEntity: "Invalid",
}

func page(status int) *answer {
	return &answer{status: status, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		body: []byte("<html><body><h1>" + itoa(status) + "</h1></body></html>")}
}
