// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"strconv"
	"strings"
)

// EqualNumbers reports whether two JSON numbers have the same value. It never computes the value, so
// neither the precision nor the size of the exponent matters.
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
		// An exponent beyond int becomes the limit of int. The number is then still different from
		// every number that a destination can store.
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

// plainNumber returns a number as JavaScript makes a text of it: 5.0 as 5 and 1e2 as 100. Numbers
// that it would write with an exponent, or cannot hold, stay as they are.
func plainNumber(number string) string {
	const longest = 15
	value := canonical(number)
	if value.digits == "" {
		return "0"
	}
	if len(value.digits) > longest || value.exponent < -5 || value.exponent > longest {
		return number
	}
	text := value.digits
	switch {
	case value.exponent <= 0:
		text = "0." + strings.Repeat("0", -value.exponent) + text
	case value.exponent >= len(text):
		text += strings.Repeat("0", value.exponent-len(text))
	default:
		text = text[:value.exponent] + "." + text[value.exponent:]
	}
	if value.negative {
		return "-" + text
	}
	return text
}
