// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/meter"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// rest is how long the manager has nothing to do before its memory is read: Go gives back to the kernel what
// it does not need within minutes.
const rest = time.Minute

// The manager is to take no more than this, in MiB: at most while Imports of these amounts are created, and at rest
// then and after a restart.
var memoryTargets = map[bench.Amount]struct{ peak, rest float64 }{
	{Imports: 10_000, Bytes: 1_000}:  {150, 110},
	{Imports: 1_000, Bytes: 200_000}: {250, 110},
}

const (
	// noGrowth is how much more the manager may take at rest after it has created all Imports than after a restart.
	noGrowth = 1.15
	// shard is the label of every other Import.
	shard = "shard"
)

// memory is what the manager takes: while Imports become Ready and after that, and the same of another
// process that finds them settled, and of one that has only half of them to reconcile.
type memory struct {
	amount                   bench.Amount
	created, restarted, half meter.Memory
	// kubernetes and single are what the other process requests of Kubernetes and, about single imports, of the API.
	kubernetes meter.Kubernetes
	single     int
	// top is what the other process keeps, by the functions that allocated it.
	top string
}

// measureMemory measures the memory of the manager by the number of Imports and the size of their
// definitions.
func measureMemory(ctx context.Context, b *bench.Bench) error {
	var rows []string
	var tops strings.Builder
	var failed error
	for _, amount := range b.Amounts {
		m, err := memoryOf(ctx, b, amount)
		if err != nil {
			failed = fmt.Errorf("%d Imports of %d bytes: %w", amount.Imports, amount.Bytes, err)
			break
		}
		rows = append(rows, fmt.Sprintf("%d\t%d B\t%.0f MiB\t%.0f MiB\t%.0f MiB\t%.0f MiB\t%.0f MiB\t%.0f\t%.0f\t%d\t", amount.Imports, amount.Bytes,
			mebibytes(m.created.Peak), mebibytes(m.created.Resident), mebibytes(m.restarted.Peak), mebibytes(m.restarted.Resident), mebibytes(m.half.Resident), m.kubernetes.Imports.All(), m.kubernetes.Others(), m.single))
		b.Record.Add(m.values()...)
		fmt.Fprintf(&tops, "\nKept at rest after a restart with %d Imports of %d bytes:\n%s", amount.Imports, amount.Bytes, m.top)
	}
	fmt.Fprintf(b.Out, "Memory of the manager (RSS): at most until all Imports are Ready, %s later, and the same of another process that finds them so\n\n", rest)
	b.Table("Imports\tdefinition\tat most\tat rest\trestart, at most\trestart, at rest\thalf selected\tKubernetes requests\tof others\tAPI requests\t", rows)
	fmt.Fprint(b.Out, tops.String())
	return failed
}

// values are the figures of one amount.
func (m memory) values() (all []report.Value) {
	add := func(name, unit string, v report.Value) {
		v.Key = report.Key{
			Table: "memory", Row: fmt.Sprintf("%d Imports of %d bytes", m.amount.Imports, m.amount.Bytes), System: "operator", Name: name, Objects: m.amount.Imports, Unit: unit,
		}
		all = append(all, v)
	}
	target, known := memoryTargets[m.amount]
	within := func(most float64) *report.Target {
		if !known {
			return nil
		}
		return report.AtMost(most)
	}
	add("at most", "MiB", report.Value{Value: mebibytes(m.created.Peak), Target: within(target.peak)})
	add("at rest", "MiB", report.Value{Value: mebibytes(m.created.Resident), Target: within(target.rest)})
	add("after a restart, at most", "MiB", report.Value{Value: mebibytes(m.restarted.Peak), Target: within(target.peak)})
	add("after a restart, at rest", "MiB", report.Value{Value: mebibytes(m.restarted.Resident), Target: within(target.rest)})
	add("at rest, beside after a restart", "times", report.Value{
		Value: float64(m.created.Resident) / float64(m.restarted.Resident), Target: report.AtMost(noGrowth),
	})
	add("at rest, half of them another operator's", "MiB", report.Value{Value: mebibytes(m.half.Resident)})
	return all
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// memoryOf has Imports become Ready that create their imports, and reads what the manager then takes.
func memoryOf(ctx context.Context, b *bench.Bench, amount bench.Amount) (m memory, err error) {
	definition, err := definitionOf(amount.Bytes)
	if err != nil {
		return m, err
	}
	m.amount = amount
	imports := make([]*v1alpha1.Import, amount.Imports)
	for i := range imports {
		imports[i] = &v1alpha1.Import{ObjectMeta: environment.Meta(fmt.Sprintf("import-%d", i))}
		imports[i].Labels = map[string]string{shard: []string{"a", "b"}[i%2]}
		imports[i].Spec.Definition.Raw = bytes.Replace(definition, []byte(`"the name"`), fmt.Appendf(nil, `"import %d"`, i), 1)
	}
	err = b.In(ctx, func(e *environment.Environment) error {
		if err := e.AddAccount(ctx, nil); err != nil {
			return err
		}
		if _, err := costOf(ctx, e, amount.Imports, func() (time.Duration, error) { return e.ApplyUntilReady(ctx, imports) }); err != nil {
			return err
		}
		if m.created, err = atRest(ctx, e); err != nil {
			return err
		}
		before, err := settled(ctx, e)
		if err != nil {
			return err
		}
		if err := e.RestartManager(ctx); err != nil {
			return err
		}
		if m.restarted, err = atRest(ctx, e); err != nil {
			return err
		}
		after, err := settled(ctx, e)
		if err != nil {
			return err
		}
		m.kubernetes, m.single = after.kubernetes.Minus(before.kubernetes), after.single-before.single
		if m.top, err = keptBy(ctx, b, e); err != nil {
			return err
		}
		m.half, err = halfAtRest(ctx, e)
		return err
	})
	return m, err
}

// halfAtRest reads the memory of a manager that has every other Import to reconcile.
func halfAtRest(ctx context.Context, e *environment.Environment) (meter.Memory, error) {
	e.Flags = []string{"--watch-label-selector=" + shard + "=a"}
	if err := e.RestartManager(ctx); err != nil {
		return meter.Memory{}, err
	}
	if _, err := settled(ctx, e); err != nil {
		return meter.Memory{}, err
	}
	return atRest(ctx, e)
}

// atRest reads the memory of the manager after a while.
func atRest(ctx context.Context, e *environment.Environment) (meter.Memory, error) {
	select {
	case <-time.After(rest):
		return meter.ReadMemory(e.ManagerPID())
	case <-ctx.Done():
		return meter.Memory{}, context.Cause(ctx)
	}
}

// keptBy lists what the manager keeps after a garbage collection, the most first.
func keptBy(ctx context.Context, b *bench.Bench, e *environment.Environment) (string, error) {
	file, err := e.Profile(ctx, "heap?gc=1")
	if err != nil {
		return "", err
	}
	top, err := local.Run(ctx, "go", os.Environ(), "tool", "pprof", "-top", "-sample_index=inuse_space", "-nodecount=15", b.Environment.Manager, file)
	if err != nil {
		return "", fmt.Errorf("read the profile: %w: %s", err, top)
	}
	return top, nil
}

// mapped is how many bytes of a definition are mappings at most. The API server takes minutes to validate
// hundreds of definitions with thousands of mappings.
const mapped = 20_000

// definitionOf makes a definition of about a size: more fields are mapped in a larger one, and the rest is sample
// data.
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
		if len(content) >= mapped {
			document["sampleData"] = strings.Repeat(`{"order": 1}, `, (size-len(content))/14)
			return json.Marshal(document)
		}
		field := fmt.Sprintf("field%d", len(mappings))
		mappings = append(mappings, mapping{field, "string", "$.source." + field + strings.Repeat("x", 40), "Active"})
		document["mappings"] = mappings
	}
}
