// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"slices"

	"github.com/integrator-operator/integrator-operator/internal/fields"
)

// adaptor is one kind of import.
type adaptor struct {
	name  string // adaptorType
	block string // the block it cannot be without
	// file: it writes files, so it has a `file` block.
	file bool
	// noConnection: it runs on the platform itself.
	noConnection bool
	// notInferred: the adaptorType is not inferred from its block.
	notInferred bool
	// ignoreFlags: the server adds ignoreExisting and ignoreMissing.
	ignoreFlags bool
	// required are the keys that the block must have, after defaults were set.
	required []string
	// enums are those of the required keys whose values the server checks.
	enums []string
}

// adaptors are in the order in which a document without adaptorType is matched: rest before http,
// because the API answers a RESTImport with both blocks.
var adaptors = []adaptor{
	{name: "RESTImport", block: "rest", ignoreFlags: true},
	{name: "HTTPImport", block: "http", ignoreFlags: true},
	{name: "FTPImport", block: "ftp", file: true, required: []string{"directoryPath"}},
	{name: "S3Import", block: "s3", file: true, required: []string{"region", "bucket"}},
	{name: "AS2Import", block: "as2", file: true, notInferred: true, required: []string{"fileNameTemplate"}},
	{name: "FileSystemImport", block: "filesystem", file: true, required: []string{"directoryPath"}},
	{
		name: "NetSuiteDistributedImport", block: "netsuite_da", ignoreFlags: true, required: []string{"operation", "recordType"},
		enums: []string{"operation"},
	},
	{name: "NetSuiteImport", block: "netsuite", ignoreFlags: true, required: []string{"operation", "recordType"}},
	{
		name: "SalesforceImport", block: "salesforce", ignoreFlags: true, required: []string{"operation", "api"},
		enums: []string{"api"},
	},
	{name: "RDBMSImport", block: "rdbms", ignoreFlags: true, required: []string{"queryType"}},
	{name: "JDBCImport", block: "jdbc", required: []string{"queryType"}},
	{
		name: "MongodbImport", block: "mongodb", required: []string{"method", "collection"},
		enums: []string{"method"},
	},
	{
		name: "DynamodbImport", block: "dynamodb", required: []string{"region", "method", "tableName"},
		enums: []string{"method"},
	},
	{name: "WrapperImport", block: "wrapper", required: []string{"function"}},
	{name: "AiAgentImport", block: "aiAgent", noConnection: true},
	{name: "GuardrailImport", block: "guardrail", noConnection: true},
	{name: "ToolImport", block: "tool", noConnection: true},
}

func adaptorNamed(name string) (adaptor, bool) {
	i := slices.IndexFunc(adaptors, func(a adaptor) bool { return a.name == name })
	if i < 0 {
		return adaptor{}, false
	}
	return adaptors[i], true
}

// inferAdaptor finds the adaptor whose block the document has.
func inferAdaptor(doc Document) (adaptor, bool) {
	for _, a := range adaptors {
		if _, ok := doc[a.block]; ok && !a.notInferred {
			return a, true
		}
	}
	return adaptor{}, false
}

// ServerOwned fields are accepted in a body and ignored. Only PATCH writes debugUntil.
var ServerOwned = fields.ServerSet()

// AdaptorTypes returns all adaptorTypes.
func AdaptorTypes() []string {
	names := make([]string, len(adaptors))
	for i, a := range adaptors {
		names[i] = a.name
	}
	return names
}

// HasConnection reports whether imports of this adaptorType have a connection.
func HasConnection(adaptorType string) bool {
	a, _ := adaptorNamed(adaptorType)
	return !a.noConnection
}

// BlockOf returns the block that imports of this adaptorType have.
func BlockOf(adaptorType string) string {
	a, _ := adaptorNamed(adaptorType)
	return a.block
}
