// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import "testing"

func TestHasRounded(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, value string
		want          bool
	}{
		"Small":       {reason: "an ordinary number", value: `7`},
		"Largest":     {reason: "the largest that 64 bits hold", value: `9223372036854775807`},
		"Beyond":      {reason: "one more does not fit", value: `9223372036854775808`, want: true},
		"Smallest":    {reason: "the smallest that 64 bits hold", value: `-9223372036854775808`},
		"BelowThat":   {reason: "one less does not fit", value: `-9223372036854775809`, want: true},
		"TwentyZeros": {reason: "as Kubernetes writes a number of 20 digits", value: `12345678901234567000`, want: true},
		"Exponent":    {reason: "as Kubernetes writes a number of 22 digits", value: `1.2345678901234568e+21`, want: true},
		"Power":       {reason: "nobody knows whether there were other digits", value: `1e+21`, want: true},
		"SmallPower":  {reason: "an exponent alone says nothing", value: `1e3`},
		"Tiny":        {reason: "fractions are not whole numbers", value: `1e-30`},
		"Fraction":    {reason: "17 digits may be those that were written", value: `0.30000000000000004`},
		"TooLarge":    {reason: "what no floating point number holds", value: `1e999`, want: true},
		"Deep":        {reason: "at any depth", value: `{"a": [1, {"b": -12345678901234567000}]}`, want: true},
		"Last":        {reason: "a number that ends the value", value: `[1,12345678901234567000]`, want: true},
		"AfterText":   {reason: "texts are passed over", value: `["\"\\", 12345678901234567000]`, want: true},
		"InText":      {reason: "a text keeps its digits", value: `{"id": "12345678901234567000"}`},
		"InName":      {reason: "so does the name of a field", value: `{"12345678901234567000": true}`},
		"Escaped":     {reason: "a quote inside a text does not end it", value: `["\" 12345678901234567000"]`},
		"Words":       {reason: "an e of true is no exponent", value: `[true,false,null]`},
		"Empty":       {reason: "nothing has no number", value: ``},
	} {
		t.Run(name, func(t *testing.T) {
			if got := HasRounded([]byte(tc.value)); got != tc.want {
				t.Errorf("%s: %t", tc.reason, got)
			}
		})
	}
}
