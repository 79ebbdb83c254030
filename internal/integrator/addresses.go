// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"errors"
	"net/netip"
	"syscall"
)

// ErrAddressNotAllowed says that the host of the base URL led to an address where the API
// cannot be: no connection was made.
var ErrAddressNotAllowed = errors.New("the host's address is not one of the internet")

// reach is what a client may connect to besides the internet.
type reach struct{ loopback, private bool }

// place is what kind of address a block has.
type place int

const (
	nowhere  place = iota // never: no API is there, or a service of the machine or the cloud is
	internet              // always
	loopback
	private
)

// block is a range of addresses that is not what the ranges around it are.
type block struct {
	prefix netip.Prefix
	place  place
}

// blocks is the address space, the first match counts: what IANA's registries of special
// purposes say is not global, and the addresses where clouds serve credentials to machines.
// IPv6 that is nowhere here is not on the internet either: that is in 2000::/3 alone.
var blocks = []block{
	{netip.MustParsePrefix("100.100.100.200/32"), nowhere}, // metadata, Alibaba Cloud
	{netip.MustParsePrefix("168.63.129.16/32"), nowhere},   // metadata, Azure
	{netip.MustParsePrefix("fd00:ec2::/32"), nowhere},      // metadata, AWS
	{netip.MustParsePrefix("fd20:ce::/32"), nowhere},       // metadata, Google Cloud
	{netip.MustParsePrefix("0.0.0.0/8"), nowhere},          // "this host": Linux connects to loopback
	{netip.MustParsePrefix("127.0.0.0/8"), loopback},
	{netip.MustParsePrefix("10.0.0.0/8"), private},
	{netip.MustParsePrefix("172.16.0.0/12"), private},
	{netip.MustParsePrefix("192.168.0.0/16"), private},
	{netip.MustParsePrefix("100.64.0.0/10"), private},   // carrier-grade NAT: networks of clusters
	{netip.MustParsePrefix("169.254.0.0/16"), nowhere},  // link-local, with the metadata of most clouds
	{netip.MustParsePrefix("192.0.0.0/24"), nowhere},    // protocol assignments, metadata of Oracle Cloud
	{netip.MustParsePrefix("192.0.2.0/24"), nowhere},    // documentation
	{netip.MustParsePrefix("192.88.99.0/24"), nowhere},  // 6to4 relays
	{netip.MustParsePrefix("198.18.0.0/15"), nowhere},   // benchmarks
	{netip.MustParsePrefix("198.51.100.0/24"), nowhere}, // documentation
	{netip.MustParsePrefix("203.0.113.0/24"), nowhere},  // documentation
	{netip.MustParsePrefix("224.0.0.0/3"), nowhere},     // multicast, reserved, broadcast
	{netip.MustParsePrefix("0.0.0.0/0"), internet},      // what is left of IPv4
	{netip.MustParsePrefix("::1/128"), loopback},        // the rest of ::/96 is nowhere
	{netip.MustParsePrefix("fc00::/7"), private},        // unique local
	{netip.MustParsePrefix("2001::/23"), nowhere},       // protocol assignments, Teredo
	{netip.MustParsePrefix("2001:db8::/32"), nowhere},   // documentation
	{netip.MustParsePrefix("2002::/16"), nowhere},       // 6to4: holds an IPv4 address, no longer routed
	{netip.MustParsePrefix("3fff::/20"), nowhere},       // documentation
	{netip.MustParsePrefix("2000::/3"), internet},       // what is left of global unicast
	{netip.MustParsePrefix("::/0"), nowhere},            // link-local, multicast, unspecified, unassigned
}

// nat64 is how IPv6-only networks name IPv4 addresses (RFC 6052): the last four bytes are one.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func placeOf(address netip.Addr) place {
	address = address.Unmap().WithZone("")
	if nat64.Contains(address) {
		bytes := address.As16()
		// Not more than on the internet: a gateway's own loopback and network are not ours.
		if placeOf(netip.AddrFrom4([4]byte(bytes[12:]))) != internet {
			return nowhere
		}
		return internet
	}
	for _, b := range blocks {
		if b.prefix.Contains(address) {
			return b.place
		}
	}
	return nowhere
}

// permits tells whether a connection to the address may be made.
func (r reach) permits(address netip.Addr) bool {
	switch placeOf(address) {
	case internet:
		return true
	case loopback:
		return r.loopback
	case private:
		return r.private
	default:
		return false
	}
}

// control is a net.Dialer's Control. It is called with the address that a name was resolved
// to, for each connection and before it is made: whatever the name meant a moment ago.
func (r reach) control(_, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil || !r.permits(resolved.Addr()) {
		return ErrAddressNotAllowed
	}
	return nil
}
