// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package fault

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

	"k8s.io/utils/clock"

	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
	"github.com/integrator-operator/integrator-operator/internal/simulator/wire"
)

// garbage is neither JSON nor UTF-8.
const garbage = "\x00\xff\xfe{\"_id\":\x80\x81]]}\x00"

// Injector carries out the actions of rules.
type Injector struct {
	Clock clock.Clock
	// Closed ends every delay when it is closed.
	Closed <-chan struct{}
}

// Exchange is a request on which an action is carried out.
type Exchange struct {
	Writer  http.ResponseWriter
	Request *http.Request
	// Response is the answer that would be sent, nil if the request was not applied yet.
	Response *wire.Response
	// Finished is called with the status before the answer is sent, with 0 if there is no answer.
	Finished func(status int)
}

// Inject carries out the action of a rule. It reports whether it answered the request. If it returns
// false, the request is to continue. It does not return if it ends the connection.
func (in *Injector) Inject(x Exchange, rule *Active) (answered bool) {
	a := rule.Action
	switch a.Kind {
	case ActionLatency:
		in.delay(context.Background(), rule)
		return false
	case ActionHang:
		in.delay(x.Request.Context(), rule)
		x.Finished(0)
		panic(http.ErrAbortHandler)
	case ActionReset:
		x.Finished(0)
		reset(x.Writer)
	case ActionAnswer:
		x.answer(a)
	case ActionGarbage:
		x.answer(Action{Status: http.StatusOK, Body: garbage})
	case ActionRedirect:
		if a.Status == 0 {
			a.Status = http.StatusTemporaryRedirect
		}
		x.Writer.Header().Set("Location", a.Location)
		x.answer(a)
	case ActionOversize:
		x.sendOversize(a.Bytes)
	case ActionOtherID:
		x.send(withID(*x.Response, a.ID))
	case ActionFields:
		x.send(withFields(*x.Response, a.Body))
	case ActionEndless:
		in.sendEndless(x, rule)
	case ActionTruncate:
		x.sendTruncated(a.Bytes)
	case ActionDrip:
		in.sendSlowly(x, rule)
	}
	return true
}

func (x Exchange) send(resp wire.Response) { wire.Send(x.Writer, x.Request, resp, x.Finished) }

// delay waits for the delay of the rule, without end if it has none, until the rule is released, the
// simulator is closed or ctx ends.
func (in *Injector) delay(ctx context.Context, rule *Active) {
	var over <-chan time.Time
	if rule.Action.DelayMillis > 0 {
		timer := in.Clock.NewTimer(time.Duration(rule.Action.DelayMillis) * time.Millisecond)
		defer timer.Stop()
		over = timer.C()
	}
	select {
	case <-over:
	case <-rule.released:
	case <-in.Closed:
	case <-ctx.Done():
	}
}

// reset closes the connection so that the client receives an RST and not an end of file.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // the connection cannot be taken over: end the request
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if secured, ok := conn.(*tls.Conn); ok {
		raw = secured.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it, closing is still an error for the client
	}
	_ = raw.Close()
}

// answer sends the answer of an action.
func (x Exchange) answer(a Action) {
	content, contentType := a.body()
	out := wire.Message{Status: a.Status, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(content)}
	if a.RetryAfter != "" {
		out.Header.Set("Retry-After", a.RetryAfter)
	}
	x.Finished(out.Status)
	if out.Status == http.StatusNoContent || out.Status == http.StatusNotModified {
		out.Body = nil
	}
	out.WriteHead(x.Writer)
	_, _ = x.Writer.Write(out.Body)
}

// sendTruncated sends the first bytes of the answer and closes the connection.
func (x Exchange) sendTruncated(keep int64) {
	out, err := wire.Render(x.Request, *x.Response)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if keep == 0 {
		keep = int64(len(out.Body) / 2)
	}
	x.Finished(out.Status)
	out.WriteHead(x.Writer)
	_, _ = x.Writer.Write(out.Body[:min(keep, int64(len(out.Body)))])
	_ = http.NewResponseController(x.Writer).Flush()
	panic(http.ErrAbortHandler)
}

// sendSlowly sends the answer in small parts with a delay between them.
func (in *Injector) sendSlowly(x Exchange, rule *Active) {
	out, err := wire.Render(x.Request, *x.Response)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	x.Finished(out.Status)
	out.WriteHead(x.Writer)
	flusher := http.NewResponseController(x.Writer)
	step := int(max(rule.Action.Bytes, 1))
	for body := out.Body; len(body) > 0; {
		n := min(step, len(body))
		if _, err := x.Writer.Write(body[:n]); err != nil || flusher.Flush() != nil {
			return
		}
		body = body[n:]
		in.delay(x.Request.Context(), rule)
		if x.Request.Context().Err() != nil {
			return
		}
	}
}

// sendEndless sends blanks until the client goes away or the rule is released.
func (in *Injector) sendEndless(x Exchange, rule *Active) {
	x.Finished(http.StatusOK)
	x.Writer.Header().Set("Content-Type", "application/json; charset=utf-8")
	blanks := bytes.Repeat([]byte(" "), int(max(rule.Action.Bytes, 1)))
	for {
		if _, err := x.Writer.Write(blanks); err != nil || http.NewResponseController(x.Writer).Flush() != nil {
			return
		}
		in.delay(x.Request.Context(), rule)
		select {
		case <-x.Request.Context().Done():
		case <-rule.released:
		case <-in.Closed:
		default:
			continue
		}
		panic(http.ErrAbortHandler)
	}
}

// sendOversize streams `{"_id":"…","padding":"xxx…"}` of about size bytes.
func (x Exchange) sendOversize(size int64) {
	const head, tail = `{"_id":"000000000000000000000000","padding":"`, `"}`
	x.Finished(http.StatusOK)
	x.Writer.Header().Set("Content-Type", "application/json; charset=utf-8")
	var out io.Writer = x.Writer
	if wire.AcceptsGzip(x.Request) {
		x.Writer.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(x.Writer)
		defer func() { _ = zip.Close() }()
		out = zip
	} else {
		size = max(size, int64(len(head)+len(tail)))
		x.Writer.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	x.Writer.WriteHeader(http.StatusOK)
	padding := size - int64(len(head)+len(tail))
	for _, part := range []io.Reader{
		bytes.NewReader([]byte(head)), io.LimitReader(endless{}, max(padding, 0)), bytes.NewReader([]byte(tail)),
	} {
		if _, err := io.Copy(out, part); err != nil {
			return
		}
	}
}

// endless is a reader of x without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	return copy(p, paddingBlock), nil
}

var paddingBlock = bytes.Repeat([]byte("x"), 32<<10)

// withFields replaces fields of the document in a response, or of all documents in a list.
func withFields(resp wire.Response, fields string) wire.Response {
	others, err := document.DecodeObject([]byte(fields))
	documents, _ := resp.Body.([]any)
	if documents == nil {
		documents = []any{resp.Body}
	}
	for _, one := range documents {
		if doc, ok := one.(document.Document); ok && err == nil {
			maps.Copy(doc, others)
		}
	}
	return resp
}

// withID replaces the `_id` of the document in a response, or of the first document in a list.
func withID(resp wire.Response, id string) wire.Response {
	doc, ok := resp.Body.(document.Document)
	if list, isList := resp.Body.([]any); isList && len(list) > 0 {
		doc, ok = list[0].(document.Document)
	}
	if ok {
		doc["_id"] = id
	}
	return resp
}
