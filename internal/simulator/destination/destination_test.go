// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package destination

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWrittenIsBounded(t *testing.T) {
	var log Log
	record := json.RawMessage(`"` + strings.Repeat("x", maxBytes/4) + `"`)
	for range 5 {
		log.Add(record)
	}
	if log.Count != 5 || len(log.Records) != 3 {
		t.Errorf("count %d, kept %d", log.Count, len(log.Records))
	}
}
