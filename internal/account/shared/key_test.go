// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"crypto/sha256"
	"testing"
)

func TestKey(t *testing.T) {
	const url, token = "https://api.integrator.io", "t0ken"
	for name, tc := range map[string]struct {
		reason     string
		url, token string
		trust      [sha256.Size]byte
		same       bool
	}{
		"Same":         {"the very same", url, token, [sha256.Size]byte{}, true},
		"Slash":        {"a final slash leads nowhere else", url + "/", token, [sha256.Size]byte{}, true},
		"UsualPort":    {"nor does the usual port", url + ":443", token, [sha256.Size]byte{}, true},
		"Capitals":     {"nor do capitals in the host", "https://API.integrator.io", token, [sha256.Size]byte{}, true},
		"OtherPort":    {"another service is there", url + ":8443", token, [sha256.Size]byte{}, false},
		"PortOfHTTP":   {"as is here", url + ":80", token, [sha256.Size]byte{}, false},
		"OtherScheme":  {"and here", "http://api.integrator.io", token, [sha256.Size]byte{}, false},
		"OtherRegion":  {"the same token may be of another account there", "https://api.eu.integrator.io", token, [sha256.Size]byte{}, false},
		"Path":         {"a path is that of a gateway", url + "/celigo", token, [sha256.Size]byte{}, false},
		"OtherToken":   {"it may be of another account", url, "other", [sha256.Size]byte{}, false},
		"OtherTrust":   {"somebody else may answer", url, token, [sha256.Size]byte{1}, false},
		"UserName":     {"it is no base URL, and refused as it is", "https://somebody@api.integrator.io", token, [sha256.Size]byte{}, false},
		"Query":        {"nor is this", url + "?", token, [sha256.Size]byte{}, false},
		"NotAURL":      {"nor this", "https://api.integrator.io:x", token, [sha256.Size]byte{}, false},
		"Escaped":      {"nor this", url + "/%2e%2e", token, [sha256.Size]byte{}, false},
		"MovedNewline": {"no text is of two parts", url, "\n" + token, [sha256.Size]byte{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := NewKey(tc.url, tc.token, tc.trust) == NewKey(url, token, [sha256.Size]byte{}); got != tc.same {
				t.Errorf("%s: shares = %t", tc.reason, got)
			}
		})
	}
}

func TestSameAccount(t *testing.T) {
	key := Key{BaseURL: "https://api.integrator.io", Token: [sha256.Size]byte{1}}
	for name, tc := range map[string]struct {
		change func(*Key)
		want   bool
	}{
		"Same":    {func(*Key) {}, true},
		"Trust":   {func(k *Key) { k.Trust[0] = 1 }, true},
		"Token":   {func(k *Key) { k.Token[0] = 2 }, false},
		"BaseURL": {func(k *Key) { k.BaseURL += "/celigo" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			other := key
			tc.change(&other)
			if got := other.SameAccount(key); got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}
