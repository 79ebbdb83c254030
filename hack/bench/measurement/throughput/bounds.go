// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package throughput

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
	"github.com/integrator-operator/integrator-operator/hack/bench/report"
)

// plainAccount is the account of the plain client, so that the operator never sees what that makes.
const plainAccount = "plain"

// bounds are what an operation with so many objects takes at least: its requests to Kubernetes, with those of the
// user, and its requests to the API.
type bounds struct{ kubernetes, api time.Duration }

// of is the larger one, and which of the two it is.
func (b bounds) of(op operation) (time.Duration, string) {
	if b.api > b.kubernetes {
		return b.api, "API, " + many(op.calls, "request") + " each"
	}
	return b.kubernetes, "Kubernetes, " + op.needs.text() + " each"
}

// needs are the requests to Kubernetes that an operator has to make for one object.
type needs struct{ writes, reads, events int }

func (n needs) all() float64 { return float64(n.writes + n.reads + n.events) }

func (n needs) text() string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{n.reads, "read"}, {n.writes, "write"}, {n.events, "event"}} {
		if part.n > 0 {
			parts = append(parts, many(part.n, part.what))
		}
	}
	return strings.Join(parts, ", ")
}

// many are so many of something.
func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// measureBounds does an operation with plain clients that make what it needs, and nothing else: first to Kubernetes,
// together with what the user does, and then to the API. Nothing of it is left in Kubernetes. No manager may run.
func measureBounds(ctx context.Context, e *environment.Environment, op operation, n int) (found bounds, err error) {
	m, err := e.Minimal(ctx)
	if err != nil {
		return found, err
	}
	if found.kubernetes, err = op.minimal(ctx, e, m, n); err != nil {
		return found, fmt.Errorf("the bound of %s: %w", op.name, err)
	}
	bodies := make([][]byte, n*op.calls)
	for i := range bodies {
		bodies[i] = bench.ImportOf("default", fmt.Sprintf("bound-%d", i)).Spec.Definition.Raw
	}
	found.api, err = e.ClientOf(plainAccount).Post(ctx, bodies, environment.RequestsPerSecond, environment.Burst, environment.InFlight)
	return found, err
}

// kind is one of the kinds of objects that an operator watches.
type kind struct {
	list     metav1.TypeMeta
	resource string
}

var (
	imported = kind{environment.Imports, "imports"}
	runs     = kind{environment.ImportRuns, "importruns"}
)

// followed has a user do something with each of some Imports, and a plain client make the requests that follow.
func followed(ctx context.Context, m *environment.Minimal, kind kind, names []string, user, operator environment.Job) func() error {
	return func() error {
		return m.Watching(ctx, kind.list, kind.resource, func(ctx context.Context) error {
			return environment.Follow(ctx, names, user, operator, environment.InFlight)
		})
	}
}

// applied creates each of some Imports by its name.
func applied(e *environment.Environment, imports []*v1alpha1.Import) environment.Job {
	byName := map[string]*v1alpha1.Import{}
	for _, object := range imports {
		byName[object.Name] = object
	}
	return func(ctx context.Context, name string) error { return e.Objects.Create(ctx, byName[name]) }
}

// Metadata that an operator writes into an Import: before it creates an import, before and when it takes one over, and
// when it has deleted it.
var (
	intent = fmt.Sprintf(`{"metadata":{"finalizers":[%q],"labels":{%q:"id-%s"},"annotations":{%q:"{\"token\":\"%064d\",\"uid\":\"%036d\",\"externalId\":\"k8s/%036d\",\"name\":\"import\",\"time\":\"2026-01-02T03:04:05.678901234Z\"}"}}}`,
		v1alpha1.Finalizer, v1alpha1.LabelRemoteImport, environment.Connection, v1alpha1.AnnotationCreatePending, 0, 0, 0)
	claim = fmt.Sprintf(`{"metadata":{"finalizers":[%q],"labels":{%q:"id-%s"},"annotations":{%q:%q}}}`,
		v1alpha1.Finalizer, v1alpha1.LabelRemoteImport, environment.Connection, v1alpha1.AnnotationAdoptPending, environment.Connection)
	takeover = fmt.Sprintf(`{"metadata":{"annotations":{%q:%q,%q:null}}}`, v1alpha1.AnnotationID, environment.Connection, v1alpha1.AnnotationAdoptPending)
	released = `{"metadata":{"finalizers":null}}`
)

// written makes one write of metadata and one of the status, and an event.
func written(m *environment.Minimal, metadata, reason string) environment.Job {
	return func(ctx context.Context, name string) error {
		if err := m.PatchImport(ctx, name, metadata); err != nil {
			return err
		}
		if err := m.ReportImport(ctx, name, 1); err != nil {
			return err
		}
		return m.Event(ctx, "Import", name, reason)
	}
}

// minimalCreation is of Imports that a user applies.
func minimalCreation(ctx context.Context, e *environment.Environment, m *environment.Minimal, n int) (time.Duration, error) {
	imports := bench.Creations("bound", n)
	took, err := e.UntilReady(ctx, imports, followed(ctx, m, imported, environment.Names(imports), applied(e, imports), written(m, intent, v1alpha1.ReasonCreated)))
	if err != nil {
		return 0, err
	}
	return took, e.Discard(ctx, imports)
}

// minimalAdoption is of Imports that a user applies. Who else may have the import is asked with a list, which they
// share as the operator's do: one for each would take longer.
func minimalAdoption(ctx context.Context, e *environment.Environment, m *environment.Minimal, n int) (time.Duration, error) {
	_, imports := bench.Adoptions("bound", n)
	took, err := e.UntilReady(ctx, imports, followed(ctx, m, imported, environment.Names(imports), applied(e, imports), func(ctx context.Context, name string) error {
		if err := m.PatchImport(ctx, name, claim); err != nil {
			return err
		}
		if err := m.ListImports(ctx, "id-"+name); err != nil {
			return err
		}
		return written(m, takeover, v1alpha1.ReasonAdopted)(ctx, name)
	}))
	if err != nil {
		return 0, err
	}
	return took, e.Discard(ctx, imports)
}

// existing makes Imports as they are once they were created.
func existing(ctx context.Context, e *environment.Environment, m *environment.Minimal, n int) ([]*v1alpha1.Import, error) {
	imports := bench.Creations("bound", n)
	if err := e.Apply(ctx, imports); err != nil {
		return nil, err
	}
	return imports, environment.Each(ctx, environment.Names(imports), written(m, intent, v1alpha1.ReasonCreated))
}

// minimalUpdate is of Imports that a user changes.
func minimalUpdate(ctx context.Context, e *environment.Environment, m *environment.Minimal, n int) (time.Duration, error) {
	imports, err := existing(ctx, e, m, n)
	if err != nil {
		return 0, err
	}
	took, err := e.UntilReadyAt(ctx, imports, 2, followed(ctx, m, imported, environment.Names(imports), e.RenameImport, func(ctx context.Context, name string) error {
		if err := m.ReportImport(ctx, name, 2); err != nil {
			return err
		}
		return m.Event(ctx, "Import", name, v1alpha1.ReasonUpdated)
	}))
	if err != nil {
		return 0, err
	}
	return took, e.Discard(ctx, imports)
}

// minimalDeletion is of Imports that a user deletes. Whether it is still to be deleted is asked before the call.
func minimalDeletion(ctx context.Context, e *environment.Environment, m *environment.Minimal, n int) (time.Duration, error) {
	imports, err := existing(ctx, e, m, n)
	if err != nil {
		return 0, err
	}
	return e.UntilDeleted(ctx, imports, followed(ctx, m, imported, environment.Names(imports), e.DeleteImport, func(ctx context.Context, name string) error {
		if err := m.ReadImport(ctx, name); err != nil {
			return err
		}
		if err := m.PatchImport(ctx, name, released); err != nil {
			return err
		}
		return m.Event(ctx, "Import", name, v1alpha1.ReasonDeleted)
	}))
}

// minimalRun is of runs that a user applies.
func minimalRun(ctx context.Context, e *environment.Environment, m *environment.Minimal, n int) (time.Duration, error) {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("bound-%d", i))
	}
	apply := func(ctx context.Context, name string) error { return e.Run(ctx, name, "bound") }
	claim := fmt.Sprintf(`{"metadata":{"annotations":{%q:"{\"token\":\"%036d\",\"holder\":\"%036d\",\"deadline\":\"2026-01-02T03:04:05.678901234Z\"}"}}}`, v1alpha1.AnnotationClaim, 0, 0)
	took, err := e.UntilEnded(ctx, names, followed(ctx, m, runs, names, apply, func(ctx context.Context, name string) error {
		if err := m.PatchRun(ctx, name, claim); err != nil {
			return err
		}
		if err := m.ReportRun(ctx, name, v1alpha1.RunRunning); err != nil {
			return err
		}
		if err := m.ReportRun(ctx, name, v1alpha1.RunSucceeded); err != nil {
			return err
		}
		return m.Event(ctx, "ImportRun", name, string(v1alpha1.RunSucceeded))
	}))
	if err != nil {
		return 0, err
	}
	_, err = e.UntilGone(ctx, environment.ImportRuns, func() error { return e.DeleteRuns(ctx) })
	return took, err
}

// value is how long an operation took, beside its bound.
func (op operation) value(n int, took time.Duration, least bounds) report.Value {
	bound, of := least.of(op)
	return report.Value{
		Key:   report.Key{Table: "operations", Row: fmt.Sprintf("%d %s", n, op.name), System: "operator", Name: "all done after", Objects: n, Unit: "s"},
		Value: took.Seconds(), Bound: bound.Seconds(), BoundOf: of, Target: report.RatioAtMost(target),
	}
}
