// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// wire is an answer as it goes over the connection.
type wire struct {
	status int
	header http.Header
	body   []byte
}

// onWire renders an answer, compressed when the client accepts that.
func (c *call) onWire(resp response) (wire, error) {
	out := wire{status: resp.status, header: http.Header{}}
	for key, values := range resp.header {
		out.header[key] = values
	}
	if resp.body == nil {
		return out, nil
	}
	body, err := encode(resp.body)
	if err != nil {
		return wire{}, err
	}
	out.body = body
	out.header.Set("Content-Type", "application/json; charset=utf-8")
	out.header.Set("Vary", "Accept-Encoding")
	if c.acceptsGzip() {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		if _, err := zip.Write(body); err != nil {
			return wire{}, err
		}
		if err := zip.Close(); err != nil {
			return wire{}, err
		}
		out.body = packed.Bytes()
		out.header.Set("Content-Encoding", "gzip")
	}
	return out, nil
}

func (c *call) acceptsGzip() bool {
	for _, value := range c.request.Header.Values("Accept-Encoding") {
		for _, coding := range strings.Split(value, ",") {
			name, params, _ := strings.Cut(strings.TrimSpace(coding), ";")
			if strings.EqualFold(name, "gzip") && strings.TrimSpace(params) != "q=0" {
				return true
			}
		}
	}
	return false
}

// send answers a request. The ledger entry is closed first, so that whoever has
// the answer also finds the entry complete.
func (s *Server) send(w http.ResponseWriter, c *call, resp response) {
	out, err := c.onWire(resp)
	if err != nil {
		out = wire{status: http.StatusInternalServerError, header: http.Header{}}
	}
	s.finish(c, out.status)
	out.writeHead(w)
	_, _ = w.Write(out.body) // a client that went away is no failure of the server
}

// writeHead sends status and headers, with the length of the whole body even if
// not all of it will follow.
func (out wire) writeHead(w http.ResponseWriter) {
	for key, values := range out.header {
		w.Header()[key] = values
	}
	if out.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(out.body)))
	}
	w.WriteHeader(out.status)
}
