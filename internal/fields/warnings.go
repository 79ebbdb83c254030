// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package fields

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-openapi/jsonpointer"
)

// idValue matches an id, an alias, or the empty text that public documents have in place of an id.
var idValue = regexp.MustCompile(`^([0-9a-fA-F]{24}|@.*|)$`)

// longestValue is how much of a value a warning repeats, in characters.
const longestValue = 40

// Warnings returns what is probably a mistake in a definition: a name that the table does not have
// and that is near one it has, a type that the API does not take, and a value that is not one of the
// documented ones. Each begins with the JSON pointer of the field. The policy at admission warns of the
// same. What the server sets itself is not among them: see LeaveOut.
func Warnings(document map[string]any) []string {
	return warn(nil, Root, "", document)
}

func warn(warnings []string, field *Field, path string, value any) []string {
	if field == nil || field.Free {
		return warnings
	}
	switch typed := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(typed)) {
			if field.IsServer(name) {
				continue
			}
			below, member := path+"/"+jsonpointer.Escape(name), field.Member(name)
			if member == nil {
				if near := field.Near(name); near != "" {
					warnings = append(warnings, fmt.Sprintf("%s: the API documents no field of this name; did you mean %s?", below, near))
				}
				continue
			}
			if text := member.mistake(typed[name]); text != "" {
				warnings = append(warnings, below+": "+text)
				continue
			}
			warnings = warn(warnings, member, below, typed[name])
		}
	case []any:
		for i, element := range typed {
			below := path + "/" + strconv.Itoa(i)
			if text := field.Elements().mistake(element); text != "" {
				warnings = append(warnings, below+": "+text)
				continue
			}
			warnings = warn(warnings, field.Elements(), below, element)
		}
	}
	return warnings
}

// mistake says what is wrong with a value of the field, "" if nothing is known to be.
func (f *Field) mistake(value any) string {
	if f == nil || value == nil || f.Is(Any) || len(f.Types) == 0 {
		return ""
	}
	text, isText := value.(string)
	switch {
	case isText && f.Is(ID):
		if !idValue.MatchString(text) {
			return shown(text) + " is neither an id (24 hexadecimal characters) nor @ followed by an alias"
		}
		return ""
	case !f.Is(typeOf(value)):
		return fmt.Sprintf("the value is of type %s, and the API documents %s", typeOf(value), f.TypeNames(" or "))
	case isText && len(f.Enum) > 0 && !f.has(text):
		return shown(text) + " is not one of the documented values: " + strings.Join(f.Enum, ", ")
	default:
		return ""
	}
}

// has reports whether a text is one of the documented values.
func (f *Field) has(text string) bool {
	return slices.ContainsFunc(f.Enum, func(value string) bool {
		return value == text || f.Lower && strings.EqualFold(value, text)
	})
}

// TypeNames lists the types that the API takes, without null: every field can be null.
func (f *Field) TypeNames(separator string) string {
	var names []string
	for _, t := range f.Types {
		if t != Null {
			names = append(names, string(t))
		}
	}
	return strings.Join(names, separator)
}

// typeOf is the type of a JSON value, as Parse of package drift reads it.
func typeOf(value any) Type {
	switch value.(type) {
	case string:
		return Text
	case bool:
		return Boolean
	case json.Number, float64:
		return Number
	case []any:
		return Array
	case map[string]any:
		return Object
	default:
		return Null
	}
}

func shown(text string) string {
	runes := []rune(text)
	if len(runes) > longestValue {
		text = string(runes[:longestValue]) + "…"
	}
	return strconv.Quote(text)
}

// Near returns the member whose name is near another one, "" if there is none. The names differ in
// letter case, or in one place of at most two letters, where one letter may be missing or one too many.
// Short names have to be nearer: any two letters are near two others.
func (f *Field) Near(name string) string {
	for _, known := range f.Names() {
		if !f.Member(known).Server && isNear(strings.ToLower(name), strings.ToLower(known)) {
			return known
		}
	}
	return ""
}

func isNear(name, known string) bool {
	length, place := len(known), placeOf(len(known))
	if difference := len(name) - length; difference < -1 || difference > 1 {
		return false
	}
	for i := 0; i <= length; i++ {
		end := min(i+place, length)
		if len(name) >= i+length-end && strings.HasPrefix(name, known[:i]) && strings.HasSuffix(name, known[end:]) {
			return true
		}
	}
	return false
}

// placeOf is how many letters of a known name of a length may differ.
func placeOf(length int) int {
	switch {
	case length <= 3:
		return 0
	case length == 4:
		return 1
	default:
		return 2
	}
}
