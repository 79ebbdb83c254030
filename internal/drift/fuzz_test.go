// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
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

// meaningOf decodes a document with encoding/json, after each of its texts and names was replaced by the
// UTF-16 code units that it stands for. A byte that is not valid UTF-8 stands for itself.
func meaningOf(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var plain []byte
	for len(text) > 0 {
		if text[0] != '"' {
			plain, text = append(plain, text[0]), text[1:]
			continue
		}
		plain, text = append(plain, '"'), text[1:]
		for text[0] != '"' {
			var units string
			units, text = unitsOf(text)
			plain = append(plain, units...)
		}
		plain, text = append(plain, '"'), text[1:]
	}
	var meaning map[string]any
	decoder := json.NewDecoder(bytes.NewReader(plain))
	decoder.UseNumber()
	if err := decoder.Decode(&meaning); err != nil {
		t.Fatal(err)
	}
	return meaning
}

// unitsOf gives the code units of what a quoted text begins with, and what follows it.
func unitsOf(quoted []byte) (units string, rest []byte) {
	character, size := utf8.DecodeRune(quoted)
	switch {
	case quoted[0] == '\\' && quoted[1] == 'u':
		return strings.ToLower(string(quoted[2:6])) + " ", quoted[6:]
	case quoted[0] == '\\':
		character, size = map[byte]rune{'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9}[quoted[1]], 2
		if character == 0 {
			character = rune(quoted[1])
		}
	case character == utf8.RuneError && size == 1:
		return fmt.Sprintf("raw %02x ", quoted[0]), quoted[1:]
	}
	for _, unit := range utf16.Encode([]rune{character}) {
		units += fmt.Sprintf("%04x ", unit)
	}
	return units, quoted[size:]
}

// FuzzParse: what is a JSON object is read, nothing else, and it is written again as it was,
// to the spelling of its numbers and to texts that are no Unicode. What is shown of it is Unicode.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string, limit uint8) {
		document, err := Parse([]byte(text))
		object := json.Valid([]byte(text)) && strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{")
		if object != (err == nil) {
			t.Fatalf("a JSON object: %t, error: %v", object, err)
		}
		if err != nil {
			return
		}
		encoded, err := Encode(document)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(document, again); diff != "" {
			t.Errorf("written and read again: -want, +got:\n%s", diff)
		}
		if diff := cmp.Diff(meaningOf(t, []byte(text)), meaningOf(t, encoded)); diff != "" {
			t.Errorf("written with another meaning: -want, +got:\n%s", diff)
		}
		var usual bytes.Buffer
		encoder := json.NewEncoder(&usual)
		encoder.SetEscapeHTML(false)
		// encoding/json has its escape where a text is no Unicode.
		if err := encoder.Encode(document); err != nil || !strings.Contains(usual.String(), `\ufffd`) && usual.String() != string(encoded)+"\n" {
			t.Errorf("%v, encoding/json writes %s, not %s", err, &usual, encoded)
		}
		if short := Text(document, int(limit)); len(short) > max(int(limit), len("…")) || !utf8.ValidString(short) {
			t.Errorf("cut to %d bytes: %q", limit, short)
		}
		fields := Fields(document)
		if !slices.IsSorted(fields) || len(slices.Compact(slices.Clone(fields))) != len(fields) {
			t.Errorf("fields are not sorted, or double: %q", fields)
		}
		for _, field := range fields {
			if shown := Cut(field, int(limit)); len(shown) > max(int(limit), len("…")) || !utf8.ValidString(shown) {
				t.Errorf("cut to %d bytes: %q", limit, shown)
			}
			if !Has(document, field) {
				t.Errorf("there is no field %q", field)
			}
		}
		for _, field := range fields {
			Remove(document, field)
		}
		if len(document) > 0 {
			t.Errorf("without its fields there is left %s", Text(document, 1000))
		}
	})
}

// FuzzNumbers: numbers are equal when their values are, as exact arithmetic has it.
func FuzzNumbers(f *testing.F) {
	f.Fuzz(func(t *testing.T, one, other string) {
		var values [2]*big.Rat
		one, other = strings.TrimSpace(one), strings.TrimSpace(other)
		for i, text := range []string{one, other} {
			var number json.Number
			if len(text) > 100 || text == "" || text[0] == '"' || json.Unmarshal([]byte(text), &number) != nil || number == "" {
				t.Skip("not a number")
			}
			if !EqualNumbers(number.String(), number.String()) {
				t.Errorf("%s is not equal to itself", number)
			}
			_, power, _ := strings.Cut(strings.ToLower(number.String()), "e")
			if exponent, err := strconv.Atoi(power); power != "" && (err != nil || exponent < -1000 || exponent > 1000) {
				t.Skip("too much for exact arithmetic")
			}
			value, ok := new(big.Rat).SetString(number.String())
			if !ok {
				t.Fatalf("%s is no number", number)
			}
			values[i] = value
		}
		want := values[0].Cmp(values[1]) == 0
		if got := EqualNumbers(one, other); got != want {
			t.Errorf("%s and %s: equal %t, want %t", one, other, got, want)
		}
		if EqualNumbers(one, other) != EqualNumbers(other, one) {
			t.Errorf("%s and %s: the order counts", one, other)
		}
	})
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

// FuzzTrack: with little room for what is owned, the same fields are released as with the full list, except
// for at most as many as are untracked, and never one that the list does not have.
func FuzzTrack(f *testing.F) {
	f.Fuzz(func(t *testing.T, formerText, laterText, declaredText, remoteText, ignoreText string, pointerRoom, byteRoom, hashRoom uint8) {
		documents := fuzzed(t, formerText, laterText, declaredText, remoteText)
		former, later, declared, remote := Fields(documents[0]), Fields(documents[1]), documents[2], documents[3]
		ignore := pointers(ignoreText)
		little := room{pointers: int(pointerRoom), bytes: int(byteRoom), hashes: int(hashRoom)}

		owned := little.track(nil, former, ignore)
		law := func(what string, owned Owned, full []string) {
			t.Helper()
			if len(owned.Fields) > little.pointers || len(Text(owned.Fields, 1<<30)) > little.bytes+len("null") || len(owned.Hashes) > hashSize*little.hashes {
				t.Errorf("%s: more than %+v: %+v", what, little, owned)
			}
			lost := 0
			for _, path := range full {
				if !owned.Has(path) {
					lost++
				}
			}
			if lost > owned.Untracked || owned.Untracked > len(full) {
				t.Errorf("%s: %d fields are lost, and %d untracked", what, lost, owned.Untracked)
			}
			want, got := Released(full, declared, remote, ignore), Released(owned.Among(remote), declared, remote, ignore)
			if owned.Untracked == 0 && !slices.Equal(got, want) {
				t.Errorf("%s: released %q, want %q", what, got, want)
			}
			for _, path := range got {
				if !slices.Contains(want, path) {
					t.Errorf("%s: released %s, which nobody declared", what, path)
				}
			}
		}
		law("tracked", owned, former)
		law("with more", little.add(owned, later, ignore), slices.Compact(slices.Sorted(slices.Values(slices.Concat(former, later)))))
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
	for _, name := range tokens(path) {
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
