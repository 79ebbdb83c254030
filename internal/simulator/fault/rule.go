// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package fault makes the simulator fail: rules select requests, and their actions delay, cut or
// replace the answers.
package fault

import (
	"errors"
	"fmt"
	"net/http"
	"path"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// Phase is when a rule fires.
type Phase string

const (
	// PhaseBefore is when the request has been read, and nothing was done about it: it was neither
	// admitted nor applied.
	PhaseBefore Phase = "before"
	// PhaseAfter is when the request has been applied and its answer is about to be sent.
	PhaseAfter Phase = "after"
)

// ActionKind is what a rule does to a request.
type ActionKind string

const (
	// ActionAnswer sends Status with Body, or with a body that fits the status.
	ActionAnswer ActionKind = "answer"
	// ActionReset ends the connection with a TCP reset.
	ActionReset ActionKind = "reset"
	// ActionHang sends nothing until DelayMillis have passed, the rule is released or the client goes
	// away, and then closes the connection.
	ActionHang ActionKind = "hang"
	// ActionLatency waits for DelayMillis, or until the rule is released, and continues even if the
	// client has gone away meanwhile. With PhaseBefore, the request is applied after its sender has
	// given up.
	ActionLatency ActionKind = "latency"
	// ActionDrip sends the answer slowly: Bytes at a time, DelayMillis between.
	ActionDrip ActionKind = "drip"
	// ActionEndless sends blanks, Bytes at a time, DelayMillis between, without end,
	// with Status 200: JSON may follow, but never does.
	ActionEndless ActionKind = "endless"
	// ActionTruncate announces the whole answer and sends the first Bytes of it.
	ActionTruncate ActionKind = "truncate"
	// ActionGarbage sends bytes that are neither JSON nor text, with Status 200.
	ActionGarbage ActionKind = "garbage"
	// ActionRedirect sends Status (307) with Location.
	ActionRedirect ActionKind = "redirect"
	// ActionOversize sends a JSON object of Bytes, compressed if the client accepts that.
	ActionOversize ActionKind = "oversize"
	// ActionOtherID sends the answer with ID in place of its `_id`.
	ActionOtherID ActionKind = "otherId"
	// ActionFields sends the answer with the fields of Body, a JSON object, in place of its own. In a
	// list, every document is changed.
	ActionFields ActionKind = "fields"
)

// Action is what a rule does. Which fields are used depends on Kind.
type Action struct {
	Kind        ActionKind `json:"kind"`
	Status      int        `json:"status,omitempty"`
	Body        string     `json:"body,omitempty"`
	ContentType string     `json:"contentType,omitempty"` // default application/json, or text/html with HTML
	HTML        bool       `json:"html,omitempty"`        // the body that fits the status is a web page
	RetryAfter  string     `json:"retryAfter,omitempty"`  // seconds or an HTTP date, sent unchanged
	DelayMillis int64      `json:"delayMillis,omitempty"` // by the simulator's clock
	Bytes       int64      `json:"bytes,omitempty"`
	Location    string     `json:"location,omitempty"`
	ID          string     `json:"id,omitempty"`
}

// Rule makes requests fail. An empty field matches every request. Of the requests that match, the
// rule fires for those numbered Nth, Nth+Every, Nth+2·Every, …, at most Count times. At most one rule
// fires for a request in each phase: the oldest.
type Rule struct {
	ID      string `json:"id"` // made by the simulator
	Account string `json:"account,omitempty"`
	Method  string `json:"method,omitempty"`
	Path    string `json:"path,omitempty"`  // glob as of path.Match: /v1/imports/*
	Route   string `json:"route,omitempty"` // as in the ledger: /v1/imports/{id}
	Source  string `json:"source,omitempty"`
	Nth     int    `json:"nth,omitempty"`   // default 1
	Every   int    `json:"every,omitempty"` // default 1
	Count   int    `json:"count,omitempty"` // default: no limit
	Phase   Phase  `json:"phase"`
	Action  Action `json:"action"`

	// Set by the simulator.
	Matched int `json:"matched"`
	Fired   int `json:"fired"`
}

// check returns an error if the rule makes no sense.
func (r Rule) check() error {
	if r.Phase != PhaseBefore && r.Phase != PhaseAfter {
		return fmt.Errorf("phase %q is neither before nor after", r.Phase)
	}
	if _, err := path.Match(r.Path, ""); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	if r.Nth < 0 || r.Every < 0 || r.Count < 0 || r.Action.DelayMillis < 0 || r.Action.Bytes < 0 {
		return errors.New("nth, every, count, delayMillis and bytes cannot be negative")
	}
	return r.Action.check(r.Phase)
}

// check returns an error if the action makes no sense in a rule of this phase.
func (a Action) check(phase Phase) error {
	switch a.Kind {
	case ActionAnswer:
		if a.Status < 200 || a.Status > 599 {
			return fmt.Errorf("action answer: status %d is not an answer", a.Status)
		}
	case ActionReset, ActionHang, ActionLatency, ActionGarbage, ActionEndless:
	case ActionRedirect:
		if a.Location == "" {
			return errors.New("action redirect: location is missing")
		}
	case ActionOversize:
		if a.Bytes == 0 {
			return errors.New("action oversize: bytes is missing")
		}
	case ActionDrip, ActionTruncate, ActionOtherID, ActionFields:
		if phase == PhaseBefore {
			return fmt.Errorf("action %s needs an answer: phase must be after", a.Kind)
		}
		if a.Kind == ActionOtherID && a.ID == "" {
			return errors.New("action otherId: id is missing")
		}
		if _, err := document.DecodeObject([]byte(a.Body)); a.Kind == ActionFields && err != nil {
			return fmt.Errorf("action fields: body: %w", err)
		}
	default:
		return fmt.Errorf("action kind %q does not exist", a.Kind)
	}
	return nil
}

// body returns the body of the rule, or one that fits the status.
func (a Action) body() (content, contentType string) {
	switch {
	case a.Body != "":
		content = a.Body
	case a.HTML:
		content = fmt.Sprintf("<html><head><title>%d %s</title></head><body><center><h1>%[1]d %[2]s</h1></center></body></html>\n", a.Status, http.StatusText(a.Status))
	case a.Status == http.StatusUnauthorized:
		content = `{"message":"Unauthorized"}`
	case a.Status == http.StatusTooManyRequests:
		content = `{"errors":[{"code":"rate_limited","message":"Too many requests. Retry after ` + a.RetryAfter + ` seconds."}]}`
	default:
		content = fmt.Sprintf(`{"errors":[{"code":"injected","message":"%d %s"}]}`, a.Status, http.StatusText(a.Status))
	}
	contentType = a.ContentType
	switch {
	case contentType != "":
	case a.HTML:
		contentType = "text/html; charset=utf-8"
	default:
		contentType = "application/json; charset=utf-8"
	}
	return content, contentType
}
