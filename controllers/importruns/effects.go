// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/metrics"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/runstate"
)

// work carries out the effects of one pass of one run. From the claim on it belongs to the call.
type work struct {
	r *Reconciler
	// name is the run's.
	name    types.NamespacedName
	session *account.Session
	// importID is the id of the remote import to invoke.
	importID string
	// secretImport: the definition of the import has values from elsewhere.
	secretImport bool
	// payload is what the run sends, once it is gathered, and reserved how many bytes of the budget
	// were taken for it; ofCall of these are for one call. gatheredAt and gatheredSecret are the run's generation and secretImport then.
	payload        *runstate.Payload
	reserved       int
	ofCall         int
	gatheredAt     int64
	gatheredSecret bool
	// rounded are the places in the spec with whole numbers that Kubernetes may have rounded.
	rounded []string
	// responses is where the full responses go, nil when nobody wants them.
	responses *responses
	// key is the entry of the idempotency key as it was read, nil when there is none.
	key *corev1.ConfigMap
	// written is what other runs wrote with the key, dataID stands for what this one sends.
	written []runstate.KeyWritten
	dataID  runstate.DataID
	// permit is the account's permission for one invocation, from Prepare to the end of Invoke.
	permit *integrator.Permit
	// pending: the run waits for a place or a permit. begun: its call is under way.
	pending, begun bool
}

var _ runstate.Effects = (*work)(nil)

// newWork is the work of a pass, with what the run's last call has left to it.
func (r *Reconciler) newWork(run *v1alpha1.ImportRun) *work {
	w := &work{r: r, name: nameOf(run)}
	kept := r.Calls.takeKept(w.name)
	switch {
	case kept == nil:
	case kept.gatheredAt != run.Generation:
		kept.releaseData()
	default:
		w.payload, w.reserved, w.gatheredAt, w.gatheredSecret = kept.payload, kept.reserved, kept.gatheredAt, kept.gatheredSecret
		w.rounded, w.responses = kept.rounded, kept.responses
	}
	return w
}

// release gives back what the pass has taken, unless the run waits for a place or a permit.
func (w *work) release() {
	w.releasePermit()
	w.releaseData()
	if !w.pending {
		w.r.Calls.leave(w.name)
	}
	if w.begun {
		w.r.Calls.end(w.name, nil)
	}
}

func nameOf(run *v1alpha1.ImportRun) types.NamespacedName {
	return types.NamespacedName{Namespace: run.Namespace, Name: run.Name}
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

// Prepare gets, in order, everything that the call may have to wait for. The data is last: a run that
// waits for anything else takes no memory. Once the call has begun, it goes on when the process is asked
// to stop.
func (w *work) Prepare(ctx context.Context, run *v1alpha1.ImportRun, next runstate.Claim) (runstate.Prepared, *runstate.Outcome, error) {
	if err := w.findTarget(ctx, run); err != nil {
		return runstate.Prepared{}, nil, err
	}
	if end, err := w.awaitKey(ctx, run, next); end != nil || err != nil {
		return runstate.Prepared{}, end, err
	}
	if err := w.awaitPlace(ctx, run); err != nil {
		return runstate.Prepared{}, nil, err
	}
	if w.payload != nil && w.gatheredSecret != w.secretImport {
		w.releaseData()
		w.payload = nil
	}
	if end, err := w.gather(ctx, run, next); end != nil || err != nil {
		return runstate.Prepared{}, end, err
	}
	w.gatheredAt, w.gatheredSecret = run.Generation, w.secretImport
	if end, misfit := runstate.Misfit(run, next, *w.payload); misfit {
		return runstate.Prepared{}, &end, nil
	}
	if end := w.judgeData(run, next); end != nil {
		return runstate.Prepared{}, end, nil
	}
	if err := w.reserveCall(next); err != nil {
		return runstate.Prepared{}, nil, err
	}
	if end, err := w.reserveResponses(ctx, run, next); end != nil || err != nil {
		return runstate.Prepared{}, end, err
	}
	if w.begun = w.r.Calls.begin(w.name); !w.begun {
		return runstate.Prepared{}, nil, errStopping
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

// errStopping is the error of a reconcile that would begin a call while the process is about to end.
var errStopping = errors.New("the operator is about to stop")

// releasePermit returns the permit, if there is one.
func (w *work) releasePermit() {
	if w.permit != nil {
		w.permit.Release()
		w.permit = nil
	}
}

// Invoke makes the one call that the claim permits.
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
