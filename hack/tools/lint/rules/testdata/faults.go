// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package faults has what gosec is to find: each line names the rule.
package faults

import (
	"context"
	"crypto/md5" // want G501
	"crypto/tls"
	"math/rand"
	"net/http"
	"os"
	"os/exec"
)

const password = "f62e5bcda4fae4f82370da0c6f20697b8f8447ef" // want G101

func digest(text string) [md5.Size]byte {
	return md5.Sum([]byte(text)) // want G401
}

func client() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // want G402
		MinVersion:         tls.VersionTLS12,
	}}}
}

func token() int {
	return rand.Int() // want G404
}

type tool struct{ program string }

func (t tool) call(ctx context.Context) error {
	return exec.CommandContext(ctx, t.program).Run() // want G204
}

func serve() error {
	return http.ListenAndServe("127.0.0.1:0", nil) // want G114
}

func copyFile(from, dir, to string) error {
	content, err := os.ReadFile(from) // want G304
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil { // want G301
		return err
	}
	if err := os.Chmod(from, 0o777); err != nil { // want G302
		return err
	}
	return os.WriteFile(to, content, 0o644) // want G306
}
