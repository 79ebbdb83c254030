// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package fields is the table of the fields of an import document, and what the API does with each of
// them. It is the one source of the rules of comparison, of what the simulator does with a document, of
// the schema of spec.definition, of the warnings at admission, and of the reference page.
//
// The table is fields.tsv. It has what the vendor publishes and what was seen in public documents. A
// field that it does not have is sent and compared as it is.
package fields

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/go-openapi/jsonpointer"
)

//go:embed fields.tsv
var table string

// Version is a hash of the table.
var Version = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(table))
	return hex.EncodeToString(sum[:8])
})

// Type is a JSON type that a field can have.
type Type string

// The types of the table. ID is a text of 24 hexadecimal characters.
const (
	Text    Type = "text"
	Number  Type = "number"
	Boolean Type = "boolean"
	Object  Type = "object"
	Array   Type = "array"
	ID      Type = "id"
	Null    Type = "null"
	Any     Type = "any"
)

// IDName matches the names of fields that contain ids of the platform.
var IDName = regexp.MustCompile("^_[A-Za-z0-9]+Ids?$")

// ElementID is the name of the id that the server makes for an element of an array.
const ElementID = "_id"

// Field is one field of the table. A nil Field is one that the table does not have.
type Field struct {
	// Path is the JSON pointer, with * for the elements of an array.
	Path string
	// Types are the JSON types that the API takes, the documented one first.
	Types []Type
	// Enum are the documented values, if the list of them is closed.
	Enum []string
	// Default is the value that the API sets if the field is absent, nil if there is none.
	Default any
	// Server: the server sets the field, and ignores a value that is sent.
	Server bool
	// Refused: a definition that has the field is refused at admission. The field is the server's too.
	Refused bool
	// Masked: the API shows asterisks in place of the value.
	Masked bool
	// Lower: the API stores the text in lower case.
	Lower bool
	// Free: the value is the user's own data. The API stores it as it is.
	Free bool
	// Exact: white space at the ends of the text has a meaning.
	Exact bool
	// Twin is the JSON pointer of a field to which the API copies this one, or from which it does. Mutual:
	// it does both, so that the two are one field in two places. Others both count if they differ.
	Twin   string
	Mutual bool
	// Meaning says in a sentence or two what the field does.
	Meaning string

	same    string
	sameAs  *Field
	names   []string
	members map[string]*Field
	element *Field
}

// Root is the document itself.
var Root = mustParse(table)

// Lookup returns the field at a JSON pointer, nil if the table does not have it. An array's element is
// its index or *.
func Lookup(pointer string) *Field { return Root.at(pointer) }

func (f *Field) at(pointer string) *Field {
	field := f
	for _, token := range Tokens(pointer) {
		field = field.Below(token)
	}
	return field
}

// Tokens splits a JSON pointer. It returns nil if it is none.
func Tokens(pointer string) []string {
	parsed, err := jsonpointer.New(pointer)
	if err != nil {
		return nil
	}
	return parsed.DecodedTokens()
}

// Below returns the member with a name, or the element of an array.
func (f *Field) Below(token string) *Field {
	if f == nil {
		return nil
	}
	if f.Elements() != nil && isIndex(token) {
		return f.Elements()
	}
	return f.Member(token)
}

// Member returns the member with a name, nil if the table does not have it. Everything in the user's
// own data is the user's own data.
func (f *Field) Member(name string) *Field {
	if f.IsFree() {
		return f
	}
	if f = f.resolved(); f == nil {
		return nil
	}
	return f.members[name]
}

// Elements returns the field that stands for each element of the array, nil if there is none.
func (f *Field) Elements() *Field {
	if f.IsFree() {
		return f
	}
	if f = f.resolved(); f == nil {
		return nil
	}
	return f.element
}

// Names are the names of the members, in the order of the table.
func (f *Field) Names() []string {
	if f = f.resolved(); f == nil {
		return nil
	}
	return f.names
}

// Same is the path of the field whose members this one has too, "" if its own are in the table.
func (f *Field) Same() string { return f.same }

// Is reports whether the API takes a type for the field.
func (f *Field) Is(t Type) bool { return f != nil && slices.Contains(f.Types, t) }

// IsFree reports whether the value is the user's own data.
func (f *Field) IsFree() bool { return f != nil && f.Free }

// IsServer reports whether the server sets a member itself. It sets the _id of every object of its own.
func (f *Field) IsServer(name string) bool {
	if f == nil || f.Free {
		return false
	}
	member := f.Member(name)
	return member != nil && member.Server || name == ElementID
}

// resolved follows a reference to the field that has the same members.
func (f *Field) resolved() *Field {
	if f == nil || f.sameAs == nil {
		return f
	}
	return f.sameAs
}

func isIndex(token string) bool {
	return token == "*" || token != "" && strings.Trim(token, "0123456789") == ""
}

// mustParse reads the table. It is part of the program, and tests read every line.
func mustParse(text string) *Field {
	root, err := parse(text)
	if err != nil {
		panic(fmt.Sprintf("fields.tsv: %v", err))
	}
	return root
}

func parse(text string) (*Field, error) {
	root := &Field{Types: []Type{Object}}
	isHeader := true
	for number, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if isHeader {
			isHeader = false
			continue
		}
		if err := root.add(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
	}
	return root, root.link(root)
}

// link finds the fields that others have the same members as.
func (f *Field) link(root *Field) error {
	if f.same != "" {
		if f.sameAs = root.at(f.same); f.sameAs == nil || f.sameAs.same != "" {
			return fmt.Errorf("%s: there is no field %s with members of its own", f.Path, f.same)
		}
	}
	if f.Twin != "" {
		twin := root.at(f.Twin)
		if twin == nil {
			return fmt.Errorf("%s: there is no field %s", f.Path, f.Twin)
		}
		f.Mutual = twin.Twin == f.Path
	}
	for _, name := range f.names {
		if err := f.members[name].link(root); err != nil {
			return err
		}
	}
	if f.element != nil {
		return f.element.link(root)
	}
	return nil
}

// add reads a line: path, types, enum, default, rules, meaning.
func (f *Field) add(line string) error {
	columns := strings.Split(line, "\t")
	if len(columns) != 6 {
		return fmt.Errorf("%d columns, not 6", len(columns))
	}
	field := &Field{Path: columns[0], Meaning: columns[5]}
	for _, name := range strings.Split(columns[1], "|") {
		field.Types = append(field.Types, Type(name))
	}
	if columns[2] != "" {
		field.Enum = strings.Split(columns[2], "|")
	}
	if columns[3] != "" {
		if err := json.Unmarshal([]byte(columns[3]), &field.Default); err != nil {
			return fmt.Errorf("%s: default: %w", field.Path, err)
		}
	}
	for _, rule := range strings.Split(columns[4], ",") {
		if err := field.rule(rule); err != nil {
			return fmt.Errorf("%s: %w", field.Path, err)
		}
	}
	return f.insert(field)
}

func (f *Field) rule(text string) error {
	name, value, _ := strings.Cut(text, "=")
	switch name {
	case "", "required", "template":
	case "server":
		f.Server = true
	case "refused":
		f.Server, f.Refused = true, true
	case "masked":
		f.Masked = true
	case "lower":
		f.Lower = true
	case "free":
		f.Free = true
	case "exact":
		f.Exact = true
	case "twin":
		f.Twin = value
	case "same":
		f.same = value
	default:
		return fmt.Errorf("there is no rule %q", text)
	}
	return nil
}

// insert puts a field below the one that contains it, which stands before it in the table.
func (f *Field) insert(field *Field) error {
	tokens := Tokens(field.Path)
	if len(tokens) == 0 {
		return fmt.Errorf("%q is not a JSON pointer", field.Path)
	}
	parent := f
	for _, token := range tokens[:len(tokens)-1] {
		next := parent.members[token]
		if token == "*" {
			next = parent.element
		}
		if next == nil {
			return fmt.Errorf("%s: what contains it stands nowhere before it", field.Path)
		}
		parent = next
	}
	name := tokens[len(tokens)-1]
	if name == "*" {
		parent.element = field
		return nil
	}
	if parent.members == nil {
		parent.members = map[string]*Field{}
	}
	if parent.members[name] != nil {
		return fmt.Errorf("%s is there twice", field.Path)
	}
	parent.members[name] = field
	parent.names = append(parent.names, name)
	return nil
}
