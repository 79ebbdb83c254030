// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"bytes"
	"encoding/json"
)

// ImportDefinition is the document of an import as the API's JSON names it. The base
// fields are described here; every other field is kept and sent as it is. Explicit
// false, 0, "", [] and null are declarations like any other.
//
// Fields that the server owns (_id, createdAt, lastModified, apiIdentifier, …) cannot
// be declared. Any field whose name is _…Id or _…Ids takes an id or "@alias" of the
// Account's spec.aliases.
//
// +kubebuilder:object:generate=false
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:validation:XValidation:rule="has(self._connectionId) || (has(self.adaptorType) && self.adaptorType in ['AiAgentImport', 'GuardrailImport', 'ToolImport'])",message="_connectionId is required, except for AiAgentImport, GuardrailImport and ToolImport: give the connection's id or an @alias of the Account"
// +kubebuilder:validation:XValidation:rule="!has(self.externalId) || !self.externalId.startsWith('k8s/')",message="an externalId that begins with k8s/ is the operator's own mark; choose another"
type ImportDefinition struct {
	// Raw is the whole document, byte for byte: the only thing that this type holds at
	// run time.
	Raw []byte `json:"-"`

	// The schema of the base fields. Always nil.
	*importDefinitionSchema `json:",inline"`
}

// MarshalJSON returns the document as it was read; {} when there is none.
func (d ImportDefinition) MarshalJSON() ([]byte, error) {
	if len(d.Raw) == 0 {
		return []byte("{}"), nil
	}
	return d.Raw, nil
}

// UnmarshalJSON keeps a copy of the document.
func (d *ImportDefinition) UnmarshalJSON(data []byte) error {
	d.Raw = bytes.Clone(data)
	return nil
}

// DeepCopyInto copies the document into out.
func (d *ImportDefinition) DeepCopyInto(out *ImportDefinition) {
	*out = ImportDefinition{Raw: bytes.Clone(d.Raw)}
}

// Name returns the document's name, "" when it has none or is no JSON object.
func (d ImportDefinition) Name() string {
	var doc struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(d.Raw, &doc); err != nil {
		return ""
	}
	return doc.Name
}

// importDefinitionSchema exists for the CRD's schema alone: what kubectl explain prints
// and what a wrong type is refused by. Fields are nullable, because the API server would
// drop an explicit null otherwise; those that cannot be null, or that rules look at, are not.
//
// +kubebuilder:object:generate=false
type importDefinitionSchema struct {
	// name of the import. Names are not unique in an account.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Name string `json:"name"`

	// description is for people.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=10240
	Description *string `json:"description,omitempty"`

	// externalId is free text that the server keeps. When it is not declared the
	// operator puts its own mark there (k8s/ and the uid of this object), by which it
	// finds the import again after a crash.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	ExternalID *string `json:"externalId,omitempty"`

	// _connectionId is the connection that the import writes through: its id, or "@alias"
	// of the Account's spec.aliases. Required, except for AI imports.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^([0-9a-fA-F]{24}|@[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)$`
	ConnectionID *string `json:"_connectionId,omitempty"`

	// _integrationId is the integration that the import belongs to: an id or "@alias".
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^([0-9a-fA-F]{24}|@[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)$`
	IntegrationID *string `json:"_integrationId,omitempty"`

	// _ediProfileId is the EDI profile: an id or "@alias".
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^([0-9a-fA-F]{24}|@[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)$`
	EDIProfileID *string `json:"_ediProfileId,omitempty"`

	// adaptorType is the kind of import, case-sensitive: HTTPImport, RESTImport,
	// FTPImport, S3Import, AS2Import, FileSystemImport, NetSuiteDistributedImport,
	// NetSuiteImport, SalesforceImport, RDBMSImport, JDBCImport, MongodbImport,
	// DynamodbImport, WrapperImport, AiAgentImport, GuardrailImport or ToolImport.
	// Declare it together with its block (http, ftp and file, netsuite_da, …); the API
	// infers it from the block when it is absent, but not for AS2Import. It cannot change.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]*Import$`
	AdaptorType string `json:"adaptorType,omitempty"`

	// distributed is true for imports that run inside NetSuite (NetSuiteDistributedImport).
	// +optional
	// +nullable
	Distributed *bool `json:"distributed,omitempty"`

	// maxAttempts is how often a page of data is tried.
	// +optional
	// +nullable
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	MaxAttempts *int32 `json:"maxAttempts,omitempty"`

	// ignoreExisting skips records that are already in the destination.
	// +optional
	// +nullable
	IgnoreExisting *bool `json:"ignoreExisting,omitempty"`

	// ignoreMissing skips records that are not in the destination.
	// +optional
	// +nullable
	IgnoreMissing *bool `json:"ignoreMissing,omitempty"`

	// idLockTemplate is a template whose value keeps records with the same id from
	// being written at once.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=65536
	IDLockTemplate *string `json:"idLockTemplate,omitempty"`

	// dataURITemplate is a template that links an error to its record in the destination.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=65536
	DataURITemplate *string `json:"dataURITemplate,omitempty"`

	// traceKeyTemplate is a template of the key that identifies a record across a flow.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=65536
	TraceKeyTemplate *string `json:"traceKeyTemplate,omitempty"`

	// oneToMany imports the records of a child array, found at pathToMany, one by one.
	// +optional
	// +nullable
	OneToMany *bool `json:"oneToMany,omitempty"`

	// pathToMany is the path of the child array when oneToMany is true.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=4096
	PathToMany *string `json:"pathToMany,omitempty"`

	// blob transfers files as they are, without parsing them.
	// +optional
	// +nullable
	Blob *bool `json:"blob,omitempty"`

	// blobKeyPath is the path of the blob's key in the record.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=4096
	BlobKeyPath *string `json:"blobKeyPath,omitempty"`

	// deleteAfterImport deletes the blob once it is imported.
	// +optional
	// +nullable
	DeleteAfterImport *bool `json:"deleteAfterImport,omitempty"`

	// assistant is the name of the application connector that the import was made with.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=512
	Assistant *string `json:"assistant,omitempty"`

	// mapping is a Mapper 1.0 mapping: fields[{extract, generate, hardCodedValue,
	// lookupName, dataType, …}] and lists[{generate, fields}].
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Mapping *object `json:"mapping,omitempty"`

	// mappings is a Mapper 2.0 mapping: a recursive array of {generate, dataType,
	// extract, status, mappings[], buildArrayHelper[], …}.
	// +optional
	// +nullable
	// +listType=atomic
	Mappings array `json:"mappings,omitempty"`

	// lookups translate values: [{name, map, default, allowFailures, …}].
	// +optional
	// +nullable
	// +listType=atomic
	Lookups array `json:"lookups,omitempty"`

	// filter decides which records are imported: {type, expression{rules}, script{…}, version}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Filter *object `json:"filter,omitempty"`

	// responseTransform reshapes the destination's answer: {type, expression, script, version}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	ResponseTransform *object `json:"responseTransform,omitempty"`

	// hooks are the functions to run around the import: preMap, postMap, postSubmit and
	// postAggregate, each {function, _scriptId or _stackId, configuration}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Hooks *object `json:"hooks,omitempty"`

	// settings are custom settings, read by hooks and templates.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Settings *object `json:"settings,omitempty"`

	// settingsForm describes the form for the custom settings.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	SettingsForm *object `json:"settingsForm,omitempty"`

	// parsers parse the destination's answer.
	// +optional
	Parsers *JSON `json:"parsers,omitempty"`

	// mockResponse is the answer that test runs get: an array of records.
	// +optional
	// +nullable
	// +listType=atomic
	MockResponse array `json:"mockResponse,omitempty"`

	// http is the block of HTTPImport: method[], relativeURI[], body[] (positional, null
	// allowed), requestMediaType, successMediaType, errorMediaType, batchSize,
	// sendPostMappedData, headers[{name, value}], response{resourcePath, resourceIdPath,
	// successPath, successValues, failPath, failValues, errorPath}, lookups, …
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	HTTP *object `json:"http,omitempty"`

	// rest is the block of RESTImport (legacy): as http.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	REST *object `json:"rest,omitempty"`

	// file says how files are written, for FTPImport, S3Import, AS2Import,
	// FileSystemImport and HTTPImport of type file: type (csv, json, xlsx, xml,
	// filedefinition), fileName, encoding, compressionFormat, csv{rowDelimiter,
	// columnDelimiter, includeHeader, wrapWithQuotes, …}, lookups, …
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	File *object `json:"file,omitempty"`

	// ftp is the block of FTPImport: directoryPath (required), fileName,
	// inProgressFileName, backupDirectoryPath.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	FTP *object `json:"ftp,omitempty"`

	// s3 is the block of S3Import: region and bucket (required), fileKey, backupBucket.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	S3 *object `json:"s3,omitempty"`

	// as2 is the block of AS2Import: fileNameTemplate (required), messageIdTemplate,
	// maxRetries.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	AS2 *object `json:"as2,omitempty"`

	// filesystem is the block of FileSystemImport: directoryPath (required).
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	FileSystem *object `json:"filesystem,omitempty"`

	// netsuite_da is the block of NetSuiteDistributedImport: operation and recordType
	// (required), internalIdLookup{extract, searchField, operator, expression},
	// mapping{fields, lists}, lookups, hooks, batchSize.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	NetSuiteDA *object `json:"netsuite_da,omitempty"`

	// netsuite is the block of NetSuiteImport (legacy): operation and recordType (required), …
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	NetSuite *object `json:"netsuite,omitempty"`

	// salesforce is the block of SalesforceImport: operation (insert, update, upsert,
	// delete, addupdate, …) and api (soap, rest, metadata, compositerecord), both
	// required, sObjectType, idLookup, upsert{externalIdField}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Salesforce *object `json:"salesforce,omitempty"`

	// rdbms is the block of RDBMSImport: queryType[] (required), query[],
	// bulkInsert{tableName, batchSize}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	RDBMS *object `json:"rdbms,omitempty"`

	// jdbc is the block of JDBCImport: queryType (required), query[], bulkLoad{tableName,
	// primaryKeys}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	JDBC *object `json:"jdbc,omitempty"`

	// mongodb is the block of MongodbImport: method (insertMany or updateOne) and
	// collection, both required, document, filter, update: JSON in strings.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	MongoDB *object `json:"mongodb,omitempty"`

	// dynamodb is the block of DynamodbImport: region, method (putItem or updateItem) and
	// tableName, …
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	DynamoDB *object `json:"dynamodb,omitempty"`

	// wrapper is the block of WrapperImport: function (required), configuration, lookups.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Wrapper *object `json:"wrapper,omitempty"`

	// aiAgent is the block of AiAgentImport.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	AIAgent *object `json:"aiAgent,omitempty"`

	// guardrail is the block of GuardrailImport.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Guardrail *object `json:"guardrail,omitempty"`

	// tool is the block of ToolImport.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Tool *object `json:"tool,omitempty"`
}

// object is a JSON object whose fields are kept as they are.
//
// +kubebuilder:object:generate=false
type object struct{}

// array is a JSON array whose elements are kept as they are.
//
// +kubebuilder:object:generate=false
// +kubebuilder:validation:MaxItems=10000
type array []JSON
