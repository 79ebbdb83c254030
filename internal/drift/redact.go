// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// hidden stands for a value that is not shown.
type hidden string

// Redacted stands in the place of a value that holds, or could hold, a secret.
const Redacted = hidden("(redacted)")

// shortestText is the length, in bytes, from which a secret text is looked for elsewhere. A
// shorter one may well stand there by chance.
const shortestText = 8

// Redact hides the values of the differences at, under and above the secrets of a document,
// and of those that hold the text of one, as when somebody copied it there. A path ends before
// a name with such a text. The result can be shown and hashed. secrets are JSON pointers. found
// is not changed.
func Redact(found []Difference, document map[string]any, secrets []string) []Difference {
	if len(secrets) == 0 {
		return found
	}
	areas, texts := hiddenAreas(document, secrets), secretTexts(document, secrets)
	shown := make([]Difference, len(found))
	for i, difference := range found {
		path := withoutTexts(difference.Path, texts)
		if path != difference.Path || Touches(path, areas) || holds(difference.Declared, texts) || holds(difference.Remote, texts) {
			difference.Declared, difference.Remote = redacted(difference.Declared), redacted(difference.Remote)
		}
		difference.Path = path
		shown[i] = difference
	}
	return shown
}

// redacted hides a value; that there is none may be told.
func redacted(value any) any {
	if value == nil {
		return nil
	}
	return Redacted
}

// Touches tells whether a path is one of the pointers, or lies under or above one.
func Touches(path string, pointers []string) bool {
	return under(path, pointers) || above(path, pointers)
}

// Under tells whether a path is one of the pointers or lies below one.
func Under(path string, pointers []string) bool { return under(path, pointers) }

// secretTexts are the texts in the secrets of a document, line by line, that are long enough
// to tell.
func secretTexts(document map[string]any, secrets []string) []string {
	var texts []string
	for _, secret := range secrets {
		for text := range leaves(at(document, secret)) {
			// A file ends in a line break that who copies it leaves out.
			for line := range strings.Lines(text) {
				if line = strings.TrimSpace(line); len(line) >= shortestText {
					texts = append(texts, line)
				}
			}
		}
	}
	return texts
}

// holds tells whether one of the texts stands in a value, at any depth, in names too.
func holds(value any, texts []string) bool {
	switch typed := value.(type) {
	case map[string]any:
		for name, child := range typed {
			if contains(name, texts) || holds(child, texts) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(typed, func(child any) bool { return holds(child, texts) })
	default:
		return contains(asText(value), texts)
	}
}

func contains(whole string, texts []string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(whole, text) })
}

// withoutTexts is a path up to the first name in which one of the texts stands.
func withoutTexts(path string, texts []string) string {
	shown := ""
	for _, name := range tokens(path) {
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

// at is the value at a path of a document, in arrays too; nil when there is none.
func at(document map[string]any, path string) any {
	var value any = document
	for _, name := range tokens(path) {
		switch typed := value.(type) {
		case map[string]any:
			value = typed[name]
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || index < 0 || index >= len(typed) {
				return nil
			}
			value = typed[index]
		default:
			return nil
		}
	}
	return value
}

// hiddenAreas are the pointers at and under which a secret may stand. Elements of an array
// have no names: one more before it, and the secret stands where another element is
// declared. So an array that holds a secret is hidden whole. What the API copies elsewhere is
// hidden there too.
func hiddenAreas(document map[string]any, secrets []string) []string {
	var areas []string
	for _, secret := range secrets {
		area := firstArray(document, secret)
		areas = append(areas, area)
		areas = append(areas, echoesOf(area)...)
	}
	return areas
}

// firstArray is the pointer of the first array on the way to path, or path.
func firstArray(document map[string]any, path string) string {
	var value any = document
	var below string
	for _, name := range tokens(path) {
		if _, isArray := value.([]any); isArray {
			break
		}
		below = join(below, name)
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return below
}

// echoesOf are the pointers of the fields to which the API copies the one at path, or from
// which it makes it.
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
	// The two forms say the same in fields of other names.
	switch {
	case under(path, []string{forms.kept}):
		copied = append(copied, forms.copied)
	case under(path, []string{forms.copied}):
		copied = append(copied, forms.kept)
	}
	return copied
}
