// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-openapi/jsonpointer"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// origins remember where the values of a document come from that are not written in the definition.
type origins struct {
	account string
	// aliases are the aliases by the JSON pointers of the ids that they stand for.
	aliases map[string]string
	// keys are the keys of Secrets and ConfigMaps by the JSON pointers of spec.valuesFrom.
	keys map[string]string
}

func originsOf(account string, values []Value) origins {
	o := origins{account: account, aliases: map[string]string{}, keys: map[string]string{}}
	for _, v := range values {
		o.keys[v.Path] = v.Key
	}
	return o
}

// key is the key that the value at, above or below a path comes from, "" if it comes from none. What is
// in a value of a key is the key's, aliases included.
func (o origins) key(path string) string {
	for _, at := range slices.Sorted(maps.Keys(o.keys)) {
		if drift.Touches(path, []string{at}) {
			return o.keys[at]
		}
	}
	return ""
}

// alias is the alias of the id at a path, or of the first in the array of ids there.
func (o origins) alias(path string) string {
	if o.key(path) != "" {
		return ""
	}
	for _, at := range slices.Sorted(maps.Keys(o.aliases)) {
		if index, below := strings.CutPrefix(at, path); below && strings.Trim(index, "/0123456789") == "" && strings.Count(index, "/") <= 1 {
			return fmt.Sprintf("alias %q of Account %q", o.aliases[at], o.account)
		}
	}
	return ""
}

// text names where the value at a path comes from, "" if it is the definition.
func (o origins) text(path string) string {
	if key := o.key(path); key != "" {
		return key
	}
	return o.alias(path)
}

// inDefinition are fields that a definition cannot be without, or that it cannot change: to remove them
// or to declare another value is refused.
var inDefinition = []string{"/name", "/_connectionId", "/adaptorType"}

const (
	ignoreIt = "list the path in spec.ignoreDifferences"
	orIgnore = ", or " + ignoreIt
)

// NotAccepted says what the API did not accept, where it comes from, and what helps.
func (d *Desired) NotAccepted(shown []v1alpha1.Difference) string {
	var order []string
	paths := map[string][]string{}
	for _, difference := range shown {
		advice := d.adviceFor(difference)
		if paths[advice] == nil {
			order = append(order, advice)
		}
		paths[advice] = append(paths[advice], difference.Path)
	}
	text := "the API did not accept what is declared: " + describe(shown, len(shown), d.origins.text)
	for _, advice := range order {
		if len(order) > 1 {
			advice = fmt.Sprintf("for %s: %s", problem.SomeOf(paths[advice], mostDescribed), advice)
		}
		text += "; " + advice
	}
	return text
}

// adviceFor is what helps where a value was not accepted.
func (d *Desired) adviceFor(difference v1alpha1.Difference) string {
	path, dropped := difference.Path, difference.Remote == ""
	key, alias := d.origins.key(path), d.origins.alias(path)
	field, twin, hasTwin := drift.Twin(d.Document, path)
	switch {
	case hasTwin:
		return fmt.Sprintf("the API makes %s and %s from each other: declare only one of them", field, twin) + orIgnore
	case key != "" && dropped:
		return "remove it from spec.valuesFrom" + orIgnore
	case key != "":
		return "correct the value in " + key + orIgnore
	case alias != "":
		return fmt.Sprintf("correct %s in spec.aliases", alias) + orIgnore
	case slices.Contains(inDefinition, path), path == "/"+externalIDField && d.Marked:
		return ignoreIt
	case dropped:
		return "remove it from the definition" + orIgnore
	default:
		return "declare what it answers" + orIgnore
	}
}

// Sent is what a write is made of besides the desired document.
type Sent struct {
	// Remote is the remote document, nil in a creation. Its fields that are not declared are sent back.
	Remote map[string]any
	// Ignored are patterns of the fields whose remote values are sent, as in spec.ignoreDifferences,
	// Released the JSON pointers of those that are sent no longer.
	Ignored, Released []string
}

// Explain says of the fields that the API rejects where their values come from, if it is not the
// definition: from an alias, from a Secret or ConfigMap, or from the remote import. all: it explains
// every field. rejected are as the API names them.
func (d *Desired) Explain(rejected []string, sent Sent) (text string, all bool) {
	var parts []string
	all = len(rejected) > 0
	for _, field := range rejected {
		part := d.explain(field, sent)
		all = all && part != ""
		if part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; "), all
}

func (d *Desired) explain(field string, sent Sent) string {
	path := pointerTo(field)
	if path == "" || fields.ServerSets(path) {
		return ""
	}
	from := d.origins.text(path)
	switch declared, stored := drift.Reaches(d.Document, path), drift.Reaches(sent.Remote, path); {
	case stored && drift.Touches(path, sent.Released):
		return field + " is no longer in spec.definition, so it is removed from the remote import: declare it again"
	case declared && stored && drift.Ignores(path, sent.Ignored):
		return field + " is in spec.ignoreDifferences, so it is sent as it is in the remote import: remove it from spec.ignoreDifferences"
	case declared && from != "":
		return fmt.Sprintf("%s comes from %s: correct it there", field, from)
	case !declared && stored:
		return field + " is not in spec.definition, so it is sent as it is in the remote import: declare it with a value that the API accepts"
	default:
		return ""
	}
}

// pointerTo is the JSON pointer of a field that the API names: a pointer, or names and indexes as in
// rdbms.queryType.0 or http.headers[0].value.
func pointerTo(field string) string {
	if strings.HasPrefix(field, "/") {
		return strings.TrimRight(field, "/")
	}
	var path strings.Builder
	for _, name := range strings.FieldsFunc(strings.TrimPrefix(field, "$"), func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		path.WriteString("/" + jsonpointer.Escape(strings.Trim(name, `"'`)))
	}
	return path.String()
}
