// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
)

// Dependency is a resource that uses the import or is used by it. Strings are one line of at most
// 512 bytes.
type Dependency struct {
	Kind string // plural, as the API answers it, such as "flows"
	ID   string // "" when the API gives none
	Name string
}

// Dependencies lists what uses the import or is used by it, sorted by kind and id. What is not
// understood is an error and never left out: a delete depends on it.
func (c *Client) Dependencies(ctx context.Context, id string) ([]Dependency, error) {
	var deps []Dependency
	err := c.call(ctx, dependencies, id, nil, func(resp *http.Response, body io.Reader) error {
		if resp.StatusCode == http.StatusNoContent {
			return nil
		}
		raw, err := readDocument(body)
		if err != nil {
			return err
		}
		return objectFields(raw, func(kind []byte, list json.RawMessage) error {
			if string(list) == "null" {
				return nil
			}
			return arrayElements(list, func(element json.RawMessage) error {
				if len(deps) == maxPageItems {
					return errTooMany
				}
				d, err := parseDependency(shown(string(kind)), element)
				deps = append(deps, d)
				return err
			})
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(deps, func(a, b Dependency) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return deps, nil
}

func parseDependency(kind string, raw json.RawMessage) (Dependency, error) {
	d := Dependency{Kind: kind}
	err := objectFields(raw, func(name []byte, value json.RawMessage) error {
		switch string(name) {
		case "_id":
			d.ID = shown(text(value))
		case "id":
			d.ID = cmp.Or(d.ID, shown(text(value)))
		case "name":
			d.Name = shown(text(value))
		}
		return nil
	})
	return d, err
}
