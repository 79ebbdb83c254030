// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"crypto/x509"
	"flag"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Network are the flags that say where a token may be sent, and how.
type Network struct {
	// AllowedHosts are separated by commas.
	AllowedHosts            string
	AllowHTTP, AllowPrivate bool
	CAFile                  string
	HTTPSProxy              string
	// NoProxy and NAT64Prefixes are separated by commas.
	NoProxy, NAT64Prefixes string
}

// Register registers the flags.
func (n *Network) Register(set *flag.FlagSet) {
	set.StringVar(&n.AllowedHosts, "allowed-api-hosts", "api.integrator.io,api.eu.integrator.io",
		"Hosts, or host:port, that an Account's baseURL may name, separated by commas. Without a port, only 443 is allowed. With a path, as in gateway.example.com/celigo, only that path and those below it are.")
	set.BoolVar(&n.AllowHTTP, "allow-http", false, "Permit base URLs without TLS, and those of this machine (127.0.0.1, [::1], localhost). For tests and demos on one machine only: the token is sent unencrypted.")
	set.BoolVar(&n.AllowPrivate, "allow-private-addresses", false,
		"Permit hosts whose names resolve to private networks (10.0.0.0/8, fc00::/7 and the like), for a gateway before the API. Otherwise only addresses on the internet are called.")
	set.StringVar(&n.CAFile, "ca-file", "",
		"A PEM file of certificate authorities that are trusted for the API besides those of the system, for a gateway with a certificate of your own. Read once, at the start.")
	set.StringVar(&n.HTTPSProxy, "https-proxy", "",
		"URL of a proxy through which the API is called, such as http://proxy.example.com:3128. The variables HTTPS_PROXY and NO_PROXY are not read. The proxy resolves the names of hosts, so it has to keep them from leading into private networks.")
	set.StringVar(&n.NoProxy, "no-proxy", "",
		"Hosts that are called without --https-proxy, separated by commas: a name with all names below it, .example.com for those below alone, each also with a port; an address; a range such as 10.0.0.0/8; * for all. Names are not resolved for it.")
	set.StringVar(&n.NAT64Prefixes, "nat64-prefixes", "",
		"NAT64 prefixes of your network, separated by commas, such as 64:ff9b:1::/96. An address with one is treated as the IPv4 address that it contains. 64:ff9b::/96 is always known.")
}

// Config returns how the API is called, without base URL and token.
func (n *Network) Config() (integrator.Config, error) {
	rootCAs, err := n.rootCAs()
	if err != nil {
		return integrator.Config{}, err
	}
	proxy, err := n.proxy()
	if err != nil {
		return integrator.Config{}, err
	}
	if err := integrator.CheckNoProxy(n.NoProxy); err != nil {
		return integrator.Config{}, fmt.Errorf("--no-proxy: %w", err)
	}
	var nat64 []netip.Prefix
	for _, raw := range List(n.NAT64Prefixes) {
		prefix, err := integrator.ParseNAT64(raw)
		if err != nil {
			return integrator.Config{}, fmt.Errorf("--nat64-prefixes: %q: %w", raw, err)
		}
		nat64 = append(nat64, prefix)
	}
	return integrator.Config{AllowHTTP: n.AllowHTTP, AllowPrivate: n.AllowPrivate, RootCAs: rootCAs, Proxy: proxy, NoProxy: n.NoProxy, NAT64: nat64}, nil
}

// proxy returns the URL of the proxy, nil without one.
func (n *Network) proxy() (*url.URL, error) {
	if n.HTTPSProxy == "" {
		return nil, nil //nolint:nilnil // as in http.Transport, nil stands for no proxy
	}
	proxy, err := integrator.ParseProxy(n.HTTPSProxy)
	if err != nil {
		return nil, fmt.Errorf("--https-proxy: %w", err)
	}
	return proxy, nil
}

// rootCAs returns the certificate authorities to trust: those of the system, and those of the file; nil
// without a file.
func (n *Network) rootCAs() (*x509.CertPool, error) {
	if n.CAFile == "" {
		return nil, nil //nolint:nilnil // as in tls.Config, nil stands for those of the system
	}
	content, err := os.ReadFile(n.CAFile)
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	certificates, err := integrator.ParseCertificates(content)
	if err != nil {
		return nil, fmt.Errorf("--ca-file %s: %w", n.CAFile, err)
	}
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return pool, nil
}

// List splits a list of hosts or owner ids.
func List(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
