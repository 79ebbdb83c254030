// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// hostName is a name of the DNS whose last label has a letter. What ends in a number, as
// "127.1" or "0x7f.1" do, some resolvers take for an address; what is outside ASCII is
// changed on its way to the resolver, digits of other scripts into digits.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

const maxHostName = 253

// parseBaseURL accepts an absolute URL that has nothing but scheme, host and path. Its errors
// do not repeat the URL: what is wrong in it may be a credential.
func parseBaseURL(raw string, allowHTTP bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, fmt.Errorf("integrator: the base URL is not a URL; use one like %s", DefaultBaseURL)
	case u.User != nil:
		return nil, fmt.Errorf("integrator: the base URL must not hold a user name or password")
	case u.Scheme != "https" && (u.Scheme != "http" || !allowHTTP):
		return nil, fmt.Errorf("integrator: the base URL must start with https://")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, fmt.Errorf("integrator: the base URL has no host")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, fmt.Errorf("integrator: the base URL must have neither a query nor a fragment")
	}
	if err := checkHost(u, allowHTTP); err != nil {
		return nil, err
	}
	p := strings.TrimRight(u.Path, "/")
	switch {
	case strings.HasSuffix(p, apiPrefix):
		return nil, fmt.Errorf("integrator: leave %s out of the base URL, it is added", apiPrefix)
	case u.RawPath != "" || p != "" && path.Clean(p) != p:
		return nil, fmt.Errorf("integrator: the path of the base URL is not a plain one")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: p}, nil
}

// checkHost accepts a name, and the address of this machine in tests, with or without a port.
func checkHost(u *url.URL, allowLoopback bool) error {
	host, port := u.Hostname(), u.Port()
	if strings.HasSuffix(u.Host, ":") {
		return fmt.Errorf("integrator: the port of the base URL is empty")
	}
	if number, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || strconv.FormatUint(number, 10) != port || number == 0) {
		return fmt.Errorf("integrator: the port of the base URL is not one of 1 to 65535")
	}
	if address, err := netip.ParseAddr(host); err == nil {
		if allowLoopback && address.Zone() == "" && placeOf(address) == loopback {
			return nil
		}
		return fmt.Errorf("integrator: the host of the base URL is an address; use a name, such as that of %s", DefaultBaseURL)
	}
	if len(host) > maxHostName || !hostName.MatchString(strings.ToLower(host)) {
		return fmt.Errorf("integrator: the host of the base URL is not a plain name, such as that of %s", DefaultBaseURL)
	}
	return nil
}
