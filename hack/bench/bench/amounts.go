// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"strings"
)

// Amount is so many Imports with definitions of about so many bytes of JSON.
type Amount struct{ Imports, Bytes int }

// Amounts are amounts as a flag has them, such as 2000x1000,300x200000.
type Amounts []Amount

func (a *Amounts) String() string {
	var parts []string
	for _, amount := range *a {
		parts = append(parts, fmt.Sprintf("%dx%d", amount.Imports, amount.Bytes))
	}
	return strings.Join(parts, ",")
}

// Set reads the value of a flag.
func (a *Amounts) Set(text string) error {
	*a = nil
	for part := range strings.SplitSeq(text, ",") {
		var amount Amount
		if n, err := fmt.Sscanf(part, "%dx%d", &amount.Imports, &amount.Bytes); n != 2 || err != nil || amount.Imports <= 0 || amount.Bytes <= 0 || fmt.Sprintf("%dx%d", amount.Imports, amount.Bytes) != part {
			return fmt.Errorf("%q is no number of Imports and of bytes, such as 2000x1000", part)
		}
		*a = append(*a, amount)
	}
	return nil
}
