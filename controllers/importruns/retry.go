// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"unsafe"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/records"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// maxRetries is how many runs with retryOf may stand between a run and the one that has the data.
const maxRetries = 16

// retriedRun is the run that retryOf names, without its records, and which of them failed there.
type retriedRun struct {
	*v1alpha1.ImportRun
	failed records.Indexes
}

func invalidRetryf(format string, args ...any) error {
	return invalidData{v1alpha1.ReasonInvalidRetry, fmt.Sprintf(format, args...)}
}

// retried finds the run whose failed records this one sends again, nil for a run without retryOf.
func (w payloadReader) retried(ctx context.Context, run *v1alpha1.ImportRun) (*retriedRun, error) {
	if run.Spec.RetryOf == nil {
		return nil, nil
	}
	of, err := w.r.readRun(ctx, types.NamespacedName{Namespace: run.Namespace, Name: run.Spec.RetryOf.Name})
	if apierrors.IsNotFound(err) {
		of, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	failed, wait, refused := runstate.Retried(run, of)
	switch {
	case wait != nil:
		return nil, wait
	case refused != "":
		return nil, invalidRetryf("%s", refused)
	default:
		return &retriedRun{of, failed}, nil
	}
}

// sources are what the records of a run come from.
type sources struct {
	inline
	dataFrom []v1alpha1.DataSource
}

// any reports whether there are any, or settings.
func (s sources) any() bool { return len(s.records)+len(s.dataFrom) > 0 || s.settings != nil }

// findSources finds what the records of a run come from: its own spec, or, for a run with retryOf that
// has nothing of its own, that of the run that it retries, or that this one retries.
func (w payloadReader) findSources(ctx context.Context, run *v1alpha1.ImportRun, retried *retriedRun) (sources, error) {
	own, err := w.readInline(ctx, run)
	found := sources{own, run.Spec.DataFrom}
	if err != nil || retried == nil || found.any() {
		w.rounded = own.rounded()
		return found, err
	}
	next := run.Spec.RetryOf
	for range maxRetries {
		live, found, err := w.readOther(ctx, types.NamespacedName{Namespace: run.Namespace, Name: next.Name})
		switch {
		case apierrors.IsNotFound(err):
			return sources{}, invalidRetryf("ImportRun %q, which has the data of ImportRun %q, is not in the namespace: create an ImportRun with the records that failed", next.Name, retried.Name)
		case err != nil:
			return sources{}, err
		case !found.any() && live.Spec.RetryOf != nil:
			next = live.Spec.RetryOf
			continue
		case slices.ContainsFunc(found.dataFrom, func(source v1alpha1.DataSource) bool { return source.SecretKeyRef != nil }):
			// Whoever sends the records of a Secret names it, and has to have the right to read it.
			return sources{}, invalidRetryf("ImportRun %q has records of Secrets: repeat its data, dataFrom and settings in an ImportRun with retryOf", live.Name)
		default:
			return found, nil
		}
	}
	return sources{}, invalidRetryf("ImportRun %q is a retry of a retry, more than %d times: create an ImportRun with the records that failed", retried.Name, maxRetries)
}

// readOther reads another run with its records, without them, and what they come from.
func (w payloadReader) readOther(ctx context.Context, name types.NamespacedName) (*v1alpha1.ImportRun, sources, error) {
	w.r.unpacking.Lock()
	defer w.r.unpacking.Unlock()
	live := &v1alpha1.ImportRun{}
	if err := w.r.Live.Get(ctx, name, live); err != nil {
		return nil, sources{}, err
	}
	own, err := w.copyInline(live)
	runstate.Strip(live)
	return live, sources{own, live.Spec.DataFrom}, err
}

// selectFailed leaves just the records in the payload that failed in the run that is retried.
func (w payloadReader) selectFailed(retried *retriedRun, payload *runstate.Payload) error {
	last := retried.failed[len(retried.failed)-1].Last
	if payload.DataHash != retried.Status.DataHash || payload.SourcesHash != retried.Status.SourcesHash || last >= len(payload.Records) {
		return invalidData{v1alpha1.ReasonDataChanged, fmt.Sprintf(
			"data, dataFrom or settings are not what ImportRun %q has sent, so that its status.failedRecords may mean other records: create an ImportRun with the records that failed", retried.Name)}
	}
	number := retried.failed.Count()
	if err := w.reserveData(number * (recordSize + int(unsafe.Sizeof(payload.Positions[0])))); err != nil {
		return err
	}
	selected := make([]json.RawMessage, 0, number)
	payload.Positions = make([]int32, 0, number)
	for position := range retried.failed.All() {
		selected = append(selected, payload.Records[position])
		payload.Positions = append(payload.Positions, int32(position)) //nolint:gosec // far fewer records than 2^31 fit into a run
	}
	payload.Records, payload.Omitted = selected, runstate.Omitted(retried.ImportRun)
	return nil
}
