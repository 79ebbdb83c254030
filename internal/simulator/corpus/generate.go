// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

const (
	// variants is how many documents with all fields of its kind there are of each kind of import.
	variants = 24
	// fewVariants is that number in the short form. Every line of the table is in it.
	fewVariants = 6
	// lookups are a twin of those of each block.
	lookups = "/lookups"
	// nesting is how often a field that contains itself, such as mappings, is in itself.
	nesting = 2
)

// Named is a document of the corpus.
type Named struct {
	// Name says what is in the document.
	Name     string
	Document document.Document
}

// All are documents of every kind of import with all of its fields at once, and for each line of the
// table documents with that field alone.
func All() []Named {
	named := full(variants)
	for field := range fields.All() {
		lines := Lines(field)
		// Each value is in the documents with all fields too.
		for _, i := range picked(field, len(lines)) {
			named = append(named, Named{Name: fmt.Sprintf("line/%s/%d", Title(field), i), Document: lines[i].Document})
		}
	}
	return numbered(named)
}

// Short is a small part of All, in which every line of the table is.
func Short() []Named { return numbered(full(fewVariants)) }

// picked are two of the documents of a line.
func picked(field *fields.Field, count int) []int {
	switch count {
	case 0:
		return nil
	case 1:
		return []int{0}
	default:
		first := int(hash(field.Path) % uint32(count)) //nolint:gosec // both are small
		return []int{first, (first + count/2) % count}
	}
}

func full(count int) []Named {
	var named []Named
	for _, adaptorType := range document.AdaptorTypes() {
		for variant := range count {
			named = append(named, Named{Name: fmt.Sprintf("full/%s/%d", adaptorType, variant), Document: fullDocument(adaptorType, variant)})
		}
	}
	return named
}

// numbered gives each document a name and an externalId of its own, so that it can be found.
func numbered(named []Named) []Named {
	for i := range named {
		doc := named[i].Document
		doc["name"] = fmt.Sprintf("%04d %s", i, named[i].Name)
		if _, ok := doc["externalId"]; ok {
			doc["externalId"] = fmt.Sprintf("erp-%04d", i)
		}
		if i%5 == 0 {
			doc["name"] = fmt.Sprintf("  %s \r\n", doc["name"])
		}
	}
	return named
}

// builder makes a document with all fields of its kind. Which value a field has depends on the variant.
type builder struct {
	adaptorType string
	variant     int
}

func fullDocument(adaptorType string, variant int) document.Document {
	b := builder{adaptorType, variant}
	doc := Base(adaptorType, "")
	block := document.BlockOf(adaptorType)
	for _, name := range fields.Root.Names() {
		field := fields.Root.Member(name)
		switch {
		case name == block:
			doc[name] = b.block(field, document.Object(doc, name))
		case required[name] != nil || isBlock(name):
		case name == "adaptorType" || name == "name" || name == "_connectionId" || name == "_connectorId":
		case name == "distributed" && adaptorType == "NetSuiteDistributedImport":
			doc[name] = true
		case name == "file" && !hasFile(adaptorType):
		default:
			if value, ok := b.value(field, nil); ok {
				doc[name] = value
			}
		}
	}
	if id, ok := doc["_connectionId"].(string); ok && variant%2 == 1 {
		doc["_connectionId"] = strings.ToUpper(id)
	}
	b.twins(doc, block)
	return doc
}

func isBlock(name string) bool {
	for _, adaptorType := range document.AdaptorTypes() {
		if document.BlockOf(adaptorType) == name {
			return true
		}
	}
	return false
}

func hasFile(adaptorType string) bool {
	switch adaptorType {
	case "HTTPImport", "FTPImport", "S3Import", "AS2Import", "FileSystemImport":
		return true
	default:
		return false
	}
}

// block is the block of the document's kind, which has its required fields.
func (b builder) block(field *fields.Field, base document.Document) any {
	if field.Free {
		value, _ := b.value(field, nil)
		return value
	}
	for _, name := range field.Names() {
		member := field.Member(name)
		if base[name] != nil {
			base[name] = b.needed(member)
			continue
		}
		if value, ok := b.value(member, nil); ok {
			base[name] = value
		}
	}
	return base
}

// needed is a value of a required field.
func (b builder) needed(field *fields.Field) any {
	if field.Elements() != nil {
		return []any{b.needed(field.Elements())}
	}
	samples := Samples(field)
	for i := range samples {
		if sample := samples[(b.pick(field)+i)%len(samples)]; !isBlank(sample) {
			return document.DeepCopy(sample.Sent)
		}
	}
	return nil
}

// pick is a number that differs between fields and variants.
func (b builder) pick(field *fields.Field) int { return b.variant + int(hash(field.Path)%1009) }

// value is a value of a field. ok is false if the document does not have the field.
func (b builder) value(field *fields.Field, above []string) (value any, ok bool) {
	if field.Server {
		return document.DeepCopy(serverValue(field)), b.pick(field)%3 == 0
	}
	if path := field.Same(); path != "" {
		above = append(append([]string(nil), above...), path)
		if count(above, path) > nesting {
			return nil, false
		}
	}
	pick := b.pick(field)
	switch {
	case field.Free || len(field.Names()) == 0 && field.Elements() == nil:
		samples := Samples(field)
		return document.DeepCopy(samples[pick%len(samples)].Sent), true
	case field.Elements() != nil:
		return b.array(field, above), true
	case pick%11 == 10:
		return document.Document{}, true
	case pick%13 == 12 && !isElement(field) && !holdsTwin(field):
		return nil, true
	default:
		object := document.Document{}
		for _, name := range field.Names() {
			if below, ok := b.value(field.Member(name), above); ok {
				object[name] = below
			}
		}
		return object, true
	}
}

// isElement reports whether a field stands for the elements of an array: there is no null among them,
// except where the table says so.
func isElement(field *fields.Field) bool { return strings.HasSuffix(field.Path, "/*") }

// holdsTwin reports whether a field contains one of two that the API copies to each other. A null in its
// place would not stay.
func holdsTwin(field *fields.Field) bool {
	for _, name := range field.Names() {
		if field.Member(name).Twin != "" {
			return true
		}
	}
	return false
}

func (b builder) array(field *fields.Field, above []string) any {
	pick, element := b.pick(field), field.Elements()
	one, ok := b.value(element, above)
	if !ok {
		return []any{}
	}
	_, isList := one.([]any)
	switch {
	case pick%9 == 8:
		return []any{}
	case pick%9 == 7 && one != nil && one != "" && !isList:
		return one
	case pick%9 == 6 && field.Twin == "" && field.Path != lookups && !isElement(field):
		return nil
	case pick%2 == 0:
		other, _ := builder{b.adaptorType, b.variant + 1}.value(element, above)
		return []any{one, other}
	default:
		return []any{one}
	}
}

// twins leaves one of each pair of fields that the API copies to each other, makes them equal, or keeps
// both as they are.
func (b builder) twins(doc document.Document, block string) {
	for i, pair := range [][2][]string{
		{{"lookups"}, {block, "lookups"}},
		{{"lookups"}, {"file", "lookups"}},
		{{"filter", "rules"}, {"filter", "expression", "rules"}},
		{{"responseTransform", "rules"}, {"responseTransform", "expression", "rules"}},
	} {
		one, first := find(doc, pair[0])
		other, second := find(doc, pair[1])
		if one == nil || other == nil {
			continue
		}
		switch choice := (b.variant + i) % 4; {
		case document.IsBlank(one[first]), document.IsBlank(other[second]):
			// An empty one would not stay beside the other.
			delete(one, first)
			delete(other, second)
		case choice == 0:
			delete(one, first)
		case choice == 1:
			delete(other, second)
		case choice == 2:
			one[first] = document.DeepCopy(other[second])
		}
	}
}

// find returns the object that contains a field, and the field's name, nil if there is none.
func find(doc document.Document, path []string) (document.Document, string) {
	for _, name := range path[:len(path)-1] {
		if doc = document.Object(doc, name); doc == nil {
			return nil, ""
		}
	}
	name := path[len(path)-1]
	if _, ok := doc[name]; !ok {
		return nil, ""
	}
	return doc, name
}

func count(list []string, text string) int {
	found := 0
	for _, one := range list {
		if one == text {
			found++
		}
	}
	return found
}

func hash(text string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text)) // it returns no error
	return h.Sum32()
}
