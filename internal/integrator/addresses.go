// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// ErrAddressNotAllowed reports that the host of the base URL resolves to an address that the rules
// forbid. No connection was made.
var ErrAddressNotAllowed = errors.New("the host's address is not a public one")

// addressRules is what a client may connect to besides public addresses.
type addressRules struct{ loopback, private bool }

// addressKind is the kind of an address, as far as the rules distinguish them.
type addressKind int

const (
	forbidden addressKind = iota // never allowed: no API can be there, or the machine or the cloud has a service there
	public                       // always allowed
	loopback                     // allowed by AllowHTTP
	private                      // allowed by AllowPrivate
)

// block is a range of addresses of one kind.
type block struct {
	prefix netip.Prefix
	kind   addressKind
}

// blocks is the address space; the first match counts. It has what IANA's special-purpose
// registries call not globally reachable, and the addresses where clouds serve credentials to
// machines. All public IPv6 addresses are in 2000::/3.
var blocks = []block{
	{netip.MustParsePrefix("100.100.100.200/32"), forbidden}, // metadata, Alibaba Cloud
	{netip.MustParsePrefix("168.63.129.16/32"), forbidden},   // metadata, Azure
	{netip.MustParsePrefix("fd00:ec2::/32"), forbidden},      // metadata, AWS
	{netip.MustParsePrefix("fd20:ce::/32"), forbidden},       // metadata, Google Cloud
	{netip.MustParsePrefix("0.0.0.0/8"), forbidden},          // "this host": Linux connects to loopback
	{netip.MustParsePrefix("127.0.0.0/8"), loopback},
	{netip.MustParsePrefix("10.0.0.0/8"), private},
	{netip.MustParsePrefix("172.16.0.0/12"), private},
	{netip.MustParsePrefix("192.168.0.0/16"), private},
	{netip.MustParsePrefix("100.64.0.0/10"), private},     // carrier-grade NAT: networks of clusters
	{netip.MustParsePrefix("169.254.0.0/16"), forbidden},  // link-local, with the metadata of most clouds
	{netip.MustParsePrefix("192.0.0.0/24"), forbidden},    // protocol assignments, metadata of Oracle Cloud
	{netip.MustParsePrefix("192.0.2.0/24"), forbidden},    // documentation
	{netip.MustParsePrefix("192.88.99.0/24"), forbidden},  // 6to4 relays
	{netip.MustParsePrefix("198.18.0.0/15"), forbidden},   // benchmarks
	{netip.MustParsePrefix("198.51.100.0/24"), forbidden}, // documentation
	{netip.MustParsePrefix("203.0.113.0/24"), forbidden},  // documentation
	{netip.MustParsePrefix("224.0.0.0/3"), forbidden},     // multicast, reserved, broadcast
	{netip.MustParsePrefix("0.0.0.0/0"), public},          // all other IPv4
	{netip.MustParsePrefix("::1/128"), loopback},          // the rest of ::/96 is forbidden
	{netip.MustParsePrefix("fc00::/7"), private},          // unique local
	{netip.MustParsePrefix("2001::/23"), forbidden},       // protocol assignments, Teredo
	{netip.MustParsePrefix("2001:db8::/32"), forbidden},   // documentation
	{netip.MustParsePrefix("2002::/16"), forbidden},       // 6to4: contains an IPv4 address, no longer routed
	{netip.MustParsePrefix("3fff::/20"), forbidden},       // documentation
	{netip.MustParsePrefix("2000::/3"), public},           // all other global unicast
	{netip.MustParsePrefix("::/0"), forbidden},            // link-local, multicast, unspecified, unassigned
}

// nat64 is how IPv6-only networks write IPv4 addresses (RFC 6052): in the last four bytes.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// kindOf returns the kind of an address. An address of no block is forbidden.
func kindOf(address netip.Addr) addressKind {
	address = address.Unmap().WithZone("")
	if nat64.Contains(address) {
		bytes := address.As16()
		// Only public addresses: the gateway's loopback and private networks are not ours.
		if kindOf(netip.AddrFrom4([4]byte(bytes[12:]))) != public {
			return forbidden
		}
		return public
	}
	for _, b := range blocks {
		if b.prefix.Contains(address) {
			return b.kind
		}
	}
	return forbidden
}

// allow reports whether a connection to the address may be made.
func (r addressRules) allow(address netip.Addr) bool {
	switch kindOf(address) {
	case public:
		return true
	case loopback:
		return r.loopback
	case private:
		return r.private
	case forbidden:
		return false
	default:
		return false
	}
}

// control is a net.Dialer's Control. It is called for each connection, before it is made, with the
// resolved address: a check of the name before would miss that the name can resolve differently
// a moment later.
func (r addressRules) control(_, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil || !r.allow(resolved.Addr()) {
		return ErrAddressNotAllowed
	}
	return nil
}

// hostName is a DNS name whose last label starts with a letter. Some resolvers read a name that
// ends in a number, such as "127.1" or "0x7f.1", as an address. Names outside ASCII are changed
// on their way to the resolver: digits of other scripts become digits.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

const maxHostName = 253

// basePath is a path that every server reads alike, as the schema of an Account has it.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// parseBaseURL accepts an absolute URL of scheme, host and path only. Its errors do not repeat the
// URL: the wrong part may be a credential.
func parseBaseURL(raw string, allowHTTP bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, fmt.Errorf("integrator: the base URL is not a URL; use one like %s", DefaultBaseURL)
	case u.User != nil:
		return nil, fmt.Errorf("integrator: the base URL must not contain a user name or password")
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
	p := strings.TrimSuffix(u.Path, "/")
	switch {
	case u.RawPath != "" || !basePath.MatchString(p):
		return nil, fmt.Errorf("integrator: the parts of the base URL's path must have letters, digits, \"-\", \"_\", \".\" and \"~\", and must not be empty or begin with \".\"")
	case strings.HasSuffix(p, apiPrefix):
		return nil, fmt.Errorf("integrator: remove %s from the end of the base URL: the client adds it", apiPrefix)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: p}, nil
}

// checkHost accepts a name and, in tests, a loopback address, with or without a port.
func checkHost(u *url.URL, allowLoopback bool) error {
	host, port := u.Hostname(), u.Port()
	if strings.HasSuffix(u.Host, ":") {
		return fmt.Errorf("integrator: the port of the base URL is empty")
	}
	if number, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || strconv.FormatUint(number, 10) != port || number == 0) {
		return fmt.Errorf("integrator: the port of the base URL must be a number from 1 to 65535")
	}
	if address, err := netip.ParseAddr(host); err == nil {
		if allowLoopback && address.Zone() == "" && kindOf(address) == loopback {
			return nil
		}
		return fmt.Errorf("integrator: the host of the base URL is an address; use a name, as in %s", DefaultBaseURL)
	}
	if len(host) > maxHostName || !hostName.MatchString(strings.ToLower(host)) {
		return fmt.Errorf("integrator: the host of the base URL is not a plain name; use one as in %s", DefaultBaseURL)
	}
	return nil
}
