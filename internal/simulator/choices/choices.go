// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package choices is the one place of what the simulator chose where the behaviour of the real API
// is not known.
package choices

import (
	"fmt"
	"net/http"
	"slices"
)

// The values of the choices that have more than two.
const (
	UnknownFieldsKeep = "keep"
	UnknownFieldsDrop = "drop"
	// UnknownFieldsDropAll drops those in blocks too.
	UnknownFieldsDropAll = "dropAll"
	UnknownFieldsReject  = "reject"

	AssistantMetadataReplace = "replace"
	AssistantMetadataIgnore  = "ignore"
	AssistantMetadataErase   = "erase"

	CloneAnswerDocument  = "document"
	CloneAnswerReference = "reference"
	CloneAnswerBare      = "bareReference"

	AnswerEmpty    = "empty"
	AnswerDocument = "document"

	NewestFirst = "newestFirst"
	OldestFirst = "oldestFirst"
)

// Choices are the behaviours on which the vendor's documentation is silent, or
// that are known from observation only. Everything else in the simulator follows
// documentation, or the table of package fields. They can be changed while the simulator runs.
type Choices struct {
	// UnknownFields: what happens to a top-level field that the simulator does not
	// know. Unknown: the vendor says neither that such fields are dropped nor
	// that they are rejected. Chosen: keep, because a field that is unknown here
	// is most often a newer field that the real server does know.
	UnknownFields string `json:"unknownFields"`

	// AssistantMetadataOnPut: whether a PUT replaces assistantMetadata as any
	// other field, ignores the one in the body and leaves the stored one, or
	// erases it. Unknown: that PATCH lists the field suggests that PUT may not
	// carry it. Chosen: replace, the documented meaning of PUT.
	AssistantMetadataOnPut string `json:"assistantMetadataOnPut"`

	// MaskedSecretKept: whether a PUT whose `encrypted` holds the mask keeps the
	// stored value under the same key. Unknown. Chosen: kept, or no client could
	// send back what it read.
	MaskedSecretKept bool `json:"maskedSecretKept"`

	// CloneAnswer: both forms are documented, `[{"model","_id","name"?}]` with
	// and without a name. Chosen: the document.
	CloneAnswer string `json:"cloneAnswer"`

	// CloneKeepsExternalID: whether the copy has the original's externalId.
	// Unknown. Chosen: kept, a clone is a copy; it is also the harder case, as
	// two imports then answer to one externalId.
	CloneKeepsExternalID bool `json:"cloneKeepsExternalId"`

	// ReplaceConnectionAnswer: 200 is documented, the body is not. Chosen:
	// empty, so that nobody relies on one.
	ReplaceConnectionAnswer string `json:"replaceConnectionAnswer"`

	// DeleteInUseStatus: the refusal is known, its status is not. Chosen: 422.
	DeleteInUseStatus int `json:"deleteInUseStatus"`

	// PatchRefusedStatus: for another path, operation or value than PATCH
	// takes. Unknown. Chosen: 422.
	PatchRefusedStatus int `json:"patchRefusedStatus"`

	// DebugMinutes: how far ahead debugUntil may lie. The vendor's own pages
	// offer up to 60 minutes; the check is unknown. 0 turns it off.
	DebugMinutes int `json:"debugMinutes"`

	// PatchTouchesLastModified: whether a PATCH moves lastModified. Unknown.
	PatchTouchesLastModified bool `json:"patchTouchesLastModified"`

	// UnchangedPutTouchesLastModified: whether a PUT that changes nothing moves
	// lastModified. Unknown.
	UnchangedPutTouchesLastModified bool `json:"unchangedPutTouchesLastModified"`

	// MalformedIDStatus: for an id in the path that is not 24 hex characters.
	// Unknown. Chosen: 422 with the message that bodies get; 404 has no message
	// worth the name.
	MalformedIDStatus int `json:"malformedIdStatus"`

	// MaxInvokeBytes: the limit of 5 MB is documented, whether it is counted in
	// units of 1000 or 1024, and the answer beyond it, are not. Chosen: 5 MiB
	// of request body, 413.
	MaxInvokeBytes int64 `json:"maxInvokeBytes"`

	// MaxDocumentBytes: the limit of every other body. Unknown. Chosen: 16 MiB,
	// what the database behind the API can store.
	MaxDocumentBytes int64 `json:"maxDocumentBytes"`

	// MaxPageSize bounds the `limit` parameter of lists. The default page is
	// documented as 100 and as 1000; Options.PageSize sets it.
	MaxPageSize int `json:"maxPageSize"`

	// MaxPageBytes is the most that a page of imports may have; above it the answer is 413, as
	// of a gateway. Unknown. Chosen: 0, no limit.
	MaxPageBytes int64 `json:"maxPageBytes"`

	// LinkURL is what the links between pages begin with, up to their query. Observed
	// behind gateways: the server behind the gateway. Chosen: the URL of the request.
	LinkURL string `json:"linkUrl"`

	// BasePath is a path under which the API is served too, as behind a gateway. The real
	// one has none.
	BasePath string `json:"basePath"`

	// ListLagMillis: a new import shows in lists only so much later. Unknown.
	// Chosen: at once.
	ListLagMillis int64 `json:"listLagMillis"`

	// AuditAfterDelete: whether the audit log of a deleted import can still be
	// read. Unknown. Chosen: yes, the import rests in the recycle bin.
	AuditAfterDelete bool `json:"auditAfterDelete"`

	// AuditOrder of the entries. Unknown. Chosen: newest first, as it is shown.
	AuditOrder string `json:"auditOrder"`

	// DependencyIDKey: clients have seen both "id" and "_id".
	DependencyIDKey string `json:"dependencyIdKey"`

	// DependenciesListConnection: the call answers "resources using or used by"
	// the import; whether the import's connection is among them is unknown.
	// Chosen: no, `{}` was observed for imports that nothing uses.
	DependenciesListConnection bool `json:"dependenciesListConnection"`

	// RequireFileBlock: whether file adaptors need a `file` block. Unknown.
	// Chosen: no, imports that transfer files as they are have none.
	RequireFileBlock bool `json:"requireFileBlock"`

	// EchoLookups: observed: lookups given at the top level or in the adaptor
	// block appear in both. Where both were given, both are kept as they are.
	EchoLookups bool `json:"echoLookups"`

	// EchoRESTAsHTTP: observed: a RESTImport is answered with an `http` block too. What
	// becomes of one that has nothing but an `http` block is unknown. Chosen: the `rest`
	// block is made of it.
	EchoRESTAsHTTP bool `json:"echoRestAsHttp"`

	// DroppedEmptyArrays: paths at which an empty array is not stored. Only
	// file.lookups is documented (by the vendor's own example); others were
	// observed to be dropped sometimes.
	DroppedEmptyArrays []string `json:"droppedEmptyArrays"`

	// RefusedValues: texts that no document may have, each as "path=text". Documents that were stored
	// before keep theirs: public ones have legacy values, such as of rdbms.queryType, that the
	// documentation does not list. Whether a PUT refuses these is unknown. Chosen: none.
	RefusedValues []string `json:"refusedValues"`
	// CastTypes: whether a value of another type is stored in the documented one: "10" as
	// a number, "true" as a boolean, 5 as text, a single value as an array of one. The
	// schema library behind the API does so; for which fields is unknown. Chosen: for all.
	CastTypes bool `json:"castTypes"`
	// TrimTexts: whether white space at the ends of a text is stored. Observed to be lost
	// sometimes. Chosen: it is lost wherever the table does not say that it matters.
	TrimTexts bool `json:"trimTexts"`
	// LowerCase: documented for some fields, observed for others: see the table.
	LowerCase bool `json:"lowerCase"`
	// AlsoLowerCased: paths that are stored in lower case besides those of the table. None
	// is known: this is for tests of what nobody knows.
	AlsoLowerCased []string `json:"alsoLowerCased"`
	// LowerCaseIDs: ids are numbers in hexadecimal digits. Chosen: stored and answered in
	// lower case.
	LowerCaseIDs bool `json:"lowerCaseIds"`
	// ElementIDs: observed: the lookups and subrecords of NetSuite imports have an _id that
	// the server made. Chosen: an element that is sent without its _id gets a new one.
	ElementIDs bool `json:"elementIds"`
	// EchoRules: observed: the rules of a filter or a transformation are copied to its
	// expression. Where both were given, both are kept as they are.
	EchoRules bool `json:"echoRules"`
	// DropRulesOfExpression: observed in some documents: an expression's rules without the
	// same rules beside it. Chosen: if the same rules are sent in both places, only the
	// expression's are stored.
	DropRulesOfExpression bool `json:"dropRulesOfExpression"`
	// KeepRESTOfHTTP: observed in a few documents: an HTTPImport with a `rest` block beside
	// its `http` block. Whether one that is sent is stored is unknown. Chosen: no.
	KeepRESTOfHTTP bool `json:"keepRestOfHttp"`
}

// Default returns the choices that a new simulator starts with.
func Default() Choices {
	return Choices{
		UnknownFields:                   UnknownFieldsKeep,
		AssistantMetadataOnPut:          AssistantMetadataReplace,
		MaskedSecretKept:                true,
		CloneAnswer:                     CloneAnswerDocument,
		CloneKeepsExternalID:            true,
		ReplaceConnectionAnswer:         AnswerEmpty,
		DeleteInUseStatus:               http.StatusUnprocessableEntity,
		PatchRefusedStatus:              http.StatusUnprocessableEntity,
		DebugMinutes:                    60,
		PatchTouchesLastModified:        true,
		UnchangedPutTouchesLastModified: true,
		MalformedIDStatus:               http.StatusUnprocessableEntity,
		MaxInvokeBytes:                  5 << 20,
		MaxDocumentBytes:                16 << 20,
		MaxPageSize:                     1000,
		AuditAfterDelete:                true,
		AuditOrder:                      NewestFirst,
		DependencyIDKey:                 "id",
		EchoLookups:                     true,
		EchoRESTAsHTTP:                  true,
		DroppedEmptyArrays:              []string{"file.lookups", "mapping.lists", "parsers"},
		CastTypes:                       true,
		TrimTexts:                       true,
		LowerCase:                       true,
		LowerCaseIDs:                    true,
		ElementIDs:                      true,
		EchoRules:                       true,
		DropRulesOfExpression:           true,
	}
}

// Clone returns a copy that shares no list with c.
func (c Choices) Clone() Choices {
	c.DroppedEmptyArrays = slices.Clone(c.DroppedEmptyArrays)
	c.RefusedValues = slices.Clone(c.RefusedValues)
	c.AlsoLowerCased = slices.Clone(c.AlsoLowerCased)
	return c
}

// Validate returns an error if a value does not exist or makes no sense.
func (c Choices) Validate() error {
	for _, check := range []struct {
		name, value string
		allowed     []string
	}{
		{"unknownFields", c.UnknownFields, []string{UnknownFieldsKeep, UnknownFieldsDrop, UnknownFieldsDropAll, UnknownFieldsReject}},
		{"assistantMetadataOnPut", c.AssistantMetadataOnPut, []string{AssistantMetadataReplace, AssistantMetadataIgnore, AssistantMetadataErase}},
		{"cloneAnswer", c.CloneAnswer, []string{CloneAnswerDocument, CloneAnswerReference, CloneAnswerBare}},
		{"replaceConnectionAnswer", c.ReplaceConnectionAnswer, []string{AnswerEmpty, AnswerDocument}},
		{"auditOrder", c.AuditOrder, []string{NewestFirst, OldestFirst}},
		{"dependencyIdKey", c.DependencyIDKey, []string{"id", "_id"}},
	} {
		if !slices.Contains(check.allowed, check.value) {
			return fmt.Errorf("%s: %q is not one of %q", check.name, check.value, check.allowed)
		}
	}
	for name, status := range map[string]int{
		"deleteInUseStatus": c.DeleteInUseStatus, "patchRefusedStatus": c.PatchRefusedStatus, "malformedIdStatus": c.MalformedIDStatus,
	} {
		if status < 400 || status > 599 {
			return fmt.Errorf("%s: %d is not the status of a refusal", name, status)
		}
	}
	if c.MaxInvokeBytes <= 0 || c.MaxDocumentBytes <= 0 || c.MaxPageSize <= 0 || c.DebugMinutes < 0 || c.ListLagMillis < 0 || c.MaxPageBytes < 0 {
		return fmt.Errorf("maxInvokeBytes, maxDocumentBytes and maxPageSize must be above 0, debugMinutes, listLagMillis and maxPageBytes not below")
	}
	return nil
}
