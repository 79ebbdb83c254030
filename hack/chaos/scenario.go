// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// scenario is what users do, step by step, and what has to come of it whatever goes wrong.
type scenario struct {
	name string
	// seed fills the account before all else.
	seed func(*stage) error
	// prelude is played before anything goes wrong, steps while it does.
	prelude, steps []step
	// creates is how many imports are made in the account, deletes how many are deleted;
	// records how many are sent to their destination, each of them once.
	creates, deletes, records int
	// ends is how its runs end when nothing goes wrong; Succeeded by default.
	ends v1alpha1.RunPhase
	// orphans tells that what is made stays in the account when its Import is gone; retakes that
	// what a backup brought back is taken over by a write once more.
	orphans, retakes bool
}

// step is something that a user does, and what it has to come to.
type step struct {
	do    func(context.Context, *stage) error
	until func(context.Context, *stage) error
}

const (
	mergePatch = types.MergePatchType
	// patience is how long a step may take: a claim of a process that died is waited for.
	patience = 80 * time.Second

	shopConnection   = "5e8c41d29a7f3b0012ab77e1"
	dealerConnection = "5e8c41d29a7f3b0012ab77e2"
	// bystander is an import that nobody declares; originalID one that is copied or adopted.
	bystanderID = "61d4c0a7f2b95e0014b3c801"
	originalID  = "61d4c0a7f2b95e0014b3c802"
)

var connections = []simulator.Connection{{ID: shopConnection}, {ID: dealerConnection}}

// play plays steps in order.
func (s *stage) play(ctx context.Context, steps []step) error {
	for i, step := range steps {
		if step.do != nil {
			if err := s.act(ctx, step.do); err != nil {
				return fmt.Errorf("step %d: %w", i+1, err)
			}
		}
		if step.until != nil {
			if err := local.Await(ctx, s.patience(), fmt.Sprintf("step %d to come to its end", i+1), func(ctx context.Context) error { return step.until(ctx, s) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// patience is how long a step may take; in an outage, where each scenario waits for the slowest
// of all, longer.
func (s *stage) patience() time.Duration {
	if s.plan.outage != nil {
		return 3 * patience
	}
	return patience
}

// act does what a user does. While the API server is away, a user tries again.
func (s *stage) act(ctx context.Context, do func(context.Context, *stage) error) error {
	if s.plan.outage == nil {
		return do(ctx, s)
	}
	return local.Await(ctx, s.patience(), "the API server to take it", func(ctx context.Context) error { return do(ctx, s) })
}

func (s *stage) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: name}
}

func tokenSecret(s *stage, token string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: s.meta("token"), StringData: map[string]string{"token": token}}
}

// account is what every scenario begins with: an Account with its token.
var account = step{
	do: func(ctx context.Context, s *stage) error {
		object := &v1alpha1.Account{ObjectMeta: s.meta("default"), Spec: v1alpha1.AccountSpec{
			BaseURL:        "http://" + s.remote.address(),
			TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token"},
			Aliases:        map[string]v1alpha1.ID{"shop": shopConnection, "dealers": dealerConnection},
			ScanInterval:   "1s",
		}}
		return s.create(ctx, tokenSecret(s, s.token), object)
	},
	until: func(ctx context.Context, s *stage) error {
		return s.ready(ctx, &v1alpha1.Account{ObjectMeta: s.meta("default")})
	},
}

// create makes objects as a user does.
func (s *stage) create(ctx context.Context, objects ...client.Object) error {
	for _, object := range objects {
		err := s.objects.Create(ctx, object)
		if s.plan.outage != nil && apierrors.IsAlreadyExists(err) {
			// The first try came through.
			err = s.objects.Get(ctx, client.ObjectKeyFromObject(object), object)
		}
		if err != nil {
			return err
		}
		s.keep(object)
	}
	return nil
}

// declare is an Import named orders, with more of its spec.
func declare(more string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		object := &v1alpha1.Import{ObjectMeta: s.meta("orders")}
		if err := json.Unmarshal([]byte(more), &object.Spec); err != nil {
			return err
		}
		return s.create(ctx, object)
	}
}

const definition = `{"name": "orders", "adaptorType": "HTTPImport", "_connectionId": "@shop",
	"http": {"method": ["POST"], "relativeURI": ["/orders"], "body": [null], "batchSize": 10}}`

// change merges into the spec of the Import named orders.
func change(patch string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		object := &v1alpha1.Import{ObjectMeta: s.meta("orders")}
		if err := s.objects.Patch(ctx, object, client.RawPatch(mergePatch, []byte(patch))); err != nil {
			return err
		}
		s.keep(object)
		return nil
	}
}

// importReady waits for the Import named orders.
func importReady(ctx context.Context, s *stage) error {
	return s.ready(ctx, &v1alpha1.Import{ObjectMeta: s.meta("orders")})
}

// gone waits until the Import named orders is gone.
func gone(ctx context.Context, s *stage) error {
	err := s.objects.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "orders"}, &v1alpha1.Import{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	default:
		return fmt.Errorf("the Import orders is there: %s", s.conditions(ctx, &v1alpha1.Import{ObjectMeta: s.meta("orders")}))
	}
}

// ready complains of an object that is not Ready at its generation.
func (s *stage) ready(ctx context.Context, object client.Object) error {
	if err := s.objects.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return err
	}
	found := conditionsOf(object)
	if c := apimeta.FindStatusCondition(found, v1alpha1.ConditionReady); c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != object.GetGeneration() {
		return fmt.Errorf("%T %s is not Ready at generation %d: %s", object, object.GetName(), object.GetGeneration(), described(found))
	}
	return nil
}

func (s *stage) conditions(ctx context.Context, object client.Object) string {
	if err := s.objects.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return err.Error()
	}
	return described(conditionsOf(object))
}

func described(conditions []metav1.Condition) string {
	text := ""
	for _, c := range conditions {
		text += fmt.Sprintf("[%s=%s %s %q at %d]", c.Type, c.Status, c.Reason, c.Message, c.ObservedGeneration)
	}
	return text
}

// runEnded waits until the run named first has ended.
func runEnded(ctx context.Context, s *stage) error {
	run := &v1alpha1.ImportRun{}
	if err := s.objects.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "first"}, run); err != nil {
		return err
	}
	if !isEnd(run.Status.Phase) {
		return fmt.Errorf("the ImportRun first is %s: %s, claim %s", run.Status.Phase, described(run.Status.Conditions), run.Annotations[v1alpha1.AnnotationClaim])
	}
	return nil
}

// isEnd tells that a phase is one that a run does not leave.
func isEnd(phase v1alpha1.RunPhase) bool {
	switch phase {
	case v1alpha1.RunSucceeded, v1alpha1.RunFailed, v1alpha1.RunUnknown, v1alpha1.RunCanceled:
		return true
	default:
		return false
	}
}
