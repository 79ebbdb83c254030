// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
)

// api is a client of the API without limits of its own: the rate of reconciles limits it.
type api struct {
	base, token string
	client      *http.Client
}

var errNotFound = errors.New("there is no such import")

func newAPI(base, token string) *api {
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	return &api{base, token, &http.Client{Timeout: 30 * time.Second, Transport: transport}}
}

// call makes a request, and returns the document that it is answered with.
func (a *api) call(ctx context.Context, method, path string, body []byte) (document map[string]any, err error) {
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	content, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode == http.StatusNotFound:
		return nil, errNotFound
	case response.StatusCode >= http.StatusBadRequest:
		return nil, fmt.Errorf("%s %s: %s", method, path, response.Status)
	case len(content) == 0:
		return nil, nil
	}
	return document, json.Unmarshal(content, &document)
}

// connector gives every object the same client.
type connector struct{ api *api }

func (c *connector) Connect(context.Context, *PolledImport) (managed.TypedExternalClient[*PolledImport], error) {
	return &external{c.api}, nil
}

// external is the import of an object.
type external struct{ api *api }

// Observe reads the import, and compares what is declared with what is there.
func (e *external) Observe(ctx context.Context, object *PolledImport) (managed.ExternalObservation, error) {
	id := meta.GetExternalName(object)
	if id == "" {
		return managed.ExternalObservation{}, nil
	}
	document, err := e.api.call(ctx, http.MethodGet, "/v1/imports/"+id, nil)
	if errors.Is(err, errNotFound) {
		return managed.ExternalObservation{}, nil
	}
	if err != nil {
		return managed.ExternalObservation{}, err
	}
	var declared map[string]any
	if err := json.Unmarshal(object.Spec.Definition.Raw, &declared); err != nil {
		return managed.ExternalObservation{}, err
	}
	object.SetConditions(xpv1.Available())
	return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: contains(document, declared)}, nil
}

// Create makes the import. Its id is the external name.
func (e *external) Create(ctx context.Context, object *PolledImport) (managed.ExternalCreation, error) {
	document, err := e.api.call(ctx, http.MethodPost, "/v1/imports", object.Spec.Definition.Raw)
	if err != nil {
		return managed.ExternalCreation{}, err
	}
	id, _ := document["_id"].(string)
	if id == "" {
		return managed.ExternalCreation{}, errors.New("the answer to the creation has no _id")
	}
	meta.SetExternalName(object, id)
	return managed.ExternalCreation{}, nil
}

// Update writes the declared document over that of the platform.
func (e *external) Update(ctx context.Context, object *PolledImport) (managed.ExternalUpdate, error) {
	_, err := e.api.call(ctx, http.MethodPut, "/v1/imports/"+meta.GetExternalName(object), object.Spec.Definition.Raw)
	return managed.ExternalUpdate{}, err
}

// Delete deletes the import.
func (e *external) Delete(ctx context.Context, object *PolledImport) (managed.ExternalDelete, error) {
	_, err := e.api.call(ctx, http.MethodDelete, "/v1/imports/"+meta.GetExternalName(object), nil)
	if errors.Is(err, errNotFound) {
		err = nil
	}
	return managed.ExternalDelete{}, err
}

// Disconnect has nothing to do.
func (e *external) Disconnect(context.Context) error { return nil }

// contains reports whether all that is declared is there too.
func contains(there, declared any) bool {
	switch declared := declared.(type) {
	case map[string]any:
		fields, ok := there.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range declared {
			if !contains(fields[name], value) {
				return false
			}
		}
		return true
	case []any:
		items, ok := there.([]any)
		if !ok || len(items) != len(declared) {
			return false
		}
		for i := range declared {
			if !contains(items[i], declared[i]) {
				return false
			}
		}
		return true
	default:
		return there == declared
	}
}
