// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"net/http"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
)

// Names of faults that plans treat specially.
const (
	// StaleLists is the fault after which a process gets the lists that the one before it got.
	StaleLists   = "kill-stale"
	TokenRotated = "token-rotated"
	KillLate     = "kill-late"
	KillBefore   = "kill-before"
	Lost         = "lost"
	Conflict     = "409"
)

// All are the faults in the order of the report.
var All = []Fault{
	{Name: KillBefore, Kubernetes: true, Remote: true, Kills: true, inject: func(x *site) {
		x.kill()
	}},
	{Name: "kill-unanswered", Kubernetes: true, Remote: true, Kills: true, inject: func(x *site) {
		x.Apply()
		x.kill()
	}},
	{Name: "kill-after", Kubernetes: true, Remote: true, Kills: true, inject: func(x *site) {
		a := x.Apply()
		x.killAfter(func() { x.Send(a) })
	}},
	{Name: KillLate, Kubernetes: true, Remote: true, Kills: true, inject: func(x *site) {
		x.kill()
		x.awaitNextWrite()
		x.Apply()
	}},
	{Name: StaleLists, Kubernetes: true, Remote: true, Kills: true, inject: func(x *site) {
		a := x.Apply()
		x.killAfter(func() {
			x.Send(a)
			x.system.ReplayLists()
		})
	}},
	{Name: Lost, Kubernetes: true, Remote: true, inject: func(x *site) {
		x.Apply()
		x.Reset()
	}},
	{Name: "reset", Kubernetes: true, Remote: true, inject: func(x *site) {
		x.Reset()
	}},
	{Name: "500", Kubernetes: true, Remote: true, inject: func(x *site) {
		x.Refuse(http.StatusInternalServerError, nil)
	}},
	{Name: "504-applied", Kubernetes: true, Remote: true, inject: func(x *site) {
		x.Apply()
		x.Refuse(http.StatusGatewayTimeout, nil)
	}},
	{Name: "503-page", Remote: true, inject: func(x *site) {
		x.Send(proxy.Page(http.StatusServiceUnavailable))
	}},
	{Name: "200-page", Remote: true, inject: func(x *site) {
		x.Send(proxy.Page(http.StatusOK))
	}},
	{Name: "404-page", Remote: true, inject: func(x *site) {
		x.Send(proxy.Page(http.StatusNotFound))
	}},
	{Name: "429", Kubernetes: true, Remote: true, inject: func(x *site) {
		if !x.Proxy.Kubernetes {
			// The manager counts from when it gets the answer, which is later.
			x.system.Throttled(time.Now(), throttle*time.Second)
		}
		x.Refuse(http.StatusTooManyRequests, retryAfter(throttle))
	}},
	{Name: Conflict, Kubernetes: true, inject: func(x *site) {
		x.Refuse(http.StatusConflict, nil)
	}},
	{Name: "hang", Kubernetes: true, Remote: true, inject: func(x *site) {
		x.Hang(x.limit())
		x.Reset()
	}},
	{Name: "hang-applied", Kubernetes: true, Remote: true, inject: func(x *site) {
		x.Apply()
		x.Hang(x.limit())
		x.Reset()
	}},
	{Name: "truncated", Kubernetes: true, Remote: true, inject: func(x *site) {
		x.Cut(x.Apply())
	}},
	{Name: "garbage", Kubernetes: true, Remote: true, inject: func(x *site) {
		got := x.Apply()
		x.Send(&proxy.Answer{Status: got.Status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("\x00\xff{\"_id\":\x80]]}")})
	}},
	{Name: "redirect", Remote: true, inject: func(x *site) {
		header := http.Header{"Location": {"http://" + x.system.RedirectTarget() + x.Request.URL.Path}}
		x.Send(&proxy.Answer{Status: http.StatusTemporaryRedirect, Header: header})
	}},
	{Name: TokenRotated, Kubernetes: true, Remote: true, inject: func(x *site) {
		x.system.RotateToken()
		x.Send(x.Apply())
	}},
	{Name: "leader-stopped-before", Kubernetes: true, Election: true, inject: func(x *site) {
		x.system.TakeOver(x.writer())
		x.Send(x.Apply())
	}},
	{Name: "leader-stopped-after", Kubernetes: true, Remote: true, Election: true, inject: func(x *site) {
		got := x.Apply()
		x.system.Freeze(x.writer())
		x.Send(got)
		x.system.TakeOver(x.writer())
	}},
}
