// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
)

// jsonSpace is the white space of JSON.
const jsonSpace = " \t\r\n"

// roundTrip answers in memory.
type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return f(r), nil
}

// memoryClient is a client without a network.
func memoryClient(t *testing.T, answers roundTrip) *Client {
	c := clientOf(t, "http://api.test")
	c.kept.RegisterProtocol("http", answers)
	c.fresh.RegisterProtocol("http", answers)
	return c
}

func memoryAnswer(status int, body []byte, headers ...string) *http.Response {
	response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}
	for i := 0; i+1 < len(headers); i += 2 {
		response.Header.Set(headers[i], headers[i+1])
	}
	return response
}

// withToken puts the token where the input has a placeholder: as it is, percent-encoded, or escaped as in
// JSON.
func withToken(body []byte) []byte {
	return []byte(strings.NewReplacer(
		"{TOKEN}", testToken, "{QUERY}", url.QueryEscape(testToken), "{PATH}", url.PathEscape(testToken),
		"{JSON}", strings.ReplaceAll(testToken, "/", `\/`),
	).Replace(string(body)))
}

// fit checks that a text of an error may be logged.
func fit(t *testing.T, where, text string, limit int) {
	t.Helper()
	if len(text) > limit || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("%s is not one line of at most %d bytes: %q", where, limit, text)
	}
	mustNotLeak(t, where, text)
}

func fitDetails(t *testing.T, details []ErrorDetail) {
	t.Helper()
	if len(details) > maxDetails {
		t.Errorf("%d details", len(details))
	}
	for _, d := range details {
		if d == (ErrorDetail{}) {
			t.Error("an empty detail")
		}
		fit(t, "code", d.Code, maxText)
		fit(t, "message", d.Message, maxText)
		fit(t, "field", d.Field, maxText)
		fit(t, "source", d.Source, maxText)
	}
}

// fitError checks the bounds of an answer's error, through the whole chain.
func fitError(t *testing.T, err error, status int) *APIError {
	t.Helper()
	e := apiError(t, err)
	if e.StatusCode != status || !e.Sent || e.RetryAfter < 0 || e.RetryAfter > maxRetryAfter {
		t.Errorf("%+v", e)
	}
	if len(e.Errors) > 0 && e.Err != nil {
		t.Errorf("understood and not understood: %+v", e)
	}
	fitDetails(t, e.Errors)
	fit(t, "the error", e.Error(), maxErrorText)
	for _, inner := range chain(err) {
		mustNotLeak(t, "the chain", everyText(inner))
	}
	return e
}

// FuzzLink: a link is a query that can be sent, and a malformed header is an error.
func FuzzLink(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		headers := strings.Split(text, "\n")
		target, err := nextLink(headers)
		if err != nil {
			if !errors.Is(err, errLink) && !errors.Is(err, errTwoLinks) {
				t.Errorf("the error is %v", err)
			}
			return
		}
		if target != strings.TrimSpace(target) || strings.Contains(target, ">") || !strings.Contains(text, target) {
			t.Errorf("the target is %q", target)
		}
		for name, more := range map[string][]string{
			"twice": append(headers, headers...), "with another": append([]string{`</p>; rel="prev"`}, headers...),
		} {
			if again, err := nextLink(more); again != target || err != nil {
				t.Errorf("%s: %q, %v, want %q", name, again, err, target)
			}
		}
		if target == "" {
			return
		}
		if again, err := nextLink([]string{"<" + target + ">;rel=next"}); again != target || err != nil {
			t.Errorf("written again: %q, %v, want %q", again, err, target)
		}
		c := clientOf(t, "http://api.test/gw")
		next, err := c.next(headers)
		if err != nil {
			fit(t, "the error", err.Error(), maxLinkName+128)
			if next != (nextPage{}) {
				t.Errorf("%v beside the error %v", next, err)
			}
			return
		}
		list := &url.URL{Scheme: "http", Host: "api.test", Path: "/gw/v1/imports"}
		sent, err := url.Parse(page{list: list, query: next.query}.url().String())
		if err != nil {
			t.Fatalf("%q cannot be requested: %v", next.query, err)
		}
		if sent.RawQuery != next.query || next.query != escapeQuery(next.query) {
			t.Errorf("%q has the query %q, and %q is sent", target, next.query, sent.RawQuery)
		}
		if sent.RawQuery = ""; *sent != *list {
			t.Errorf("%q leads to %q", target, sent)
		}
	})
}

// FuzzRetryAfter: never negative, never more than an hour, and seconds are seconds.
func FuzzRetryAfter(f *testing.F) {
	f.Fuzz(func(t *testing.T, value, date string, now int64) {
		h := http.Header{"Retry-After": {value}, "Date": {date}}
		at := time.Unix(now%(1<<40), 0)
		got := retryAfter(h, at)
		if got < 0 || got > maxRetryAfter {
			t.Fatalf("%s", got)
		}
		value = strings.TrimSpace(value)
		if seconds, ok := new(big.Int).SetString(value, 10); ok && strings.Trim(value, "0123456789") == "" {
			want := maxRetryAfter
			if seconds.Cmp(big.NewInt(3600)) < 0 {
				want = time.Duration(seconds.Int64()) * time.Second
			}
			if got != want {
				t.Errorf("%s seconds are %s", value, got)
			}
			return
		}
		moment, err := http.ParseTime(value)
		if err != nil {
			if got != 0 {
				t.Errorf("%q is %s", value, got)
			}
			return
		}
		if from, err := http.ParseTime(date); err == nil {
			at = from
		}
		if want := min(max(0, moment.Sub(at)), maxRetryAfter); got != want {
			t.Errorf("from %s to %s is %s", at, moment, got)
		}
	})
}

// elements returns the elements of a JSON array, as encoding/json reads them; ok reports whether each is an object.
func elements(body []byte) (found []json.RawMessage, objects []map[string]json.RawMessage, ok bool) {
	if json.Unmarshal(body, &found) != nil || found == nil {
		return nil, nil, false
	}
	for _, element := range found {
		var object map[string]json.RawMessage
		if json.Unmarshal(element, &object) != nil || object == nil {
			return found, nil, false
		}
		objects = append(objects, object)
	}
	return found, objects, true
}

// FuzzList: a page is all of its elements, byte for byte, or an error; so is the audit log.
func FuzzList(f *testing.F) {
	f.Fuzz(func(t *testing.T, body []byte, link string) {
		body = withToken(body)
		asked := 0
		c := memoryClient(t, func(r *http.Request) *http.Response {
			if asked++; asked > 1 {
				if r.URL.Host != "api.test" || !strings.HasPrefix(r.URL.Path, "/v1/") {
					t.Errorf("asked for %s", r.URL)
				}
				return memoryAnswer(http.StatusOK, []byte("[]"))
			}
			return memoryAnswer(http.StatusOK, body, "Link", link)
		})
		raws, objects, ok := elements(body)
		var got []Import
		var failed error
		for item, err := range c.ListImports(t.Context(), ListOptions{}) {
			if failed != nil {
				t.Fatal("the list goes on after an error")
			}
			if failed = err; err == nil {
				got = append(got, item)
			}
		}
		for _, object := range objects {
			ok = ok && validID(jsonscan.String(object["_id"]))
		}
		_, broken := nextLink([]string{link})
		switch {
		case failed != nil:
			if e := fitError(t, failed, http.StatusOK); !e.NotUnderstood() {
				t.Errorf("%+v", e)
			}
			if ok && broken == nil && !strings.Contains(failed.Error(), "link") {
				t.Errorf("%v: %q", failed, body)
			}
			if len(got) > 0 && !strings.Contains(failed.Error(), "leads back") {
				t.Errorf("%d imports of a page that failed", len(got))
			}
		case !ok:
			t.Fatalf("%q was taken for a page of %d imports", body, len(got))
		case len(got) != len(raws) || broken != nil:
			t.Fatalf("%d imports of %d, link %q", len(got), len(raws), link)
		}
		for i, item := range got {
			if !bytes.Equal(raws[i], item.Raw) || item.ID != jsonscan.String(objects[i]["_id"]) || item.Name != jsonscan.String(objects[i]["name"]) {
				t.Errorf("%q is %+v", raws[i], item)
			}
			for _, text := range []string{item.ID, item.Name, item.AdaptorType, item.ConnectionID, item.ExternalID, item.APIIdentifier, item.CreatedAt, item.LastModified, item.ConnectorID} {
				if !utf8.ValidString(text) {
					t.Errorf("%q is not UTF-8", text)
				}
			}
		}

		asked = 0
		entries := 0
		for entry, err := range c.ListAudit(t.Context(), testID) {
			if err != nil {
				if e := fitError(t, err, http.StatusOK); !e.NotUnderstood() {
					t.Errorf("%+v", e)
				}
				break
			}
			entries++
			if len(entry.FieldChanges) > maxFieldChanges || !utf8.ValidString(entry.Event+entry.Source+entry.Time+entry.ByUser.Name+entry.ByUser.Email) {
				t.Errorf("%+v", entry)
			}
			for _, change := range entry.FieldChanges {
				fit(t, "a field path", change.FieldPath, maxText)
			}
		}
		if entries > len(objects) {
			t.Errorf("%d entries of %d", entries, len(objects))
		}
	})
}

// FuzzErrorBody: whatever the body of an error is, the error has the answer's status, and its text is
// bounded, one line, and without the token.
func FuzzErrorBody(f *testing.F) {
	f.Fuzz(func(t *testing.T, status uint16, body []byte, retry string) {
		code := 300 + int(status)%300
		body = withToken(body)
		c := memoryClient(t, func(*http.Request) *http.Response {
			return memoryAnswer(code, body, "Retry-After", retry)
		})
		got, err := c.GetImport(t.Context(), testID)
		e := fitError(t, err, code)
		if diff := cmp.Diff(Import{}, got); diff != "" || e.Err != nil {
			t.Errorf("%v, beside the error: -want, +got:\n%s", e.Err, diff)
		}
		if code == http.StatusTooManyRequests && e.RetryAfter == 0 {
			t.Error("a 429 without RetryAfter")
		}
		if !json.Valid(body) && e.Errors != nil {
			t.Errorf("%q says %+v", body, e.Errors)
		}
		for _, d := range e.Errors {
			fit(t, "a detail", d.String(), 4*maxText)
		}
	})
}

// FuzzInvokeAnswer: the result is a record for each element of the answer, or an error in the API's
// words, or one in ours, and never two of these. Raw has every answer that is JSON.
func FuzzInvokeAnswer(f *testing.F) {
	f.Fuzz(func(t *testing.T, body []byte) {
		body = withToken(body)
		c := memoryClient(t, func(*http.Request) *http.Response { return memoryAnswer(http.StatusOK, body) })
		got, err := invoke(t.Context(), c, testID, InvokeRequest{Data: []json.RawMessage{[]byte("1")}})
		whole := bytes.Trim(body, jsonSpace)
		if !json.Valid(whole) {
			whole = nil
		}
		if !bytes.Equal(whole, got.Raw) {
			t.Errorf("kept of the answer: %q, want %q", got.Raw, whole)
		}
		raws, objects, ok := elements(whole)
		if err != nil {
			e := fitError(t, err, http.StatusOK)
			if ok || got.Records != nil || e.NotUnderstood() == (len(e.Errors) > 0) {
				t.Errorf("%d records of %q beside the error %+v", len(got.Records), body, e)
			}
			return
		}
		if !ok || len(got.Records) != len(raws) {
			t.Fatalf("%d results of %q", len(got.Records), body)
		}
		for i, r := range got.Records {
			if r.StatusCode != 0 && (r.StatusCode < 100 || r.StatusCode > 599) {
				t.Errorf("status %d", r.StatusCode)
			}
			if r.Ignored != (string(objects[i]["ignored"]) == "true") {
				t.Errorf("%q is %+v", raws[i], r)
			}
			fitDetails(t, r.Errors)
		}
	})
}

// FuzzInvokeBody: the body has the size that Size returns, and is the records and the settings.
func FuzzInvokeBody(f *testing.F) {
	f.Fuzz(func(t *testing.T, one, other, settings []byte) {
		request := InvokeRequest{Data: []json.RawMessage{one, other}, Settings: settings}
		body, err := request.body()
		none := len(bytes.Trim(settings, jsonSpace)) == 0
		if valid := json.Valid(one) && json.Valid(other) && (none || json.Valid(bytes.Trim(settings, jsonSpace))); valid != (err == nil) {
			t.Fatalf("JSON: %t, error: %v", valid, err)
		}
		if err != nil {
			if e := apiError(t, err); e.Sent || len(e.Error()) > 200 {
				t.Errorf("%+v", e)
			}
			return
		}
		if request.Size() != len(body) {
			t.Errorf("%d bytes by Size, the body has %d", request.Size(), len(body))
		}
		records := body
		if !none {
			var object map[string]json.RawMessage
			if err := json.Unmarshal(body, &object); err != nil || len(object) != 2 || !sameJSON(object["settings"], settings) {
				t.Errorf("%q, %v", body, err)
			}
			records = object["data"]
		}
		if want := fmt.Appendf(nil, "[%s,%s]", one, other); !sameJSON(records, want) {
			t.Errorf("the records are %q, want %q", records, want)
		}
	})
}

// sameJSON compares two JSON values to the spelling of their numbers.
func sameJSON(one, other []byte) bool {
	var values [2]any
	for i, raw := range [][]byte{one, other} {
		decoder := json.NewDecoder(bytes.NewReader(bytes.Trim(raw, jsonSpace)))
		decoder.UseNumber()
		if decoder.Decode(&values[i]) != nil {
			return false
		}
	}
	return cmp.Equal(values[0], values[1])
}
