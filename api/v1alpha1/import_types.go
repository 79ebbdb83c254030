// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DriftPolicy defines what happens when the remote import differs from the definition.
//
// +kubebuilder:validation:Enum=Correct;Report
type DriftPolicy string

const (
	// DriftPolicyCorrect restores the declared values.
	DriftPolicyCorrect DriftPolicy = "Correct"
	// DriftPolicyReport reports the differences and writes nothing.
	DriftPolicyReport DriftPolicy = "Report"
)

// MaskedFieldsPolicy defines what happens to values that are not declared, and that the API masks, when
// the import is updated.
//
// +kubebuilder:validation:Enum=Refuse;Send
type MaskedFieldsPolicy string

const (
	// MaskedFieldsRefuse does not update an import that has such a value.
	MaskedFieldsRefuse MaskedFieldsPolicy = "Refuse"
	// MaskedFieldsSend sends the mask as it was read.
	MaskedFieldsSend MaskedFieldsPolicy = "Send"
)

// DeletionPolicy defines what happens to the remote import when the Import is deleted.
//
// +kubebuilder:validation:Enum=Delete;Orphan
type DeletionPolicy string

const (
	// DeletionPolicyDelete deletes the remote import, as soon as nothing uses it.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyOrphan keeps the remote import as it is. No call is made.
	DeletionPolicyOrphan DeletionPolicy = "Orphan"
)

// AdoptionMode defines what happens when the import to adopt differs from the definition.
//
// +kubebuilder:validation:Enum=Match;Override
type AdoptionMode string

const (
	// AdoptionModeMatch takes over an import only if it agrees with the definition. Otherwise
	// the differences are reported, and nothing is written.
	AdoptionModeMatch AdoptionMode = "Match"
	// AdoptionModeOverride takes the import over and writes the definition to it, even if the
	// import has the ownership marker of an Import in another cluster.
	AdoptionModeOverride AdoptionMode = "Override"
)

// ManagementPolicy defines whether the operator writes to the remote import.
//
// +kubebuilder:validation:Enum=Manage;Observe
type ManagementPolicy string

const (
	// ManagementPolicyManage creates, updates and deletes the remote import.
	ManagementPolicyManage ManagementPolicy = "Manage"
	// ManagementPolicyObserve reads the remote import and reports differences. It writes
	// nothing.
	ManagementPolicyObserve ManagementPolicy = "Observe"
)

// AdoptSpec identifies an existing import of the account. Exactly one of id and externalId must
// be set.
//
// +kubebuilder:validation:XValidation:rule="has(self.id) != has(self.externalId)",message="exactly one of id and externalId must be set"
type AdoptSpec struct {
	// id is the _id of the import to take over.
	// +optional
	ID ID `json:"id,omitempty"`

	// externalId is the externalId of the import to take over. Exactly one import of the
	// account must have it; otherwise the Import is Stalled, with reason AdoptionNotFound or
	// AdoptionAmbiguous.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	ExternalID string `json:"externalId,omitempty"`

	// mode is Match or Override. Match takes the import over only if it agrees with the
	// definition. If it does not, nothing is written, and the Import is Stalled with reason
	// AdoptionMismatch and the differences in status.drift. Override writes the definition to
	// the import. Defaults to Match.
	// +optional
	// +default="Match"
	Mode AdoptionMode `json:"mode,omitempty"`
}

// CloneSpec identifies the import to copy. Exactly one of id and importRef must be set.
//
// +kubebuilder:validation:XValidation:rule="has(self.id) != has(self.importRef)",message="exactly one of id and importRef must be set"
type CloneSpec struct {
	// id is the _id of the import to copy, in the same account.
	// +optional
	ID ID `json:"id,omitempty"`

	// importRef is the Import whose remote import is copied. It must be in the same namespace
	// and use the same Account. The copy is made as soon as that Import has a remote import;
	// until then the reason is CloneSourceNotReady.
	// +optional
	ImportRef *LocalReference `json:"importRef,omitempty"`

	// connectionMap maps each connection of the original to the connection that the copy uses
	// instead. Keys and values are connection ids, or "@alias" with an alias of the Account's
	// spec.aliases.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(connection, connection.matches('^([0-9a-fA-F]{24}|@[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)$'))",message="each key of connectionMap must be the id of a connection (24 hexadecimal characters), or @ followed by an alias of the Account"
	ConnectionMap map[string]ConnectionReference `json:"connectionMap,omitempty"`
}

// ConnectionReference is the id of a connection, or "@alias" with an alias of the Account's
// spec.aliases.
//
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:Pattern=`^([0-9a-fA-F]{24}|@[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)$`
type ConnectionReference string

// ValueFormat defines how the content of a key is interpreted.
//
// +kubebuilder:validation:Enum=Text;JSON
type ValueFormat string

const (
	// ValueFormatText uses the content as a string.
	ValueFormatText ValueFormat = "Text"
	// ValueFormatJSON parses the content as a JSON value.
	ValueFormatJSON ValueFormat = "JSON"
)

// ValueSource is a value of the definition that comes from a key of a Secret or ConfigMap.
// Exactly one of secretKeyRef and configMapKeyRef must be set.
//
// +kubebuilder:validation:XValidation:rule="has(self.configMapKeyRef) != has(self.secretKeyRef)",message="exactly one of configMapKeyRef and secretKeyRef must be set"
// +kubebuilder:validation:XValidation:rule="!(has(self.trimSpace) && self.trimSpace) || !has(self.format) || self.format == 'Text'",fieldPath=".trimSpace",message="trimSpace can be true only with format Text, because JSON ignores white space around a value: remove trimSpace, or set format to Text"
type ValueSource struct {
	// path is the JSON pointer (RFC 6901) of the field that gets the value, such as
	// /http/headers/0/value. The value replaces what the definition declares there. Missing
	// parent objects are created. An array element must exist in the definition. The fields
	// name, externalId, adaptorType and _connectionId cannot be set here, because the status
	// shows them.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^(/([^/~]|~[01])*)+$`
	// +kubebuilder:validation:XValidation:rule="!self.matches('^/(name|externalId|adaptorType|_connectionId)(/|$)')",message="path must not be at or below name, externalId, adaptorType or _connectionId, because the status shows these fields: declare the field in spec.definition"
	Path string `json:"path"`

	// secretKeyRef is a key of a Secret in the same namespace.
	// +optional
	SecretKeyRef *KeyReference `json:"secretKeyRef,omitempty"`

	// configMapKeyRef is a key of a ConfigMap in the same namespace. Its value is redacted in
	// all output too.
	// +optional
	ConfigMapKeyRef *KeyReference `json:"configMapKeyRef,omitempty"`

	// format is Text or JSON. Text uses the content as a string, including a trailing line
	// break unless trimSpace is true. JSON parses the content as any JSON value: numbers stay as
	// they are written, and "@alias" in _…Id and _…Ids fields is resolved as in the definition.
	// Content that cannot be parsed makes the Import Stalled, with reason InvalidValue. A byte
	// order mark is no part of the content. Defaults to Text.
	// +optional
	// +default="Text"
	Format ValueFormat `json:"format,omitempty"`

	// trimSpace removes white space at the beginning and at the end of a value of format Text,
	// such as the line break at the end of a file. While it is not set, a value that ends in a
	// line break is used as it is, and the event TrailingLineBreak warns once; false keeps the
	// line break without a warning. Defaults to false.
	// +optional
	TrimSpace *bool `json:"trimSpace,omitempty"`
}

// ImportSpec is the desired state of one import.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.adopt) && has(self.cloneFrom))",message="at most one of adopt and cloneFrom may be set: use adopt to take over an existing import, or cloneFrom to copy one"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.adopt) || !has(self.adopt) || self.adopt == oldSelf.adopt",message="adopt cannot be changed: restore the previous value, or create another Import"
// +kubebuilder:validation:XValidation:rule="has(self.cloneFrom) == has(oldSelf.cloneFrom) && (!has(self.cloneFrom) || self.cloneFrom == oldSelf.cloneFrom)",message="cloneFrom is immutable, because the copy is made only once: create a new Import"
// +kubebuilder:validation:XValidation:rule="!(has(self.cloneFrom) && has(self.managementPolicy) && self.managementPolicy == 'Observe')",message="cloneFrom cannot be combined with managementPolicy Observe, which creates no import: set adopt instead of cloneFrom, or set managementPolicy to Manage"
type ImportSpec struct {
	// accountRef is the Account, in the same namespace, to which the import belongs. It can be
	// changed only while status.management is None. Defaults to the Account named default.
	// +optional
	// +default={"name":"default"}
	AccountRef LocalReference `json:"accountRef,omitzero"`

	// definition is the import document, with the field names of the API's JSON. The operator
	// keeps the declared fields of the remote import as they are declared here, and leaves all
	// other fields alone. An array is declared as a whole. Fields that this schema does not
	// list are accepted and sent unchanged.
	// +required
	Definition ImportDefinition `json:"definition"`

	// valuesFrom are values of the definition that come from Secrets and ConfigMaps, such as
	// keys and passwords. They override what the definition declares at the same path. When a
	// value changes, it is written to the remote import automatically. The status and events
	// show "(redacted)" in place of the values, but not in place of the names of fields inside
	// a JSON value. Each path may occur only once, and no path may be below another one. If a
	// Secret, a ConfigMap or a key does not exist, the Import waits, with reason ValueNotFound.
	// +optional
	// +listType=map
	// +listMapKey=path
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(one, !self.exists(other, other.path.startsWith(one.path + '/')))",message="no path in valuesFrom may be below another one: remove one of the two entries"
	ValuesFrom []ValueSource `json:"valuesFrom,omitempty"`

	// adopt takes over an existing import of the account instead of creating one. An import
	// that another Import manages is refused (OwnershipConflict), and so is an import that an
	// integration app owns (OwnedByIntegrationApp). It cannot be changed once set, and can be
	// removed while status.management is Managed: the import stays with this Import. At most
	// one of adopt and cloneFrom may be set.
	// +optional
	Adopt *AdoptSpec `json:"adopt,omitempty"`

	// cloneFrom creates the import as a copy of another import in the same account. Then the
	// definition is written over the copy. Fields that the definition does not declare keep the
	// copied values. Immutable. Cannot be combined with managementPolicy Observe.
	// +optional
	CloneFrom *CloneSpec `json:"cloneFrom,omitempty"`

	// debugUntil turns on debug logging for the import until this time, in RFC 3339 format. The
	// API accepts a time up to one hour ahead; a later time is set as soon as it is at most one
	// hour ahead. Removing the field turns debug logging off. A time in the past is ignored.
	// +optional
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	// +kubebuilder:validation:XValidation:rule="self >= timestamp('0001-01-01T00:00:00Z')",message="debugUntil must be an RFC 3339 time that exists: use a value such as 2026-01-31T12:00:00Z"
	// +kubebuilder:validation:Type=string
	DebugUntil *metav1.Time `json:"debugUntil,omitempty"`

	// managementPolicy is Manage or Observe. Manage creates, updates and deletes the remote
	// import. Observe never writes to it: adopt must identify the import, and status.drift
	// lists the differences. Defaults to Manage.
	// +optional
	// +default="Manage"
	ManagementPolicy ManagementPolicy `json:"managementPolicy,omitempty"`

	// driftPolicy defines what happens when somebody changes a declared field on the platform.
	// Correct restores the declared values. Report only reports the differences, in
	// status.drift and the condition Drifted. Defaults to Correct.
	// +optional
	// +default="Correct"
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// ignoreDifferences is a list of JSON pointers (RFC 6901) into the definition, such as
	// /http/batchSize. Fields at or below them are sent when the import is created, and are not
	// compared or written afterwards. An asterisk stands for any one array element or key, as
	// in /mappings/*/status. Elements are matched by their position in the array. Pointers that
	// match nothing are listed in status.unmatchedIgnoreDifferences.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=512
	// +kubebuilder:validation:items:Pattern=`^(/([^/~]|~[01])*)+$`
	IgnoreDifferences []string `json:"ignoreDifferences,omitempty"`

	// maskedFields is Refuse or Send. The API masks the field encrypted in its responses, and an
	// update replaces the whole document, so that it would contain the mask in place of a value
	// that is not declared. Refuse does not update an import that has such a value, and sets
	// the reason MaskedField: declare the value with valuesFrom. Send sends the mask as it was
	// read: use it only if the API keeps the stored value when it gets the mask. Defaults to
	// Refuse.
	// +optional
	// +default="Refuse"
	MaskedFields MaskedFieldsPolicy `json:"maskedFields,omitempty"`

	// deletionPolicy defines what happens to the remote import when this object is deleted.
	// Delete deletes it as soon as no flow uses it; until then the reason is DeletionBlocked.
	// Orphan keeps it. Defaults to Delete.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// suspend stops all calls for this import; it stays as it is. Defaults to false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Import is one import of integrator.io: the write side of an integration, which defines where
// records go and how they are mapped. The operator creates the import in the Account, keeps it
// as declared, and deletes it together with this object.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=imp,categories=integrator
// +kubebuilder:selectablefield:JSONPath=`.spec.accountRef.name`
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.spec.adopt) || has(self.spec.adopt) || (has(self.status) && has(self.status.management) && self.status.management == 'Managed')",fieldPath=".spec.adopt",message="adopt can be removed only while status.management is Managed, because another import would be created otherwise: keep adopt"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.spec.definition.adaptorType) || (has(self.spec.definition.adaptorType) && self.spec.definition.adaptorType == oldSelf.spec.definition.adaptorType) || !has(self.status) || !has(self.status.id)",fieldPath=".spec.definition.adaptorType",message="definition.adaptorType cannot be changed once the Import has a remote import, because the API cannot change the adaptor of an import: restore the previous value, or create a new Import"
// +kubebuilder:validation:XValidation:rule="self.spec.accountRef == oldSelf.spec.accountRef || !has(self.status) || !has(self.status.management) || self.status.management == 'None'",fieldPath=".spec.accountRef",message="accountRef cannot be changed once the Import has a remote import, because an import cannot move to another account: create a new Import"
// +kubebuilder:validation:XValidation:rule="self.spec.accountRef == oldSelf.spec.accountRef || (has(self.status) && has(self.status.management))",fieldPath=".spec.accountRef",message="accountRef can be changed only while status.management is None, and it is not set: a remote import may exist or be in creation; keep accountRef until status.management is set"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.id`
// +kubebuilder:printcolumn:name="Adaptor",type=string,JSONPath=`.status.adaptorType`
// +kubebuilder:printcolumn:name="Last-Modified",type=string,JSONPath=`.status.lastModified`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.spec.accountRef.name`,priority=1
// +kubebuilder:printcolumn:name="Connection",type=string,JSONPath=`.status.connectionID`,priority=1
// +kubebuilder:printcolumn:name="Drift",type=string,JSONPath=`.status.drift[*].path`,priority=1
// +kubebuilder:printcolumn:name="Last-Changed-By",type=string,JSONPath=`.status.audit.lastEvent.user`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type Import struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the desired state of the import.
	// +required
	Spec ImportSpec `json:"spec"`

	// status is the observed state of the import.
	// +optional
	// +default={"observedGeneration":-1}
	Status ImportStatus `json:"status,omitzero"`
}

// ImportList is a list of Imports.
//
// +kubebuilder:object:root=true
type ImportList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items is the list of Imports.
	Items []Import `json:"items"`
}
