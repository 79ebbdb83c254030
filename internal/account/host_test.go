// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

func TestCheckHost(t *testing.T) {
	allowed := []string{"api.integrator.io", "gateway.example:8443", "shared.example/celigo/"}
	for baseURL, want := range map[string]string{
		"https://api.integrator.io":             "",
		"https://API.integrator.io/":            "",
		"https://api.integrator.io:443":         "",
		"https://gateway.example:8443":          "",
		"https://api.integrator.io:8443":        v1alpha1.ReasonHostNotAllowed,
		"http://api.integrator.io:443":          v1alpha1.ReasonHostNotAllowed,
		"http://api.integrator.io":              v1alpha1.ReasonHostNotAllowed,
		"http://gateway.example:8443":           "",
		"https://gateway.example":               v1alpha1.ReasonHostNotAllowed,
		"https://api.integrator.io.example":     v1alpha1.ReasonHostNotAllowed,
		"https://api.integrator.io@example.org": v1alpha1.ReasonHostNotAllowed,
		"https://u:p@api.integrator.io":         v1alpha1.ReasonInvalidSpec,
		"https://api.integrator.io/v1":          v1alpha1.ReasonInvalidSpec,
		"https://api.integrator.io/celigo":      "",
		"https://gateway.example:8443/a/b/":     "",
		"https://shared.example/celigo":         "",
		"https://shared.example:443/celigo/":    "",
		"https://shared.example/celigo/eu":      "",
		"https://shared.example":                v1alpha1.ReasonHostNotAllowed,
		"https://shared.example/":               v1alpha1.ReasonHostNotAllowed,
		"https://shared.example/other":          v1alpha1.ReasonHostNotAllowed,
		"https://shared.example/celigo-other":   v1alpha1.ReasonHostNotAllowed,
		"https://shared.example/Celigo":         v1alpha1.ReasonHostNotAllowed,
		"https://shared.example:8443/celigo":    v1alpha1.ReasonHostNotAllowed,
		"":                                      v1alpha1.ReasonInvalidSpec,
		"https://%zz":                           v1alpha1.ReasonInvalidSpec,
	} {
		err := CheckHost(allowed, true, baseURL)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s is refused: %v", baseURL, err)
		case want != "" && !problem.HasReason(err, want):
			t.Errorf("%s: %v, want %s", baseURL, err, want)
		}
	}
}

// TestCheckHostSays: one message has all that has to be done.
func TestCheckHostSays(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, baseURL, want string
		allowHTTP             bool
	}{
		"Host": {
			reason: "the list of hosts is a flag", baseURL: "https://gateway.example/celigo/",
			want: "HostNotAllowed: spec.baseURL cannot be used: its host, gateway.example/celigo, is not allowed; use one of api.integrator.io, or start the operator with it in --allowed-api-hosts",
		},
		"HostAndScheme": {
			reason: "whoever allows the host alone comes back for the scheme", baseURL: "http://127.0.0.1:8080",
			want: "HostNotAllowed: spec.baseURL cannot be used: its host, 127.0.0.1:8080, is not allowed; use one of api.integrator.io, or start the operator with it in --allowed-api-hosts; " +
				"it must begin with https://; only --allow-http permits http, for tests on one machine",
		},
		"Port": {
			reason: "no list allows http without a port", baseURL: "http://localhost", allowHTTP: true,
			want: "HostNotAllowed: spec.baseURL cannot be used: its host, localhost, is not allowed; use one of api.integrator.io, or name the port of http, as in localhost:80, here and in --allowed-api-hosts",
		},
		"IPv6": {
			reason: "the host is shown as the flag takes it", baseURL: "http://[::1]:8080", allowHTTP: true,
			want: "HostNotAllowed: spec.baseURL cannot be used: its host, [::1]:8080, is not allowed; use one of api.integrator.io, or start the operator with it in --allowed-api-hosts",
		},
		"Form": {
			reason: "a host that is allowed is not complained about", baseURL: "https://u:p@api.integrator.io/v1",
			want: "InvalidSpec: spec.baseURL cannot be used: it must not contain a user name or password; it must not end with /v1, which is added to it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := problem.As(CheckHost([]string{"api.integrator.io"}, tc.allowHTTP, tc.baseURL))
			if diff := cmp.Diff(tc.want, p.Reason()+": "+p.Message()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
	if err := CheckHost([]string{"[::1]:8080"}, true, "http://[::1]:8080"); err != nil {
		t.Errorf("an address that is allowed: %v", err)
	}
}
