// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"errors"
	"regexp"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// NotShown replaces the API's words where these could repeat a Secret's content.
const NotShown = "(not shown: it could repeat a Secret's content)"

// What codes and names of fields look like. Anything else in their place may be a value.
var (
	plainCode = regexp.MustCompile(`^([A-Za-z_]{1,64}|[0-9]{3})$`)
	plainName = regexp.MustCompile(`^[A-Za-z0-9_.$\[\]/-]{1,200}$`)
)

// PlainCode reports whether a text looks like an error code, and so cannot be a value.
func PlainCode(code string) bool { return plainCode.MatchString(code) }

// Redact keeps of the API's errors in err only their codes and, if fields is set, the names of
// the fields. A problem is returned as it is, because its message was redacted when it was made.
func Redact(err error, fields bool) error {
	if As(err) != nil {
		return err
	}
	api, ok := errors.AsType[*integrator.APIError](err)
	if !ok {
		return err
	}
	redacted := *api
	redacted.Errors = nil
	for _, detail := range api.Errors {
		kept := integrator.ErrorDetail{Message: NotShown}
		if PlainCode(detail.Code) {
			kept.Code = detail.Code
		}
		if fields && plainName.MatchString(detail.Field) {
			kept.Field = detail.Field
		}
		redacted.Errors = append(redacted.Errors, kept)
	}
	return &redacted
}
