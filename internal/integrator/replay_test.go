// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dyingConnections answers the first request of each connection and keeps it open; it reads the
// second as a whole and then closes the connection without an answer. Then net/http may send a
// request again.
func dyingConnections(t *testing.T) *wire {
	return newWire(t, func(w *wire, n int, conn *net.TCPConn) {
		r := bufio.NewReader(conn)
		if !w.read(n, r) {
			return
		}
		body := `{"_id":"` + testID + `","_userId":"u"}`
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"+body+strings.Repeat(" ", 60-len(body)))
		w.read(n, r)
	})
}

// TestReplayHappens shows that net/http replays a request on dyingConnections when it may: without
// it, TestNoReplay would prove nothing.
func TestReplayHappens(t *testing.T) {
	w := dyingConnections(t)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for range 2 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, bytes.NewReader([]byte("{}")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Idempotency-Key", "k")
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	_, requests := w.seen()
	if diff := cmp.Diff([]string{"1 POST", "1 POST", "2 POST"}, requests); diff != "" {
		t.Errorf("requests on the wire (-want +got):\n%s", diff)
	}
}

// TestNoReplay sends each call when the kept connection is about to be closed.
func TestNoReplay(t *testing.T) {
	tests := []struct {
		op    string
		wire  []string // after the first "1 GET"
		works bool
	}{
		// On a new connection, and therefore not affected.
		{op: createImport.op(), wire: []string{"2 POST"}, works: true},
		{op: cloneImport.op(), wire: []string{"2 POST"}, works: false},  // the answer names the original
		{op: invokeImport.op(), wire: []string{"2 POST"}, works: false}, // the answer is no array
		// On the closed connection, and not again.
		{op: putImport.op(), wire: []string{"1 PUT"}},
		{op: patchImport.op(), wire: []string{"1 PATCH"}},
		{op: deleteImport.op(), wire: []string{"1 DELETE"}},
		{op: replaceConnection.op(), wire: []string{"1 PUT"}},
		// A GET may be sent again.
		{op: getImport.op(), wire: []string{"1 GET", "2 GET"}, works: true},
	}
	for _, tc := range tests {
		t.Run(tc.op, func(t *testing.T) {
			w := dyingConnections(t)
			c := clientOf(t, w.url)
			if _, err := c.TokenInfo(t.Context()); err != nil {
				t.Fatal(err)
			}
			err := calls(c)[tc.op](t.Context())
			if (err == nil) != tc.works {
				t.Errorf("error %v, want success: %t", err, tc.works)
			}
			if err != nil && !apiError(t, err).Sent {
				t.Errorf("Sent is false after a connection was used")
			}
			_, requests := w.seen()
			if diff := cmp.Diff(append([]string{"1 GET"}, tc.wire...), requests); diff != "" {
				t.Errorf("requests on the wire (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPostsHaveTheirOwnConnection checks what is sent.
func TestPostsHaveTheirOwnConnection(t *testing.T) {
	type seen struct{ method, connection, remote, idempotency, contentType, proto string }
	var got []seen
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, seen{
			r.Method, r.Header.Get("Connection"), r.RemoteAddr,
			r.Header.Get("Idempotency-Key") + r.Header.Get("X-Idempotency-Key"), r.Header.Get("Content-Type"), r.Proto,
		})
		answer(200, `{"_id":"`+testID+`"}`)(w, r)
	})
	for range 2 {
		if _, err := c.GetImport(t.Context(), testID); err != nil {
			t.Fatal(err)
		}
		if _, err := c.CreateImport(t.Context(), json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.PutImport(t.Context(), testID, json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	remotes := map[string][]string{}
	for _, s := range got {
		if !slices.Contains(remotes[s.method], s.remote) {
			remotes[s.method] = append(remotes[s.method], s.remote)
		}
		wantConnection, wantType := "", "application/json"
		if s.method == http.MethodPost {
			wantConnection = "close"
		}
		if s.method == http.MethodGet {
			wantType = ""
		}
		if s.connection != wantConnection || s.contentType != wantType || s.idempotency != "" || s.proto != "HTTP/1.1" {
			t.Errorf("%+v: want connection %q, content type %q, no idempotency key, HTTP/1.1", s, wantConnection, wantType)
		}
	}
	if len(remotes["GET"]) != 1 || !slices.Equal(remotes["GET"], remotes["PUT"]) {
		t.Errorf("GET and PUT came from %v and %v, want one kept connection", remotes["GET"], remotes["PUT"])
	}
	if len(remotes["POST"]) != 2 || slices.Contains(remotes["POST"], remotes["GET"][0]) {
		t.Errorf("POST came from %v, want a connection for each", remotes["POST"])
	}
}

// TestRequestsCannotBeRewound checks the two facts that net/http's own retries depend on.
func TestRequestsCannotBeRewound(t *testing.T) {
	c := clientOf(t, "http://api.test")
	u, err := c.target(invokeImport, testID)
	if err != nil {
		t.Fatal(err)
	}
	req, err := c.request(t.Context(), invokeImport, u, []byte(`[]`))
	if err != nil {
		t.Fatal(err)
	}
	if req.GetBody != nil {
		t.Error("GetBody is set: the transport could send the body again")
	}
	if !c.fresh.DisableKeepAlives || c.kept.DisableKeepAlives {
		t.Error("the transports are not what they are named")
	}
	for op, e := range map[string]endpoint{"create": createImport, "clone": cloneImport, "invoke": invokeImport} {
		if !e.fresh {
			t.Errorf("%s does not go over a fresh connection", op)
		}
	}
}
