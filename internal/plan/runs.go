// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/keyref"
	"github.com/integrator-operator/integrator-operator/internal/records"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// callInvoke is the call of a run.
const callInvoke = "POST /v1/imports/{id}/invoke"

// fromRun says whether a run would send records.
func (w *world) fromRun(ctx context.Context, item *Item, e *entry) error {
	run := e.typed.(*v1alpha1.ImportRun)
	switch {
	case e.old != nil && runstate.Finished(run):
		item.Action, item.Message = appliedOrNone(e), fmt.Sprintf("it has ended: %s", run.Status.Phase)
		return nil
	case e.old != nil:
		item.Action, item.Message = Invoke, fmt.Sprintf("it is under way: %s", cmp.Or(run.Status.Phase, v1alpha1.RunPending))
		return nil
	case run.Spec.Suspend:
		item.Action, item.Reason, item.Message = Wait, v1alpha1.ReasonSuspended, "spec.suspend is true: no record is sent"
		return nil
	}
	item.Action = Invoke
	batches, err := w.batches(ctx, item, run)
	if item.Action == Invoke {
		item.Calls = slices.Repeat([]string{callInvoke}, max(1, batches))
	}
	return err
}

// batches is how many calls a run makes.
func (w *world) batches(ctx context.Context, item *Item, run *v1alpha1.ImportRun) (number int, err error) {
	size := int(ptr.Deref(run.Spec.BatchSize, 0))
	if run.Spec.RetryOf != nil {
		failed, err := w.retried(ctx, item, run)
		if size == 0 {
			return 1, err
		}
		return (failed + size - 1) / size, err
	}
	data, err := w.data(ctx, run)
	if err == nil {
		var settings json.RawMessage
		if run.Spec.Settings != nil {
			settings = run.Spec.Settings.Raw
		}
		var divided []records.Batch
		divided, err = records.Divide(data, settings, size)
		number = len(divided)
	}
	if err != nil {
		item.Message = "it cannot be said how many calls: " + err.Error()
	}
	return number, nil
}

// maxContent bounds what is read of one source of a run.
const maxContent = 64 << 20

// data are the records of a run.
func (w *world) data(ctx context.Context, run *v1alpha1.ImportRun) (all []json.RawMessage, err error) {
	for _, record := range run.Spec.Data {
		all = append(all, record.Raw)
	}
	keys := keyref.Reader{Live: w.live, Namespace: run.Namespace, Reason: v1alpha1.ReasonDataNotFound}
	for _, source := range run.Spec.DataFrom {
		content, _, err := keys.Read(ctx, keyref.Of(source.SecretKeyRef, source.ConfigMapKeyRef))
		if err != nil {
			return nil, err
		}
		if content, err = records.Decompress(content, maxContent); err != nil {
			return nil, err
		}
		parsed, err := records.Parse(content, maxContent)
		if err != nil {
			return nil, err
		}
		all = append(all, parsed...)
	}
	return all, nil
}

// retried is how many records of another run a run sends again. If there are none, the item says why.
func (w *world) retried(ctx context.Context, item *Item, run *v1alpha1.ImportRun) (number int, err error) {
	name := types.NamespacedName{Namespace: run.Namespace, Name: run.Spec.RetryOf.Name}
	of := &v1alpha1.ImportRun{}
	switch at := slices.IndexFunc(w.entries, func(e *entry) bool { return e.key == key{"ImportRun", name} && e.typed != nil }); {
	case at >= 0:
		of = w.entries[at].typed.(*v1alpha1.ImportRun)
	case w.options.Cluster == nil:
		of = nil
	default:
		if err := w.options.Cluster.Get(ctx, name, of); apierrors.IsNotFound(err) {
			of = nil
		} else if err != nil {
			return 0, fmt.Errorf("read ImportRun %s: %w", name, err)
		}
	}
	failed, waits, refused := runstate.Retried(run, of)
	switch {
	case refused != "":
		item.Action, item.Reason, item.Message = Fail, v1alpha1.ReasonInvalidRetry, refused
	case waits != nil:
		item.Action, item.Reason, item.Message = Wait, waits.Reason(), waits.Message()
	}
	return failed.Count(), nil
}
