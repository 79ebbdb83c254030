// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
)

func TestInvokeAnswers(t *testing.T) {
	tests := []struct {
		name string
		body string
		want []RecordResult
	}{
		{name: "none", body: `[]`},
		{
			name: "as documented", body: `[{"statusCode":200,"_json":{}},{"statusCode":200,"_json":{}}]`,
			want: repeat(RecordResult{StatusCode: 200}, 2),
		},
		{
			name: "all fields",
			body: `[{"statusCode":201,"id":"a","_json":{"n":1.50},"_headers":{"x":"y"},"dataURI":"https://d.test/1","ignored":false,"errors":[]},
				{"statusCode":422,"id":12345678901234567890,"errors":[{"code":422,"message":"no\nway","source":"destination"}]},
				{"statusCode":200,"ignored":true,"_json":{"_raw":"text"}}]`,
			want: []RecordResult{
				{StatusCode: 201},
				{StatusCode: 422, Errors: []ErrorDetail{{Code: "422", Message: "no way", Source: "destination"}}},
				{StatusCode: 200, Ignored: true},
			},
		},
		{
			name: "odd status", body: `[{"statusCode":"401"},{"statusCode":"x"},{},{"statusCode":null},{"statusCode":200.5},{"statusCode":99},{"statusCode":1e3},{"StatusCode":200}]`,
			want: append([]RecordResult{{StatusCode: 401}}, repeat(RecordResult{}, 7)...),
		},
		{
			name: "odd values", body: `[{"statusCode":200,"id":null,"_json":null,"ignored":"true","errors":"boom","dataURI":5},{"statusCode":200,"id":{},"errors":{"message":"m"}}]`,
			want: []RecordResult{
				{StatusCode: 200, Errors: []ErrorDetail{{Message: "boom"}}},
				{StatusCode: 200, Errors: []ErrorDetail{{Message: "m"}}},
			},
		},
		{
			name: "errors without words", body: `[{"statusCode":200,"errors":[{"text":"no"}]},{"statusCode":200,"errors":{}},{"statusCode":200,"errors":null},{"statusCode":200,"errors":[ ]}]`,
			want: []RecordResult{
				{StatusCode: 200, Errors: []ErrorDetail{{Message: "an error in an undocumented form"}}},
				{StatusCode: 200}, {StatusCode: 200}, {StatusCode: 200},
			},
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := serve(t, answer(200, "\n"+tc.body+" "))
			got, err := invoke(t.Context(), c, testID, InvokeRequest{Data: []json.RawMessage{[]byte("1")}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(InvokeResponse{Records: tc.want, Raw: json.RawMessage(tc.body)}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestInvokeSize(t *testing.T) {
	for name, request := range map[string]InvokeRequest{
		"nothing":     {},
		"one":         {Data: []json.RawMessage{[]byte(`{"a": 1}`)}},
		"several":     {Data: []json.RawMessage{[]byte("1"), []byte("22"), []byte("333")}},
		"settings":    {Data: []json.RawMessage{[]byte("1"), []byte("22")}, Settings: json.RawMessage(" {\"a\": 1}\n")},
		"no settings": {Data: []json.RawMessage{[]byte("1")}, Settings: json.RawMessage(" \n")},
	} {
		body, err := request.body()
		if err != nil {
			t.Fatal(err)
		}
		if request.Size() != len(body) {
			t.Errorf("%s: Size is %d, the body %q has %d bytes", name, request.Size(), body, len(body))
		}
	}
}

// TestInvokeManyRecords: the results are bounded, but never below what was sent.
func TestInvokeManyRecords(t *testing.T) {
	const n = maxRecords + 1
	body := "[" + strings.Repeat(`{"statusCode":200},`, n-1) + `{"statusCode":200}]`
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer(200, body)(w, r)
	})
	_, err := invoke(t.Context(), c, testID, InvokeRequest{Data: repeat(json.RawMessage("1"), n-1)})
	if e := apiError(t, err); !errors.Is(err, jsonscan.ErrTooMany) || !e.NotUnderstood() {
		t.Errorf("more results than records: %v", err)
	}
	got, err := invoke(t.Context(), c, testID, InvokeRequest{Data: repeat(json.RawMessage("1"), n)})
	if err != nil || len(got.Records) != n {
		t.Errorf("as many results as records: %d, %v", len(got.Records), err)
	}
}

func TestInvokeFailures(t *testing.T) {
	tests := []struct {
		name       string
		body       string
		errors     []ErrorDetail
		understood bool
	}{
		{
			name: "failed as a whole", body: `{"errors":[{"code":"invalid_settings","message":"no"}]}`,
			errors: []ErrorDetail{{Code: "invalid_settings", Message: "no"}}, understood: true,
		},
		{name: "errors without content", body: `{"errors":[]}`},
		{name: "errors without meaning", body: `{"errors":[{}]}`},
		{name: "a message is no refusal", body: `{"message":"accepted"}`},
		{name: "an object", body: `{"statusCode":200}`},
		{name: "null", body: `null`},
		{name: "a string", body: `"ok"`},
		{name: "empty", body: ``},
		{name: "HTML", body: `<html>`},
		{name: "cut in a record", body: `[{"statusCode":200},{"statusCode":2`},
		{name: "cut after a record", body: `[{"statusCode":200},`},
		{name: "cut refusal", body: `{"errors":[{"code":"x"}]`},
		{name: "record is null", body: `[{"statusCode":200},null]`},
		{name: "record is a number", body: `[200]`},
		{name: "garbage after the array", body: `[{"statusCode":200}]x`},
		{name: "deep", body: strings.Repeat("[", 10001)},
		{name: "deep record", body: `[{"statusCode":200,"_json":` + strings.Repeat("[", 10001) + strings.Repeat("]", 10001) + `}]`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := serve(t, answer(200, tc.body))
			got, err := invoke(t.Context(), c, testID, InvokeRequest{})
			e := apiError(t, err)
			if e.StatusCode != 200 || !e.Sent || e.NotUnderstood() == tc.understood || (e.Err == nil) != tc.understood {
				t.Errorf("%+v: NotUnderstood %t", e, e.NotUnderstood())
			}
			if diff := cmp.Diff(tc.errors, e.Errors); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			want := InvokeResponse{}
			if json.Valid([]byte(tc.body)) {
				want.Raw = json.RawMessage(tc.body)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("of what was answered, all that is JSON is beside the error, and no record: (-want +got):\n%s", diff)
			}
		})
	}
}
