// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"flag"
	"strings"
)

// RegisterHosts registers the flags that limit where a token may be sent.
func RegisterHosts(set *flag.FlagSet, allowed *string, allowHTTP, allowPrivate *bool) {
	set.StringVar(allowed, "allowed-api-hosts", "api.integrator.io,api.eu.integrator.io",
		"Hosts, or host:port, that an Account's baseURL may name, separated by commas. Without a port, only 443 is allowed. With a path, as in gateway.example.com/celigo, only that path and those below it are.")
	set.BoolVar(allowHTTP, "allow-http", false, "Permit base URLs without TLS, and those of this machine (127.0.0.1, ::1). For tests and demos on one machine only: the token is sent unencrypted.")
	set.BoolVar(allowPrivate, "allow-private-addresses", false,
		"Permit hosts whose names resolve to private networks (10.0.0.0/8, fc00::/7 and the like), for a gateway before the API. Otherwise only addresses on the internet are called.")
}

// List splits a list of hosts or owner ids.
func List(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
