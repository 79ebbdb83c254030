// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
)

// endless writes JSON without an end, until the client closes the connection or much more is
// written than it reads.
func endless(w io.Writer, open, part string) {
	block := []byte(strings.Repeat(part, 64<<10/len(part)))
	if _, err := io.WriteString(w, open); err != nil {
		return
	}
	for range jsonscan.MaxBody * 5 / 4 / len(block) {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// TestTooLarge sends more than is read, plain and compressed. The error is typed, and memory is bounded.
func TestTooLarge(t *testing.T) {
	shapes := map[string][2]string{
		"one string":    {`{"_id":"x","a":"`, "aaaaaaaa"},
		"many elements": {`[`, `{"_id":"x"},`},
		"blanks":        {"", "        "},
		"one element":   {`[{"_id":"`, "x"},
	}
	for name, shape := range shapes {
		for _, packed := range []bool{false, true} {
			var zipped bytes.Buffer
			if packed {
				z, _ := gzip.NewWriterLevel(&zipped, gzip.BestSpeed)
				endless(z, shape[0], shape[1])
				if err := z.Close(); err != nil {
					t.Fatal(err)
				}
			}
			c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if !packed {
					endless(w, shape[0], shape[1])
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(zipped.Bytes())
			})
			for _, op := range []string{getImport.op(), listImports.op()} {
				t.Run(fmt.Sprintf("%s, packed %t, %s", name, packed, op), func(t *testing.T) {
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					e := apiError(t, calls(c)[op](t.Context()))
					runtime.ReadMemStats(&after)
					streamed := op == listImports.op()
					switch {
					case errors.Is(e, ErrTooLarge):
					case streamed && errors.Is(e, jsonscan.ErrTooMany):
					case streamed && errors.Is(e, jsonscan.ErrNotArray): // seen at the first byte
					default:
						t.Errorf("got %v, want ErrTooLarge", e)
					}
					if !e.NotUnderstood() || !e.Sent {
						t.Errorf("%+v", e)
					}
					// All allocations, freed or not, with those of the server.
					if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
						t.Errorf("%d MiB allocated", used>>20)
					}
				})
			}
		}
	}
}

// TestLargeErrorBody: only the beginning of an error's body is read.
func TestLargeErrorBody(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		endless(w, `{"message":"`, "aaaaaaaa")
	})
	if e := apiError(t, c.DeleteImport(t.Context(), testID)); e.StatusCode != 500 || e.Errors != nil || e.Err != nil {
		t.Errorf("%+v", e)
	}
}

// TestGzip: compressed answers are read as if they were not.
func TestGzip(t *testing.T) {
	var asked string
	cut := false
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Accept-Encoding")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `{"_id":"`+testID+`"}`)
		_ = z.Flush()
		if !cut {
			_ = z.Close()
		}
	})
	if doc, err := c.GetImport(t.Context(), testID); err != nil || doc.ID != testID || asked != "gzip" {
		t.Errorf("%+v, %v, asked for %q", doc, err, asked)
	}
	cut = true
	_, err := c.GetImport(t.Context(), testID)
	if e := apiError(t, err); !e.NotUnderstood() || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut gzip stream: %v", err)
	}
}

// TestConnectionIsReused after every kind of answer that does not break it.
func TestConnectionIsReused(t *testing.T) {
	remotes := map[string]bool{}
	bodies := []struct {
		status int
		body   string
	}{
		{200, `{"_id":"` + testID + `"}` + strings.Repeat(" ", 10_000)},
		{404, `{"errors":[{"code":"not_found"}]}`},
		{500, strings.Repeat("<p>x</p>", 5_000)},
		{401, `{"message":"Unauthorized"}`},
		{307, "moved"},
		{204, ""},
		{200, `{"_id":"` + testID + `"}`},
	}
	i := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		remotes[r.RemoteAddr] = true
		answer(bodies[i].status, bodies[i].body)(w, r)
	})
	for i = range bodies {
		if _, err := c.GetImport(t.Context(), testID); err != nil && StatusCode(err) != bodies[i].status {
			t.Errorf("%d: %v", bodies[i].status, err)
		}
		_ = c.DeleteImport(t.Context(), testID) // does not read the body
	}
	if len(remotes) != 1 {
		t.Errorf("%d connections, want 1", len(remotes))
	}
}
