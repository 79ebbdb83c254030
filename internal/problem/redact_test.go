// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestRedact(t *testing.T) {
	details := []integrator.ErrorDetail{
		{Code: "invalid_field", Field: "http.headers[0].value", Message: "canary", Source: "canary"},
		{Code: "the canary", Field: "the canary", Message: "the canary"},
	}
	api := &integrator.APIError{StatusCode: 422, Sent: true, Errors: details}
	cases := map[string]struct {
		reason string
		err    error
		fields bool
		want   string
	}{
		"Fields":  {reason: "codes and fields stay", err: api, fields: true, want: ": field http.headers[0].value: " + NotShown + " [invalid_field]; " + NotShown},
		"Codes":   {reason: "or the codes alone", err: api, want: ": " + NotShown + " [invalid_field]; " + NotShown},
		"Wrapped": {reason: "whatever is around them", err: fmt.Errorf("canary: %w", api), want: ": " + NotShown + " [invalid_field]; " + NotShown},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := Redact(tc.err, tc.fields)
			if got := Details(integrator.Error(err)); got != tc.want {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
			if text := err.Error(); strings.Contains(text, "canary") {
				t.Errorf("%s: %s", tc.reason, text)
			}
		})
	}
	worded := Terminalf(v1alpha1.ReasonRejected, "in our words").WithCause(api)
	if got := Redact(worded, true); !errors.Is(got, worded) || strings.Contains(got.Error(), "canary") {
		t.Errorf("a problem became %v", got)
	}
	if details[0].Message != "canary" {
		t.Error("the argument was changed")
	}
}
