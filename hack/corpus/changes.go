// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// undeclared is a field that no document has.
const undeclared = "addedOnThePlatform"

// by is what a change replaces a text with.
const by = "changed on the platform"

// change is what somebody did to an import on the platform.
type change struct {
	// want is what the import has to be again: as it was, with what was added to it.
	want map[string]any
	// lost are the paths at which it is not.
	lost []string
}

// change lets somebody change each import that is Ready: a declared text, the name, and what is not
// declared.
func (c *campaign) change(ctx context.Context) error {
	c.changes = map[string]map[string]*change{}
	for _, way := range ways {
		objects, err := c.imports(ctx, way)
		if err != nil {
			return err
		}
		changed := map[string]*change{}
		c.changes[way] = changed
		var mu sync.Mutex
		if err := inParallel(c.options.parallel, slices.Collect(maps.Values(objects)), func(object *v1alpha1.Import) error {
			if !isReady(object) {
				return nil
			}
			done, err := c.changeOne(ctx, way, object)
			mu.Lock()
			defer mu.Unlock()
			changed[object.Status.ID] = done
			return err
		}); err != nil {
			return err
		}
		c.report.changed[way] = len(changed)
	}
	return nil
}

func (c *campaign) changeOne(ctx context.Context, way string, object *v1alpha1.Import) (*change, error) {
	url := c.api + "/v1/imports/" + object.Status.ID
	header := func() http.Header {
		return http.Header{"Authorization": {"Bearer " + tokenOf(way)}, simulator.UserHeader: {"ui; Jane <jane@example.com>"}}
	}
	var raw json.RawMessage
	if err := local.CallSimulator(ctx, http.MethodGet, url, header(), nil, &raw); err != nil {
		return nil, err
	}
	before, err := parsed(raw)
	if err != nil {
		return nil, err
	}
	declared, err := drift.Parse(object.Spec.Definition.Raw)
	if err != nil {
		return nil, err
	}
	want := withAddition(before)
	after := withAddition(before)
	after["name"] = by
	if path := textToChange(declared, before); path != "" {
		if err := drift.Set(after, path, by); err != nil {
			return nil, err
		}
	}
	return &change{want: want}, local.CallSimulator(ctx, http.MethodPut, url, header(), after, nil)
}

// withAddition is a copy of a document with fields at the top and in the block that nobody declares.
func withAddition(doc map[string]any) map[string]any {
	added := document.Copy(doc)
	value := func() map[string]any { return map[string]any{"a": []any{"b", map[string]any{"c": nil}}} }
	added[undeclared] = value()
	if block := document.Object(added, document.BlockOf(document.Text(doc, "adaptorType"))); block != nil {
		block[undeclared] = value()
	}
	return added
}

// textToChange is the first declared text, besides the name, that somebody can change as they like, ""
// if there is none.
func textToChange(declared, remote map[string]any) string {
	for _, path := range drift.Fields(declared) {
		field := fields.Lookup(path)
		if field == nil || field.Free || field.Server || field.Types[0] != fields.Text || len(field.Enum) > 0 || path == "/name" {
			continue
		}
		if path == "/externalId" || strings.Count(path, "/") > 3 || textAt(declared, path) == "" || textAt(remote, path) == "" {
			continue
		}
		return path
	}
	return ""
}

func textAt(doc map[string]any, path string) string {
	tokens := fields.Tokens(path)
	for _, token := range tokens[:len(tokens)-1] {
		if doc = document.Object(doc, token); doc == nil {
			return ""
		}
	}
	return document.Text(doc, tokens[len(tokens)-1])
}

// awaitCorrections waits until each import is again what it has to be, or nothing happens any more.
func (c *campaign) awaitCorrections(ctx context.Context) error {
	return c.await(ctx, func() (int, error) {
		waiting := 0
		for _, way := range ways {
			var all []json.RawMessage
			if err := local.CallSimulator(ctx, http.MethodGet, c.admin+"/accounts/"+way+"/imports", nil, nil, &all); err != nil {
				return 0, err
			}
			for _, raw := range all {
				remote, err := parsed(raw)
				if err != nil {
					return 0, err
				}
				change := c.changes[way][document.Text(remote, "_id")]
				if change == nil {
					continue
				}
				change.lost = nil
				for _, difference := range drift.Compare(withoutServerMade(change.want), remote, nil) {
					change.lost = append(change.lost, difference.Path)
				}
				if len(change.lost) > 0 {
					waiting++
				}
			}
			objects, err := c.imports(ctx, way)
			if err != nil {
				return 0, err
			}
			for _, object := range objects {
				if c.changes[way][object.Status.ID] != nil && !isReady(object) {
					waiting++
				}
			}
		}
		return waiting, nil
	})
}

// withoutServerMade leaves out what the server sets at each write.
func withoutServerMade(doc map[string]any) map[string]any {
	copied := document.Copy(doc)
	fields.LeaveOut(copied)
	return copied
}
