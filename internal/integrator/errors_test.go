// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestErrorBodies has every form of body that an error may have.
func TestErrorBodies(t *testing.T) {
	many := strings.Repeat(`{"code":"c","message":"m"},`, 30)
	long := strings.Repeat("é", 400) // 800 bytes
	tests := []struct {
		name   string
		status int
		body   string
		want   []ErrorDetail
	}{
		{
			name: "several errors", status: 422,
			body: `{"errors":[{"code":"missing_required_field","message":"http subschema not defined","field":"http"},{"code":"invalid_ref","message":"no such connection","field":"_connectionId","source":"connection"}]}`,
			want: []ErrorDetail{
				{Code: "missing_required_field", Message: "http subschema not defined", Field: "http"},
				{Code: "invalid_ref", Message: "no such connection", Field: "_connectionId", Source: "connection"},
			},
		},
		{name: "bare 401", status: 401, body: `{"message":"Unauthorized"}`, want: []ErrorDetail{{Message: "Unauthorized"}}},
		{name: "bare with code", status: 403, body: `{"code":"forbidden","message":"no"}`, want: []ErrorDetail{{Code: "forbidden", Message: "no"}}},
		{name: "code as a number", status: 400, body: `{"errors":[{"code":40001,"message":"m"}]}`, want: []ErrorDetail{{Code: "40001", Message: "m"}}},
		{name: "errors is an object", status: 422, body: `{"errors":{"code":"c","message":"m"}}`, want: []ErrorDetail{{Code: "c", Message: "m"}}},
		{name: "errors is an empty object", status: 422, body: `{"errors":{}}`},
		{name: "errors is an empty array", status: 422, body: `{"errors":[]}`},
		{name: "errors is null, with a message beside", status: 422, body: `{"errors":null,"message":"m"}`, want: []ErrorDetail{{Message: "m"}}},
		{name: "errors is a number", status: 422, body: `{"errors":7}`},
		{name: "errors of strings", status: 422, body: `{"errors":["one","two"]}`, want: []ErrorDetail{{Message: "one"}, {Message: "two"}}},
		{name: "errors of odd elements", status: 422, body: `{"errors":[null,1,[],{},{"message":"m"}]}`, want: []ErrorDetail{{Message: "m"}}},
		{name: "error as a string", status: 500, body: `{"error":"Internal"}`, want: []ErrorDetail{{Message: "Internal"}}},
		{name: "error as an object", status: 500, body: `{"error":{"code":"x"}}`, want: []ErrorDetail{{Code: "x"}}},
		{name: "array at the top", status: 422, body: `[{"code":"c"}]`, want: []ErrorDetail{{Code: "c"}}},
		{name: "message is an object", status: 422, body: `{"errors":[{"code":"c","message":{"a":1}}]}`, want: []ErrorDetail{{Code: "c"}}},
		{name: "names in another case are other names", status: 422, body: `{"Errors":[{"code":"c"}],"MESSAGE":"m"}`},
		{name: "HTML", status: 502, body: "<html><body><h1>502 Bad Gateway</h1></body></html>"},
		{name: "empty", status: 503, body: ""},
		{name: "blank", status: 503, body: " \r\n "},
		{name: "cut short", status: 500, body: `{"errors":[{"code":"c","mess`},
		{name: "garbage", status: 500, body: "\x00\xff\xfe{{{{"},
		{name: "something after the JSON", status: 500, body: `{"message":"m"} x`},
		{name: "a bare string", status: 500, body: `"boom"`, want: []ErrorDetail{{Message: "boom"}}},
		{name: "10,001 deep", status: 500, body: strings.Repeat("[", 10001) + strings.Repeat("]", 10001)},
		{
			name: "control characters", status: 422, body: `{"message":"a\nb\r\n\tc\u0000d\u001b[31me\u2028f\u202eg\ufeff"}`,
			want: []ErrorDetail{{Message: "a b   c d [31me f g"}},
		},
		{name: "invalid UTF-8", status: 422, body: "{\"message\":\"a\xffb\"}", want: []ErrorDetail{{Message: "a\uFFFDb"}}},
		{
			name: "long strings", status: 422,
			body: `{"errors":[{"code":"` + long + `","message":"` + long + `","field":"` + long + `","source":"` + long + `"}]}`,
			want: []ErrorDetail{{Code: cut(long, 512), Message: cut(long, 512), Field: cut(long, 512), Source: cut(long, 512)}},
		},
		{name: "more than 20", status: 422, body: `{"errors":[` + strings.TrimSuffix(many, ",") + `]}`, want: repeat(ErrorDetail{Code: "c", Message: "m"}, 20)},
		{name: "more than is read", status: 422, body: `{"errors":[{"message":"` + strings.Repeat("x", 70<<10) + `"}]}`},
		{name: "redirect", status: 307, body: ""},
		{name: "not modified", status: 304, body: ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			followed := false
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/followed" {
					followed = true
				}
				answer(tc.status, tc.body, "Location", "/followed")(w, r)
			})
			for op, call := range calls(c) {
				want := &APIError{Op: op, StatusCode: tc.status, Errors: tc.want, Sent: true}
				if diff := cmp.Diff(want, apiError(t, call(t.Context())), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", op, diff)
				}
			}
			if followed {
				t.Error("a redirect was followed")
			}
		})
	}
}

func repeat[T any](v T, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestCut(t *testing.T) {
	for n := range 40 {
		for _, s := range []string{"", "short", strings.Repeat("é", 30), strings.Repeat("😀", 30), strings.Repeat("x", 100)} {
			got := cut(s, n+3)
			if len(got) > n+3 || !utf8.ValidString(got) {
				t.Errorf("cut(%q, %d) = %q, %d bytes", s, n+3, got, len(got))
			}
			if len(s) <= n+3 && got != s {
				t.Errorf("cut(%q, %d) = %q, want it whole", s, n+3, got)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		name, value, date string
		want              time.Duration
	}{
		{name: "absent"},
		{name: "seconds", value: "2", want: 2 * time.Second},
		{name: "seconds with blanks", value: " 7 ", want: 7 * time.Second},
		{name: "zero", value: "0"},
		{name: "negative", value: "-5"},
		{name: "plus sign", value: "+5"},
		{name: "fraction", value: "1.5"},
		{name: "words", value: "soon"},
		{name: "an hour", value: "3600", want: time.Hour},
		{name: "more than an hour", value: "3601", want: time.Hour},
		{name: "more than a duration holds", value: "9223372036854775807", want: time.Hour},
		{name: "more than 64 bits hold", value: "99999999999999999999999", want: time.Hour},
		{name: "date", value: at(90 * time.Second), want: 90 * time.Second},
		{name: "date in RFC 850 form", value: now.Add(time.Minute).Format("Monday, 02-Jan-06 15:04:05 GMT"), want: time.Minute},
		{name: "date in the past", value: at(-time.Hour)},
		{name: "date far away", value: at(1000 * time.Hour), want: time.Hour},
		{name: "date by the server's clock", value: at(70 * time.Minute), date: at(69 * time.Minute), want: time.Minute},
		{name: "date beside a broken Date", value: at(time.Minute), date: "yesterday", want: time.Minute},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			h := http.Header{}
			if tc.value != "" {
				h.Set("Retry-After", tc.value)
			}
			if tc.date != "" {
				h.Set("Date", tc.date)
			}
			if got := retryAfter(h, now); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestAPIErrorText(t *testing.T) {
	tests := []struct {
		err  *APIError
		want string
	}{
		{&APIError{Op: "GET /v1/imports", Err: errors.New("dial: connection refused")}, "GET /v1/imports: dial: connection refused"},
		{&APIError{Op: "GET /v1/imports", StatusCode: 502}, "GET /v1/imports: 502 Bad Gateway"},
		{&APIError{Op: "GET /v1/imports", StatusCode: 599}, "GET /v1/imports: 599"},
		{
			&APIError{Op: "PUT /v1/imports/{id}", StatusCode: 422, Errors: []ErrorDetail{
				{Code: "missing_required_field", Field: "http", Message: "http subschema not defined"},
				{Message: "two"}, {Code: "three"}, {Code: "four"}, {Code: "five"},
			}},
			"PUT /v1/imports/{id}: 422 Unprocessable Entity: missing_required_field (field http): http subschema not defined; two; three; and 2 more",
		},
		{
			&APIError{Op: "POST /v1/imports/{id}/invoke", StatusCode: 200, Sent: true, Err: ErrTooLarge},
			"POST /v1/imports/{id}/invoke: 200 OK: the answer is longer than 16 MiB",
		},
	}
	for _, tc := range tests {
		if diff := cmp.Diff(tc.want, tc.err.Error()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	long := &APIError{Op: "GET /v1/imports", StatusCode: 422, Errors: repeat(ErrorDetail{Message: strings.Repeat("é", 256)}, 20)}
	if got := long.Error(); len(got) > maxErrorText || !utf8.ValidString(got) {
		t.Errorf("the text of a long error has %d bytes, valid UTF-8: %t", len(got), utf8.ValidString(got))
	}
}

func TestStatusCode(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 0},
		{&APIError{StatusCode: 404}, 404},
		{fmt.Errorf("get: %w", &APIError{StatusCode: 404}), 404},
		{errors.Join(errors.New("x"), &APIError{StatusCode: 500}), 500},
	} {
		if got := StatusCode(tc.err); got != tc.want {
			t.Errorf("StatusCode(%v) = %d, want %d", tc.err, got, tc.want)
		}
	}
}
