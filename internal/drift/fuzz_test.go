// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// fuzzed reads documents, and passes over an input that has another.
func fuzzed(t *testing.T, texts ...string) []map[string]any {
	t.Helper()
	documents := make([]map[string]any, len(texts))
	for i, text := range texts {
		document, err := Parse([]byte(text))
		if err != nil {
			t.Skip("not a document")
		}
		documents[i] = document
	}
	return documents
}

// pointers are the lines of a text that can be pointers of fields.
func pointers(text string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "/") {
			found = append(found, line)
		}
	}
	return found
}

// unchanged gives a check that a value is still what it was.
func unchanged(t *testing.T, what string, value map[string]any) func() {
	before := clone(value)
	return func() {
		t.Helper()
		if diff := cmp.Diff(before, any(value)); diff != "" {
			t.Errorf("%s was changed: -before, +after:\n%s", what, diff)
		}
	}
}

// scramble changes all that can be changed in a value.
func scramble(value any) {
	switch typed := value.(type) {
	case map[string]any:
		for key, child := range typed {
			scramble(child)
			typed[key] = "scrambled"
		}
	case []any:
		for i, child := range typed {
			scramble(child)
			typed[i] = "scrambled"
		}
	}
}

// FuzzSet: the value stands where it was put and everywhere else is what was, or nothing was
// changed and the error shows nothing of the document.
func FuzzSet(f *testing.F) {
	const value = "the value"
	f.Fuzz(func(t *testing.T, text, path string) {
		document := fuzzed(t, text)[0]
		before := clone(document).(map[string]any)
		err := Set(document, path, value)
		if err != nil {
			if diff := cmp.Diff(before, document); diff != "" {
				t.Errorf("%v, and the document was changed: -before, +after:\n%s", err, diff)
			}
			if strings.Contains(err.Error(), value) && !strings.Contains(path, value) || len(err.Error()) > 3*len(path)+300 || utf8.ValidString(path) && !utf8.ValidString(err.Error()) {
				t.Errorf("the error is %q", err)
			}
			return
		}
		if got := at(document, path); got != value {
			t.Errorf("%q has %v", path, got)
		}
		// To put back what was there gives the document that was, but for the objects on the way.
		if old := at(before, path); old != nil {
			if err := Set(document, path, old); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, document); diff != "" {
				t.Errorf("more was changed than %q: -before, +after:\n%s", path, diff)
			}
			return
		}
		for _, difference := range Compare(before, document, nil) {
			if !Touches(difference.Path, []string{path}) {
				t.Errorf("more was changed than %q: %+v", path, difference)
			}
		}
	})
}

// FuzzMerge: the laws of Compare, Merge and Released, for any three documents: what was
// declared before, what is declared, and what the remote has.
func FuzzMerge(f *testing.F) {
	f.Fuzz(func(t *testing.T, formerText, declaredText, remoteText, ignoreText string) {
		documents := fuzzed(t, formerText, declaredText, remoteText)
		former, declared, remote := documents[0], documents[1], documents[2]
		ignore := pointers(ignoreText)
		same := []func(){unchanged(t, "declared", declared), unchanged(t, "remote", remote)}

		for _, document := range documents {
			if found := Compare(document, document, nil); len(found) > 0 {
				t.Errorf("a document differs from itself: %+v", found)
			}
		}
		for _, difference := range Compare(declared, remote, ignore) {
			if Ignores(difference.Path, ignore) {
				t.Errorf("%s is to be ignored, and differs", difference.Path)
			}
			if !cmp.Equal(difference.Declared, at(declared, difference.Path)) || !cmp.Equal(difference.Remote, at(remote, difference.Path)) {
				t.Errorf("%s has other values than %+v", difference.Path, difference)
			}
		}

		merged := Merge(nil, declared, remote, nil)
		if found := Compare(declared, merged, nil); len(found) > 0 {
			t.Errorf("what was merged differs: %+v", found)
		}
		mergedByTheBook(t, "", declared, remote, merged)
		undeclaredAsRead(t, declaredText, remoteText, merged)
		if diff := cmp.Diff(merged, Merge(nil, declared, merged, nil)); diff != "" {
			t.Errorf("merged twice: -once, +twice:\n%s", diff)
		}

		released := Released(Fields(former), declared, remote, ignore)
		partly := Merge(released, declared, remote, ignore)
		if found := Compare(declared, partly, ignore); len(found) > 0 {
			t.Errorf("what was merged differs where it is not ignored: %+v", found)
		}
		ignoredAsRead(t, "", declared, true, false, remote, partly, ignore)
		for _, pattern := range Unmatched(ignore, declared, remote) {
			if diff := cmp.Diff(partly, Merge(released, declared, remote, slices.DeleteFunc(slices.Clone(ignore), func(kept string) bool { return kept == pattern }))); diff != "" {
				t.Errorf("%q matches nothing, and without it another document is merged: -with, +without:\n%s", pattern, diff)
			}
		}
		if diff := cmp.Diff(partly, Merge(released, declared, partly, ignore)); diff != "" {
			t.Errorf("merged twice, with what is ignored: -once, +twice:\n%s", diff)
		}
		for _, field := range released {
			if Ignores(field, ignore) || Has(declared, field) || !Has(remote, field) || Has(partly, field) {
				t.Errorf("%s was released", field)
			}
		}
		if left := Released(Fields(former), declared, partly, ignore); len(left) > 0 {
			t.Errorf("still to be released: %q", left)
		}
		for _, check := range same {
			check()
		}
		scramble(merged)
		scramble(partly)
		for _, check := range same {
			check()
		}
	})
}

// mergedByTheBook walks the three documents: what is declared is there as it is spelled, and
// what nobody declared is as the remote has it.
func mergedByTheBook(t *testing.T, path string, declared, remote, merged map[string]any) {
	t.Helper()
	for key, value := range remote {
		if _, ok := declared[key]; !ok && !cmp.Equal(value, merged[key]) {
			t.Errorf("%s/%s was not declared: the remote has %v, merged is %v", path, key, value, merged[key])
		}
	}
	for key := range merged {
		_, one := declared[key]
		if _, other := remote[key]; !one && !other {
			t.Errorf("%s/%s comes from nowhere", path, key)
		}
	}
	for key, value := range declared {
		object, isObject := value.(map[string]any)
		below, _ := merged[key].(map[string]any)
		if !isObject || below == nil {
			if !cmp.Equal(value, merged[key]) {
				t.Errorf("%s/%s: %v was declared, merged is %v", path, key, value, merged[key])
			}
			continue
		}
		other, _ := remote[key].(map[string]any)
		mergedByTheBook(t, path+"/"+key, object, other, below)
	}
}

// undeclaredAsRead: as it is sent, what was not declared means what it means in the answer.
func undeclaredAsRead(t *testing.T, declaredText, remoteText string, merged map[string]any) {
	t.Helper()
	encoded, err := Encode(merged)
	if err != nil {
		t.Fatal(err)
	}
	declared, sent := meaningOf(t, []byte(declaredText)), meaningOf(t, encoded)
	for name, value := range meaningOf(t, []byte(remoteText)) {
		if _, ok := declared[name]; !ok && !cmp.Equal(value, sent[name]) {
			t.Errorf("%s was not declared, the answer has %v, and %v is sent", name, value, sent[name])
		}
	}
}

// ignoredAsRead: what is ignored is in the merged value as the remote has it, unless what it is in is
// declared as another kind of value, or as a shorter array. whole: an array above is declared, so that
// everything is that is not there.
func ignoredAsRead(t *testing.T, path string, declared any, isDeclared, whole bool, remote, merged any, ignore []string) {
	t.Helper()
	if path != "" && Ignores(path, ignore) {
		if !cmp.Equal(remote, merged) {
			t.Errorf("%s is ignored, and %v was changed to %v", path, remote, merged)
		}
		return
	}
	isDeclared = isDeclared || whole
	switch typed := remote.(type) {
	case map[string]any:
		object, isObject := declared.(map[string]any)
		below, _ := merged.(map[string]any)
		for key, child := range typed {
			value, ok := object[key]
			if !isDeclared || isObject || declared == nil {
				ignoredAsRead(t, join(path, key), value, ok, whole || isDeclared && declared == nil, child, below[key], ignore)
			}
		}
	case []any:
		array, isArray := declared.([]any)
		below, _ := merged.([]any)
		for i, child := range typed {
			var value, kept any
			if i < len(array) {
				value = array[i]
			}
			if i < len(below) {
				kept = below[i]
			}
			if !isDeclared || (isArray || declared == nil) && (i < len(array) || lengthsAgree(path, array, typed, ignore)) {
				ignoredAsRead(t, path+"/"+strconv.Itoa(i), value, i < len(array), isDeclared, child, kept, ignore)
			}
		}
	}
}

// FuzzRedact: no text of a secret is shown, in values or in names, and what is shown is as it is.
func FuzzRedact(f *testing.F) {
	f.Fuzz(func(t *testing.T, declaredText, remoteText, secretText string) {
		documents := fuzzed(t, declaredText, remoteText)
		declared, remote := documents[0], documents[1]
		secrets := pointers(secretText)
		found := Compare(declared, remote, nil)
		before := slices.Clone(found)
		shown := Redact(found, declared, secrets)
		if diff := cmp.Diff(before, found); diff != "" {
			t.Errorf("the argument was changed: -before, +after:\n%s", diff)
		}
		if len(shown) != len(found) {
			t.Fatalf("%d differences of %d", len(shown), len(found))
		}
		var texts []string
		for _, secret := range secrets {
			texts = secretsByTheBook(texts, at(declared, secret))
		}
		for i, difference := range shown {
			for _, text := range texts {
				if standsIn(nameable(difference.Path), text) || standsIn(difference.Declared, text) || standsIn(difference.Remote, text) {
					t.Errorf("%s shows the secret %q: %s, %s", difference.Path, text, Text(difference.Declared, 300), Text(difference.Remote, 300))
				}
			}
			hidden := difference.Declared == Redacted || difference.Remote == Redacted
			switch {
			case Touches(difference.Path, secrets) && (difference.Declared != nil && difference.Declared != Redacted || difference.Remote != nil && difference.Remote != Redacted):
				t.Errorf("%s is shown, beside the secrets %q", difference.Path, secrets)
			case !hidden && !cmp.Equal(found[i], difference):
				t.Errorf("%+v is shown as %+v", found[i], difference)
			case (difference.Declared == nil) != (found[i].Declared == nil), (difference.Remote == nil) != (found[i].Remote == nil):
				t.Errorf("%+v is shown as %+v: an absent value is not hidden", found[i], difference)
			}
		}
	})
}

// nameable is a path as the names that it consists of.
func nameable(path string) any {
	names := []any{}
	for _, name := range fields.Tokens(path) {
		names = append(names, name)
	}
	return names
}

// secretsByTheBook adds the texts and numbers in a secret that are long enough to search for.
func secretsByTheBook(texts []string, secret any) []string {
	switch typed := secret.(type) {
	case map[string]any:
		for _, child := range typed {
			texts = secretsByTheBook(texts, child)
		}
	case []any:
		for _, child := range typed {
			texts = secretsByTheBook(texts, child)
		}
	case string:
		if len(typed) >= 8 {
			texts = append(texts, typed)
		}
	case json.Number:
		if len(typed) >= 8 {
			texts = append(texts, typed.String())
		}
	}
	return texts
}

// standsIn reports whether a text is in a value, as a part of a text, a number or a name.
func standsIn(value any, text string) bool {
	switch typed := value.(type) {
	case map[string]any:
		for name, child := range typed {
			if strings.Contains(name, text) || standsIn(child, text) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(typed, func(child any) bool { return standsIn(child, text) })
	case string:
		return strings.Contains(typed, text)
	case json.Number:
		return strings.Contains(typed.String(), text)
	}
	return false
}
