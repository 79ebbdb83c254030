// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package seed

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

//go:embed testdata/fixtures/*.json
var fixtureFiles embed.FS

// Fixture is a document as a client would POST it.
type Fixture struct {
	Name        string // the adaptorType, with a suffix if there are several of it
	AdaptorType string // which not every document names
	Document    json.RawMessage
}

// Fixtures returns documents of every adaptorType, sorted by name. They use the connections of
// FixtureConnections. They contain what the API changes when it stores a document: upper-case enums,
// empty arrays, and defaults that are left out.
func Fixtures() []Fixture {
	entries, err := fixtureFiles.ReadDir("testdata/fixtures")
	if err != nil {
		panic(fmt.Sprintf("simulator: fixtures: %v", err)) // part of the program
	}
	fixtures := make([]Fixture, len(entries))
	for i, entry := range entries {
		document, err := fixtureFiles.ReadFile(path.Join("testdata/fixtures", entry.Name()))
		if err != nil {
			panic(fmt.Sprintf("simulator: fixtures: %v", err))
		}
		name := strings.TrimSuffix(entry.Name(), ".json")
		kind, _, _ := strings.Cut(name, "-")
		fixtures[i] = Fixture{Name: name, AdaptorType: kind, Document: document}
	}
	return fixtures
}

// FixtureConnections returns the connections that an account needs for Fixtures.
func FixtureConnections() []Connection {
	names := []string{
		"Shop", "Help desk", "FTP", "S3", "AS2", "Warehouse share", "NetSuite", "Salesforce",
		"Data warehouse", "Lake", "MongoDB", "DynamoDB", "Stack",
	}
	connections := make([]Connection, len(names))
	for i, name := range names {
		connections[i] = Connection{ID: fmt.Sprintf("64a0000000000000000000%02x", 0xa1+i), Name: name}
	}
	return connections
}
