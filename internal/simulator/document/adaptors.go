// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

import "slices"

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
	// enums are the closed lists of the block's values.
	enums map[string][]string
	// defaults are set in the block.
	defaults Document
}

// adaptors are in the order in which a document without adaptorType is matched: rest before http,
// because the API answers a RESTImport with both blocks.
var adaptors = []adaptor{
	{name: "RESTImport", block: "rest", ignoreFlags: true},
	{name: "HTTPImport", block: "http", ignoreFlags: true, defaults: Document{"sendPostMappedData": true}},
	{name: "FTPImport", block: "ftp", file: true, required: []string{"directoryPath"}},
	{name: "S3Import", block: "s3", file: true, required: []string{"region", "bucket"}, defaults: Document{"region": "us-east-1"}},
	{name: "AS2Import", block: "as2", file: true, notInferred: true, required: []string{"fileNameTemplate"}, defaults: Document{"maxRetries": number("0")}},
	{name: "FileSystemImport", block: "filesystem", file: true, required: []string{"directoryPath"}},
	{
		name: "NetSuiteDistributedImport", block: "netsuite_da", ignoreFlags: true, required: []string{"operation", "recordType"},
		enums: map[string][]string{"operation": {"add", "update", "addupdate", "attach", "detach", "delete"}},
	},
	{name: "NetSuiteImport", block: "netsuite", ignoreFlags: true, required: []string{"operation", "recordType"}},
	{
		name: "SalesforceImport", block: "salesforce", ignoreFlags: true, required: []string{"operation", "api"},
		enums: map[string][]string{"api": {"soap", "rest", "metadata", "compositerecord"}},
	},
	{name: "RDBMSImport", block: "rdbms", ignoreFlags: true, required: []string{"queryType"}},
	{name: "JDBCImport", block: "jdbc", required: []string{"queryType"}},
	{
		name: "MongodbImport", block: "mongodb", required: []string{"method", "collection"},
		enums: map[string][]string{"method": {"insertMany", "updateOne"}},
	},
	{
		name: "DynamodbImport", block: "dynamodb", required: []string{"region", "method", "tableName"},
		enums: map[string][]string{"method": {"putItem", "updateItem"}},
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

// ServerOwned fields are accepted in a body and ignored. _connectorId is not documented as read-only.
// It is treated so because only an integration app can own an import. Only PATCH writes debugUntil.
var ServerOwned = []string{
	"_id", "createdAt", "lastModified", "lastModifiedBy", "apiIdentifier", "sandbox", "_sourceId", "_templateId",
	"_connectorId", "draft", "draftExpiresAt", "debugUntil", "aiDescription", "apim",
}

// The base fields by the type that the API casts them to.
var (
	stringFields = []string{
		"name", "description", "externalId", "adaptorType", "idLockTemplate", "dataURITemplate", "traceKeyTemplate",
		"pathToMany", "blobKeyPath", "assistant",
	}
	booleanFields = []string{
		"distributed", "ignoreExisting", "ignoreMissing", "oneToMany", "blob", "deleteAfterImport",
	}
	numberFields = []string{"maxAttempts"}
	objectFields = []string{"mapping", "filter", "hooks", "file", "responseTransform", "settingsForm"}
	arrayFields  = []string{"mappings", "lookups", "mockResponse"}
	idFields     = []string{"_connectionId", "_integrationId", "_ediProfileId"}
	mixedFields  = []string{
		"assistantMetadata", "unencrypted", "encrypted", "sampleData", "sampleResponseData", "parsers", "settings", "preSave",
	}
)

// freeForm fields hold the user's data, which is not checked.
var freeForm = []string{
	"assistantMetadata", "unencrypted", "encrypted", "sampleData", "sampleResponseData", "settings", "settingsForm",
	"mockResponse", "mapping", "mappings", "lookups", "preSave",
}

// knownFields are the top-level fields that the simulator knows.
var knownFields = func() map[string]bool {
	known := map[string]bool{}
	for _, list := range [][]string{ServerOwned, stringFields, booleanFields, numberFields, objectFields, arrayFields, idFields, mixedFields} {
		for _, name := range list {
			known[name] = true
		}
	}
	for _, a := range adaptors {
		known[a.block] = true
	}
	return known
}()

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
