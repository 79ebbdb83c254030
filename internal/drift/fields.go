// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// This file and echo.go list what the API is known to do with the fields of an import.

// ServerOwned are the fields that the API sets, and that it ignores in a request.
var ServerOwned = []string{
	"_id", "createdAt", "lastModified", "lastModifiedBy", "apiIdentifier", "sandbox",
	"_sourceId", "_templateId", "_connectorId", "draft", "draftExpiresAt", "debugUntil",
	"aiDescription", "apim",
}

// WriteOnly are the JSON pointers of the fields that the API masks in every answer. They can be sent,
// but not compared.
var WriteOnly = []string{"/encrypted"}

// IDField matches the names of fields that contain ids. Their values may be aliases.
var IDField = regexp.MustCompile("^_[A-Za-z0-9]+Ids?$")

// enums are the fields whose text the API may store in lower case, whatever was sent. They are
// compared without regard to case. This was observed for some of them. The others are closed lists of
// lower-case words of the same kind. Fields with values in mixed case, such as the method insertMany or
// the query type BULK_LOAD, are not among them.
var enums = []string{
	"/file/type", "/file/compressionFormat",
	"/http/requestMediaType", "/http/successMediaType", "/http/errorMediaType",
	"/rest/requestMediaType", "/rest/successMediaType", "/rest/errorMediaType",
	"/netsuite_da/operation", "/netsuite/operation",
	"/salesforce/operation", "/salesforce/api",
}

// texts are the fields whose numbers the API stores as text: 500 and "500" are equal.
var texts = []string{"/rdbms/bulkInsert/batchSize"}

// equalAs reports whether two leaves that differ are the same for the API at this path.
func equalAs(path string, declared, remote any) bool {
	switch {
	case slices.Contains(enums, path):
		one, isText := declared.(string)
		other, alsoText := remote.(string)
		return isText && alsoText && strings.EqualFold(one, other)
	case slices.Contains(texts, path):
		return asText(declared) != "" && asText(declared) == asText(remote)
	default:
		return false
	}
}

func asText(value any) string {
	switch typed := value.(type) {
	case string:
		return typed
	case json.Number:
		return typed.String()
	default:
		return ""
	}
}
