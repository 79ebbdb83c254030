// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"encoding/json"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/records"
)

// Payload is what a run sends.
type Payload struct {
	Records  []json.RawMessage
	Settings json.RawMessage
	// Batches are ranges of Records, in order.
	Batches []records.Batch
	// Secret: some of it, or of the import's definition, comes from a Secret.
	Secret bool
	// Digest stands for all of it: another digest means that it changed.
	Digest string
}

// Total is the number of records.
//
//nolint:gosec // far fewer records than 2^31 fit into a run
func (p Payload) Total() int32 { return int32(len(p.Records)) }

// Part is what the batch with this index sends.
func (p Payload) Part(batch int) []json.RawMessage {
	part := p.Batches[batch]
	return p.Records[part.From:part.To]
}

// Misfit ends a run whose data is not what it was when batches of it were sent, and one whose claim
// is for a batch that does not exist. It is false for data that fits.
func Misfit(run *v1alpha1.ImportRun, next Claim, payload Payload) (Outcome, bool) {
	sent := next.Batch > 0 || next.Uncertain
	switch {
	case sent && next.Digest != "" && next.Digest != payload.Digest:
		return Stop(run, next, v1alpha1.RunFailed, v1alpha1.ReasonDataChanged, "data, dataFrom or settings have changed since the first batch was sent"), true
	case next.Batch >= len(payload.Batches):
		return lost(run, next), true
	default:
		return Outcome{}, false
	}
}
