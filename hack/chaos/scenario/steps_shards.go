// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"errors"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// Steps in which an object gets the label of the other manager while a call is under way for it.

// createSlowly declares the Import. The import is created, and the answer is held back.
func createSlowly(ctx context.Context, x *Execution) (err error) {
	x.long.rule, err = x.API.AddRule(simulator.Rule{Account: sandbox.AccountName, Method: http.MethodPost, Route: createRoute, Phase: simulator.PhaseAfter,
		Nth: 1, Count: 1, Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: time.Hour.Milliseconds()}})
	if err != nil {
		return err
	}
	return createImport.Do(ctx, x)
}

const createRoute = "/v1/imports"

// creationUnderWay waits until the import is there, and its Import does not know it.
func creationUnderWay(_ context.Context, x *Execution) error {
	if len(x.API.Ledger(simulator.Filter{Account: sandbox.AccountName, Method: http.MethodPost, Route: createRoute})) == 0 {
		return errors.New("the import is not created")
	}
	return nil
}

func relabelImport(ctx context.Context, x *Execution) error {
	return x.Relabel(ctx, &v1alpha1.Import{ObjectMeta: x.Meta("orders")})
}

// otherGoesOn waits until the manager that did not create the import has found it, or has made another.
func otherGoesOn(ctx context.Context, x *Execution) error {
	object := &v1alpha1.Import{}
	if err := x.Objects.Get(ctx, client.ObjectKey{Namespace: x.Namespace, Name: "orders"}, object); err != nil {
		return err
	}
	if object.Annotations[v1alpha1.AnnotationID] == "" {
		return errors.New("the Import has no id yet")
	}
	return nil
}

func endCreation(_ context.Context, x *Execution) error { return x.API.ReleaseRule(x.long.rule) }

func runUnderWay(_ context.Context, x *Execution) error {
	if x.invocations() == 0 {
		return errors.New("the run is not sent")
	}
	return nil
}

func relabelRun(ctx context.Context, x *Execution) error {
	return x.Relabel(ctx, &v1alpha1.ImportRun{ObjectMeta: x.Meta("first")})
}
