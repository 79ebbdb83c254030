// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"flag"
	"strings"
)

// RegisterHosts has the flags that bound where a token may be sent.
func RegisterHosts(set *flag.FlagSet, allowed *string, allowHTTP *bool) {
	set.StringVar(allowed, "allowed-api-hosts", "api.integrator.io,api.eu.integrator.io",
		"Hosts, or host:port, that an Account's baseURL may name, separated by commas.")
	set.BoolVar(allowHTTP, "allow-http", false, "Permit base URLs without TLS. For tests and demos on one machine only: the token travels in clear.")
}

// Hosts splits a list of hosts.
func Hosts(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
