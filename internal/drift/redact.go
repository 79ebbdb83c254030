// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// hidden is shown in place of a value.
type hidden string

// Redacted replaces a value that contains, or may contain, a secret.
const Redacted = hidden("(redacted)")

// shortestText is the minimum length, in bytes, of a secret text that is searched for in other values.
// A shorter one may be there by chance.
const shortestText = 8

// Redact returns differences that can be shown and hashed. It hides the values at, under and above the
// secrets of a document, and values that contain the text of a secret, which may have been copied. A
// path is cut before a name that contains such a text. secrets are JSON pointers. found is not
// changed.
func Redact(found []Difference, document map[string]any, secrets []string) []Difference {
	if len(secrets) == 0 {
		return found
	}
	areas, texts := hiddenAreas(document, secrets), secretTexts(document, secrets)
	shown := make([]Difference, len(found))
	for i, difference := range found {
		path := withoutTexts(difference.Path, texts)
		if path != difference.Path || Touches(path, areas) || containsText(difference.Declared, texts) || containsText(difference.Remote, texts) {
			difference.Declared, difference.Remote = redacted(difference.Declared), redacted(difference.Remote)
		}
		difference.Path = path
		shown[i] = difference
	}
	return shown
}

// redacted hides a value. That there is no value is not a secret.
func redacted(value any) any {
	if value == nil {
		return nil
	}
	return Redacted
}

// Touches reports whether a path is one of the pointers, or under or above one.
func Touches(path string, pointers []string) bool {
	return under(path, pointers) || above(path, pointers)
}

// Under reports whether a path is one of the pointers or below one.
func Under(path string, pointers []string) bool { return under(path, pointers) }

// secretTexts returns the lines of the texts in the secrets of a document that are long enough to
// search for.
func secretTexts(document map[string]any, secrets []string) []string {
	var texts []string
	for _, secret := range secrets {
		texts = append(texts, SecretTexts(at(document, secret))...)
	}
	return texts
}

// SecretTexts returns the lines of the texts and numbers in a secret that are long enough to search for
// in what is shown.
func SecretTexts(secret any) []string {
	var texts []string
	for text := range leaves(secret) {
		// A file ends with a line break, which is usually lost when its text is copied.
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); len(line) >= shortestText {
				texts = append(texts, line)
			}
		}
	}
	return texts
}

// containsText reports whether a value contains one of the texts, at any depth and also in names.
func containsText(value any, texts []string) bool {
	switch typed := value.(type) {
	case map[string]any:
		for name, child := range typed {
			if contains(name, texts) || containsText(child, texts) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(typed, func(child any) bool { return containsText(child, texts) })
	default:
		return contains(asText(value), texts)
	}
}

func contains(whole string, texts []string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(whole, text) })
}

// withoutTexts returns a path up to the first name that contains one of the texts.
func withoutTexts(path string, texts []string) string {
	shown := ""
	for _, name := range fields.Tokens(path) {
		if contains(name, texts) {
			return shown
		}
		shown = join(shown, name)
	}
	return path
}

// leaves yields the texts and numbers in a value.
func leaves(value any) iter.Seq[string] {
	return func(yield func(string) bool) { eachLeaf(value, yield) }
}

func eachLeaf(value any, yield func(string) bool) bool {
	switch typed := value.(type) {
	case map[string]any:
		for _, child := range typed {
			if !eachLeaf(child, yield) {
				return false
			}
		}
	case []any:
		for _, child := range typed {
			if !eachLeaf(child, yield) {
				return false
			}
		}
	default:
		if text := asText(value); text != "" {
			return yield(text)
		}
	}
	return true
}

// Reaches reports whether a document has a value at a path, also inside arrays.
func Reaches(document map[string]any, path string) bool {
	_, found := reach(document, path)
	return found
}

// at returns the value at a path of a document, also inside arrays, nil if there is none.
func at(document map[string]any, path string) any {
	value, _ := reach(document, path)
	return value
}

func reach(document map[string]any, path string) (value any, found bool) {
	value = document
	for _, name := range fields.Tokens(path) {
		switch typed := value.(type) {
		case map[string]any:
			if value, found = typed[name]; !found {
				return nil, false
			}
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || index < 0 || index >= len(typed) {
				return nil, false
			}
			value = typed[index]
		default:
			return nil, false
		}
	}
	return value, true
}

// hiddenAreas returns the pointers at and under which a secret may be. If an element is inserted into
// an array, a secret behind it moves to the index of another declared element. So an array that
// contains a secret is hidden as a whole. Fields to which the API copies a secret are hidden too.
func hiddenAreas(document map[string]any, secrets []string) []string {
	var areas []string
	for _, secret := range secrets {
		area := firstArray(document, secret)
		areas = append(areas, area)
		areas = append(areas, echoesOf(area)...)
	}
	return areas
}

// firstArray returns the pointer of the outermost array that contains path, or path.
func firstArray(document map[string]any, path string) string {
	var value any = document
	var below string
	for _, name := range fields.Tokens(path) {
		if _, isArray := value.([]any); isArray {
			break
		}
		below = join(below, name)
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return below
}

// echoesOf returns the pointers of the fields to which the API copies the one at path, or from which
// it copies it.
func echoesOf(path string) []string {
	var copied []string
	for _, pair := range copies {
		for from, to := range map[string]string{pair.kept: pair.copied, pair.copied: pair.kept} {
			switch {
			case under(path, []string{from}):
				copied = append(copied, to+strings.TrimPrefix(path, from))
			case above(path, []string{from}):
				copied = append(copied, to)
			}
		}
	}
	// The two forms have the same values in fields with other names.
	switch {
	case under(path, []string{forms.kept}):
		copied = append(copied, forms.copied)
	case under(path, []string{forms.copied}):
		copied = append(copied, forms.kept)
	}
	return copied
}
