// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// The policies warn at admission of what package fields warns of: the table becomes tables in CEL, one
// for each object of the document. An object in an array is one of a list, and one in an array in an
// array is one of a list of lists, and so on.

// level is an object of the document, or each element of an array of objects.
type level struct {
	path  string
	field *fields.Field
	// nodes is the expression of the objects, and depth how deep its lists are in lists. It names no
	// variable: an update by kubectl apply may change the order of variables, and the API server refuses
	// one that stands before another that it needs.
	nodes string
	depth int
}

// letters stand for the types in the tables. An id is a text too.
var letters = map[fields.Type]string{
	fields.Text: "s", fields.ID: "is", fields.Number: "n", fields.Boolean: "b", fields.Object: "o", fields.Array: "a", fields.Any: "snboa",
}

// policyFiles are the policies by the names of their files. Mappings can be very large: if the check of
// them takes more than the API server spends on a policy, the other warnings are still there.
func policyFiles() map[string]string {
	var mappings, others []level
	for _, one := range levels(level{field: fields.Root, nodes: "[dyn(object.spec.definition)]"}, nil) {
		if strings.HasPrefix(one.path, "/mappings") {
			mappings = append(mappings, one)
			continue
		}
		others = append(others, one)
	}
	return map[string]string{
		"fields.yaml":   policy("import-fields.integrator.io", others),
		"mappings.yaml": policy("import-mappings.integrator.io", mappings),
	}
}

// levels lists an object and the objects in it.
func levels(of level, above []string) []level {
	found := []level{of}
	for _, name := range of.field.Names() {
		found = append(found, below(of, name, above)...)
	}
	return found
}

// below lists the objects in a member of an object.
func below(of level, name string, above []string) []level {
	member := of.field.Member(name)
	if member.Same() != "" {
		above = append(slices.Clone(above), member.Same())
		if count(above, member.Same()) > unrolled {
			return nil
		}
	}
	if member.Free {
		return nil
	}
	next := level{path: of.path + "/" + name, field: member, depth: of.depth}
	switch element := member.Elements(); {
	case len(member.Names()) > 0:
		next.nodes = inner(of, fmt.Sprintf(`.filter(n, type(n) == map && %[1]s in n).map(n, n[%[1]s])`, quoted(name)))
	case element != nil && len(element.Names()) > 0 && !element.Free:
		next.path, next.field, next.depth = next.path+"/*", element, of.depth+1
		next.nodes = inner(of, fmt.Sprintf(`.filter(n, type(n) == map && %[1]s in n && type(n[%[1]s]) == list).map(n, n[%[1]s])`, quoted(name)))
	default:
		return nil
	}
	return levels(next, above)
}

// inner applies an expression to the innermost lists of a level's objects.
func inner(of level, expression string) string {
	text := of.nodes
	for i := range of.depth {
		text += fmt.Sprintf(".map(l%d, l%d", i, i)
	}
	return text + expression + strings.Repeat(")", of.depth)
}

// policy renders a policy with its binding.
func policy(name string, checked []level) string {
	var text strings.Builder
	text.WriteString("# Made by \"make manifests\" of the table of fields, internal/fields/fields.tsv.\n")
	fmt.Fprintf(&text, `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: %s
spec:
  failurePolicy: Ignore
  matchConstraints:
    resourceRules:
    - apiGroups:
      - integrator.io
      apiVersions:
      - v1alpha1
      operations:
      - CREATE
      - UPDATE
      resources:
      - imports
  matchConditions:
  - name: the-definition-is-new
    expression: oldObject == null || object.spec.definition != oldObject.spec.definition
  variables:
`, name)
	variable(&text, "letters", "{'s': 'text', 'n': 'number', 'b': 'boolean', 'o': 'object', 'a': 'array'}")
	variable(&text, "places", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]")
	depths := 0
	for _, one := range checked {
		depths = max(depths, one.depth+1)
	}
	var warnings []string
	for depth := range depths {
		variable(&text, fmt.Sprintf("objects%d", depth), tablesOf(checked, depth))
		variable(&text, fmt.Sprintf("warnings%d", depth), warningsAt(depth))
		warnings = append(warnings, fmt.Sprintf("variables.warnings%d", depth))
	}
	variable(&text, "warnings", joinedWarnings("["+strings.Join(warnings, ", ")+"]"))
	text.WriteString(`  validations:
  - expression: variables.warnings == ''
    messageExpression: "size(variables.warnings) > 2000 ? variables.warnings.substring(0, 2000) + ' …' : variables.warnings"
`)
	fmt.Fprintf(&text, `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: %[1]s
spec:
  policyName: %[1]s
  validationActions:
  - Warn
`, name)
	return text.String()
}

func variable(text *strings.Builder, name, expression string) {
	// A text of JSON is one of YAML.
	encoded, _ := json.Marshal(expression)
	fmt.Fprintf(text, "  - name: %s\n    expression: %s\n", name, strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(encoded)))
}

// tablesOf lists the levels of a depth: where they are, their objects, and what is known of the members. Those in a
// member that a definition does not have are left out: most definitions have few of them, and to make the tables of
// all takes the API server longer than everything else that it does for an Import.
func tablesOf(all []level, depth int) string {
	var lists, names []string
	of := map[string][]string{}
	for _, one := range all {
		if one.depth != depth {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(one.path, "/"), "/")
		if of[name] == nil {
			names = append(names, name)
		}
		of[name] = append(of[name], "{'path': dyn("+quoted(one.path+"/")+"), 'nodes': dyn("+one.nodes+"), "+tables(one.field)+"}")
	}
	for _, name := range names {
		list := "[" + strings.Join(of[name], ",\n") + "]"
		if name != "" {
			list = "(" + quoted(name) + " in dyn(object.spec.definition) ? " + list + " : [])"
		}
		lists = append(lists, list)
	}
	if lists == nil {
		return "[]"
	}
	return strings.Join(lists, " +\n")
}

// tables are what is known of the members of an object: types, values, types and values of an array's
// elements, what a message says, and what the server sets.
func tables(field *fields.Field) string {
	made := map[string][]string{}
	put := func(table, name, value string) {
		made[table] = append(made[table], quoted(name)+": "+value)
	}
	for _, name := range field.Names() {
		member := field.Member(name)
		if member.Server {
			if !member.Refused {
				put("server", name, "true")
			}
			continue
		}
		put("types", name, quoted(lettersOf(member)))
		if len(member.Enum) > 0 {
			put("values", name, valuesOf(member))
		}
		if member.Lower {
			put("lower", name, "true")
		}
		element := member.Elements()
		if element == nil || member.Free || lettersOf(element) == letters[fields.Any] {
			continue
		}
		put("elements", name, quoted(lettersOf(element)))
		if len(element.Enum) > 0 {
			put("elementValues", name, valuesOf(element))
		}
	}
	if field != fields.Root && field.Member("_id") == nil {
		put("server", "_id", "true")
	}
	var parts []string
	for _, table := range []string{"types", "values", "lower", "elements", "elementValues", "server"} {
		parts = append(parts, quoted(table)+": dyn({"+strings.Join(made[table], ", ")+"})")
	}
	return strings.Join(parts, ", ")
}

func lettersOf(field *fields.Field) string {
	text := ""
	for _, t := range field.Types {
		text += letters[t]
	}
	if text == "" {
		return letters[fields.Any]
	}
	if field.Is(fields.ID) && field.Is(fields.Text) {
		return strings.ReplaceAll(text, "i", "")
	}
	return text
}

func valuesOf(field *fields.Field) string {
	var values []string
	for _, value := range field.Enum {
		values = append(values, quoted(value))
	}
	return "[" + strings.Join(values, ", ") + "]"
}

// warningsAt is the text of what is probably a mistake in the objects of the levels of a depth, ” if
// there is nothing.
func warningsAt(depth int) string {
	list, end := "l.nodes", ""
	for i := range depth {
		list += fmt.Sprintf(".map(l%d, l%d", i, i)
		end += ").filter(s, s != '').join('; ')"
	}
	list += fmt.Sprintf(".filter(n, type(n) == map).map(n, n.map(k, %s, %s).join('; ')).filter(s, s != '').join('; ')", isMistake, message) + end
	return joinedWarnings(fmt.Sprintf("variables.objects%d.map(l, %s)", depth, list))
}

func joinedWarnings(list string) string { return list + ".filter(s, s != '').join('; ')" }

// kind is the letter of a value's type.
func kind(value string) string {
	return fmt.Sprintf("(type(%[1]s) == string ? 's' : type(%[1]s) == bool ? 'b' : type(%[1]s) == list ? 'a' : type(%[1]s) == map ? 'o' : 'n')", value)
}

// near lists the known names that are near the name k: see Near of package fields.
const near = `l.types.map(w, w).filter(w, size(k) - size(w) >= -1 && size(k) - size(w) <= 1 && variables.places.exists(i, i <= size(w) && ` +
	`[i + (size(w) <= 3 ? 0 : size(w) == 4 ? 1 : 2)].exists(j, [j < size(w) ? j : size(w)].exists(end, size(k) >= i + size(w) - end && ` +
	`k.lowerAscii().startsWith(w.lowerAscii().substring(0, i)) && k.lowerAscii().endsWith(w.lowerAscii().substring(end))))))`

var (
	// wrongType, and the others, are about the member k of an object n of a level l.
	wrongType = fmt.Sprintf(`!l.types[k].contains(%s)`, kind("n[k]"))

	wrongValue = `type(n[k]) == string && k in l.values && !((k in l.lower ? n[k].lowerAscii() : n[k]) in l.values[k])`

	wrongID = `type(n[k]) == string && l.types[k].contains('i') && !n[k].matches('^([0-9a-fA-F]{24}|@.*|)$')`

	wrongElement = fmt.Sprintf(`type(n[k]) == list && k in l.elements && n[k].exists(e, e != null && (!l.elements[k].contains(%s) || type(e) == string && k in l.elementValues && !(e in l.elementValues[k])))`, kind("e"))

	isMistake = fmt.Sprintf(`k in l.server || (k in l.types ? n[k] != null && (%s || %s || %s || %s) : size(%s) > 0)`, wrongType, wrongValue, wrongID, wrongElement, near)

	message = fmt.Sprintf(`l.path + k + (k in l.server ? ': set by the server, left out' : `+
		`!(k in l.types) ? ': the API documents no field of this name; did you mean ' + %[1]s[0] + '?' : `+
		`%[2]s ? ': the value is of type ' + variables.letters[%[3]s] + ', and the API documents ' + [0, 1, 2, 3, 4, 5].filter(i, i < size(l.types[k]) && l.types[k].substring(i, i + 1) in variables.letters).map(i, variables.letters[l.types[k].substring(i, i + 1)]).join(' or ') : `+
		`%[4]s ? ': not one of the documented values: ' + l.values[k].join(', ') : `+
		`%[5]s ? ': neither an id (24 hexadecimal characters) nor @ followed by an alias' : `+
		`k in l.elementValues ? ': an element is not one of the documented values: ' + l.elementValues[k].join(', ') : ': an element is of a type that the API does not document')`,
		near, wrongType, kind("n[k]"), wrongValue, wrongID)
)

// quoted is a text in CEL.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
