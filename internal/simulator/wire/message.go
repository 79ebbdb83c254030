// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package wire has what the simulator answers with: responses, errors with the API's codes, pages of
// lists, and their encoding.
package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Response is the answer of an endpoint. A nil body is an empty body.
type Response struct {
	Status int
	Header http.Header
	Body   any
}

// Answer returns a response without headers of its own.
func Answer(status int, body any) Response { return Response{Status: status, Body: body} }

// Fail returns a response with these errors.
func Fail(status int, details ...ErrorDetail) Response {
	return Answer(status, ErrorBody{Errors: details})
}

// Failf returns a response with one error.
func Failf(status int, code, field, format string, args ...any) Response {
	return Fail(status, ErrorDetail{Code: code, Field: field, Message: fmt.Sprintf(format, args...)})
}

// Message is a response as it is sent over the connection.
type Message struct {
	Status int
	Header http.Header
	Body   []byte
}

// Render encodes a response to r. It compresses the body if the client accepts that.
func Render(r *http.Request, resp Response) (Message, error) {
	out := Message{Status: resp.Status, Header: http.Header{}}
	for key, values := range resp.Header {
		out.Header[key] = values
	}
	if resp.Body == nil {
		return out, nil
	}
	body, err := Encode(resp.Body)
	if err != nil {
		return Message{}, err
	}
	out.Body = body
	out.Header.Set("Content-Type", "application/json; charset=utf-8")
	out.Header.Set("Vary", "Accept-Encoding")
	if AcceptsGzip(r) {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		if _, err := zip.Write(body); err != nil {
			return Message{}, err
		}
		if err := zip.Close(); err != nil {
			return Message{}, err
		}
		out.Body = packed.Bytes()
		out.Header.Set("Content-Encoding", "gzip")
	}
	return out, nil
}

// AcceptsGzip reports whether the client accepts a compressed body.
func AcceptsGzip(r *http.Request) bool {
	for _, value := range r.Header.Values("Accept-Encoding") {
		for _, coding := range strings.Split(value, ",") {
			name, params, _ := strings.Cut(strings.TrimSpace(coding), ";")
			if strings.EqualFold(name, "gzip") && strings.TrimSpace(params) != "q=0" {
				return true
			}
		}
	}
	return false
}

// Send answers a request. It calls finished with the status first, which closes the ledger entry: a
// client that has the answer finds the entry complete.
func Send(w http.ResponseWriter, r *http.Request, resp Response, finished func(status int)) {
	out, err := Render(r, resp)
	if err != nil {
		out = Message{Status: http.StatusInternalServerError, Header: http.Header{}}
	}
	finished(out.Status)
	out.WriteHead(w)
	_, _ = w.Write(out.Body) // a client that went away is no failure of the server
}

// WriteHead sends status and headers. The length is that of the whole body, even if the caller
// sends only a part of it.
func (out Message) WriteHead(w http.ResponseWriter) {
	for key, values := range out.Header {
		w.Header()[key] = values
	}
	if out.Status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(out.Body)))
	}
	w.WriteHeader(out.Status)
}

// Encode encodes JSON as the API does: <, > and & are not escaped, and texts that are no Unicode are
// as they were sent.
func Encode(value any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return restore(bytes.TrimRight(out.Bytes(), "\n")), nil
}
