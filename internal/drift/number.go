// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"strconv"
	"strings"
)

// EqualNumbers compares two JSON numbers by value without ever computing them, so that
// neither precision nor an exponent of a billion matters.
func EqualNumbers(a, b string) bool {
	return a == b || canonical(a) == canonical(b)
}

// decimal is sign × 0.digits × 10^exponent, with no leading or trailing zero in digits.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

func canonical(number string) decimal {
	negative := strings.HasPrefix(number, "-")
	mantissa, power, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(number, "-")), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")

	digits := whole + fraction
	exponent := len(whole)
	if power != "" {
		// An exponent beyond int is cut to int's limit, which keeps two such numbers
		// apart from every number that a destination could hold.
		value, _ := strconv.Atoi(power)
		exponent += value
	}
	significant := strings.TrimLeft(digits, "0")
	exponent -= len(digits) - len(significant)
	significant = strings.TrimRight(significant, "0")
	if significant == "" {
		return decimal{}
	}
	return decimal{negative: negative, digits: significant, exponent: exponent}
}
