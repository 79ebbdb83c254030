// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"go/ast"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// specPages are the pages with a table of the fields of a spec, under the heading "spec".
var specPages = map[string]string{
	"AccountSpec":   "docs/accounts.md",
	"ImportSpec":    "docs/imports.md",
	"ImportRunSpec": "docs/importruns.md",
}

// sameEverywhere are types whose fields need no page of their own: references to an object or to a
// key of one, and the definition, which has the fields of the API.
var sameEverywhere = []string{"LocalReference", "KeyReference", "ImportDefinition"}

// notInWord separates the names in a piece of code, such as the steps of a path.
const notInWord = " .,:;{}[]\"/"

// TestSpecsAreDocumented: the section "spec" of the page of a kind names each field in code, also
// those of the types that its spec is made of.
func TestSpecsAreDocumented(t *testing.T) {
	types := structs(t)
	for name, page := range specPages {
		fields := fieldsOf(types, name)
		if len(fields) < 8 {
			t.Errorf("only %d fields of %s are found: %v", len(fields), name, fields)
		}
		named := map[string]bool{}
		for _, match := range code.FindAllStringSubmatch(section(read(t, page), "## spec"), -1) {
			for _, word := range strings.FieldsFunc(match[1], func(r rune) bool { return strings.ContainsRune(notInWord, r) }) {
				named[word] = true
			}
		}
		for _, field := range fields {
			if !named[field[strings.LastIndex(field, ".")+1:]] {
				t.Errorf("the section spec of %s does not name %s", page, field)
			}
		}
	}
}

// structs gives the structs of the API by their names.
func structs(t *testing.T) map[string]*ast.StructType {
	t.Helper()
	found := map[string]*ast.StructType{}
	for _, file := range project(t).code {
		if file.dir != "api/v1alpha1" || file.test {
			continue
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			if spec, ok := node.(*ast.TypeSpec); ok {
				if fields, ok := spec.Type.(*ast.StructType); ok {
					found[spec.Name.Name] = fields
				}
			}
			return true
		})
	}
	return found
}

// fieldsOf gives the fields of a struct as JSON has them, with those of its fields' types behind a
// dot: "adopt", "adopt.mode".
func fieldsOf(types map[string]*ast.StructType, name string) []string {
	if types[name] == nil || slices.Contains(sameEverywhere, name) {
		return nil
	}
	var fields []string
	for _, field := range types[name].Fields.List {
		if field.Tag == nil {
			continue
		}
		tag, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			continue
		}
		json, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		if json == "" || json == "-" {
			continue
		}
		fields = append(fields, json)
		for _, below := range fieldsOf(types, elementType(field.Type)) {
			fields = append(fields, json+"."+below)
		}
	}
	return fields
}

// elementType is the name of a type, or of what a pointer, a list or a map of it has.
func elementType(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return elementType(e.X)
	case *ast.ArrayType:
		return elementType(e.Elt)
	case *ast.MapType:
		return elementType(e.Value)
	default:
		return ""
	}
}
