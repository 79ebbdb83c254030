// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/integrator-operator/integrator-operator/internal/integrator/jsonscan"
)

// pageOf is a page of the list with as many documents as a page has, each with more fields.
func pageOf(more string) []byte {
	var page strings.Builder
	for i := range documentsPerPage {
		fmt.Fprintf(&page, `,{"_id":"64b000000000000000%06x","name":"Import %d","adaptorType":"HTTPImport","lastModified":"2026-11-28T12:00:00.000Z","externalId":"k8s/%d"%s}`, i, i, i, more)
	}
	return []byte("[" + page.String()[1:] + "]")
}

// pagesToRead are what the scanner reads, and whole documents of about 1 KiB.
var pagesToRead = map[string][]byte{
	"scan":  pageOf(""),
	"whole": pageOf(`,"http":{"method":["POST"],"relativeURI":["/orders"],"body":["` + strings.Repeat("x", 400) + `"]},"mappings":[` + strings.Repeat(`{"generate":"a","dataType":"string","extract":"$.a","status":"Active"},`, 7) + `{}]`),
}

func readPageOf(content []byte) (items []Import, err error) {
	err = jsonscan.StreamArray(bytes.NewReader(content), func(element json.RawMessage) error {
		item, err := parseImport(element)
		items = append(items, item)
		return err
	})
	return items, err
}

// BenchmarkReadPage decodes a page of 100 imports.
func BenchmarkReadPage(b *testing.B) {
	for name, content := range pagesToRead {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if items, err := readPageOf(content); err != nil || len(items) != documentsPerPage {
					b.Fatal(len(items), err)
				}
			}
		})
	}
}

// TestAllocationsOfAPage: a scan of thousands of imports must not feed the garbage collector.
func TestAllocationsOfAPage(t *testing.T) {
	for name, content := range pagesToRead {
		const most = 20 // for each import
		if got := testing.AllocsPerRun(10, func() { _, _ = readPageOf(content) }) / documentsPerPage; got > most {
			t.Errorf("%s: %.1f allocations for each import; want at most %d", name, got, most)
		}
	}
}
