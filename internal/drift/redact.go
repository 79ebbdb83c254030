// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import "strings"

// hidden stands for a value that is not shown.
type hidden string

// Redacted stands in the place of a value that holds, or could hold, a secret.
const Redacted = hidden("(redacted)")

// Redact hides the values of the differences at, under and above the secrets of a document,
// so that the result can be shown and hashed. secrets are JSON pointers. found is not changed.
func Redact(found []Difference, document map[string]any, secrets []string) []Difference {
	if len(secrets) == 0 {
		return found
	}
	areas := hiddenAreas(document, secrets)
	shown := make([]Difference, len(found))
	for i, difference := range found {
		if Touches(difference.Path, areas) {
			difference.Declared, difference.Remote = redacted(difference.Declared), redacted(difference.Remote)
		}
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
	var at any = document
	var below string
	for _, name := range tokens(path) {
		if _, isArray := at.([]any); isArray {
			break
		}
		below = join(below, name)
		object, _ := at.(map[string]any)
		at = object[name]
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
