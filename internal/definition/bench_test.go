// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"fmt"
	"strings"
	"testing"
)

// definitionOf has a mapping of as many fields.
func definitionOf(mappings int) string {
	var lines []string
	for i := range mappings {
		lines = append(lines, fmt.Sprintf(`{"generate": "field%d", "dataType": "string", "extract": "$.record.field%d", "status": "Active"}`, i, i))
	}
	return `{"name": "Orders", "_connectionId": "@shop", "adaptorType": "HTTPImport",
		"http": {"method": ["POST"], "relativeURI": ["/v2/orders"], "body": [null], "batchSize": 1}, "mappings": [` + strings.Join(lines, ",") + `]}`
}

// hot are the definitions of the benchmark: about 400 bytes, which the cache keeps, 1 KiB and 100 KiB.
var hot = []struct {
	name     string
	mappings int
	// most is how many allocations the desired document may take.
	most float64
}{{"400B", 2, 600}, {"1KiB", 8, 1200}, {"100KiB", 900, 90000}}

// BenchmarkDesire makes the desired document of a definition.
func BenchmarkDesire(b *testing.B) {
	for _, size := range hot {
		b.Run(size.name, func(b *testing.B) {
			object := newImport(definitionOf(size.mappings))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Desire(object, testMarker, "default", testAliases, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestAllocationsOfDesire: they grow with the document alone.
func TestAllocationsOfDesire(t *testing.T) {
	for _, size := range hot {
		object := newImport(definitionOf(size.mappings))
		if got := testing.AllocsPerRun(5, func() { _, _ = Desire(object, testMarker, "default", testAliases, nil) }); got > size.most {
			t.Errorf("%s: %.0f allocations; want at most %.0f", size.name, got, size.most)
		}
	}
}
