// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// Difference is one field whose remote value is not the declared one.
type Difference struct {
	// Path is the field's JSON pointer.
	Path string
	// Declared and Remote are the two values, nil if a side has none.
	Declared, Remote any
}

// Compare returns the declared fields whose remote value differs, sorted by path. Fields at or under
// a pattern of ignore are not compared. A remote array may have more elements than the declared one
// where each of these is ignored.
func Compare(declared, remote map[string]any, ignore []string) []Difference {
	comparison := comparison{ignore: ignore, declared: declared, remote: remote}
	comparison.objects(place{field: fields.Root}, declared, remote, false)
	slices.SortStableFunc(comparison.found, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return comparison.found
}

// Equal reports whether two fields of a document have the same value by the rules of Compare. The
// arguments are JSON pointers.
func Equal(document map[string]any, one, other string) bool {
	first, _ := lookup(document, fields.Tokens(one))
	second, _ := lookup(document, fields.Tokens(other))
	return equal(fields.Lookup(one), first, second)
}

type comparison struct {
	ignore []string
	// declared and remote are the whole documents, which have the copies of fields.
	declared, remote map[string]any
	found            []Difference
}

// place is where a value stands.
type place struct {
	path string
	// name is that of the field, or of the array that contains the value.
	name string
	// field is what is known of it, nil if nothing is.
	field *fields.Field
}

func (p place) member(name string) place {
	return place{path: join(p.path, name), name: name, field: p.field.Member(name)}
}

func (p place) element(index int) place {
	return place{path: p.path + "/" + strconv.Itoa(index), name: p.name, field: p.field.Elements()}
}

// objects compares key by key. With whole it also compares keys that only the remote object has.
func (c *comparison) objects(at place, declared, remote map[string]any, whole bool) {
	keys := sortedKeys(declared)
	if whole {
		for key := range remote {
			if _, ok := declared[key]; !ok && (key != fields.ElementID || at.field.IsFree()) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
	}
	for _, key := range keys {
		if member := at.member(key); member.field == nil || !member.field.Server {
			c.values(member, declared[key], remote[key], whole)
		}
	}
}

func (c *comparison) values(at place, declared, remote any, whole bool) {
	if Ignores(at.path, c.ignore) {
		return
	}
	if (declared == nil || remote == nil) && empty(declared) && empty(remote) {
		return
	}
	c.twin(at, declared)
	declaredAs, remoteAs := cast(at.field, declared), cast(at.field, remote)
	switch typed := declaredAs.(type) {
	case map[string]any:
		if object, ok := remoteAs.(map[string]any); ok {
			c.objects(at, typed, object, whole)
			return
		}
		if remoteAs == nil && !whole {
			// Report each missing leaf separately: an object of empty leaves is not drift.
			c.objects(at, typed, nil, whole)
			return
		}
	case []any:
		if array, ok := remoteAs.([]any); ok && lengthsAgree(at.path, typed, array, c.ignore) {
			for i := range typed {
				c.values(at.element(i), typed[i], array[i], true)
			}
			return
		}
	}
	if declared == nil && onlyIgnored(at.path, remote, c.ignore) {
		return
	}
	if !equalLeaves(at, declaredAs, remoteAs) && !c.isInTwin(at, declaredAs, remoteAs) {
		c.found = append(c.found, Difference{Path: at.path, Declared: declared, Remote: remote})
	}
}

// isInTwin reports whether the API has a declared value only in the field to which it copies this one.
func (c *comparison) isInTwin(at place, declared, remote any) bool {
	if at.field == nil || at.field.Twin == "" || !empty(remote) {
		return false
	}
	twin, found := lookup(c.remote, fields.Tokens(at.field.Twin))
	return found && equal(at.field, declared, twin)
}

// twin reports the copy of a declared field, where the API copies both fields to each other, if it has
// another value: somebody changed the copy, and the declared value wins.
func (c *comparison) twin(at place, declared any) {
	if at.field == nil || !at.field.Mutual || empty(declared) {
		return
	}
	path := at.field.Twin
	if Has(c.declared, path) || Ignores(path, c.ignore) {
		return
	}
	if twin, found := lookup(c.remote, fields.Tokens(path)); found && !empty(twin) && !equal(at.field, declared, twin) {
		c.found = append(c.found, Difference{Path: path, Declared: declared, Remote: twin})
	}
}

// equal reports whether two values are the same for a field.
func equal(field *fields.Field, one, other any) bool {
	var comparison comparison
	comparison.values(place{field: field}, one, other, true)
	return len(comparison.found) == 0
}

// equalLeaves compares two values that are not both containers of the same shape.
func equalLeaves(at place, declared, remote any) bool {
	switch typed := declared.(type) {
	case json.Number:
		number, ok := remote.(json.Number)
		return ok && EqualNumbers(typed.String(), number.String())
	case string:
		text, ok := remote.(string)
		return ok && equalTexts(at.field, at.name, typed, text)
	case bool:
		truth, ok := remote.(bool)
		return ok && typed == truth
	default:
		return false
	}
}

// empty reports whether a value means the same as no value.
func empty(value any) bool {
	switch typed := value.(type) {
	case nil:
		return true
	case bool:
		return !typed
	case string:
		return typed == ""
	case []any:
		return len(typed) == 0
	case map[string]any:
		for _, child := range typed {
			if !empty(child) {
				return false
			}
		}
		return true
	default:
		return false
	}
}
