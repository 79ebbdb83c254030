// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
)

// payload is in every answer of these tests, and must be in no error.
const payload = "c4n4ryPayload"

// unread are the calls that do not read the body of a success: it is empty, or the import is read
// afterwards.
var unread = []string{deleteImport.op(), patchImport.op(), replaceConnection.op()}

// measured has what a client read from its connections, and their addresses.
type measured struct {
	bytes atomic.Int64
	mu    sync.Mutex
	to    []string
}

type countedConn struct {
	net.Conn
	bytes *atomic.Int64
}

func (c countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// measure counts the bytes of a client's connections.
func measure(c *Client) *measured {
	m := &measured{}
	for _, transport := range []*http.Transport{c.kept, c.fresh} {
		dial := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			m.mu.Lock()
			m.to = append(m.to, address)
			m.mu.Unlock()
			conn, err := dial(ctx, network, address)
			return countedConn{Conn: conn, bytes: &m.bytes}, err
		}
	}
	return m
}

// fiftyMB writes an answer of 50 MB, until the client closes the connection.
func fiftyMB(w io.Writer) {
	const size = 50_000_000
	block := []byte(strings.Repeat(payload+" ", 4096))
	if _, err := io.WriteString(w, `{"_id":"`+testID+`","x":"`); err != nil {
		return
	}
	for n := 0; n < size; n += len(block) {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, `"}`)
}

// nested returns a document of this depth, with the id of the requested import.
func nested(depth int) string {
	return `{"_id":"` + testID + `","name":"` + payload + `","x":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

// TestHostileAnswers has every call answered in every way in which no API should answer: with a status
// of success, or as a redirect to where clouds serve credentials. What is read from the connection
// is bounded, the error names the call and nothing of the answer, and nothing is sent elsewhere or
// twice.
func TestHostileAnswers(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fiftyMB(z)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	metadata := "http://169.254.169.254/latest/meta-data/" + payload
	answers := map[string]http.HandlerFunc{
		"50 MB":         func(w http.ResponseWriter, _ *http.Request) { fiftyMB(w) },
		"50 MB, packed": answer(200, zipped.String(), "Content-Encoding", "gzip"),
		"50 MB of headers": func(w http.ResponseWriter, _ *http.Request) {
			for n := range 1000 {
				w.Header().Set(fmt.Sprintf("X-%s-%d", payload, n), strings.Repeat("x", 50_000))
			}
			w.WriteHeader(200)
		},
		"10,001 deep":         answer(200, nested(10_001)),
		"2,000,000 deep":      answer(200, strings.Repeat(`{"`+payload+`":`, 1_000_000)),
		"HTML":                answer(200, "<html><body>"+payload+"</body></html>", "Content-Type", "text/html"),
		"garbage":             answer(200, "\x00\xff\xfe{\"_id\":\x80"+payload),
		"a string":            answer(200, `"`+payload+`"`),
		"a number":            answer(200, `1e999999999`),
		"null":                answer(200, `null`),
		"an array of arrays":  answer(200, `[["`+payload+`"]]`),
		"a list as an object": answer(200, `{"`+payload+`":{"_id":"`+otherID+`"},"items":{"_id":7}}`),
		"an id that is none":  answer(200, `{"_id":"../../`+payload+`"}`),
		"301":                 answer(301, payload, "Location", metadata),
		"302":                 answer(302, payload, "Location", metadata),
		"303":                 answer(303, payload, "Location", metadata),
		"307":                 answer(307, payload, "Location", metadata),
		"308":                 answer(308, payload, "Location", metadata),
	}
	for name, hostile := range answers {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			c, srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				hostile(w, r)
			})
			srv.Config.ErrorLog = quiet
			m := measure(c)
			for op, call := range calls(c) {
				asked.Store(0)
				m.bytes.Store(0)
				err := call(t.Context())
				if n := asked.Load(); n != 1 {
					t.Errorf("%s: sent %d times", op, n)
				}
				// The limit, and what the transport has read ahead.
				if n := m.bytes.Load(); n > jsonscan.MaxBody+maxHeaderBytes+64<<10 {
					t.Errorf("%s: took %d bytes from the connection", op, n)
				}
				if slices.Contains(unread, op) {
					if n := m.bytes.Load(); n > maxHeaderBytes+2*maxDrain {
						t.Errorf("%s: took %d bytes of an answer that it does not need", op, n)
					}
					if err == nil {
						continue
					}
				}
				e := apiError(t, err)
				redirected, headers := strings.HasPrefix(name, "30"), name == "50 MB of headers"
				if e.Op != op || !e.Sent || e.NotUnderstood() == (redirected || headers) || redirected && fmt.Sprint(e.StatusCode) != name {
					t.Errorf("%s: %+v", op, e)
				}
				if text := everyText(err); strings.Contains(text, payload) || strings.Contains(text, "169.254") {
					t.Errorf("%s: the error repeats the answer: %s", op, cut(text, 300))
				}
			}
			for _, to := range m.to {
				if "http://"+to != srv.URL {
					t.Errorf("connected to %s", to)
				}
			}
		})
	}
}

// TestDeepAnswers: a document of the maximum depth is read unchanged.
func TestDeepAnswers(t *testing.T) {
	document := nested(10_000)
	c, _ := serve(t, answer(200, document))
	doc, err := c.GetImport(t.Context(), testID)
	if err != nil || string(doc.Raw) != document {
		t.Errorf("%d bytes, %v", len(doc.Raw), err)
	}
}

// TestManyValues: a document of very many small values, which would take many times its size in
// memory, is not decoded.
func TestManyValues(t *testing.T) {
	for _, element := range []string{`{}`, `[]`, `1`, `""`, `null`, `[[]]`, `{"a":[]}`} {
		many := `{"_id":"` + testID + `","flows":[` + strings.Repeat(element+",", (jsonscan.MaxBody-100)/(len(element)+1)) + element + `]}`
		c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, many) })
		for _, op := range []string{tokenInfo.op(), createImport.op(), getImport.op(), putImport.op(), cloneImport.op(), dependencies.op()} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := calls(c)[op](t.Context())
			runtime.ReadMemStats(&after)
			if e := apiError(t, err); !e.NotUnderstood() || !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "more than 250,000 values") {
				t.Errorf("%s of %s: %v", op, element, e)
			}
			// Nearly all of it is the buffer, which doubles until the answer fits.
			if used := after.TotalAlloc - before.TotalAlloc; used > 8*jsonscan.MaxBody {
				t.Errorf("%s of %s: %d MiB allocated", op, element, used>>20)
			}
		}
	}
	few := `{"_id":"` + testID + `","x":[` + strings.Repeat(`"a,[{",`, jsonscan.MaxValues-10) + `1]}`
	c, _ := serve(t, answer(200, few))
	if _, err := c.GetImport(t.Context(), testID); err != nil {
		t.Errorf("as many values as are read: %v", err)
	}
}

// wrong are values for places where another value is expected.
var wrong = []string{
	`7`, `-1`, `1e999999999`, `123456789012345678901234567890`, `"7"`, `true`, `null`, `{}`, `[]`, `{"a":"` + payload + `"}`, `["` + payload + `"]`, `[[[]]]`,
	`""`, `" "`, `"` + payload + `\u0000\n\u001b[2J\u202e"`, "\"\xff\xfe" + payload + "\"", `"../../x"`, `"\ud800"`, `"` + strings.Repeat("x", 100_000) + `"`,
}

// TestWrongTypes puts each of them into each field that is read, also as a duplicate of the field.
func TestWrongTypes(t *testing.T) {
	document := `{"_id":@"` + testID + `"@,"name":@"n"@,"adaptorType":@"HTTPImport"@,"_connectionId":@"` + otherID + `"@,"externalId":@"e"@,"apiIdentifier":@"i"@,` +
		`"createdAt":@"2026-01-02T03:04:05.678Z"@,"lastModified":@"2026-01-02T03:04:05.678Z"@,"_connectorId":@null@,"_integrationId":@null@}`
	good := map[string]string{
		tokenInfo.op():    `{"_userId":@"u"@,"scope":@"*"@}`,
		listImports.op():  `@[` + document + `]@`,
		createImport.op(): document,
		getImport.op():    document,
		putImport.op():    document,
		cloneImport.op():  `[{"model":@"Import"@,"_id":@"` + otherID + `"@}]`,
		listAudit.op(): `@[{"_id":@"a"@,"source":@"ui"@,"event":@"update"@,"time":@"t"@,"byUser":@{"_id":@"u"@,"email":@"e"@,"name":@"n"@}@,` +
			`"fieldChanges":@[{"fieldPath":@"p"@,"oldValue":@1@,"newValue":@2@}]@}]@`,
		invokeImport.op(): `@[{"statusCode":@200@,"id":@"i"@,"ignored":@false@,"errors":@[{"code":@"c"@,"message":@"m"@,"field":@"f"@,"source":@"s"@}]@,"_json":@{}@,"dataURI":@"d"@}]@`,
		dependencies.op(): `{"flows":@[{"_id":@"f"@,"id":@"g"@,"name":@"n"@}]@}`,
	}
	for op := range calls(clientOf(t, "http://127.0.0.1:1")) {
		if _, ok := good[op]; !ok && !slices.Contains(unread, op) {
			t.Errorf("%s: no answer to spoil", op)
		}
	}
	for op, whole := range good {
		var body string
		c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		c.limiter.SetLimits(1_000_000, 1_000_000, 4)
		plain := strings.ReplaceAll(whole, "@", "")
		body = plain
		if err := calls(c)[op](t.Context()); err != nil {
			t.Fatalf("%s, unspoilt: %v", op, err)
		}
		for _, spoilt := range spoil(whole) {
			body = spoilt
			for text, err := range shownTexts(t.Context(), c, op) {
				if err != nil {
					if e := apiError(t, err); e.Op != op || !e.Sent || !e.NotUnderstood() && len(e.Errors) == 0 {
						t.Errorf("%s of %s: %+v", op, cut(spoilt, 200), e)
					}
					text = err.Error()
				}
				if !utf8.ValidString(text) || len(text) > 1024 || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
					t.Errorf("%s of %s: shows %q", op, cut(spoilt, 200), cut(text, 100))
				}
			}
		}
	}
}

// spoil returns the text with each value between two @ replaced by each wrong one, and with each
// field duplicated. (The ends of nested values are found by their brackets.)
func spoil(whole string) (spoilt []string) {
	for at := range whole {
		if whole[at] != '@' || at > 0 && !strings.ContainsRune(`:[{`, rune(whole[at-1])) {
			continue
		}
		var value json.RawMessage
		rest := json.NewDecoder(strings.NewReader(strings.ReplaceAll(whole[at+1:], "@", " ")))
		if err := rest.Decode(&value); err != nil {
			panic(err)
		}
		end := at + 1 + int(rest.InputOffset())
		for _, value := range wrong {
			one := whole[:at] + value + whole[end:]
			spoilt = append(spoilt, strings.ReplaceAll(one, "@", ""))
			if name := strings.LastIndex(whole[:at], `"`); at > 0 && whole[at-1] == ':' && name > 0 {
				field := whole[strings.LastIndex(whole[:name], `"`):at]
				spoilt = append(spoilt, strings.ReplaceAll(whole[:end]+","+field+value+whole[end:], "@", ""))
			}
		}
	}
	return spoilt
}

// shownTexts makes the call and returns what of its answer may be shown to people, and the error.
func shownTexts(ctx context.Context, c *Client, op string) map[string]error {
	texts := map[string]error{}
	imported := func(doc Import, err error) {
		for _, text := range []string{doc.ID, doc.AdaptorType, doc.ConnectionID, doc.APIIdentifier, doc.CreatedAt, doc.LastModified} {
			texts[text] = err
		}
	}
	switch op {
	case createImport.op():
		imported(c.CreateImport(ctx, json.RawMessage(`{}`)))
	case getImport.op():
		imported(c.GetImport(ctx, testID))
	case putImport.op():
		imported(c.PutImport(ctx, testID, json.RawMessage(`{}`)))
	case listImports.op():
		for doc, err := range c.ListImports(ctx, ListOptions{}) {
			imported(doc, err)
		}
	case listAudit.op():
		for entry, err := range c.ListAudit(ctx, testID) {
			for _, text := range []string{entry.ID, entry.Source, entry.Event, entry.Time, entry.ByUser.ID, entry.ByUser.Email, entry.ByUser.Name} {
				texts[text] = err
			}
			for _, change := range entry.FieldChanges {
				texts[change.FieldPath] = err
			}
		}
	case tokenInfo.op():
		info, err := c.TokenInfo(ctx)
		texts[info.UserID] = err
	case cloneImport.op():
		id, err := c.CloneImport(ctx, testID, CloneRequest{})
		texts[id] = err
	case dependencies.op():
		found, err := c.Dependencies(ctx, testID)
		texts[""] = err
		for _, d := range found {
			texts[d.ID], texts[d.Name], texts[d.Kind] = err, err, err
		}
	case invokeImport.op():
		answer, err := invoke(ctx, c, testID, InvokeRequest{})
		texts[""] = err
		for _, record := range answer.Records {
			for _, detail := range record.Errors {
				texts[detail.String()] = err
			}
		}
	default:
		panic(op + " is not called here")
	}
	return texts
}

// TestDripForEver: an endless answer, one space at a time, ends with the call's own bound. Spaces
// before JSON are JSON.
func TestDripForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for wait(r.Context(), time.Second) == nil {
				if _, err := w.Write([]byte(" ")); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
			}
		})
		for op, call := range calls(c) {
			bound := DefaultTimeout
			ctx, cancel := t.Context(), context.CancelFunc(func() {})
			if op == invokeImport.op() { // bounded by its caller alone
				bound = 10 * time.Minute
				ctx, cancel = context.WithTimeout(ctx, bound)
			}
			start := time.Now()
			err := call(ctx)
			cancel()
			took := time.Since(start)
			if slices.Contains(unread, op) && err == nil && took <= bound {
				continue
			}
			e := apiError(t, err)
			if diff := cmp.Diff(bound, took); diff != "" || e.Op != op || !e.Sent || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %+v after %s", op, e, took)
			}
		}
	})
}
