// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// YAML is written node by node: numbers keep the digits that the API answered, keys are in an order
// that is easy to read, and text is quoted where any version of YAML would read something else.

// pairs is an object whose keys have an order.
type pairs []pair

type pair struct {
	key   string
	value any
}

func toYAML(document pairs) ([]byte, error) {
	root, err := node(document)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return text.Bytes(), encoder.Close()
}

func node(value any) (*yaml.Node, error) {
	switch typed := value.(type) {
	case pairs:
		object := &yaml.Node{Kind: yaml.MappingNode}
		for _, pair := range typed {
			child, err := node(pair.value)
			if err != nil {
				return nil, err
			}
			object.Content = append(object.Content, textNode(pair.key), child)
		}
		return object, nil
	case map[string]any:
		return node(ordered(typed))
	case []any:
		array := &yaml.Node{Kind: yaml.SequenceNode}
		for _, element := range typed {
			child, err := node(element)
			if err != nil {
				return nil, err
			}
			array.Content = append(array.Content, child)
		}
		return array, nil
	case string:
		return textNode(typed), nil
	case json.Number:
		return numberNode(typed.String()), nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(typed)}, nil
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	default:
		return nil, fmt.Errorf("write the manifest: a %T is not a JSON value", value)
	}
}

// first are the fields that identify an object.
var first = []string{"name", "description", "adaptorType", "_connectionId", "_integrationId", "externalId"}

// ordered returns an object with the identifying fields first, and the others in alphabetical order.
func ordered(object map[string]any) pairs {
	var list pairs
	for _, key := range first {
		if value, ok := object[key]; ok {
			list = append(list, pair{key, value})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(first, key) {
			list = append(list, pair{key, object[key]})
		}
	}
	return list
}

// numberNode keeps the digits of a number. YAML 1.1 reads 1e2 as text, so an exponent is written with
// a point and a sign: 1.0e+2.
func numberNode(number string) *yaml.Node {
	mantissa, exponent, hasExponent := strings.Cut(strings.ToLower(number), "e")
	if !hasExponent {
		tag := "!!int"
		if !isInteger(number) {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: number}
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if exponent[0] != '-' && exponent[0] != '+' {
		exponent = "+" + exponent
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: mantissa + "e" + exponent}
}

// isInteger reports whether YAML reads a number as an integer, which has at most 64 bits.
func isInteger(number string) bool {
	_, signed := strconv.ParseInt(number, 10, 64)
	_, unsigned := strconv.ParseUint(number, 10, 64)
	return signed == nil || unsigned == nil
}

var (
	// plainText matches text that begins with a letter and that every version of YAML reads as text,
	// except for the words below.
	plainText = regexp.MustCompile(`^[\p{L}_$/][\p{L}\p{N}_$/.()+-]*( [\p{L}\p{N}_$/.()+-]+)*$`)
	words     = regexp.MustCompile(`(?i)^(y|yes|n|no|on|off|true|false|null)$`)
)

// textNode quotes text that could be read as something else, and writes text of several lines as a
// block if that keeps every character.
func textNode(text string) *yaml.Node {
	scalar := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	switch {
	case plainText.MatchString(text) && !words.MatchString(text):
	case isBlock(text):
		scalar.Style = yaml.LiteralStyle
	default:
		scalar.Style = yaml.DoubleQuotedStyle
	}
	return scalar
}

// isBlock reports whether text can be written as a block and is read back unchanged: several lines of
// printable characters, with no space at the start or at the end of a line.
func isBlock(text string) bool {
	if !strings.Contains(strings.TrimRight(text, "\n"), "\n") || strings.HasSuffix(text, "\n\n") ||
		strings.ContainsAny(text[:1], " \n\t#") || strings.Contains(text, " \n") || strings.HasSuffix(text, " ") {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && !unicode.IsPrint(r)
	})
}
