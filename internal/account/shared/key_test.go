// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import "testing"

func TestKey(t *testing.T) {
	const url, token = "https://api.integrator.io", "t0ken"
	for name, tc := range map[string]struct {
		reason            string
		url, token, trust string
		same              bool
	}{
		"Same":         {"the very same", url, token, "", true},
		"Slash":        {"a final slash leads nowhere else", url + "/", token, "", true},
		"UsualPort":    {"nor does the usual port", url + ":443", token, "", true},
		"Capitals":     {"nor do capitals in the host", "https://API.integrator.io", token, "", true},
		"OtherPort":    {"another service is there", url + ":8443", token, "", false},
		"PortOfHTTP":   {"as is here", url + ":80", token, "", false},
		"OtherScheme":  {"and here", "http://api.integrator.io", token, "", false},
		"OtherRegion":  {"the same token may be of another account there", "https://api.eu.integrator.io", token, "", false},
		"Path":         {"a path is that of a gateway", url + "/celigo", token, "", false},
		"OtherToken":   {"it may be of another account", url, "other", "", false},
		"OtherTrust":   {"somebody else may answer", url, token, "-----BEGIN CERTIFICATE-----", false},
		"UserName":     {"it is no base URL, and refused as it is", "https://somebody@api.integrator.io", token, "", false},
		"Query":        {"nor is this", url + "?", token, "", false},
		"NotAURL":      {"nor this", "https://api.integrator.io:x", token, "", false},
		"Escaped":      {"nor this", url + "/%2e%2e", token, "", false},
		"MovedNewline": {"no text is of two parts", url, "\n" + token, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := NewKey(tc.url, tc.token, tc.trust) == NewKey(url, token, ""); got != tc.same {
				t.Errorf("%s: shares = %t", tc.reason, got)
			}
		})
	}
}
