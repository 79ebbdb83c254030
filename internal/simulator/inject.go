// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// garbage is neither JSON nor UTF-8.
const garbage = "\x00\xff\xfe{\"_id\":\x80\x81]]}\x00"

// inject does what a rule says. resp is the answer that would have been sent,
// nil before the request was applied. It returns false when the request is to
// go on, and does not return when it ends the connection.
func (s *Server) inject(w http.ResponseWriter, c *call, f *rule, resp *response) bool {
	a := f.Action
	switch a.Kind {
	case ActionLatency:
		s.hold(context.Background(), f)
		return false
	case ActionHang:
		s.hold(c.request.Context(), f)
		s.finish(c, 0)
		panic(http.ErrAbortHandler)
	case ActionReset:
		s.finish(c, 0)
		reset(w)
	case ActionAnswer:
		s.sendAction(w, c, a)
	case ActionGarbage:
		s.sendAction(w, c, Action{Status: http.StatusOK, Body: garbage})
	case ActionRedirect:
		if a.Status == 0 {
			a.Status = http.StatusTemporaryRedirect
		}
		w.Header().Set("Location", a.Location)
		s.sendAction(w, c, a)
	case ActionOversize:
		s.sendOversize(w, c, a.Bytes)
	case ActionOtherID:
		s.send(w, c, withID(*resp, a.ID))
	case ActionFields:
		s.send(w, c, withFields(*resp, a.Body))
	case ActionEndless:
		s.sendEndless(w, c, f)
	case ActionTruncate:
		s.sendTruncated(w, c, *resp, a.Bytes)
	case ActionDrip:
		s.sendSlowly(w, c, *resp, f)
	}
	return true
}

// hold waits until the rule's delay is over, or for ever when it has none,
// unless something ends the wait.
func (s *Server) hold(ctx context.Context, f *rule) {
	var over <-chan time.Time
	if f.Action.DelayMillis > 0 {
		timer := s.clock.NewTimer(time.Duration(f.Action.DelayMillis) * time.Millisecond)
		defer timer.Stop()
		over = timer.C()
	}
	select {
	case <-over:
	case <-f.release:
	case <-s.closed:
	case <-ctx.Done():
	}
}

// reset closes the connection so that the client gets an RST and not an end of
// file.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // no connection to take over: ending the request is what is left
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if secured, ok := conn.(*tls.Conn); ok {
		raw = secured.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the close is still an error to the client
	}
	_ = raw.Close()
}

func (s *Server) sendAction(w http.ResponseWriter, c *call, a Action) {
	content, contentType := a.body()
	out := wire{status: a.Status, header: http.Header{"Content-Type": {contentType}}, body: []byte(content)}
	if a.RetryAfter != "" {
		out.header.Set("Retry-After", a.RetryAfter)
	}
	s.finish(c, out.status)
	if out.status == http.StatusNoContent || out.status == http.StatusNotModified {
		out.body = nil
	}
	out.writeHead(w)
	_, _ = w.Write(out.body)
}

func (s *Server) sendTruncated(w http.ResponseWriter, c *call, resp response, keep int64) {
	out, err := c.onWire(resp)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if keep == 0 {
		keep = int64(len(out.body) / 2)
	}
	s.finish(c, out.status)
	out.writeHead(w)
	_, _ = w.Write(out.body[:min(keep, int64(len(out.body)))])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func (s *Server) sendSlowly(w http.ResponseWriter, c *call, resp response, f *rule) {
	out, err := c.onWire(resp)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.finish(c, out.status)
	out.writeHead(w)
	flusher := http.NewResponseController(w)
	step := int(max(f.Action.Bytes, 1))
	for body := out.body; len(body) > 0; {
		n := min(step, len(body))
		if _, err := w.Write(body[:n]); err != nil || flusher.Flush() != nil {
			return
		}
		body = body[n:]
		s.hold(c.request.Context(), f)
		if c.request.Context().Err() != nil {
			return
		}
	}
}

func (s *Server) sendEndless(w http.ResponseWriter, c *call, f *rule) {
	s.finish(c, http.StatusOK)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	blanks := bytes.Repeat([]byte(" "), int(max(f.Action.Bytes, 1)))
	for {
		if _, err := w.Write(blanks); err != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
		s.hold(c.request.Context(), f)
		select {
		case <-c.request.Context().Done():
		case <-f.release:
		case <-s.closed:
		default:
			continue
		}
		panic(http.ErrAbortHandler)
	}
}

// sendOversize streams `{"_id":"…","padding":"xxx…"}` of about size bytes.
func (s *Server) sendOversize(w http.ResponseWriter, c *call, size int64) {
	const head, tail = `{"_id":"000000000000000000000000","padding":"`, `"}`
	s.finish(c, http.StatusOK)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	var out io.Writer = w
	if c.acceptsGzip() {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		defer func() { _ = zip.Close() }()
		out = zip
	} else {
		size = max(size, int64(len(head)+len(tail)))
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	w.WriteHeader(http.StatusOK)
	padding := size - int64(len(head)+len(tail))
	for _, part := range []io.Reader{
		bytes.NewReader([]byte(head)), io.LimitReader(endless{}, max(padding, 0)), bytes.NewReader([]byte(tail)),
	} {
		if _, err := io.Copy(out, part); err != nil {
			return
		}
	}
}

// endless reads x for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	return copy(p, paddingBlock), nil
}

var paddingBlock = bytes.Repeat([]byte("x"), 32<<10)

// withFields replaces fields of an answered document, or of all in a list.
func withFields(resp response, fields string) response {
	others, err := decodeObject([]byte(fields))
	documents, _ := resp.body.([]any)
	if documents == nil {
		documents = []any{resp.body}
	}
	for _, one := range documents {
		if doc, ok := one.(Document); ok && err == nil {
			maps.Copy(doc, others)
		}
	}
	return resp
}

// withID replaces the `_id` of an answered document, or of the first in a list.
func withID(resp response, id string) response {
	doc, ok := resp.body.(Document)
	if list, isList := resp.body.([]any); isList && len(list) > 0 {
		doc, ok = list[0].(Document)
	}
	if ok {
		doc["_id"] = id
	}
	return resp
}
