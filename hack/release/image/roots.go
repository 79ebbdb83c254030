// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// RootsModule is where the certificate authorities of an image come from.
const RootsModule = "golang.org/x/crypto/x509roots/fallback"

// roots are the certificate authorities of Mozilla that are trusted without a condition, as PEM. They
// come from a module, so that go.sum fixes them and no machine adds its own. A file cannot say that an
// authority is trusted for old certificates only, so those are left out.
func roots() ([]byte, error) {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "# %s\n", certificate.Subject)
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
