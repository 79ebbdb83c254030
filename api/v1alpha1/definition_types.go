// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"bytes"
	"encoding/json"
)

// ImportDefinition is the document of an import, with the field names of the API's JSON. The
// documented fields are described here, with the types and values that the API documents.
// Other types, values and fields are accepted and sent unchanged. Explicit false, 0, "", []
// and null are declared values like any other.
//
// A document that the API returned can be pasted. Fields that the server sets (createdAt,
// lastModified, apiIdentifier, …) are left out and listed in status.ignoredFields, but _id and
// _connectorId are refused. Any field named _…Id or _…Ids accepts an id, or "@alias" with an
// alias of the Account's spec.aliases.
//
// +kubebuilder:object:generate=false
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:validation:XValidation:rule="has(self._connectionId) || (has(self.adaptorType) && self.adaptorType in ['AiAgentImport', 'GuardrailImport', 'ToolImport'])",message="_connectionId is required unless adaptorType is AiAgentImport, GuardrailImport or ToolImport: set it to the id of a connection, or to @ followed by an alias of the Account"
// +kubebuilder:validation:XValidation:rule="!has(self.externalId) || !self.externalId.startsWith('k8s/')",message="externalId must not begin with k8s/, which is reserved for the ownership marker: choose another externalId"
// +kubebuilder:validation:XValidation:rule="!has(self._id)",fieldPath="._id",message="_id cannot be declared: to take over this import put its _id into spec.adopt.id; to make a new one leave it out"
// +kubebuilder:validation:XValidation:rule="!has(self._connectorId)",fieldPath="._connectorId",message="_connectorId cannot be declared, because an import that has it belongs to an integration app: leave it out to make an import of your own"
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
// comments, and the API server validates types against it. It has the fields that cannot have
// another type, because validation rules read them. All others come from the table of package
// fields, which "make manifests" puts beside them.
//
// +kubebuilder:object:generate=false
type importDefinitionSchema struct {
	// name is the name of the import. Names need not be unique in an account.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Name string `json:"name"`

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

	// adaptorType is the kind of import, case-sensitive: HTTPImport, RESTImport, FTPImport,
	// S3Import, AS2Import, FileSystemImport, NetSuiteDistributedImport, NetSuiteImport,
	// SalesforceImport, RDBMSImport, JDBCImport, MongodbImport, DynamodbImport, WrapperImport,
	// AiAgentImport, GuardrailImport or ToolImport. Declare it together with the object that
	// configures this kind (http, ftp and file, netsuite_da, …). If it is absent, the API
	// infers it from that object, except for AS2Import. It cannot be changed once the Import
	// has a remote import.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	AdaptorType string `json:"adaptorType,omitempty"`

	// _id cannot be declared: to take over an import put its _id into spec.adopt.id; to make a
	// new one leave it out.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=64
	ID *string `json:"_id,omitempty"`

	// _connectorId cannot be declared: an import that has it belongs to an integration app.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=64
	ConnectorID *string `json:"_connectorId,omitempty"`
}
