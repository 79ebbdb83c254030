// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// work carries out the effects of one pass of one run. It has what the batches of the pass share.
type work struct {
	r       *Reconciler
	session *account.Session
	// importID is the id of the remote import to invoke.
	importID string
	// secretImport: the definition of the import has values from elsewhere.
	secretImport bool
	// payload is what the run sends, once it is gathered, and reserved how many bytes of the budget
	// were taken for it.
	payload  *runstate.Payload
	reserved int
	// rounded are the places in the spec with whole numbers that Kubernetes may have rounded.
	rounded []string
	// responses is where the full responses go, nil when nobody wants them.
	responses *responses
	// key is the entry of the idempotency key as it was read, nil when there is none.
	key *corev1.ConfigMap
	// permit is the account's permission for one invocation, from Prepare to the end of Invoke.
	permit *integrator.Permit
}

var _ runstate.Effects = (*work)(nil)

// release gives back what the pass has taken.
func (w *work) release() {
	w.releasePermit()
	w.releaseData()
}

// Now is the time.
func (w *work) Now() time.Time { return w.r.Clock.Now() }

// NewToken gives the token of a claim.
func (w *work) NewToken() string { return uuid.NewString() }

// Pause waits before another attempt at a write.
func (w *work) Pause(ctx context.Context, d time.Duration) {
	limited, cancel := context.WithTimeout(ctx, wait.Jitter(d, 0.1))
	defer cancel()
	<-limited.Done()
}

// Prepare gets, in order, everything that the call may have to wait for, the permit last: while the
// run waits for anything else, the permit is free for others.
func (w *work) Prepare(ctx context.Context, run *v1alpha1.ImportRun, next runstate.Claim) (runstate.Prepared, *runstate.Outcome, error) {
	if err := w.findTarget(ctx, run); err != nil {
		return runstate.Prepared{}, nil, err
	}
	if end, err := w.awaitKey(ctx, run, next); end != nil || err != nil {
		return runstate.Prepared{}, end, err
	}
	if end, err := w.gather(ctx, run, next); end != nil || err != nil {
		return runstate.Prepared{}, end, err
	}
	if end, misfit := runstate.Misfit(run, next, *w.payload); misfit {
		return runstate.Prepared{}, &end, nil
	}
	if end, err := w.reserveResponses(ctx, run, next); end != nil || err != nil {
		return runstate.Prepared{}, end, err
	}
	if err := w.acquirePermit(ctx); err != nil {
		return runstate.Prepared{}, nil, err
	}
	if err := w.takeKey(ctx, run, next); err != nil {
		return runstate.Prepared{}, nil, err
	}
	prepared := runstate.Prepared{ImportID: w.importID, Payload: *w.payload}
	if w.responses != nil {
		prepared.ResponseSecret = w.responses.name.Name
	}
	return prepared, nil, nil
}

// permitWait is how long a worker waits for the account's permit, and permitPause when it asks
// again; meanwhile it works on other runs.
const permitWait, permitPause = 10 * time.Second, 5 * time.Second

// acquirePermit waits for the account's permit, but not for long: the other runs of all accounts
// share the workers, and a cancel or a deadline may come meanwhile.
func (w *work) acquirePermit(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, permitWait)
	defer cancel()
	permit, err := w.session.Client.AcquireInvoke(limited)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return problem.Waitingf(v1alpha1.ReasonProgressing, "waiting for other calls of the account to end").WithRetryAfter(permitPause)
	}
	if err != nil {
		return problem.Wrap(err, runstate.Invoking)
	}
	w.permit = permit
	return nil
}

// releasePermit returns the permit, if there is one.
func (w *work) releasePermit() {
	if w.permit != nil {
		w.permit.Release()
		w.permit = nil
	}
}

// Invoke makes the one call that the claim permits. It goes on when the operator is asked to stop:
// the answer is worth waiting for.
func (w *work) Invoke(ctx context.Context, run *v1alpha1.ImportRun, granted runstate.Claim, prepared runstate.Prepared) (integrator.InvokeResponse, error) {
	defer w.releasePermit()
	metrics.RunStarted(run.Namespace)
	defer metrics.CallStarted(w.session.Key)()
	if granted.Batch == 0 && granted.Attempt == 0 {
		w.warnOfRounded(run)
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), granted.Deadline.Sub(w.Now()))
	defer cancel()
	response, err := w.permit.Invoke(limited, prepared.ImportID, integrator.InvokeRequest{Data: prepared.Payload.Part(granted.Batch), Settings: prepared.Payload.Settings})
	if p := problem.FromAPI(err, runstate.Invoking); p != nil && p.Reason() == v1alpha1.ReasonTokenRejected {
		w.r.Registry.TokenRejected(w.session, p)
	}
	w.keepResponse(ctx, run, granted.Batch, response.Raw)
	return response, err
}
