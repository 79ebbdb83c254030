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

// ErrPrivateAddress is ErrAddressNotAllowed for an address that [Config.AllowPrivate] would permit.
var ErrPrivateAddress = fmt.Errorf("%w, but one of a private network", ErrAddressNotAllowed)

// addressRules is what a client may connect to besides public addresses.
type addressRules struct {
	loopback, private bool
	// nat64 are the network's own prefixes of addresses that contain an IPv4 address.
	nat64 []netip.Prefix
}

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

// wellKnownNAT64 is how IPv6-only networks write IPv4 addresses, where they have no prefix of their own
// (RFC 6052).
var wellKnownNAT64 = netip.MustParsePrefix("64:ff9b::/96")

// localNAT64 is for prefixes of a network's own (RFC 8215). Without their length nobody knows where the
// IPv4 address is.
var localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")

// ParseNAT64 reads the prefix of a network's own for addresses that contain an IPv4 address (RFC 6052).
func ParseNAT64(raw string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(raw)
	switch {
	case err != nil || !prefix.Addr().Is6() || prefix.Addr().Is4In6():
		return netip.Prefix{}, errors.New("use an IPv6 prefix such as 64:ff9b:1::/96")
	case prefix != prefix.Masked():
		return netip.Prefix{}, fmt.Errorf("it has bits after its length; use %s", prefix.Masked())
	case embeddedAt(prefix.Bits()) == nil:
		return netip.Prefix{}, errors.New("its length must be 32, 40, 48, 56, 64 or 96")
	case prefix.Addr().As16()[reservedByte] != 0:
		return netip.Prefix{}, errors.New("its bits 64 to 71 must be 0")
	}
	if kind := kindOf(prefix.Addr()); kind != public && kind != private && !localNAT64.Contains(prefix.Addr()) && prefix != wellKnownNAT64 {
		return netip.Prefix{}, errors.New("no network can have it: use one of 64:ff9b:1::/48, of fc00::/7, or of the public addresses")
	}
	return prefix, nil
}

// reservedByte of an address with a prefix of RFC 6052 is 0.
const reservedByte = 8

// embeddedAt are the bytes in which an address with a prefix of this length has its IPv4 address; nil if
// no prefix has this length.
func embeddedAt(length int) []int {
	return map[int][]int{32: {4, 5, 6, 7}, 40: {5, 6, 7, 9}, 48: {6, 7, 9, 10}, 56: {7, 9, 10, 11}, 64: {9, 10, 11, 12}, 96: {12, 13, 14, 15}}[length]
}

// kindOfEmbedded is the kind of an address that a NAT64 gateway translates to an IPv4 address: that of
// the IPv4 address. The gateway's own loopback is not this machine.
func kindOfEmbedded(prefix netip.Prefix, address netip.Addr) addressKind {
	bytes := address.As16()
	if bytes[reservedByte] != 0 {
		return forbidden
	}
	var ipv4 [4]byte
	for i, at := range embeddedAt(prefix.Bits()) {
		ipv4[i] = bytes[at]
	}
	if kind := kindOf(netip.AddrFrom4(ipv4)); kind != loopback {
		return kind
	}
	return forbidden
}

// kindOf returns the kind of an address. An address of no block is forbidden.
func kindOf(address netip.Addr) addressKind {
	address = address.Unmap().WithZone("")
	if wellKnownNAT64.Contains(address) {
		return kindOfEmbedded(wellKnownNAT64, address)
	}
	for _, b := range blocks {
		if b.prefix.Contains(address) {
			return b.kind
		}
	}
	return forbidden
}

// kindOf returns the kind of an address in a network with these prefixes. The longest that fits counts.
func (r addressRules) kindOf(address netip.Addr) addressKind {
	address = address.Unmap().WithZone("")
	var longest netip.Prefix
	for _, prefix := range r.nat64 {
		if prefix.Contains(address) && (!longest.IsValid() || prefix.Bits() > longest.Bits()) {
			longest = prefix
		}
	}
	if longest.IsValid() {
		return kindOfEmbedded(longest, address)
	}
	return kindOf(address)
}

// allow reports whether a connection to the address may be made.
func (r addressRules) allow(address netip.Addr) bool {
	switch r.kindOf(address) {
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
	switch {
	case err != nil:
		return ErrAddressNotAllowed
	case r.allow(resolved.Addr()):
		return nil
	case r.kindOf(resolved.Addr()) == private:
		return ErrPrivateAddress
	default:
		return ErrAddressNotAllowed
	}
}

// hostName is a DNS name whose last label starts with a letter. Some resolvers read a name that
// ends in a number, such as "127.1" or "0x7f.1", as an address. Names outside ASCII are changed
// on their way to the resolver: digits of other scripts become digits.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

const maxHostName = 253

// basePath is a path that every server reads alike, as the schema of an Account has it.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// parseBaseURL accepts an absolute URL of scheme, host and path only, and writes scheme and host in lower
// case. Its errors do not repeat the URL: the wrong part may be a credential.
func parseBaseURL(raw string, allowHTTP bool) (*url.URL, error) {
	if faults := BaseURLFaults(raw, allowHTTP); len(faults) > 0 {
		return nil, fmt.Errorf("integrator: the base URL cannot be used: %s", strings.Join(faults, "; "))
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err // a URL without faults can be read
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Path: strings.TrimSuffix(u.Path, "/")}, nil
}

// BaseURLFaults says all that is wrong with a base URL, in sentences that begin with "it". They repeat
// nothing of it.
func BaseURLFaults(raw string, allowHTTP bool) (faults []string) {
	u, err := url.Parse(raw)
	if err != nil {
		return []string{"it is not a URL; use one like " + DefaultBaseURL}
	}
	add := func(wrong bool, fault string) {
		if wrong {
			faults = append(faults, fault)
		}
	}
	add(u.User != nil, "it must not contain a user name or password")
	if u.Scheme == "http" {
		add(!allowHTTP, "it must begin with https://; only --allow-http permits http, for tests on one machine")
	} else {
		add(u.Scheme != "https", "it must begin with https://")
	}
	if u.Hostname() == "" || u.Opaque != "" {
		return append(faults, "it has no host")
	}
	add(u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(raw, "#"), "it must have neither a query nor a fragment")
	faults = append(faults, hostFaults(u, allowHTTP)...)
	p := strings.TrimSuffix(u.Path, "/")
	switch {
	case u.RawPath != "" || !basePath.MatchString(p):
		faults = append(faults, "its path must have parts of letters, digits, \"-\", \"_\", \".\" and \"~\", which are not empty and do not begin with \".\"")
	case strings.HasSuffix(p, apiPrefix):
		faults = append(faults, "it must not end with "+apiPrefix+", which is added to it")
	}
	return faults
}

// hostFaults accepts a name and, in tests, a loopback address, with or without a port.
func hostFaults(u *url.URL, allowLoopback bool) (faults []string) {
	host, port := u.Hostname(), u.Port()
	if strings.HasSuffix(u.Host, ":") {
		faults = append(faults, "its port is empty")
	}
	if number, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || strconv.FormatUint(number, 10) != port || number == 0) {
		faults = append(faults, "its port must be a number from 1 to 65535")
	}
	address, err := netip.ParseAddr(host)
	isLoopback := err == nil && address.Zone() == "" && kindOf(address) == loopback
	switch {
	case isLoopback && (allowLoopback || u.Scheme == "http"): // of http without that, the scheme is the fault
	case isLoopback:
		faults = append(faults, "its host is this machine, which only --allow-http permits, for tests on one machine")
	case err == nil && allowLoopback:
		faults = append(faults, "its host is an address; use a name, as in "+DefaultBaseURL+", or 127.0.0.1, [::1] or localhost for this machine")
	case err == nil:
		faults = append(faults, "its host is an address; use a name, as in "+DefaultBaseURL)
	case len(host) > maxHostName || !hostName.MatchString(strings.ToLower(host)):
		faults = append(faults, "its host is not a plain name of ASCII letters, digits, \"-\" and \".\"; use one as in "+DefaultBaseURL+", and write other scripts in their ASCII form (xn--)")
	}
	return faults
}
