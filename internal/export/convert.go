// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-openapi/jsonpointer"

	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

var (
	// masked is what the API, or a tool before it, shows instead of a secret.
	masked = regexp.MustCompile(`^\*{6,}$`)
	// credential matches names of headers and parameters whose values are credentials.
	credential = regexp.MustCompile(`(?i)(^authorization$|cookie|token|secret|passw|api[-_]?key)`)
	// data are the fields that hold records: asterisks in them hide nothing.
	data = []string{"sampleData", "sampleResponseData", "mockResponse"}
)

// converter makes spec.definition of a document.
type converter struct {
	adopt bool
	// aliases by id.
	aliases map[string]string
	// remarks are paths by the remark that is made about them.
	remarks map[string][]string
	// undeclarable are the paths of arrays that cannot be declared: an array is declared as a whole, and
	// something in these cannot be.
	undeclarable map[string]bool
}

func (c *converter) definition(document map[string]any) map[string]any {
	c.remarks, c.undeclarable = map[string][]string{}, map[string]bool{}
	drift.WithoutEchoes(document)
	fields.LeaveOut(document)
	for _, path := range drift.WriteOnly {
		c.hide(document, path[1:])
	}
	if externalID, _ := document["externalId"].(string); ownership.IsMarker(externalID) {
		delete(document, "externalId")
	}
	for field, value := range document {
		// The schema of a base field refuses a null or an empty id, and both mean nothing.
		if value == nil || value == "" {
			delete(document, field)
			continue
		}
		w, path := walk{converter: c, data: slices.Contains(data, field)}, "/"+jsonpointer.Escape(field)
		if kept, keep := w.value(path, field, value); keep && (isUnicode(field) || w.remark(notUnicode, path, false)) {
			document[field] = kept
		} else {
			delete(document, field)
		}
	}
	return document
}

// hide removes a field and remarks on what was in it.
func (c *converter) hide(document map[string]any, field string) {
	value, ok := document[field]
	delete(document, field)
	if !ok || value == nil {
		return
	}
	c.remarks[secret] = append(c.remarks[secret], drift.Fields(map[string]any{field: value})...)
}

// walk goes through one field of the document.
type walk struct {
	*converter
	// data: the field holds records.
	data bool
	// array is the path of the outermost array that the walk is in, "" outside of any.
	array string
}

// value is a value as it can be declared. keep is false when it cannot be. key is the name of
// the field that it is, or is an element of.
func (w walk) value(path, key string, value any) (kept any, keep bool) {
	switch typed := value.(type) {
	case map[string]any:
		w.checkCredential(path, typed)
		for name, child := range typed {
			below := path + "/" + jsonpointer.Escape(name)
			if kept, keep := w.value(below, name, child); keep && (isUnicode(name) || w.remark(notUnicode, below, false)) {
				typed[name] = kept
			} else {
				delete(typed, name)
			}
		}
		return typed, true
	case []any:
		if w.array == "" {
			w.array = path
		}
		for i, child := range typed {
			// A null holds the place of an element that cannot be declared.
			typed[i], _ = w.value(path+"/"+strconv.Itoa(i), key, child)
		}
		return typed, !w.undeclarable[path]
	case string:
		return w.text(path, key, typed)
	case json.Number:
		if exact(typed) {
			return typed, true
		}
		if !w.adopt {
			return typed, w.remark(rounded, path, true)
		}
		return nil, w.remark(tooPrecise, path, false)
	default:
		return value, true
	}
}

func (w walk) text(path, key, value string) (kept any, keep bool) {
	switch {
	case masked.MatchString(value) && !w.data:
		return nil, w.remark(secret, path, false)
	case !isUnicode(value):
		return nil, w.remark(notUnicode, path, false)
	case !drift.IDField.MatchString(key):
		return value, true
	case strings.HasPrefix(value, "@"):
		return nil, w.remark(notAlias, path, false)
	case w.aliases[strings.ToLower(value)] != "":
		return "@" + w.aliases[strings.ToLower(value)], true
	default:
		return value, true
	}
}

// remark notes something of a path and returns keep. When it is in an array and is not kept,
// the array would be declared without it: that is right for a copy, to which it can be
// given, and drift for the import that has it.
func (w walk) remark(why, path string, keep bool) bool {
	if !keep && w.adopt && w.array != "" {
		w.undeclarable[w.array] = true
		path += " (and with it all of " + w.array + ")"
	}
	w.remarks[why] = append(w.remarks[why], path)
	return keep
}

// checkCredential finds {name, value} with the name of a credential and a value in plain text. A mask
// is none, nor is a template that is filled in when the import runs.
func (w walk) checkCredential(path string, object map[string]any) {
	name, _ := object["name"].(string)
	value, _ := object["value"].(string)
	if !w.data && credential.MatchString(name) && value != "" && !masked.MatchString(value) && !strings.Contains(value, "{{") {
		w.remarks[plain] = append(w.remarks[plain], path+"/value")
	}
}

// isUnicode reports whether a text survives the Kubernetes API, which holds only valid UTF-8. A value
// of another kind does.
func isUnicode(value any) bool {
	text, _ := value.(string)
	return utf8.ValidString(text)
}

// exact reports whether a number survives the Kubernetes API, which holds it in 64 bits.
func exact(number json.Number) bool {
	if _, err := strconv.ParseInt(number.String(), 10, 64); err == nil {
		return true
	}
	float, err := strconv.ParseFloat(number.String(), 64)
	return err == nil && drift.EqualNumbers(number.String(), strconv.FormatFloat(float, 'g', -1, 64))
}
