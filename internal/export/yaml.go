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

// YAML is written node by node: numbers with the digits that the API gave, keys in an order
// to read, and no string that some version of YAML takes for something else.

// pairs is an object whose order is kept.
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
		return nil, fmt.Errorf("write the manifest: a %T is no JSON value", value)
	}
}

// first are the fields that say what an object is.
var first = []string{"name", "description", "adaptorType", "_connectionId", "_integrationId", "externalId"}

// ordered is an object with what it is called first, and then by the alphabet.
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

// numberNode keeps a number as it is written. YAML 1.1 reads 1e2 as text unless there is a
// point and a sign: 1.0e+2.
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

// isInteger reports whether YAML reads a number as an integer: beyond 64 bits it does not.
func isInteger(number string) bool {
	_, signed := strconv.ParseInt(number, 10, 64)
	_, unsigned := strconv.ParseUint(number, 10, 64)
	return signed == nil || unsigned == nil
}

var (
	// plainText is text that is nothing else in any version of YAML, once the words are
	// taken out that are: it begins with a letter.
	plainText = regexp.MustCompile(`^[\p{L}_$/][\p{L}\p{N}_$/.()+-]*( [\p{L}\p{N}_$/.()+-]+)*$`)
	words     = regexp.MustCompile(`(?i)^(y|yes|n|no|on|off|true|false|null)$`)
)

// textNode quotes whatever could be read as anything but itself, and writes text of several
// lines as a block where that keeps every character.
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

// isBlock reports whether text reads well, and unchanged, as a block: several lines of
// printable characters, without space at the ends of lines or at the start.
func isBlock(text string) bool {
	if !strings.Contains(strings.TrimRight(text, "\n"), "\n") || strings.HasSuffix(text, "\n\n") ||
		strings.ContainsAny(text[:1], " \n\t#") || strings.Contains(text, " \n") || strings.HasSuffix(text, " ") {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && !unicode.IsPrint(r)
	})
}
