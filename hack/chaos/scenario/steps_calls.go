// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// Steps with a call of the run that is under way while its process leads no longer. The call ends only
// after the next leader has worked: a manager that keeps the lease for it never comes to that step.

const invokeRoute = "/v1/imports/{id}/invoke"

// longCall is a call that takes until it is released.
type longCall struct {
	// rule is the simulator's rule that holds its answer back.
	rule string
	// caller is the manager that made it, holder its name in the lease.
	caller int
	holder string
	// ended is closed when the caller's process has ended, speak ends the silence of Kubernetes.
	ended <-chan struct{}
	speak func()
}

// createLongRun creates the run with two batches. The answer to the first is held back.
func createLongRun(ctx context.Context, x *Execution) (err error) {
	x.long.rule, err = x.API.AddRule(simulator.Rule{Account: sandbox.AccountName, Method: http.MethodPost, Route: invokeRoute, Phase: simulator.PhaseAfter,
		Nth: 1, Count: 1, Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: time.Hour.Milliseconds()}})
	if err != nil {
		return err
	}
	var data []v1alpha1.JSON
	for i := range 4 {
		data = append(data, v1alpha1.JSON{Raw: fmt.Appendf(nil, `{"number":"canary-record-%d"}`, i)})
	}
	return createRunWith(data, `"batchSize":2`, func(object *v1alpha1.ImportRun) {
		object.Spec.ActiveDeadlineSeconds = ptr.To[int32](600)
	})(ctx, x)
}

// invocations is how many calls have reached the API.
func (x *Execution) invocations() int {
	return len(x.API.Ledger(simulator.Filter{Account: sandbox.AccountName, Route: invokeRoute}))
}

func callUnderWay(ctx context.Context, x *Execution) (err error) {
	if x.invocations() == 0 {
		return errors.New("the run is not sent")
	}
	x.long.caller = x.Leader()
	x.long.holder, err = x.LeaseHolder(ctx)
	return err
}

// rollOut asks the process with the call to stop.
func rollOut(ctx context.Context, x *Execution) error {
	x.long.ended = x.Terminate(x.long.caller)
	return declareMore(ctx, x)
}

// silenceKubernetes has the API server answer the process with the call no longer.
func silenceKubernetes(ctx context.Context, x *Execution) error {
	x.long.speak = x.Silence(x.long.caller)
	return declareMore(ctx, x)
}

// endSilence has the API server answer again, a while after the call was answered.
func endSilence(ctx context.Context, x *Execution) error {
	sandbox.Pause(ctx, time.Second)
	x.long.speak()
	return nil
}

// declareMore creates another Import.
func declareMore(ctx context.Context, x *Execution) error {
	return declareAs(second, `{"definition":{"name":"more","adaptorType":"HTTPImport","_connectionId":"@shop","http":{"method":["POST"],"relativeURI":["/more"],"body":[null]}}}`)(ctx, x)
}

// othersServed waits until another process leads and has made what was declared, during the call.
func othersServed(ctx context.Context, x *Execution) error {
	if err := x.Ready(ctx, &v1alpha1.Import{ObjectMeta: x.Meta(second)}); err != nil {
		return err
	}
	holder, err := x.LeaseHolder(ctx)
	switch {
	case err != nil:
		return err
	case holder == x.long.holder:
		return fmt.Errorf("%s still leads", holder)
	default:
		return nil
	}
}

// answerCall has the call answered. Until then no other was made.
func answerCall(_ context.Context, x *Execution) error {
	if n := x.invocations(); n != 1 {
		return fmt.Errorf("I3: %d calls were made while the first was under way", n)
	}
	return x.API.ReleaseRule(x.long.rule)
}

// oldProcessEnded waits until the process with the call has ended.
func oldProcessEnded(_ context.Context, x *Execution) error {
	select {
	case <-x.long.ended:
		return nil
	default:
		return errors.New("the process that made the call has recorded its outcome, and still runs")
	}
}
