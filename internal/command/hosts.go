// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
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
}

// Register registers the flags.
func (n *Network) Register(set *flag.FlagSet) {
	set.StringVar(&n.AllowedHosts, "allowed-api-hosts", "api.integrator.io,api.eu.integrator.io",
		"Hosts, or host:port, that an Account's baseURL may name, separated by commas. Without a port, only 443 is allowed. With a path, as in gateway.example.com/celigo, only that path and those below it are.")
	set.BoolVar(&n.AllowHTTP, "allow-http", false, "Permit base URLs without TLS, and those of this machine (127.0.0.1, ::1). For tests and demos on one machine only: the token is sent unencrypted.")
	set.BoolVar(&n.AllowPrivate, "allow-private-addresses", false,
		"Permit hosts whose names resolve to private networks (10.0.0.0/8, fc00::/7 and the like), for a gateway before the API. Otherwise only addresses on the internet are called.")
	set.StringVar(&n.CAFile, "ca-file", "",
		"A PEM file of certificate authorities that are trusted for the API besides those of the system, for a gateway with a certificate of your own. Read once, at the start.")
	set.StringVar(&n.HTTPSProxy, "https-proxy", "",
		"URL of a proxy through which the API is called, such as http://proxy.example.com:3128. The variables HTTPS_PROXY and NO_PROXY are not read. The proxy resolves the names of hosts, so it has to keep them from leading into private networks.")
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
	return integrator.Config{AllowHTTP: n.AllowHTTP, AllowPrivate: n.AllowPrivate, RootCAs: rootCAs, Proxy: proxy}, nil
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
	if err := addCertificates(pool, content); err != nil {
		return nil, fmt.Errorf("--ca-file %s: %w", n.CAFile, err)
	}
	return pool, nil
}

// addCertificates adds all certificates of a PEM file. One that is skipped would be missed only when a
// call fails.
func addCertificates(pool *x509.CertPool, content []byte) error {
	count := 0
	for {
		var block *pem.Block
		if block, content = pem.Decode(content); block == nil {
			break
		}
		count++
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("block %d is not a certificate", count)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("certificate %d cannot be read: %w", count, err)
		}
		pool.AddCert(certificate)
	}
	switch {
	case count == 0:
		return errors.New("it has no certificate in PEM")
	case strings.Contains(string(content), "-----BEGIN"):
		return fmt.Errorf("what follows certificate %d is broken", count)
	default:
		return nil
	}
}

// List splits a list of hosts or owner ids.
func List(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
