// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"strings"
	"testing"
)

func TestValidatePprof(t *testing.T) {
	for address, says := range map[string]string{
		"":                 "",
		"0":                "",
		"127.0.0.1:6060":   "",
		"127.8.0.1:6060":   "",
		"[::1]:6060":       "",
		"localhost:6060":   "",
		":6060":            "has to be a loopback address",
		"0.0.0.0:6060":     "has to be a loopback address",
		"[::]:6060":        "has to be a loopback address",
		"10.0.0.1:6060":    "has to be a loopback address",
		"localhost.x:6060": "has to be a loopback address",
		"6060":             "has to be an address and a port",
	} {
		t.Run(address, func(t *testing.T) {
			err := ValidatePprof(address)
			if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want %q", err, says)
			}
		})
	}
}
