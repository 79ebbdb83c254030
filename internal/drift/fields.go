// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// What the API is known to do with the fields of an import is listed here, and in echo.go.

// ServerOwned are the fields that the API makes itself and ignores in what it is sent.
var ServerOwned = []string{
	"_id", "createdAt", "lastModified", "lastModifiedBy", "apiIdentifier", "sandbox",
	"_sourceId", "_templateId", "_connectorId", "draft", "draftExpiresAt", "debugUntil",
	"aiDescription", "apim",
}

// WriteOnly are the JSON pointers of the fields that the API masks in every answer: they
// are sent, and cannot be compared.
var WriteOnly = []string{"/encrypted"}

// IDField matches the names of fields that hold ids, in which an alias may stand.
var IDField = regexp.MustCompile("^_[A-Za-z0-9]+Ids?$")

// enums are the fields whose text the API may store in lower case, whatever it was sent:
// there, case does not count. Observed for some of them; the others are closed lists of
// lower-case words of the same kind. Values that are written in mixed case, as the method
// insertMany or the query type BULK_LOAD, are none of these: there, case counts.
var enums = []string{
	"/file/type", "/file/compressionFormat",
	"/http/requestMediaType", "/http/successMediaType", "/http/errorMediaType",
	"/rest/requestMediaType", "/rest/successMediaType", "/rest/errorMediaType",
	"/netsuite_da/operation", "/netsuite/operation",
	"/salesforce/operation", "/salesforce/api",
}

// texts are the fields that the API stores as text although they are numbers: 500 and
// "500" are the same there.
var texts = []string{"/rdbms/bulkInsert/batchSize"}

// equalAs tells whether two leaves that differ are the same to the API at this path.
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
