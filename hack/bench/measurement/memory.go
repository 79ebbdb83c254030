// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package measurement

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/meter"
)

// definitionSizes are how large the definitions are of which the memory is measured, in bytes of JSON:
// a few fields, an import with a mapping of 30 fields, and one of 300.
var definitionSizes = []int{300, 4_000, 40_000}

// memory is what the manager takes once n Imports are Ready.
type memory struct {
	objects, size int
	meter.Memory
}

// measureMemory measures the memory of the manager by the number of Imports and the size of their
// definitions.
func measureMemory(ctx context.Context, b *Bench) error {
	var rows []string
	for _, size := range definitionSizes {
		var first memory
		// Two numbers are enough for what one Import adds.
		for i, n := range b.Sizes[:min(2, len(b.Sizes))] {
			m, err := memoryOf(ctx, b, n, size)
			if err != nil {
				return err
			}
			each := "-"
			if i == 0 {
				first = m
			} else {
				each = fmt.Sprintf("%.1f KiB", float64(m.Peak-first.Peak)/1024/float64(m.objects-first.objects))
			}
			rows = append(rows, fmt.Sprintf("%d\t%d B\t%.0f MiB\t%.0f MiB\t%s\t", n, size, mebibytes(m.Resident), mebibytes(m.Peak), each))
		}
	}
	fmt.Fprint(b.Out, "Memory of the manager when all Imports are Ready: resident, at most until then, and what an Import adds to the latter\n\n")
	b.table("Imports\tdefinition\tresident\tat most\tadded by each\t", rows)
	return nil
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// memoryOf has n Imports become Ready that create their imports, and reads what the manager then takes.
func memoryOf(ctx context.Context, b *Bench, n, size int) (m memory, err error) {
	definition, err := definitionOf(size)
	if err != nil {
		return m, err
	}
	imports := make([]*v1alpha1.Import, n)
	for i := range imports {
		imports[i] = &v1alpha1.Import{ObjectMeta: environment.Meta(fmt.Sprintf("import-%d", i))}
		imports[i].Spec.Definition.Raw = bytes.Replace(definition, []byte(`"the name"`), fmt.Appendf(nil, `"import %d"`, i), 1)
	}
	err = b.in(ctx, func(e *environment.Environment) error {
		if err := e.AddAccount(ctx, nil); err != nil {
			return err
		}
		if _, err := costOf(ctx, e, n, func() (time.Duration, error) { return e.ApplyUntilReady(ctx, imports) }); err != nil {
			return err
		}
		m = memory{objects: n, size: size}
		m.Memory, err = meter.ReadMemory(e.ManagerPID())
		return err
	})
	return m, err
}

// definitionOf makes a definition of about a size: more fields are mapped in a larger one.
func definitionOf(size int) ([]byte, error) {
	type mapping struct {
		Generate string `json:"generate"`
		DataType string `json:"dataType"`
		Extract  string `json:"extract"`
		Status   string `json:"status"`
	}
	document := map[string]any{
		"name": "the name", "adaptorType": "HTTPImport", "_connectionId": environment.Connection,
		"http": map[string]any{"method": []string{"POST"}, "relativeURI": []string{"/orders"}, "body": []any{nil}, "batchSize": 10},
	}
	var mappings []mapping
	for {
		content, err := json.Marshal(document)
		if err != nil || len(content) >= size {
			return content, err
		}
		field := fmt.Sprintf("field%d", len(mappings))
		mappings = append(mappings, mapping{field, "string", "$.source." + field + strings.Repeat("x", 40), "Active"})
		document["mappings"] = mappings
	}
}
