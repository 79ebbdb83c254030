// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"slices"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// KeepServerMade puts the stored values in the place of those that only the server sets, at the top and
// inside blocks: values that were sent are ignored. stored is nil for a new import. An element of an
// array keeps its _id if it is sent with it.
func KeepServerMade(doc, stored Document) { keepServerMade(fields.Root, doc, stored) }

func keepServerMade(field *fields.Field, doc, stored Document) {
	if field.IsFree() {
		return
	}
	names := SortedKeys(doc)
	for _, name := range SortedKeys(stored) {
		if _, sent := doc[name]; !sent {
			names = append(names, name)
		}
	}
	for _, name := range names {
		member := field.Member(name)
		switch typed := doc[name].(type) {
		case Document:
			if !field.IsServer(name) {
				keepServerMade(member, typed, Object(stored, name))
				continue
			}
		case []any:
			if !field.IsServer(name) {
				old, _ := stored[name].([]any)
				keepInElements(member.Elements(), typed, old)
				continue
			}
		}
		if field.IsServer(name) {
			delete(doc, name)
			if value, ok := stored[name]; ok {
				doc[name] = DeepCopy(value)
			}
		}
	}
}

// keepInElements pairs the elements by their _id. Where the server makes none, they are paired by their
// place.
func keepInElements(field *fields.Field, list, stored []any) {
	for i, element := range list {
		object, isObject := element.(Document)
		if !isObject {
			if nested, isList := element.([]any); isList {
				keepInElements(field.Elements(), nested, nil)
			}
			continue
		}
		var old Document
		if field.Member(fields.ElementID) != nil {
			same := slices.IndexFunc(stored, func(other any) bool {
				candidate, _ := other.(Document)
				id := Text(candidate, fields.ElementID)
				return id != "" && id == ID(Text(object, fields.ElementID))
			})
			if same >= 0 {
				old = stored[same].(Document)
			}
		} else if i < len(stored) {
			old, _ = stored[i].(Document)
		}
		keepServerMade(field, object, old)
	}
}

// elementBlocks are the blocks in which the server gives an _id to elements of arrays and to subrecords.
var elementBlocks = []string{"netsuite", "netsuite_da"}

// AddElementIDs gives an _id to each element and subrecord that the server identifies and that has none.
func AddElementIDs(doc Document, newID func() string) {
	for _, block := range elementBlocks {
		addElementIDs(fields.Root.Member(block), doc[block], newID)
	}
}

func addElementIDs(field *fields.Field, value any, newID func() string) {
	if field == nil || field.Free {
		return
	}
	switch typed := value.(type) {
	case Document:
		if field.Member(fields.ElementID) != nil && typed[fields.ElementID] == nil {
			typed[fields.ElementID] = newID()
		}
		for _, name := range SortedKeys(typed) {
			addElementIDs(field.Member(name), typed[name], newID)
		}
	case []any:
		for _, element := range typed {
			addElementIDs(field.Elements(), element, newID)
		}
	}
}
