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
		"Empty":    {"a file that was never filled", "", "it has no certificate in PEM"},
		"DER":      {"the other encoding", string(server.Certificate().Raw), "it has no certificate in PEM"},
		"Key":      {"a key does not belong there", good + block("PRIVATE KEY", []byte("s3cret")), "block 2 is not a certificate"},
		"Broken":   {"a certificate that is none", block("CERTIFICATE", []byte("s3cret")), "certificate 1 cannot be read"},
		"CutShort": {"the second one would be missed later", good + good[:len(good)/2], "what follows certificate 1 is broken"},
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
