// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"
)

// Error codes of the API. The first group is documented by the vendor; the
// second is this package's naming of refusals whose code is not known.
const (
	codeInvalidQueryParams   = "invalid_query_params"
	codeInvalidConnectionMap = "invalid_connectionMap"
	codeMissingField         = "missing_required_field"
	codeInvalidField         = "invalid_field"
	codeInvalidRef           = "invalid_ref"
	codeUpdateNotAllowed     = "update_not_allowed"
	codeRateLimited          = "rate_limited"

	codeInvalidJSON      = "invalid_json"
	codeUnknownField     = "unknown_field"
	codeNotFound         = "not_found"
	codeMethodNotAllowed = "method_not_allowed"
	codeUnsupportedType  = "unsupported_media_type"
	codeTooLarge         = "request_too_large"
	codeInUse            = "resource_in_use"
	codeInvalidHeader    = "invalid_simulator_header"
	codeStateNotSaved    = "state_not_saved"
)

// ErrorDetail is one entry of the API's `{"errors":[…]}` answers.
type ErrorDetail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	Source  string `json:"source,omitempty"`
}

type errorBody struct {
	Errors []ErrorDetail `json:"errors"`
}

// messageBody is the bare form that the API uses for 401 alone.
type messageBody struct {
	Message string `json:"message"`
}

// response is what an endpoint decided to answer. A nil body is an empty body.
type response struct {
	status int
	header http.Header
	body   any
}

func answer(status int, body any) response { return response{status: status, body: body} }

func fail(status int, details ...ErrorDetail) response {
	return answer(status, errorBody{Errors: details})
}

func failf(status int, code, field, format string, args ...any) response {
	return fail(status, ErrorDetail{Code: code, Field: field, Message: fmt.Sprintf(format, args...)})
}

// castError is the message of the schema library behind the API.
func castError(kind string, value any, path string) ErrorDetail {
	return ErrorDetail{
		Code:    codeInvalidField,
		Field:   path,
		Message: fmt.Sprintf("Cast to %s failed for value %q at path %q", kind, brief(value), path),
	}
}

func requiredError(path string) ErrorDetail {
	return ErrorDetail{Code: codeMissingField, Field: path, Message: fmt.Sprintf("Path `%s` is required.", path)}
}
