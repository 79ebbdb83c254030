// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DriftPolicy says what to do when the remote import differs from the declared one.
//
// +kubebuilder:validation:Enum=Correct;Report
type DriftPolicy string

const (
	// DriftPolicyCorrect puts the declared values back.
	DriftPolicyCorrect DriftPolicy = "Correct"
	// DriftPolicyReport reports the difference and changes nothing.
	DriftPolicyReport DriftPolicy = "Report"
)

// DeletionPolicy says what becomes of the remote import when the Import is deleted.
//
// +kubebuilder:validation:Enum=Delete;Orphan
type DeletionPolicy string

const (
	// DeletionPolicyDelete deletes the remote import, once nothing uses it.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyOrphan leaves the remote import as it is; no call is made.
	DeletionPolicyOrphan DeletionPolicy = "Orphan"
)

// AdoptionMode says what adopting an import that differs from the definition does.
//
// +kubebuilder:validation:Enum=Match;Override
type AdoptionMode string

const (
	// AdoptionModeMatch takes over only an import that already agrees with the definition;
	// otherwise it reports the differences and writes nothing.
	AdoptionModeMatch AdoptionMode = "Match"
	// AdoptionModeOverride takes the import over and writes the definition to it, also when
	// it has the ownership marker of an Import of another cluster.
	AdoptionModeOverride AdoptionMode = "Override"
)

// ManagementPolicy says whether the operator may write to the remote import.
//
// +kubebuilder:validation:Enum=Manage;Observe
type ManagementPolicy string

const (
	// ManagementPolicyManage creates, updates and deletes the remote import.
	ManagementPolicyManage ManagementPolicy = "Manage"
	// ManagementPolicyObserve only reads it and tells what differs.
	ManagementPolicyObserve ManagementPolicy = "Observe"
)

// AdoptSpec names an import that is already in the account.
//
// +kubebuilder:validation:XValidation:rule="has(self.id) != has(self.externalId)",message="give either id or externalId"
type AdoptSpec struct {
	// id is the _id of the import to take over.
	// +optional
	ID ID `json:"id,omitempty"`

	// externalId of the import to take over. Exactly one import of the account has to
	// have it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	ExternalID string `json:"externalId,omitempty"`

	// mode is Match or Override. Match takes the import over only when it agrees with the
	// definition, and otherwise reports every difference and writes nothing. Override
	// writes the definition to it.
	// +optional
	// +default="Match"
	Mode AdoptionMode `json:"mode,omitempty"`
}

// CloneSpec names the import to copy.
//
// +kubebuilder:validation:XValidation:rule="has(self.id) != has(self.importRef)",message="give either id or importRef"
type CloneSpec struct {
	// id is the _id of the import to copy, in the same account.
	// +optional
	ID ID `json:"id,omitempty"`

	// importRef names the Import, in the same namespace and account, to copy. The copy is
	// made when that Import is there.
	// +optional
	ImportRef *LocalReference `json:"importRef,omitempty"`

	// connectionMap maps connections of the original to those of the copy; each is an id
	// or "@alias" of the Account's spec.aliases.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(connection, connection.matches('^([0-9a-fA-F]{24}|@[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)$'))",message="a connection is 24 hexadecimal characters or @ and an alias"
	ConnectionMap map[string]ConnectionReference `json:"connectionMap,omitempty"`
}

// ConnectionReference is the id of a connection, or "@alias" of the Account's spec.aliases.
//
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:Pattern=`^([0-9a-fA-F]{24}|@[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)$`
type ConnectionReference string

// ValueFormat says how the content of a key is read.
//
// +kubebuilder:validation:Enum=Text;JSON
type ValueFormat string

const (
	// ValueFormatText takes the content as text, byte for byte.
	ValueFormatText ValueFormat = "Text"
	// ValueFormatJSON takes the content as a JSON value.
	ValueFormatJSON ValueFormat = "JSON"
)

// ValueSource is a key of a Secret or of a ConfigMap that has a value of the definition.
//
// +kubebuilder:validation:XValidation:rule="has(self.configMapKeyRef) != has(self.secretKeyRef)",message="give either configMapKeyRef or secretKeyRef"
type ValueSource struct {
	// path is the JSON pointer (RFC 6901) of the field in the definition that the value
	// becomes, such as /http/headers/0/value. What the definition has there is replaced, and
	// objects that are missing on the way are made. In an array the path has to name an
	// element that the definition has. name, externalId, adaptorType and _connectionId show
	// in the status and cannot come from here.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^(/([^/~]|~[01])*)+$`
	// +kubebuilder:validation:XValidation:rule="!self.matches('^/(name|externalId|adaptorType|_connectionId)(/|$)')",message="name, externalId, adaptorType and _connectionId show in the status and cannot be secret: declare them in the definition"
	Path string `json:"path"`

	// secretKeyRef is a key of a Secret in the same namespace.
	// +optional
	SecretKeyRef *KeyReference `json:"secretKeyRef,omitempty"`

	// configMapKeyRef is a key of a ConfigMap in the same namespace. Its value is hidden in
	// every output too.
	// +optional
	ConfigMapKeyRef *KeyReference `json:"configMapKeyRef,omitempty"`

	// format is Text or JSON. Text makes the content a string as it is, a line break at its
	// end included. JSON reads it as any JSON value; numbers stay as they are written, and
	// "@alias" in _…Id and _…Ids fields resolves as in the definition.
	// +optional
	// +default="Text"
	Format ValueFormat `json:"format,omitempty"`
}

// ImportSpec declares one import.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.adopt) && has(self.cloneFrom))",message="give either adopt or cloneFrom: an import is taken over or copied, not both"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.adopt) || (has(self.adopt) && self.adopt == oldSelf.adopt)",message="adopt is immutable once set; create a new Import"
// +kubebuilder:validation:XValidation:rule="has(self.cloneFrom) == has(oldSelf.cloneFrom) && (!has(self.cloneFrom) || self.cloneFrom == oldSelf.cloneFrom)",message="cloneFrom is immutable: the copy is made once; create a new Import"
// +kubebuilder:validation:XValidation:rule="!(has(self.cloneFrom) && has(self.managementPolicy) && self.managementPolicy == 'Observe')",message="managementPolicy Observe makes no copy: use adopt, or managementPolicy Manage"
// +kubebuilder:validation:XValidation:rule="self.accountRef == oldSelf.accountRef",message="accountRef is immutable: an import cannot move to another account; create a new Import"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.definition.adaptorType) || (has(self.definition.adaptorType) && self.definition.adaptorType == oldSelf.definition.adaptorType)",message="definition.adaptorType is immutable: the API does not change an import's adaptor; create a new Import"
type ImportSpec struct {
	// accountRef names the Account, in the same namespace, that the import lives in.
	// Immutable.
	// +optional
	// +default={"name":"default"}
	AccountRef LocalReference `json:"accountRef,omitzero"`

	// definition is the import as the API's JSON names it. What is declared here is
	// what the remote import is held to; fields that are not declared stay as the
	// server or other people set them. An array is declared whole. Fields that are not
	// listed here are kept and sent as they are.
	// +required
	Definition ImportDefinition `json:"definition"`

	// valuesFrom are values of the definition that are kept in Secrets and ConfigMaps, such
	// as keys and passwords. They are laid over the definition; new content is written to
	// the remote import automatically. What lies at these paths shows as "(redacted)" in the
	// status and in events. The names of fields inside a JSON value are not hidden. No path
	// may be given twice, or lie under another one.
	// +optional
	// +listType=map
	// +listMapKey=path
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(one, !self.exists(other, other.path.startsWith(one.path + '/')))",message="a path lies under another one: give the value of one of them"
	ValuesFrom []ValueSource `json:"valuesFrom,omitempty"`

	// adopt takes over an import that is already in the account, instead of creating one.
	// It is refused for an import that another Import manages, here or in another cluster,
	// or that an integration app owns. Immutable once set.
	// +optional
	Adopt *AdoptSpec `json:"adopt,omitempty"`

	// cloneFrom creates the import as a copy of another one in the same account, which is
	// then brought to the definition; what the definition does not declare stays as it was
	// copied. Immutable.
	// +optional
	CloneFrom *CloneSpec `json:"cloneFrom,omitempty"`

	// debugUntil turns debug logging of the import on until this time. The API takes it an
	// hour ahead at most: it is set once it is not farther. Taking it away turns the logging
	// off. Once it has passed it means nothing.
	// +optional
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	// +kubebuilder:validation:XValidation:rule="self >= timestamp('0001-01-01T00:00:00Z')",message="debugUntil is a time, such as 2026-01-31T12:00:00Z"
	// +kubebuilder:validation:Type=string
	DebugUntil *metav1.Time `json:"debugUntil,omitempty"`

	// managementPolicy is Manage or Observe. Observe never writes to the remote import,
	// which adopt has to name; it reports in status.drift what differs.
	// +optional
	// +default="Manage"
	ManagementPolicy ManagementPolicy `json:"managementPolicy,omitempty"`

	// driftPolicy says what to do when the remote differs: Correct puts the declared
	// values back, Report only tells (condition Drifted, status.drift).
	// +optional
	// +default="Correct"
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// ignoreDifferences are JSON pointers (RFC 6901) into the definition. What lies at
	// or under them is sent when the import is created, and not compared afterwards.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=512
	// +kubebuilder:validation:items:Pattern=`^(/([^/~]|~[01])*)+$`
	IgnoreDifferences []string `json:"ignoreDifferences,omitempty"`

	// deletionPolicy says what becomes of the remote import when this object is
	// deleted: Delete deletes it, once no flow uses it; Orphan leaves it.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// suspend holds the import as it is: no call is made for it.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ImportAudit is an extract of the platform's audit log.
type ImportAudit struct {
	// lastEvent is the newest entry of the log.
	// +optional
	LastEvent *AuditEvent `json:"lastEvent,omitempty"`

	// externalChanges are the newest entries that were not made by the operator, the newest
	// first; 5 at most.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	ExternalChanges []AuditEvent `json:"externalChanges,omitempty"`
}

// AuditEvent is one entry of the platform's audit log.
type AuditEvent struct {
	// time as the API gave it.
	// +required
	// +kubebuilder:validation:MaxLength=64
	Time string `json:"time"`

	// event is what was done: create, update, delete, …
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Event string `json:"event,omitempty"`

	// source is where it was done from: ui, api, connector, stack, system or sso.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Source string `json:"source,omitempty"`

	// user is who did it: the email address, or else the name or the id.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	User string `json:"user,omitempty"`

	// fields are the paths that were changed, as the log names them; 8 at most.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=256
	Fields []string `json:"fields,omitempty"`
}

// ResourceUse is a resource of the platform that uses the import.
type ResourceUse struct {
	// kind of the resource, such as flow.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Kind string `json:"kind,omitempty"`

	// id of the resource.
	// +required
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id"`

	// name of the resource, cut when long.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name,omitempty"`
}

// ImportPlan is what a reconcile would call.
type ImportPlan struct {
	// calls are the calls that would write, in order, such as "PUT /v1/imports/{id}". None
	// means that nothing would be written.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=128
	Calls []string `json:"calls,omitempty"`

	// differences are the fields that would change; 16 at most.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Differences []Difference `json:"differences,omitempty"`
}

// ImportStatus is what the operator knows of the remote import.
type ImportStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// id is the _id of the remote import.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`

	// adaptorType as the API answered it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	AdaptorType string `json:"adaptorType,omitempty"`

	// apiIdentifier as the API answered it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	APIIdentifier string `json:"apiIdentifier,omitempty"`

	// connectionID is the _connectionId as the API answered it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ConnectionID string `json:"connectionID,omitempty"`

	// createdAt as the API answered it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	CreatedAt string `json:"createdAt,omitempty"`

	// lastModified as the API answered it, by the API's clock.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	LastModified string `json:"lastModified,omitempty"`

	// comparedLastModified is the lastModified of the remote import that the last completed
	// comparison was made with; empty when the last reconcile did not complete one.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ComparedLastModified string `json:"comparedLastModified,omitempty"`

	// desiredHash is a hash of what was last compared with the remote: the definition
	// with its aliases resolved and, for spec.valuesFrom, the versions of the Secrets and
	// ConfigMaps. It is not made of their content.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DesiredHash string `json:"desiredHash,omitempty"`

	// ownedFields are the JSON pointers of the fields that were last applied. One that
	// is no longer declared is taken back from the remote import.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4096
	// +kubebuilder:validation:items:MaxLength=512
	OwnedFields []string `json:"ownedFields,omitempty"`

	// debugUntil is the spec.debugUntil that was last set on the remote import.
	// +optional
	DebugUntil *metav1.Time `json:"debugUntil,omitempty"`

	// drift lists, when driftPolicy is Report, managementPolicy is Observe, or an adoption
	// does not match, the fields whose remote value is not the
	// declared one; 16 at most.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Drift []Difference `json:"drift,omitempty"`

	// notAccepted lists declared fields that the API dropped or changed in its own
	// answer; 16 at most. They are not sent again until the spec or the remote changes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	NotAccepted []Difference `json:"notAccepted,omitempty"`

	// differencesHash is a hash of all differences, redacted, of which drift or notAccepted
	// show the first.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DifferencesHash string `json:"differencesHash,omitempty"`

	// audit is what the platform's audit log says of the import, as of the last drift or
	// deletion that was found.
	// +optional
	Audit *ImportAudit `json:"audit,omitempty"`

	// usedBy lists what uses the import, such as flows; 16 at most. It is read when the
	// import is adopted or is to be deleted, and when a look is asked for with the
	// annotation integrator.io/reconcile-requested-at: see usedByObservedAt.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	UsedBy []ResourceUse `json:"usedBy,omitempty"`

	// usedByObservedAt is when usedBy was read, or last found to have changed while a
	// deletion waits. Absent: never.
	// +optional
	UsedByObservedAt *metav1.Time `json:"usedByObservedAt,omitempty"`

	// plan is what the operator would do, while the annotation integrator.io/dry-run is
	// "true".
	// +optional
	Plan *ImportPlan `json:"plan,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation
	// integrator.io/reconcile-requested-at that was answered.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// conditions are Ready always, and Reconciling, Stalled, Suspended and Drifted while they
	// are True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Import is one import of integrator.io: the write side of an integration, which says
// where records go and how they are mapped. The operator creates it in the Account,
// keeps it as declared, and deletes it with this object.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=imp,categories=integrator
// +kubebuilder:selectablefield:JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.id`
// +kubebuilder:printcolumn:name="Adaptor",type=string,JSONPath=`.status.adaptorType`
// +kubebuilder:printcolumn:name="Connection",type=string,JSONPath=`.status.connectionID`
// +kubebuilder:printcolumn:name="Last-Modified",type=string,JSONPath=`.status.lastModified`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.spec.accountRef.name`,priority=1
// +kubebuilder:printcolumn:name="Drift",type=string,JSONPath=`.status.drift[*].path`,priority=1
// +kubebuilder:printcolumn:name="Last-Changed-By",type=string,JSONPath=`.status.audit.lastEvent.user`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type Import struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec declares the import.
	// +required
	Spec ImportSpec `json:"spec"`

	// status is what the operator knows of the remote import.
	// +optional
	// +default={"observedGeneration":-1}
	Status ImportStatus `json:"status,omitzero"`
}

// ImportList is a list of Imports.
//
// +kubebuilder:object:root=true
type ImportList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard list's metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the Imports.
	Items []Import `json:"items"`
}
