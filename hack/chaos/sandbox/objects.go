// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// MergePatch is how users change objects.
const MergePatch = types.MergePatchType

// patience is how long a step may take: the claim of a process that died has to expire.
const patience = 80 * time.Second

// Patience is how long a step may take. It is longer in an outage, where each scenario waits for the
// slowest of all, and under noise that has the manager wait longer each time.
func (s *Sandbox) Patience() time.Duration {
	if s.Outage || s.Noise.Slows() {
		return 3 * patience
	}
	return patience
}

// Act does what a user does. While the API server may be down, a user retries.
func (s *Sandbox) Act(ctx context.Context, do func(context.Context) error) error {
	if !s.Outage {
		return do(ctx)
	}
	return local.Await(ctx, s.Patience(), "the API server to accept it", do)
}

// Meta is the metadata of an object in the sandbox's namespace.
func (s *Sandbox) Meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.Namespace, Name: name}
}

// TokenSecret is the Secret that the Account refers to.
func (s *Sandbox) TokenSecret(token string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: s.Meta("token"), StringData: map[string]string{"token": token}}
}

// Create creates objects as a user does.
func (s *Sandbox) Create(ctx context.Context, objects ...client.Object) error {
	for _, object := range objects {
		s.mark(object)
		err := s.Objects.Create(ctx, object)
		if s.Outage && apierrors.IsAlreadyExists(err) {
			// The first attempt was successful, its answer was lost.
			err = s.Objects.Get(ctx, client.ObjectKeyFromObject(object), object)
		}
		if err != nil {
			return err
		}
		s.Remember(object)
	}
	return nil
}

// Remember keeps the spec that a user wrote. Nobody else may change it.
func (s *Sandbox) Remember(object client.Object) {
	s.specsMu.Lock()
	defer s.specsMu.Unlock()
	s.specs[object.GetName()] = SpecOf(object)
}

// Forget drops the spec of an object that a user deleted.
func (s *Sandbox) Forget(name string) {
	s.specsMu.Lock()
	defer s.specsMu.Unlock()
	delete(s.specs, name)
}

// Specs are the specs that users wrote, by the names of the objects.
func (s *Sandbox) Specs() map[string][]byte {
	s.specsMu.Lock()
	defer s.specsMu.Unlock()
	return maps.Clone(s.specs)
}

// Ready returns an error for an object that is not Ready at its generation. It reads the object.
func (s *Sandbox) Ready(ctx context.Context, object client.Object) error {
	if err := s.Objects.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return err
	}
	found := ConditionsOf(object)
	if c := apimeta.FindStatusCondition(found, v1alpha1.ConditionReady); c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != object.GetGeneration() {
		return fmt.Errorf("%T %s is not Ready at generation %d: %s", object, object.GetName(), object.GetGeneration(), Describe(found))
	}
	return nil
}

// DescribeConditions reads an object and returns its conditions as text.
func (s *Sandbox) DescribeConditions(ctx context.Context, object client.Object) string {
	if err := s.Objects.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return err.Error()
	}
	return Describe(ConditionsOf(object))
}

// Exists reports whether an object exists.
func (s *Sandbox) Exists(ctx context.Context, object client.Object) bool {
	return !apierrors.IsNotFound(s.Objects.Get(ctx, client.ObjectKeyFromObject(object), object))
}

// Describe returns conditions as text.
func Describe(conditions []metav1.Condition) string {
	text := ""
	for _, c := range conditions {
		text += fmt.Sprintf("[%s=%s %s %q at %d]", c.Type, c.Status, c.Reason, c.Message, c.ObservedGeneration)
	}
	return text
}

// partsOf are the spec, the status and the conditions of an object of the operator's kinds, nil
// for any other.
func partsOf(object client.Object) (spec, status any, conditions []metav1.Condition) {
	switch object := object.(type) {
	case *v1alpha1.Account:
		return object.Spec, object.Status, object.Status.Conditions
	case *v1alpha1.Import:
		return object.Spec, object.Status, object.Status.Conditions
	case *v1alpha1.ImportRun:
		return object.Spec, object.Status, object.Status.Conditions
	default:
		return nil, nil, nil
	}
}

// SpecOf is the spec of an object as JSON.
func SpecOf(object client.Object) []byte {
	spec, _, _ := partsOf(object)
	return asJSON(spec)
}

// StatusOf is the status of an object as JSON.
func StatusOf(object client.Object) []byte {
	_, status, _ := partsOf(object)
	return asJSON(status)
}

// ConditionsOf are the conditions of an object.
func ConditionsOf(object client.Object) []metav1.Condition {
	_, _, conditions := partsOf(object)
	return conditions
}

func asJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		return []byte(err.Error())
	}
	return text
}
