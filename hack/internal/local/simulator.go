// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// StartSimulator starts the simulator's program, and returns the base URLs of its API and of its admin
// interface once it serves.
func (p *Processes) StartSimulator(ctx context.Context, program string, args ...string) (api, admin string, err error) {
	args = append([]string{"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"}, args...)
	if _, err := p.Start("simulator", program, os.Environ(), args...); err != nil {
		return "", "", err
	}
	err = Await(ctx, Patience, "the simulator to print its URLs", func(context.Context) error {
		log := p.Log("simulator")
		for line := range strings.Lines(log) {
			name, url, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch name {
			case "api":
				api = url
			case "admin":
				admin = url
			}
		}
		if api == "" || admin == "" {
			return fmt.Errorf("%q", log)
		}
		return nil
	})
	return api, admin, err
}

// CallSimulator sends body as JSON to one side of the simulator and decodes the answer into answer,
// unless that is nil. header may be nil.
func CallSimulator(ctx context.Context, method, url string, header http.Header, body, answer any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	if header != nil {
		request.Header = header
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, request.URL.Path, response.Status, content)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(content, answer)
}
