// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"sync"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

const (
	// maxRunsData bounds what all the runs under way keep of their sources, and what their calls need
	// beside it, in bytes.
	maxRunsData = 128 << 20
	// resultSize is about how much of a response belongs to one record.
	resultSize = 128
	// dataPause is how often a run asks again for room.
	dataPause = 5 * problem.BackoffBase
)

// dataBudget counts the bytes that the runs under way keep, so that many large ones go one after
// the other. The zero value is ready for use, by several goroutines.
type dataBudget struct {
	mu    sync.Mutex
	taken int
}

// take reports whether a run that has so many bytes may have more. One run alone always gets what it
// needs: see maxRunData.
func (b *dataBudget) take(more, has int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken > has && b.taken+more > maxRunsData {
		return false
	}
	b.taken += more
	return true
}

// give gives bytes back.
func (b *dataBudget) give(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= bytes
}

// reserveData takes room for the run. Without room it gives back what the run has, and the error is
// a problem that the run waits for.
func (w *work) reserveData(more int) error {
	if w.r.budget.take(more, w.reserved) {
		w.reserved += more
		return nil
	}
	w.releaseData()
	return problem.Waitingf(v1alpha1.ReasonProgressing, "waiting for other runs with much data to end").WithRetryAfter(dataPause)
}

// reserveCall takes room for the call of a batch: its body is a copy of the records.
func (w *work) reserveCall(next runstate.Claim) error {
	part := w.payload.Part(next.Batch)
	size := integrator.InvokeRequest{Data: part, Settings: w.payload.Settings}.Size() + len(part)*resultSize
	if err := w.reserveData(size); err != nil {
		return err
	}
	w.ofCall = size
	return nil
}

// releaseCall gives back what the call has needed.
func (w *work) releaseCall() {
	w.r.budget.give(w.ofCall)
	w.reserved -= w.ofCall
	w.ofCall = 0
}

// releaseData gives back what the run has.
func (w *work) releaseData() {
	w.r.budget.give(w.reserved)
	w.reserved, w.ofCall = 0, 0
}
