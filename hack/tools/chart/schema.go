// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// describe copies the comments of values.yaml into the schema. It fails where a value has no comment or
// no schema, and where the schema has a value that is not there.
func describe(chart string) error {
	content, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
	if err != nil {
		return err
	}
	var values yaml.Node
	if err := yaml.Unmarshal(content, &values); err != nil {
		return err
	}
	file := filepath.Join(chart, "values.schema.json")
	content, err = os.ReadFile(file)
	if err != nil {
		return err
	}
	var schema map[string]any
	if err := json.Unmarshal(content, &schema); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := describeMembers("", values.Content[0], schema); err != nil {
		return err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		return err
	}
	return write(file, text.String())
}

func describeMembers(path string, values *yaml.Node, schema map[string]any) error {
	properties, _ := schema["properties"].(map[string]any)
	var failures []error
	documented := map[string]bool{"global": path == ""}
	for i := 0; i+1 < len(values.Content); i += 2 {
		name, value := values.Content[i], values.Content[i+1]
		member := path + name.Value
		documented[name.Value] = true
		property, found := properties[name.Value].(map[string]any)
		if !found {
			failures = append(failures, fmt.Errorf("values.schema.json does not have %s", member))
			continue
		}
		if description := description(name.HeadComment); description != "" {
			property["description"] = description
			continue
		}
		if _, described := property["properties"]; !described || len(value.Content) == 0 {
			failures = append(failures, fmt.Errorf("%s has no comment in values.yaml", member))
			continue
		}
		failures = append(failures, describeMembers(member+".", value, property))
	}
	for name := range properties {
		if !documented[name] {
			failures = append(failures, fmt.Errorf("values.yaml does not have %s%s", path, name))
		}
	}
	return errors.Join(failures...)
}

// directive is what helm-docs is told in a comment: a type in front, and lines that begin with "@".
var directive = regexp.MustCompile(`(?m)^\([a-z/]+\) |^# @.*$`)

// description is the text of a comment that helm-docs reads: it begins with "# --".
func description(comment string) string {
	_, text, found := strings.Cut(comment, "# -- ")
	if !found {
		return ""
	}
	text = directive.ReplaceAllString(text, "")
	return strings.TrimSpace(strings.ReplaceAll(text, "\n# ", " "))
}
