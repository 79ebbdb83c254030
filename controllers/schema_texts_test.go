// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// oddTexts are what people and programs put into any text.
var oddTexts = []string{"../x", "a\nb", "-", "@none", "ä\u202e\u0000", "%s%n"}

// oddTimes are how times are written, rightly and almost.
var oddTimes = []string{
	"2020-01-01T00:00:00Z", "2020-01-01T00:00:00.999999999+14:00", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
	"2020-01-01t00:00:00z", "2020-01-01 00:00:00Z", "2020-01-01T00:00:00", "2020-01-01T24:00:00Z", "2020-12-31T23:59:60Z",
	"2020-02-30T00:00:00Z", "2020-01-01T00:00:00+99:99", "2020-01-01T00:00:00+24:00", "2020-01-01T00:00:00,5Z", "2020-01-01T00:00:00x5Z", "2020-01-01", "tomorrow", "",
}

// text makes the cases of a string.
func (m *caseMaker) text(p place) {
	values := map[string]string{}
	switch {
	case len(p.schema.Enum) > 0:
		for _, value := range enumOf(p.schema) {
			m.add(p, fmt.Sprint(value), false, value)
			m.add(p, "nearly "+fmt.Sprint(value), true, strings.ToLower(fmt.Sprint(value)))
		}
		m.add(p, "empty", true, "")
		return
	case p.schema.Format == "date-time":
		for _, value := range oddTimes {
			values[fmt.Sprintf("%q", value)] = value
		}
	case p.schema.Format != "":
		m.unknown = append(m.unknown, p.key+" has the format "+p.schema.Format)
	case p.schema.MaxLength == nil:
		m.unknown = append(m.unknown, p.key+" is a text of any length")
	}
	for _, odd := range oddTexts {
		values[fmt.Sprintf("%q", odd)] = odd
	}
	values["empty"] = ""
	for edge, value := range m.lengths(p) {
		values[edge] = value
	}
	for _, edge := range slices.Sorted(maps.Keys(values)) {
		m.add(p, edge, !takes(p.schema, values[edge]), values[edge])
	}
}

// lengths are texts of the shortest and longest lengths and next to them. Where there is a
// pattern, they are what it takes, with a character less and more.
func (m *caseMaker) lengths(p place) map[string]string {
	values := map[string]string{}
	beside := func(edge, value string) {
		values[edge] = value
		if value != "" {
			values[edge+", first character less"] = value[1:]
			values[edge+", last character less"] = value[:len(value)-1]
		}
		values[edge+", a character more"] = value + "x"
		values[edge+", a line more"] = value + "\n"
	}
	if p.schema.Pattern != "" {
		parsed, err := syntax.Parse(p.schema.Pattern, syntax.Perl)
		if err != nil {
			m.unknown = append(m.unknown, p.key+" has a pattern that is none")
			return nil
		}
		beside("the shortest of its pattern", written(parsed, 0))
		for more := range 3 {
			beside(fmt.Sprintf("a longer one of its pattern (%d)", more), written(parsed, 1<<more))
		}
	}
	for edge, limit := range map[string]*int64{"minLength": p.schema.MinLength, "maxLength": p.schema.MaxLength} {
		if limit == nil {
			continue
		}
		for name, n := range map[string]int64{edge + "-1": *limit - 1, edge: *limit, edge + "+1": *limit + 1} {
			if value := ofLength(p.schema, int(n)); n >= 0 {
				values[name] = value
			}
		}
	}
	return values
}

// ofLength is a text of n characters that the pattern takes, if it can be found.
func ofLength(schema *apiextensionsv1.JSONSchemaProps, n int) string {
	plain := strings.Repeat("x", max(n, 0))
	if schema.Pattern == "" {
		return plain
	}
	parsed, _ := syntax.Parse(schema.Pattern, syntax.Perl) // was parsed before
	for _, unit := range []int{1, 2} {
		start := written(parsed, unit)
		if len(start) == 0 || len(start) > n {
			continue
		}
		// Most patterns take more of their last or of their second last character.
		for at := len(start); at > 0; at-- {
			candidate := start[:at] + strings.Repeat(start[at-1:at], n-len(start)) + start[at:]
			if regexp.MustCompile(schema.Pattern).MatchString(candidate) {
				return candidate
			}
		}
	}
	return plain
}

// takes reports whether the schema accepts a text, as far as this is certain: times have rules of
// their own.
func takes(schema *apiextensionsv1.JSONSchemaProps, value string) bool {
	n := int64(utf8.RuneCountInString(value))
	return (schema.MinLength == nil || n >= *schema.MinLength) && (schema.MaxLength == nil || n <= *schema.MaxLength) &&
		(schema.Pattern == "" || regexp.MustCompile(schema.Pattern).MatchString(value))
}

// written is a text that the expression matches, with everything repeated so many times, as far
// as it may be.
func written(expression *syntax.Regexp, times int) string {
	repeated := func(least, most int) string {
		n := max(least, times)
		if most >= 0 {
			n = min(n, most)
		}
		return strings.Repeat(written(expression.Sub[0], times), n)
	}
	switch expression.Op {
	case syntax.OpLiteral:
		return string(expression.Rune)
	case syntax.OpCharClass:
		// The last of the ranges: letters rather than signs.
		return string(expression.Rune[len(expression.Rune)-1-times%2])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "x"
	case syntax.OpCapture:
		return written(expression.Sub[0], times)
	case syntax.OpStar:
		return repeated(0, -1)
	case syntax.OpPlus:
		return repeated(1, -1)
	case syntax.OpQuest:
		return repeated(0, 1)
	case syntax.OpRepeat:
		return repeated(expression.Min, expression.Max)
	case syntax.OpConcat:
		var all strings.Builder
		for _, part := range expression.Sub {
			all.WriteString(written(part, times))
		}
		return all.String()
	case syntax.OpAlternate:
		return written(expression.Sub[times%len(expression.Sub)], times)
	default: // anchors
		return ""
	}
}

// goodText is a text that the schema takes.
func (m *caseMaker) goodText(schema *apiextensionsv1.JSONSchemaProps, key string) any {
	var value string
	switch {
	case schema.Default != nil:
		_ = json.Unmarshal(schema.Default.Raw, &value) // the API server has read it
	case schema.Format == "date-time":
		value = oddTimes[0]
	case schema.Pattern != "":
		parsed, err := syntax.Parse(schema.Pattern, syntax.Perl)
		if err == nil {
			value = written(parsed, 1)
		}
	default:
		value = "x"
	}
	if !takes(schema, value) {
		m.unknown = append(m.unknown, key+" has no sample")
	}
	return value
}
