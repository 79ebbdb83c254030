// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"encoding/json"
	"math"
	"strconv"
)

// Rounded reports whether a JSON number may be another one than the one that was written: Kubernetes
// keeps a whole number beyond 64 bits as floating point, with 17 digits at most. Whether digits were
// lost cannot be seen, and neither can it be seen of a number with a fraction.
func Rounded(number string) bool {
	if _, err := strconv.ParseInt(number, 10, 64); err == nil {
		return false
	}
	value, _ := strconv.ParseFloat(number, 64)
	return math.Abs(value) >= 1<<63
}

// HasRounded reports whether a JSON value has such a number, at any depth.
func HasRounded(value json.RawMessage) bool {
	for at := 0; at < len(value); at++ {
		switch c := value[at]; {
		case c == '"':
			for at++; at < len(value) && value[at] != '"'; at++ {
				if value[at] == '\\' {
					at++
				}
			}
		case isNumeric(c):
			begin := at
			for at < len(value) && isNumeric(value[at]) {
				at++
			}
			if Rounded(string(value[begin:at])) {
				return true
			}
			at-- // what ended the number is looked at too
		case c >= 'a' && c <= 'z':
			// true, false or null: their letters begin no number.
			for at+1 < len(value) && value[at+1] >= 'a' && value[at+1] <= 'z' {
				at++
			}
		}
	}
	return false
}

// isNumeric reports whether a character may be in a number.
func isNumeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}
