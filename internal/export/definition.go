// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-openapi/jsonpointer"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

var (
	// masked is what the API, or an export by another tool, has in place of a secret.
	masked = regexp.MustCompile(`^\*{6,}$`)
	// credential matches names of headers and parameters whose values are credentials.
	credential = regexp.MustCompile(`(?i)(^authorization$|cookie|token|secret|passw|api[-_]?key)`)
	// data are the fields that contain records: asterisks in them are no masks.
	data = []string{"sampleData", "sampleResponseData", "mockResponse"}
)

// definition makes spec.definition from a document.
type definition struct {
	adopt bool
	// aliases by id.
	aliases map[string]string
	// remarks are the paths that need a note, by the note.
	remarks map[string][]string
	// undeclarable are the paths of arrays that cannot be declared: an array is declared as a whole,
	// and a part of it cannot be declared.
	undeclarable map[string]bool
}

func (d *definition) of(document map[string]any) map[string]any {
	d.remarks, d.undeclarable = map[string][]string{}, map[string]bool{}
	drift.WithoutEchoes(document)
	for _, field := range drift.ServerOwned {
		delete(document, field)
	}
	for _, path := range drift.WriteOnly {
		d.hide(document, path[1:])
	}
	if marker, _ := document["externalId"].(string); strings.HasPrefix(marker, v1alpha1.MarkerPrefix) {
		delete(document, "externalId")
	}
	for field, value := range document {
		// The CRD's schema refuses a null or an empty id in a base field. Neither has a meaning.
		if value == nil || value == "" {
			delete(document, field)
			continue
		}
		w := walk{definition: d, data: slices.Contains(data, field)}
		if kept, keep := w.value("/"+jsonpointer.Escape(field), field, value); keep {
			document[field] = kept
		} else {
			delete(document, field)
		}
	}
	return document
}

// hide removes a field, and notes the paths of what was in it.
func (d *definition) hide(document map[string]any, field string) {
	value, ok := document[field]
	delete(document, field)
	if !ok || value == nil {
		return
	}
	d.remarks[secret] = append(d.remarks[secret], drift.Fields(map[string]any{field: value})...)
}

// walk visits one field of the document.
type walk struct {
	*definition
	// data reports whether the field contains records.
	data bool
	// array is the path of the outermost array around the current value, "" if there is none.
	array string
}

// value returns a value as it can be declared. keep is false if it cannot be declared. key is the name
// of the field of which it is the value or an element.
func (w walk) value(path, key string, value any) (kept any, keep bool) {
	switch typed := value.(type) {
	case map[string]any:
		w.noteCredential(path, typed)
		for name, child := range typed {
			if kept, keep := w.value(path+"/"+jsonpointer.Escape(name), name, child); keep {
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
			// null replaces an element that cannot be declared, so that the others keep their index.
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
	case !drift.IDField.MatchString(key):
		return value, true
	case strings.HasPrefix(value, "@"):
		return nil, w.remark(notAlias, path, false)
	case w.aliases[value] != "":
		return "@" + w.aliases[value], true
	default:
		return value, true
	}
}

// remark adds a note about a path and returns keep. If a value in an array is not kept, the array would
// be declared without it. For a new import the value can be set later. For an import to adopt it would
// be drift, so the whole array is left out.
func (w walk) remark(why, path string, keep bool) bool {
	if !keep && w.adopt && w.array != "" {
		w.undeclarable[w.array] = true
		path += " (and with it all of " + w.array + ")"
	}
	w.remarks[why] = append(w.remarks[why], path)
	return keep
}

// noteCredential notes a {name, value} whose name is that of a credential, unless the value is a
// template that is filled in when the import runs.
func (w walk) noteCredential(path string, object map[string]any) {
	name, _ := object["name"].(string)
	value, _ := object["value"].(string)
	if !w.data && credential.MatchString(name) && value != "" && !masked.MatchString(value) && !strings.Contains(value, "{{") {
		w.remarks[plain] = append(w.remarks[plain], path+"/value")
	}
}

// exact reports whether the Kubernetes API, which stores a number in 64 bits, keeps its value.
func exact(number json.Number) bool {
	if _, err := strconv.ParseInt(number.String(), 10, 64); err == nil {
		return true
	}
	float, err := strconv.ParseFloat(number.String(), 64)
	return err == nil && drift.EqualNumbers(number.String(), strconv.FormatFloat(float, 'g', -1, 64))
}
