// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package serving has the flags of the metrics endpoint: how, and to whom, the manager serves its
// metrics.
package serving

import (
	"crypto/tls"
	"flag"
	"fmt"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// Metrics are the flags of the metrics endpoint.
type Metrics struct {
	address                    string
	secure, http2              bool
	certDir, certName, keyName string
}

// Register adds the flags to the set.
func (m *Metrics) Register(set *flag.FlagSet) {
	set.StringVar(&m.address, "metrics-bind-address", "0", "Address to serve metrics at, such as :8443; 0 serves none.")
	set.BoolVar(&m.secure, "metrics-secure", true,
		"Serve metrics with TLS, and only to whom the cluster lets get /metrics; false serves them plainly, to everybody.")
	set.StringVar(&m.certDir, "metrics-cert-path", "",
		"Directory of the certificate to serve metrics with, which is read anew when it changes; by default one is made at each start, which nobody can verify.")
	set.StringVar(&m.certName, "metrics-cert-name", "tls.crt", "File of the certificate in --metrics-cert-path.")
	set.StringVar(&m.keyName, "metrics-cert-key", "tls.key", "File of the key in --metrics-cert-path.")
	set.BoolVar(&m.http2, "enable-http2", false, "Offer HTTP/2 where metrics are served.")
}

// Options returns the manager's options for these flags.
func (m *Metrics) Options() (metricsserver.Options, error) {
	options := metricsserver.Options{BindAddress: m.address}
	if !m.secure {
		return options, nil
	}
	options.SecureServing = true
	options.FilterProvider = filters.WithAuthenticationAndAuthorization
	options.TLSOpts = []func(*tls.Config){m.restrict}
	if m.certDir == "" {
		return options, nil
	}
	// If the certificate is missing, the server would use a self-signed one instead.
	certificate, key := filepath.Join(m.certDir, m.certName), filepath.Join(m.certDir, m.keyName)
	if _, err := tls.LoadX509KeyPair(certificate, key); err != nil {
		return options, fmt.Errorf("the certificate of --metrics-cert-path: %w", err)
	}
	options.CertDir, options.CertName, options.KeyName = m.certDir, m.certName, m.keyName
	return options, nil
}

// restrict disables what a scraper does not need. HTTP/2 is the most common target of attacks on Go
// servers, such as rapid resets and endless headers.
func (m *Metrics) restrict(config *tls.Config) {
	config.MinVersion = tls.VersionTLS12
	if !m.http2 {
		config.NextProtos = []string{"http/1.1"}
	}
}
