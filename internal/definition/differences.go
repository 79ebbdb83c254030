// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// maxHint is how long a hint may be, in bytes, as the CRD has it.
const maxHint = 300

// ShownDifferences is what status shows of differences: the first 16, with values cut to 256 bytes.
func ShownDifferences(found []drift.Difference) []v1alpha1.Difference {
	const most, longest = 16, 256
	var shown []v1alpha1.Difference
	for _, difference := range found[:min(len(found), most)] {
		item := v1alpha1.Difference{
			Path: drift.Cut(difference.Path, drift.MaxPath), Hint: drift.Cut(HowDiffers(difference.Declared, difference.Remote), maxHint),
		}
		if difference.Declared != nil {
			item.Declared = drift.Text(difference.Declared, longest)
		}
		if difference.Remote != nil {
			item.Remote = drift.Text(difference.Remote, longest)
		}
		shown = append(shown, item)
	}
	return shown
}

// DifferencesHash is a hash of all differences, whole. Status shows only the first of them, cut.
func DifferencesHash(found []drift.Difference) string {
	sum := sha256.New()
	for _, difference := range found {
		for _, value := range []any{difference.Path, difference.Declared, difference.Remote} {
			// Values of a parsed document can always be encoded.
			encoded, _ := encodeForHash(value)
			_, _ = sum.Write(append(encoded, '\n'))
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// encodeForHash encodes a value without loss, so that values that differ have different hashes. As
// encoding/json does, it escapes <, > and &: the hashes in status stay those that they were.
func encodeForHash(value any) ([]byte, error) {
	encoded, err := drift.Encode(value)
	if err != nil {
		return nil, err
	}
	var escaped bytes.Buffer
	json.HTMLEscape(&escaped, encoded)
	return escaped.Bytes(), nil
}

// mostDescribed is how many differences, paths or numbers a message describes.
const mostDescribed = 4

// Describe shows the first four differences in one line: path, declared and remote value, and how they
// differ where that cannot be seen. total is how many differences there are.
func Describe(shown []v1alpha1.Difference, total int) string {
	return describe(shown, total, func(string) string { return "" })
}

// describe is Describe with where each declared value comes from, "" if it need not be said.
func describe(shown []v1alpha1.Difference, total int, origin func(path string) string) string {
	var parts []string
	for _, difference := range shown[:min(len(shown), mostDescribed)] {
		text := fmt.Sprintf("%s (declared %s, remote %s", difference.Path,
			drift.Cut(orNone(difference.Declared), 80), drift.Cut(orNone(difference.Remote), 80))
		if difference.Hint != "" {
			text += ": " + difference.Hint
		}
		if from := origin(difference.Path); from != "" {
			text += "; from " + from
		}
		parts = append(parts, text+")")
	}
	if total > len(parts) {
		parts = append(parts, fmt.Sprintf("and %d more", total-len(parts)))
	}
	return strings.Join(parts, "; ")
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
