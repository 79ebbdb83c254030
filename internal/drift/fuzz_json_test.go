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
