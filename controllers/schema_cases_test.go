// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// schemaCase is a good spec but for one value, at the edge of what its schema takes or beyond it.
type schemaCase struct {
	// path of the field as the API server writes it: spec.valuesFrom[0].path.
	path string
	// edge says what is special about the value.
	edge string
	// refused: the schema does not accept it. Rules over several fields may refuse others.
	refused bool
	spec    map[string]any
}

func (c schemaCase) String() string { return c.path + ", " + c.edge }

// samples are values that a schema cannot tell: by the path of the field, with [] for the
// elements of an array and {} for those of a map. n differs from call to call.
type samples map[string]func(n int) any

// caseMaker makes the cases of one kind from its schema alone.
type caseMaker struct {
	samples samples
	cases   []schemaCase
	made    int
	seen    map[string]bool
	// unknown are the fields for which there is neither a rule nor a sample.
	unknown []string
}

// schemaCases makes one case for every value of every enum, both sides of every bound, every
// field absent, empty, present and of each wrong type, and all combinations of the enums and
// booleans that stand side by side. good is the spec that all of them begin with.
func schemaCases(schema *apiextensionsv1.JSONSchemaProps, good map[string]any, of samples) (cases []schemaCase, unknown []string) {
	m := &caseMaker{samples: of, seen: map[string]bool{}}
	m.object(place{schema: schema, path: "spec", key: "spec", current: good, put: func(value any) map[string]any {
		spec, _ := value.(map[string]any)
		return spec
	}})
	return m.cases, m.unknown
}

// place is where a value stands in a spec.
type place struct {
	schema *apiextensionsv1.JSONSchemaProps
	// path is as errors write it, key as samples do.
	path, key string
	// current is a good value.
	current any
	// put makes a good spec with another value here.
	put func(value any) map[string]any
}

func (m *caseMaker) add(p place, edge string, refused bool, value any) {
	spec := p.put(value)
	if spec == nil {
		return
	}
	spec = runtime.DeepCopyJSON(spec)
	// What was made already, as every optional field that is absent, is not made again.
	raw, err := json.Marshal(spec)
	if err != nil || m.seen[string(raw)] {
		return
	}
	m.seen[string(raw)] = true
	m.cases = append(m.cases, schemaCase{path: p.path, edge: edge, refused: refused, spec: spec})
}

// known are the keywords of a schema that have a rule here, or that say nothing about values.
var known = []string{"description", "default", "type", "format", "enum", "nullable", "pattern", "minLength", "maxLength", "minimum", "maximum",
	"minItems", "maxItems", "items", "properties", "required", "maxProperties", "additionalProperties",
	"x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-validations"}

// value makes the cases of one field.
func (m *caseMaker) value(p place) {
	var keywords map[string]any
	if raw, err := json.Marshal(p.schema); err != nil || json.Unmarshal(raw, &keywords) != nil {
		m.unknown = append(m.unknown, p.key)
		return
	}
	for _, keyword := range slices.Sorted(maps.Keys(keywords)) {
		if !slices.Contains(known, keyword) {
			m.unknown = append(m.unknown, p.key+" has "+keyword)
		}
	}
	m.types(p)
	switch p.schema.Type {
	case "object":
		m.object(p)
	case "array":
		m.array(p)
	case "string":
		m.text(p)
	case "integer":
		m.integer(p)
	case "boolean":
		m.add(p, "true", false, true)
		m.add(p, "false", false, false)
	case "":
		if !isTrue(p.schema.XPreserveUnknownFields) {
			m.unknown = append(m.unknown, p.key+" has no type")
		}
		if len(p.schema.Properties) > 0 || p.schema.Items != nil {
			m.add(p, "with everything that is described in it, each a number", false, described(p.schema))
		}
	default:
		m.unknown = append(m.unknown, p.key+" is of type "+p.schema.Type)
	}
}

// types puts a value of each type there. A null that the schema does not take is as good as
// no value.
func (m *caseMaker) types(p place) {
	for _, other := range []struct {
		kind  string
		value any
	}{{"string", "text"}, {"integer", int64(7)}, {"number", 1.5}, {"boolean", true}, {"array", []any{"text"}}, {"object", map[string]any{"a": "b"}}} {
		// Where any type is accepted, one is as good as another.
		if other.kind != p.schema.Type && (p.schema.Type != "" || other.kind == "integer") {
			m.add(p, "of type "+other.kind, p.schema.Type != "", other.value)
		}
	}
	m.add(p, "null", false, nil)
}

// described is a value with all fields that a schema without types describes, each a number.
func described(schema *apiextensionsv1.JSONSchemaProps) any {
	switch {
	case schema.Items != nil:
		return []any{described(schema.Items.Schema)}
	case len(schema.Properties) > 0:
		filled := map[string]any{}
		for name, property := range schema.Properties {
			filled[name] = described(&property)
		}
		return filled
	default:
		return int64(7)
	}
}

func (m *caseMaker) object(p place) {
	current, _ := p.current.(map[string]any)
	if p.path != "spec" {
		m.add(p, "empty", false, map[string]any{})
	}
	if !isTrue(p.schema.XPreserveUnknownFields) {
		m.add(p, "with an unknown field", false, overlay(current, "noSuchField", "x"))
	}
	for _, name := range slices.Sorted(maps.Keys(p.schema.Properties)) {
		property := p.schema.Properties[name]
		below := place{schema: &property, path: p.path + "." + name, key: p.key + "." + name}
		around := m.companions(p, current, name)
		if below.current = around[name]; below.current == nil {
			below.current = m.sample(&property, below.key)
		}
		below.put = func(value any) map[string]any { return p.put(overlay(around, name, value)) }
		m.value(below)
		without := maps.Clone(around)
		delete(without, name)
		required := slices.Contains(p.schema.Required, name) && property.Default == nil
		m.add(place{path: below.path, put: func(any) map[string]any { return p.put(without) }}, "absent", required, nil)
		m.add(below, "present", false, below.current)
	}
	m.combinations(p, current)
	if values := p.schema.AdditionalProperties; values != nil {
		m.entries(p, values.Schema)
	}
}

// entries makes the cases of a map.
func (m *caseMaker) entries(p place, values *apiextensionsv1.JSONSchemaProps) {
	name, ok := m.samples[p.key+"{}"]
	if !ok {
		m.unknown = append(m.unknown, p.key+" has no sample of a key")
		return
	}
	of := func(n int64) map[string]any {
		filled := map[string]any{}
		for i := range int(n) {
			filled[name(i).(string)] = m.sample(values, p.key+"{}=")
		}
		return filled
	}
	if most := p.schema.MaxProperties; most != nil {
		m.add(p, "as many as can be", false, of(*most))
		m.add(p, "one too many", true, of(*most+1))
	}
	key := name(0).(string)
	m.value(place{
		schema: values, path: p.path + "." + key, key: p.key + "{}=", current: m.sample(values, p.key+"{}="),
		put: func(value any) map[string]any { return p.put(map[string]any{key: value}) },
	})
}

// combinations puts every combination of the enums and booleans there.
func (m *caseMaker) combinations(p place, current map[string]any) {
	all := []map[string]any{{}}
	fields := 0
	for _, name := range slices.Sorted(maps.Keys(p.schema.Properties)) {
		property := p.schema.Properties[name]
		var values []any
		switch {
		case isTrue(p.schema.XPreserveUnknownFields):
			// These are the remote's own.
		case property.Type == "boolean":
			values = []any{false, true}
		case len(property.Enum) > 0:
			values = enumOf(&property)
		case m.samples["+"+p.key+"."+name] != nil:
			// They are documented to matter as well.
			values = []any{nil, m.samples["+"+p.key+"."+name](0)}
		}
		if len(values) == 0 {
			continue
		}
		fields++
		var more []map[string]any
		for _, one := range all {
			for _, value := range values {
				more = append(more, overlay(one, name, value))
			}
		}
		all = more
	}
	for _, one := range all {
		if fields < 2 {
			return
		}
		around := maps.Clone(current)
		var edge []string
		for _, name := range slices.Sorted(maps.Keys(one)) {
			if one[name] == nil {
				continue
			}
			around = m.companions(p, around, name)
			around[name] = one[name]
			if m.samples["+"+p.key+"."+name] != nil { // not the same for two objects
				property := p.schema.Properties[name]
				around[name] = m.sample(&property, p.key+"."+name)
				edge = append(edge, name)
				continue
			}
			edge = append(edge, fmt.Sprintf("%s %v", name, one[name]))
		}
		m.add(p, "with "+strings.Join(edge, ", "), false, around)
	}
}

func (m *caseMaker) array(p place) {
	items := p.schema.Items.Schema
	of := func(n int64) []any {
		filled := make([]any, 0, n)
		for range n {
			filled = append(filled, m.sample(items, p.key+"[]"))
		}
		return filled
	}
	least, most := p.schema.MinItems, p.schema.MaxItems
	m.add(p, "empty", least != nil && *least > 0, []any{})
	if least != nil && *least > 1 {
		m.add(p, "one too few", true, of(*least-1))
	}
	if least != nil && *least > 0 {
		m.add(p, "as few as can be", false, of(*least))
	}
	if most != nil {
		m.add(p, "as many as can be", false, of(*most))
		m.add(p, "one too many", true, of(*most+1))
	}
	if kind := p.schema.XListType; kind != nil && *kind != "atomic" {
		one := m.sample(items, p.key+"[]")
		m.add(place{path: p.path + "[1]", put: p.put}, "twice the same", true, []any{one, one})
	}
	m.value(place{
		schema: items, path: p.path + "[0]", key: p.key + "[]", current: m.sample(items, p.key+"[]"),
		put: func(value any) map[string]any { return p.put([]any{value}) },
	})
}

func (m *caseMaker) integer(p place) {
	values := []int64{0, 1, -1, 1 << 31, -1<<31 - 1, 1<<63 - 1, -1 << 63}
	if p.schema.Minimum != nil {
		values = append(values, int64(*p.schema.Minimum), int64(*p.schema.Minimum)-1)
	}
	if p.schema.Maximum != nil {
		values = append(values, int64(*p.schema.Maximum), int64(*p.schema.Maximum)+1)
	}
	slices.Sort(values)
	for _, value := range slices.Compact(values) {
		refused := p.schema.Minimum != nil && value < int64(*p.schema.Minimum) || p.schema.Maximum != nil && value > int64(*p.schema.Maximum) ||
			p.schema.Format == "int32" && value != int64(int32(value)) //nolint:gosec // that it does not fit is the question
		m.add(p, fmt.Sprint(value), refused, value)
	}
}

// sample is a good value of the schema.
func (m *caseMaker) sample(schema *apiextensionsv1.JSONSchemaProps, key string) any {
	m.made++
	if of, ok := m.samples[key]; ok {
		return of(m.made)
	}
	switch {
	case len(schema.Enum) > 0:
		return enumOf(schema)[0]
	case schema.Type == "object":
		filled := map[string]any{}
		for _, name := range schema.Required {
			property := schema.Properties[name]
			filled[name] = m.sample(&property, key+"."+name)
		}
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if _, one := excluded(schema, name); one && len(filled) == len(schema.Required) {
				property := schema.Properties[name]
				filled[name] = m.sample(&property, key+"."+name)
			}
		}
		return filled
	case schema.Type == "array":
		return []any{m.sample(schema.Items.Schema, key+"[]")}
	case schema.Type == "string":
		return m.goodText(schema, key)
	case schema.Type == "integer" && schema.Minimum != nil:
		return max(1, int64(*schema.Minimum))
	case schema.Type == "integer":
		return int64(1)
	case schema.Type == "boolean":
		return true
	default:
		return map[string]any{"a": "b"}
	}
}

// Rules of a schema that say which fields exclude or need each other.
var (
	eitherOr = regexp.MustCompile(`^has\(self\.(\w+)\) != has\(self\.(\w+)\)$`)
	together = regexp.MustCompile(`^has\(self\.(\w+)\) == has\(self\.(\w+)\)$`)
	notBoth  = regexp.MustCompile(`^!\(has\(self\.(\w+)\) && has\(self\.(\w+)\)\)$`)
)

// related lists what a form of rule puts beside the field.
func related(schema *apiextensionsv1.JSONSchemaProps, form *regexp.Regexp, name string) (others []string) {
	for _, rule := range schema.XValidations {
		if pair := form.FindStringSubmatch(rule.Rule); pair != nil && slices.Contains(pair[1:], name) {
			others = append(others, slices.DeleteFunc(slices.Clone(pair[1:]), func(one string) bool { return one == name })...)
		}
	}
	return others
}

// excluded are the fields that cannot stand beside the named one. one reports whether exactly one of
// them all has to be there.
func excluded(schema *apiextensionsv1.JSONSchemaProps, name string) (others []string, one bool) {
	others = related(schema, eitherOr, name)
	return append(others, related(schema, notBoth, name)...), len(others) > 0
}

// companions is the object with what else has to be there, and not to be, for a field to be there.
func (m *caseMaker) companions(p place, current map[string]any, name string) map[string]any {
	around := maps.Clone(current)
	if around == nil {
		around = map[string]any{}
	}
	others, _ := excluded(p.schema, name)
	for _, other := range others {
		delete(around, other)
	}
	for _, other := range related(p.schema, together, name) {
		if around[other] == nil {
			property := p.schema.Properties[other]
			around[other] = m.sample(&property, p.key+"."+other)
		}
		others, _ := excluded(p.schema, other)
		for _, another := range others {
			delete(around, another)
		}
	}
	return around
}

func overlay(object map[string]any, name string, value any) map[string]any {
	changed := maps.Clone(object)
	if changed == nil {
		changed = map[string]any{}
	}
	changed[name] = value
	return changed
}

func enumOf(schema *apiextensionsv1.JSONSchemaProps) (values []any) {
	for _, raw := range schema.Enum {
		var value any
		_ = json.Unmarshal(raw.Raw, &value) // the API server has read it
		values = append(values, value)
	}
	return values
}

func isTrue(flag *bool) bool { return flag != nil && *flag }
