// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runstate

import (
	"context"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Effects is everything that a Pass does outside of itself. The reconciler does it for real, the
// model check in a model of the world. A method that writes does it to exactly the version of the
// run that it is given: Kubernetes answers with a conflict when there is a newer one. It returns
// the run as it was written. None changes the run that it is given.
type Effects interface {
	Now() time.Time
	// NewToken gives the token of a claim: never the same one twice.
	NewToken() string
	// Pause waits for about this long, or until the context ends.
	Pause(ctx context.Context, d time.Duration)

	// Prepare gets everything that a call for the batch of next may have to wait for: the target,
	// the idempotency key, the data, the Secret for responses, and last the account's permit. Then it
	// takes the idempotency key. An outcome ends the run instead.
	Prepare(ctx context.Context, run *v1alpha1.ImportRun, next Claim) (Prepared, *Outcome, error)
	// WriteClaim sets the claim annotation.
	WriteClaim(ctx context.Context, run *v1alpha1.ImportRun, claim Claim) (*v1alpha1.ImportRun, error)
	// ShowRunning writes into status that the run has claimed a call.
	ShowRunning(ctx context.Context, run *v1alpha1.ImportRun, granted Claim, prepared Prepared) (*v1alpha1.ImportRun, error)
	// Invoke makes the one call that the claim permits, and keeps its response if the run wants that.
	// The permit of Prepare ends with it.
	Invoke(ctx context.Context, run *v1alpha1.ImportRun, granted Claim, prepared Prepared) (integrator.InvokeResponse, error)
	// ReadRun reads the run past the cache.
	ReadRun(ctx context.Context, run *v1alpha1.ImportRun) (*v1alpha1.ImportRun, error)
	// ShowPause writes into status that the call of the outcome is over and its batch will be sent
	// again.
	ShowPause(ctx context.Context, run *v1alpha1.ImportRun, outcome Outcome) (*v1alpha1.ImportRun, error)
	// WriteOutcome writes into status how far the run has come, or how it ended.
	WriteOutcome(ctx context.Context, run *v1alpha1.ImportRun, outcome Outcome) (*v1alpha1.ImportRun, error)

	// ReadLedger reads the run's entry of the ledger of idempotency keys: false when there is none.
	ReadLedger(ctx context.Context, run *v1alpha1.ImportRun) (KeyEntry, bool, error)
	// SettleLedger writes into the run's entry what became of the run.
	SettleLedger(ctx context.Context, run *v1alpha1.ImportRun, outcome Outcome) error
}

// Prepared is what is at hand for a call.
type Prepared struct {
	// ImportID is the remote import to invoke.
	ImportID string
	Payload  Payload
	// ResponseSecret is the name of the Secret for responses, "" when nobody wants them.
	ResponseSecret string
}
