// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Plain is a client of the API that does nothing but its requests: it is what others do, and what is possible.
type Plain struct {
	base, token, user string
	http              http.Client
}

// Other is a client of the account that acts as somebody in the platform's UI.
func (e *Environment) Other() *Plain {
	return &Plain{base: e.api, token: tokenOf("default"), user: "ui; Jane Doe <jane@example.com>", http: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}}
}

// ClientOf is a client with the token of another account.
func (e *Environment) ClientOf(name string) *Plain {
	p := e.Other()
	p.token, p.user = tokenOf(name), ""
	return p
}

// do makes a request, and returns its status and its answer. An answer of any status is no error.
func (p *Plain) do(ctx context.Context, method, path string, body []byte) (status int, content []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/json")
	if p.user != "" {
		request.Header.Set("X-Simulator-User", p.user)
	}
	response, err := p.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	content, err = io.ReadAll(response.Body)
	return response.StatusCode, content, err
}

// must is do for a request that has to succeed.
func (p *Plain) must(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	status, content, err := p.do(ctx, method, path, body)
	if err == nil && status >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s of a plain client is answered %d: %s", method, path, status, content)
	}
	return content, err
}

// Rename gives an import another name, as somebody does in the platform's UI: the rest of it stays.
func (p *Plain) Rename(ctx context.Context, id, name string) error {
	content, err := p.must(ctx, http.MethodGet, "/v1/imports/"+id, nil)
	if err != nil {
		return err
	}
	var document map[string]any
	if err := json.Unmarshal(content, &document); err != nil {
		return err
	}
	document["name"] = name
	if content, err = json.Marshal(document); err != nil {
		return err
	}
	_, err = p.must(ctx, http.MethodPut, "/v1/imports/"+id, content)
	return err
}

// Post creates imports, as many at a time and a second as an Account permits, and returns how long it took.
func (p *Plain) Post(ctx context.Context, bodies [][]byte, perSecond, burst, inFlight int) (time.Duration, error) {
	limiter := rate.NewLimiter(rate.Limit(perSecond), burst)
	began := time.Now()
	err := parallel(ctx, inFlight, bodies, func(body []byte) error {
		if err := limiter.Wait(ctx); err != nil {
			return err
		}
		_, err := p.must(ctx, http.MethodPost, "/v1/imports", body)
		return err
	})
	return time.Since(began), err
}

// Use makes requests at a steady rate until ctx ends: what another integration takes of the account's bucket.
// Those that are answered 429 are not made again.
func (p *Plain) Use(ctx context.Context, perSecond int) {
	ticks := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticks.Stop()
	began, sent := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		// A tick that came late is made up for.
		for due := int(time.Since(began).Seconds() * float64(perSecond)); sent < due; sent++ {
			go func() {
				_, _, _ = p.do(ctx, http.MethodGet, "/v1/imports/000000000000000000000000", nil) // the ledger has what it was answered
			}()
		}
	}
}

// parallel does something with each of all items, some at a time.
func parallel[T any](ctx context.Context, workers int, items []T, do func(T) error) error {
	next := make(chan T)
	failed := make([]error, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			for item := range next {
				if failed[i] == nil {
					failed[i] = do(item)
				}
			}
		})
	}
	for _, item := range items {
		next <- item
	}
	close(next)
	all.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(failed...)
}
