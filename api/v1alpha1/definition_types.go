// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"bytes"
	"encoding/json"
)

// ImportDefinition is the document of an import, with the field names of the API's JSON. The
// most common fields are described here. Every other field is accepted and sent unchanged.
// Explicit false, 0, "", [] and null are declared values like any other.
//
// Fields that the server sets (_id, createdAt, lastModified, apiIdentifier, …) cannot be
// declared: the reason is then InvalidDefinition. Any field named _…Id or _…Ids accepts an id,
// or "@alias" with an alias of the Account's spec.aliases.
//
// +kubebuilder:object:generate=false
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:validation:XValidation:rule="has(self._connectionId) || (has(self.adaptorType) && self.adaptorType in ['AiAgentImport', 'GuardrailImport', 'ToolImport'])",message="_connectionId is required unless adaptorType is AiAgentImport, GuardrailImport or ToolImport: set it to the id of a connection, or to @ followed by an alias of the Account"
// +kubebuilder:validation:XValidation:rule="!has(self.externalId) || !self.externalId.startsWith('k8s/')",message="externalId must not begin with k8s/, which is reserved for the ownership marker: choose another externalId"
type ImportDefinition struct {
	// Raw is the whole document, byte for byte. At run time the type contains nothing else.
	Raw []byte `json:"-"`

	// importDefinitionSchema is the schema of the common fields. It is always nil.
	*importDefinitionSchema `json:",inline"`
}

// MarshalJSON returns the document as it was read, or {} if there is none.
func (d ImportDefinition) MarshalJSON() ([]byte, error) {
	if len(d.Raw) == 0 {
		return []byte("{}"), nil
	}
	return d.Raw, nil
}

// UnmarshalJSON stores a copy of the document.
func (d *ImportDefinition) UnmarshalJSON(data []byte) error {
	d.Raw = bytes.Clone(data)
	return nil
}

// DeepCopyInto copies the document into out.
func (d *ImportDefinition) DeepCopyInto(out *ImportDefinition) {
	*out = ImportDefinition{Raw: bytes.Clone(d.Raw)}
}

// Name returns the name in the document, or "" if it has none or is not a JSON object.
func (d ImportDefinition) Name() string {
	var doc struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(d.Raw, &doc); err != nil {
		return ""
	}
	return doc.Name
}

// importDefinitionSchema exists only for the schema of the CRD: kubectl explain prints its
// comments, and the API server validates types against it. Fields are nullable, because the API
// server would drop an explicit null otherwise. The exceptions are fields that cannot be null
// or that validation rules read.
//
// +kubebuilder:object:generate=false
type importDefinitionSchema struct {
	// name is the name of the import. Names need not be unique in an account.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Name string `json:"name"`

	// description is a text for people.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=10240
	Description *string `json:"description,omitempty"`

	// externalId is any text that the server stores. It must not begin with k8s/. If it is not
	// declared, the operator sets it to the ownership marker, by which it finds the import again
	// after a crash: k8s/ and the uid of this object, or, if the operator has an owner id,
	// k8s/<owner id>/<namespace>/<name>.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	ExternalID *string `json:"externalId,omitempty"`

	// _connectionId is the connection through which the import writes: an id, or "@alias" with
	// an alias of the Account's spec.aliases. Required, except for AiAgentImport,
	// GuardrailImport and ToolImport.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^([0-9a-fA-F]{24}|@[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)$`
	ConnectionID *string `json:"_connectionId,omitempty"`

	// _integrationId is the integration to which the import belongs: an id or "@alias".
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^([0-9a-fA-F]{24}|@[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)$`
	IntegrationID *string `json:"_integrationId,omitempty"`

	// _ediProfileId is the EDI profile of the import: an id or "@alias".
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^([0-9a-fA-F]{24}|@[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)$`
	EDIProfileID *string `json:"_ediProfileId,omitempty"`

	// adaptorType is the kind of import, case-sensitive: HTTPImport, RESTImport, FTPImport,
	// S3Import, AS2Import, FileSystemImport, NetSuiteDistributedImport, NetSuiteImport,
	// SalesforceImport, RDBMSImport, JDBCImport, MongodbImport, DynamodbImport, WrapperImport,
	// AiAgentImport, GuardrailImport or ToolImport. Declare it together with the object that
	// configures this kind (http, ftp and file, netsuite_da, …). If it is absent, the API
	// infers it from that object, except for AS2Import. Immutable once set.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]*Import$`
	AdaptorType string `json:"adaptorType,omitempty"`

	// distributed is true for imports that run inside NetSuite (NetSuiteDistributedImport).
	// +optional
	// +nullable
	Distributed *bool `json:"distributed,omitempty"`

	// maxAttempts is how many times a page of data is tried.
	// +optional
	// +nullable
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	MaxAttempts *int32 `json:"maxAttempts,omitempty"`

	// ignoreExisting skips records that already exist in the destination.
	// +optional
	// +nullable
	IgnoreExisting *bool `json:"ignoreExisting,omitempty"`

	// ignoreMissing skips records that do not exist in the destination.
	// +optional
	// +nullable
	IgnoreMissing *bool `json:"ignoreMissing,omitempty"`

	// idLockTemplate is a template. Records for which it has the same value are not written at
	// the same time.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=65536
	IDLockTemplate *string `json:"idLockTemplate,omitempty"`

	// dataURITemplate is a template for the link from an error to its record in the
	// destination.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=65536
	DataURITemplate *string `json:"dataURITemplate,omitempty"`

	// traceKeyTemplate is a template for the key that identifies a record across a flow.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=65536
	TraceKeyTemplate *string `json:"traceKeyTemplate,omitempty"`

	// oneToMany imports each record of a child array, found at pathToMany, separately.
	// +optional
	// +nullable
	OneToMany *bool `json:"oneToMany,omitempty"`

	// pathToMany is the path of the child array if oneToMany is true.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=4096
	PathToMany *string `json:"pathToMany,omitempty"`

	// blob transfers files unchanged, without parsing them.
	// +optional
	// +nullable
	Blob *bool `json:"blob,omitempty"`

	// blobKeyPath is the path of the blob's key in the record.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=4096
	BlobKeyPath *string `json:"blobKeyPath,omitempty"`

	// deleteAfterImport deletes the blob after it was imported.
	// +optional
	// +nullable
	DeleteAfterImport *bool `json:"deleteAfterImport,omitempty"`

	// assistant is the name of the application connector with which the import was created.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=512
	Assistant *string `json:"assistant,omitempty"`

	// mapping is a Mapper 1.0 mapping: fields[{extract, generate, hardCodedValue, lookupName,
	// dataType, …}] and lists[{generate, fields}].
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Mapping *object `json:"mapping,omitempty"`

	// mappings is a Mapper 2.0 mapping: a recursive array of {generate, dataType, extract,
	// status, mappings[], buildArrayHelper[], …}.
	// +optional
	// +nullable
	// +listType=atomic
	Mappings array `json:"mappings,omitempty"`

	// lookups translate values: [{name, map, default, allowFailures, …}].
	// +optional
	// +nullable
	// +listType=atomic
	Lookups array `json:"lookups,omitempty"`

	// filter selects the records to import: {type, expression{rules}, script{…}, version}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Filter *object `json:"filter,omitempty"`

	// responseTransform transforms the destination's response: {type, expression, script,
	// version}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	ResponseTransform *object `json:"responseTransform,omitempty"`

	// hooks are functions that run before and after steps of the import: preMap, postMap,
	// postSubmit and postAggregate, each {function, _scriptId or _stackId, configuration}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Hooks *object `json:"hooks,omitempty"`

	// settings are custom settings, which hooks and templates read.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Settings *object `json:"settings,omitempty"`

	// settingsForm describes the form for the custom settings.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	SettingsForm *object `json:"settingsForm,omitempty"`

	// parsers parse the destination's response.
	// +optional
	Parsers *JSON `json:"parsers,omitempty"`

	// mockResponse is the response that test runs get: an array of records.
	// +optional
	// +nullable
	// +listType=atomic
	MockResponse array `json:"mockResponse,omitempty"`

	// http configures an HTTPImport: method[], relativeURI[], body[] (positional, null
	// allowed), requestMediaType, successMediaType, errorMediaType, batchSize,
	// sendPostMappedData, headers[{name, value}], response{resourcePath, resourceIdPath,
	// successPath, successValues, failPath, failValues, errorPath}, lookups, …
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	HTTP *object `json:"http,omitempty"`

	// rest configures a RESTImport (legacy). It has the same fields as http.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	REST *object `json:"rest,omitempty"`

	// file defines how files are written, for FTPImport, S3Import, AS2Import, FileSystemImport
	// and HTTPImport of type file: type (csv, json, xlsx, xml, filedefinition), fileName,
	// encoding, compressionFormat, csv{rowDelimiter, columnDelimiter, includeHeader,
	// wrapWithQuotes, …}, lookups, …
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	File *object `json:"file,omitempty"`

	// ftp configures an FTPImport: directoryPath (required), fileName, inProgressFileName,
	// backupDirectoryPath.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	FTP *object `json:"ftp,omitempty"`

	// s3 configures an S3Import: region and bucket (required), fileKey, backupBucket.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	S3 *object `json:"s3,omitempty"`

	// as2 configures an AS2Import: fileNameTemplate (required), messageIdTemplate, maxRetries.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	AS2 *object `json:"as2,omitempty"`

	// filesystem configures a FileSystemImport: directoryPath (required).
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	FileSystem *object `json:"filesystem,omitempty"`

	// netsuite_da configures a NetSuiteDistributedImport: operation and recordType (required),
	// internalIdLookup{extract, searchField, operator, expression}, mapping{fields, lists},
	// lookups, hooks, batchSize.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	NetSuiteDA *object `json:"netsuite_da,omitempty"`

	// netsuite configures a NetSuiteImport (legacy): operation and recordType (required), …
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	NetSuite *object `json:"netsuite,omitempty"`

	// salesforce configures a SalesforceImport: operation (insert, update, upsert, delete,
	// addupdate, …) and api (soap, rest, metadata, compositerecord), both required,
	// sObjectType, idLookup, upsert{externalIdField}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Salesforce *object `json:"salesforce,omitempty"`

	// rdbms configures an RDBMSImport: queryType[] (required), query[], bulkInsert{tableName,
	// batchSize}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	RDBMS *object `json:"rdbms,omitempty"`

	// jdbc configures a JDBCImport: queryType (required), query[], bulkLoad{tableName,
	// primaryKeys}.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	JDBC *object `json:"jdbc,omitempty"`

	// mongodb configures a MongodbImport: method (insertMany or updateOne) and collection, both
	// required, and document, filter and update, each a string that contains JSON.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	MongoDB *object `json:"mongodb,omitempty"`

	// dynamodb configures a DynamodbImport: region, method (putItem or updateItem) and
	// tableName, …
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	DynamoDB *object `json:"dynamodb,omitempty"`

	// wrapper configures a WrapperImport: function (required), configuration, lookups.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Wrapper *object `json:"wrapper,omitempty"`

	// aiAgent configures an AiAgentImport.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	AIAgent *object `json:"aiAgent,omitempty"`

	// guardrail configures a GuardrailImport.
	// +optional
	// +nullable
	// +kubebuilder:pruning:PreserveUnknownFields
	Guardrail *object `json:"guardrail,omitempty"`

	// tool configures a ToolImport.
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
