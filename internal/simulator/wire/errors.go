// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"strings"
)

// Error codes of the API. The vendor documents those of the first group. The codes of the second
// group are made up here, for refusals whose real code is not known.
const (
	CodeInvalidQueryParams   = "invalid_query_params"
	CodeInvalidConnectionMap = "invalid_connectionMap"
	CodeMissingField         = "missing_required_field"
	CodeInvalidField         = "invalid_field"
	CodeInvalidRef           = "invalid_ref"
	CodeUpdateNotAllowed     = "update_not_allowed"
	CodeRateLimited          = "rate_limited"

	CodeInvalidJSON      = "invalid_json"
	CodeUnknownField     = "unknown_field"
	CodeNotFound         = "not_found"
	CodeMethodNotAllowed = "method_not_allowed"
	CodeUnsupportedType  = "unsupported_media_type"
	CodeTooLarge         = "request_too_large"
	CodeInUse            = "resource_in_use"
	CodeInvalidHeader    = "invalid_simulator_header"
	CodeStateNotSaved    = "state_not_saved"
)

// ErrorDetail is one entry of the API's `{"errors":[…]}` answers.
type ErrorDetail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	Source  string `json:"source,omitempty"`
}

// ErrorBody is the body of such an answer.
type ErrorBody struct {
	Errors []ErrorDetail `json:"errors"`
}

// MessageBody is the other form of error, which the API uses only for 401.
type MessageBody struct {
	Message string `json:"message"`
}

// CastError is the error of the schema library behind the API for a value of the wrong type.
func CastError(kind string, value any, path string) ErrorDetail {
	return ErrorDetail{
		Code:    CodeInvalidField,
		Field:   path,
		Message: fmt.Sprintf("Cast to %s failed for value %q at path %q", kind, Brief(value), path),
	}
}

// RequiredError is the error for a required value that is missing.
func RequiredError(path string) ErrorDetail {
	return ErrorDetail{Code: CodeMissingField, Field: path, Message: fmt.Sprintf("Path `%s` is required.", path)}
}

// Brief renders a value for a message, cut to a readable length.
func Brief(value any) string {
	s, ok := value.(string)
	if !ok {
		data, err := Encode(value)
		if err != nil {
			return fmt.Sprintf("%T", value)
		}
		s = string(data)
	}
	const limit = 100
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}
