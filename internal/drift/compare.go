// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"
	"slices"
	"strconv"
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
	comparison := comparison{ignore: ignore}
	comparison.objects("", declared, remote, false)
	return comparison.found
}

// Equal reports whether two fields of a document have the same value by the rules of Compare. The
// arguments are JSON pointers.
func Equal(document map[string]any, one, other string) bool {
	first, _ := lookup(document, tokens(one))
	second, _ := lookup(document, tokens(other))
	var comparison comparison
	comparison.values("", first, second, true)
	return len(comparison.found) == 0
}

type comparison struct {
	ignore []string
	found  []Difference
}

func (c *comparison) add(path string, declared, remote any) {
	c.found = append(c.found, Difference{Path: path, Declared: declared, Remote: remote})
}

// objects compares key by key. With whole it also compares keys that only the remote object has.
func (c *comparison) objects(path string, declared, remote map[string]any, whole bool) {
	keys := sortedKeys(declared)
	if whole {
		for key := range remote {
			if _, ok := declared[key]; !ok {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
	}
	for _, key := range keys {
		c.values(join(path, key), declared[key], remote[key], whole)
	}
}

func (c *comparison) values(path string, declared, remote any, whole bool) {
	if Ignores(path, c.ignore) {
		return
	}
	switch typed := declared.(type) {
	case map[string]any:
		if object, ok := remote.(map[string]any); ok {
			c.objects(path, typed, object, whole)
			return
		}
		if remote == nil && !whole {
			// Report each missing leaf separately: an object of empty leaves is not drift.
			c.objects(path, typed, nil, whole)
			return
		}
	case []any:
		if array, ok := remote.([]any); ok && lengthsAgree(path, typed, array, c.ignore) {
			for i := range typed {
				c.values(path+"/"+strconv.Itoa(i), typed[i], array[i], true)
			}
			return
		}
	}
	if declared == nil && onlyIgnored(path, remote, c.ignore) {
		return
	}
	if !equalLeaves(declared, remote) && !equalAs(path, declared, remote) {
		c.add(path, declared, remote)
	}
}

// equalLeaves compares two values that are not both containers of the same shape.
func equalLeaves(declared, remote any) bool {
	if declared == nil || remote == nil {
		return empty(declared) && empty(remote)
	}
	switch typed := declared.(type) {
	case json.Number:
		number, ok := remote.(json.Number)
		return ok && EqualNumbers(typed.String(), number.String())
	case string:
		text, ok := remote.(string)
		return ok && typed == text
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
