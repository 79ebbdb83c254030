// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// started runs the program, and returns the URLs that it prints and a function that stops it as a
// signal would.
func started(t *testing.T, args ...string) (api, admin string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"}, args...), in, io.Discard)
		_ = in.CloseWithError(err) // if the program did not start, reading below ends
		ended <- err
	}()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	urls := map[string]string{}
	for lines := bufio.NewScanner(out); len(urls) < 2; {
		if !lines.Scan() {
			t.Fatalf("no URLs: %v", lines.Err())
		}
		name, url, _ := strings.Cut(lines.Text(), " ")
		urls[name] = url
	}
	return urls["api"], urls["admin"], stop
}

func get(t *testing.T, url, token string, into any) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode
}

func TestDemo(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.json")
	for range 2 { // the second time with the state
		api, admin, stop := started(t, "--seed=demo.json", "--state="+state, "--page-size=5")
		var imports []struct {
			Name string `json:"name"`
		}
		if status := get(t, api+"/v1/imports", "demo-token-acme", &imports); status != http.StatusOK || len(imports) != 5 || imports[0].Name != "Upload File to FTP Site" {
			t.Errorf("status %d, imports %v", status, imports)
		}
		if status := get(t, api+"/v1/imports", "demo-token-acme-staging", nil); status != http.StatusNoContent {
			t.Errorf("staging: status %d", status)
		}
		var accounts []struct {
			Connections []any `json:"connections"`
			Imports     int   `json:"imports"`
			Flows       []any `json:"flows"`
		}
		if get(t, admin+"/accounts", "", &accounts); len(accounts) != 2 || accounts[0].Imports != 8 || len(accounts[0].Connections) != 5 || len(accounts[0].Flows) != 1 {
			t.Errorf("accounts: %+v", accounts)
		}
		stop()
	}
}

func TestMistakes(t *testing.T) {
	for _, args := range [][]string{
		{"--no-such-flag"}, {"argument"}, {"--page-size=0"}, {"--rate=0"}, {"--burst=-1"},
		{"--seed=no-such-file"}, {"--seed=main.go"}, {"--state=."}, {"--listen=nowhere:-1"}, {"--listen=127.0.0.1:0", "--admin-listen=nowhere:-1"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
	if err := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: %v", err)
	}
}
