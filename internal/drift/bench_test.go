// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"fmt"
	"strings"
	"testing"
)

// largeDocument has a mapping of as many fields, as text.
func largeDocument(mappings int) string {
	var lines []string
	for i := range mappings {
		lines = append(lines, fmt.Sprintf(`{"generate": "field%d", "dataType": "string", "extract": "$.record.field%d", "status": "Active"}`, i, i))
	}
	return `{"name": "Orders", "_connectionId": "64a0000000000000000000a1", "adaptorType": "HTTPImport", "maxAttempts": 3,
		"http": {"method": ["POST"], "relativeURI": ["/v2/orders"], "body": [null], "batchSize": 1, "headers": [{"name": "X-Source", "value": "erp"}]},
		"mappings": [` + strings.Join(lines, ",") + `]}`
}

// hot are the documents of the benchmarks: about 1 KiB, and about 100.
var hot = []struct {
	name     string
	mappings int
	// compared and merged are how many allocations a comparison and a merge may take.
	compared, merged float64
}{{"1KiB", 8, 200, 400}, {"100KiB", 900, 15000, 30000}}

func parsedPair(tb testing.TB, mappings int) (declared, remote map[string]any) {
	tb.Helper()
	var err error
	if declared, err = Parse([]byte(largeDocument(mappings))); err != nil {
		tb.Fatal(err)
	}
	if remote, err = Parse([]byte(largeDocument(mappings))); err != nil {
		tb.Fatal(err)
	}
	remote["_id"], remote["lastModified"], remote["createdAt"], remote["description"] = "64b0000000000000000000c1", "2026-11-28T12:00:00.000Z", "2026-11-28T12:00:00.000Z", "by hand"
	return declared, remote
}

// BenchmarkCompare compares a document with the same one as the API has it.
func BenchmarkCompare(b *testing.B) {
	for _, size := range hot {
		b.Run(size.name, func(b *testing.B) {
			declared, remote := parsedPair(b, size.mappings)
			b.ReportAllocs()
			for b.Loop() {
				if found := Compare(declared, remote, WriteOnly); len(found) > 0 {
					b.Fatal(found)
				}
			}
		})
	}
}

// BenchmarkMerge lays what is declared over what the API has.
func BenchmarkMerge(b *testing.B) {
	for _, size := range hot {
		b.Run(size.name, func(b *testing.B) {
			declared, remote := parsedPair(b, size.mappings)
			b.ReportAllocs()
			for b.Loop() {
				if merged := Merge(nil, declared, remote, nil); merged["description"] != "by hand" {
					b.Fatal(merged)
				}
			}
		})
	}
}

// BenchmarkParse reads a document as the API answers it.
func BenchmarkParse(b *testing.B) {
	for _, size := range hot {
		b.Run(size.name, func(b *testing.B) {
			text := []byte(largeDocument(size.mappings))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestAllocations: what is done for each comparison and write stays within bounds that grow with the document.
func TestAllocations(t *testing.T) {
	for _, size := range hot {
		declared, remote := parsedPair(t, size.mappings)
		if got := testing.AllocsPerRun(5, func() { Compare(declared, remote, WriteOnly) }); got > size.compared {
			t.Errorf("%s: a comparison makes %.0f allocations; want at most %.0f", size.name, got, size.compared)
		}
		if got := testing.AllocsPerRun(5, func() { Merge(nil, declared, remote, nil) }); got > size.merged {
			t.Errorf("%s: a merge makes %.0f allocations; want at most %.0f", size.name, got, size.merged)
		}
	}
}
