// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"fmt"
	"net"
	"net/netip"
)

// ValidatePprof refuses an address of profiles that others than the pod itself reach: a profile of the
// memory may show what is in it, and nobody who asks for one is asked who they are. "" and "0" serve none.
func ValidatePprof(address string) error {
	if address == "" || address == "0" {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--pprof-bind-address is %q and has to be an address and a port, such as 127.0.0.1:6060", address)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("--pprof-bind-address is %q and has to be a loopback address, such as 127.0.0.1:6060: profiles are served without authentication", address)
	}
	return nil
}
