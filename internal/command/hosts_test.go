// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRootCAs: the file is trusted besides the system, and a file that is not read as a whole is an
// error.
func TestRootCAs(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	block := func(kind string, content []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
	}
	good := block("CERTIFICATE", server.Certificate().Raw)
	cases := map[string]struct {
		reason, content, fails string
	}{
		"One":      {"the usual file", good, ""},
		"Two":      {"a bundle, with text between", "# one\n" + good + "\n# two\n" + good + "\n", ""},
		"Empty":    {"a file that was never filled", "", "has no certificate in PEM"},
		"DER":      {"the other encoding", string(server.Certificate().Raw), "has a certificate in DER: convert it to PEM"},
		"Key":      {"a key does not belong there", good + block("PRIVATE KEY", []byte("s3cret")), "has a private key, as block 2"},
		"Broken":   {"a certificate that is none", block("CERTIFICATE", []byte("s3cret")), "has a certificate that cannot be read, number 1"},
		"CutShort": {"the second one would be missed later", good + good[:len(good)/2], "1 of its 2 blocks cannot be read"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(file, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			pool, err := (&Network{CAFile: file}).rootCAs()
			if tc.fails == "" {
				if err != nil || pool == nil {
					t.Fatalf("%s: %v", tc.reason, err)
				}
				client := http.Client{Transport: &http.Transport{TLSClientConfig: server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()}}
				client.Transport.(*http.Transport).TLSClientConfig.RootCAs = pool
				if resp, err := client.Get(server.URL); err != nil {
					t.Errorf("%s: %v", tc.reason, err)
				} else {
					_ = resp.Body.Close()
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), "--ca-file "+file+": ") || !strings.Contains(err.Error(), tc.fails) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: %v, want %s", tc.reason, err, tc.fails)
			}
		})
	}
	for name, tc := range map[string]struct {
		network Network
		want    string
	}{
		"no-proxy":       {Network{NoProxy: "example.com, 10.0.0.0/33"}, `--no-proxy: "10.0.0.0/33" is neither a host, a domain, an address nor a range such as 10.0.0.0/8; separate them by commas`},
		"nat64-prefixes": {Network{NAT64Prefixes: "64:ff9b::/96,64:ff9b:1::/47"}, `--nat64-prefixes: "64:ff9b:1::/47": it has bits after its length; use 64:ff9b::/47`},
	} {
		if _, err := tc.network.Config(); err == nil || err.Error() != tc.want {
			t.Errorf("--%s: %v, want %s", name, err, tc.want)
		}
	}
	config, err := (&Network{NoProxy: "example.com", NAT64Prefixes: "64:ff9b::/96, 64:ff9b:1::/48"}).Config()
	if err != nil || config.NoProxy != "example.com" || len(config.NAT64) != 2 {
		t.Errorf("the configuration is %+v, %v", config, err)
	}
	if proxy, err := (&Network{}).proxy(); proxy != nil || err != nil {
		t.Errorf("without a proxy: %v, %v", proxy, err)
	}
	if pool, err := (&Network{}).rootCAs(); pool != nil || err != nil {
		t.Errorf("without a file: %v, %v", pool, err)
	}
	var stdout, stderr bytes.Buffer
	if code := runExportCommand(t.Context(), call{args: []string{"--https-proxy", "proxy:3128"}, stdout: &stdout, stderr: &stderr}); code != 1 || stderr.String() != "error: --https-proxy: use a URL such as http://proxy.example.com:3128\n" {
		t.Errorf("without a scheme: %d, %s", code, stderr.String())
	}
	stderr.Reset()
	if code := runExportCommand(t.Context(), call{args: []string{"--ca-file", filepath.Join(t.TempDir(), "none")}, stdout: &stdout, stderr: &stderr}); code != 1 || !strings.HasPrefix(stderr.String(), "error: --ca-file: open ") {
		t.Errorf("without the file: %d, %s", code, stderr.String())
	}
}
