// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// TestProblemIsAValue: whoever changes a problem has another one.
func TestProblemIsAValue(t *testing.T) {
	cause := errors.New("cause")
	p := Terminalf(v1alpha1.ReasonRejected, "first")
	changed := p.WithRetryAfter(time.Second).WithMessage("second").WithClass(Waiting).WithReason(v1alpha1.ReasonConflict).WithCause(cause)
	if p.Error() != "Rejected: first" || p.Class() != Terminal || p.RetryAfter() != 0 || p.Unwrap() != nil {
		t.Errorf("the original became %v", p)
	}
	if changed.Error() != "Conflict: second" || changed.Class() != Waiting || changed.RetryAfter() != time.Second || !errors.Is(changed, cause) {
		t.Errorf("the changed one is %v", changed)
	}
	if As(nil) != nil || HasReason(nil, v1alpha1.ReasonRejected) {
		t.Error("no error is a problem")
	}
}

func TestAsDependency(t *testing.T) {
	for class, want := range map[Class]Class{Terminal: Terminal, Transient: Waiting, RateLimited: Waiting, Waiting: Waiting} {
		if got := New(class, v1alpha1.ReasonProgressing, "").AsDependency(); got != want {
			t.Errorf("class %d: %d, want %d", class, got, want)
		}
	}
}

func TestFromKubernetes(t *testing.T) {
	resource := schema.GroupResource{Resource: "configmaps"}
	p := As(FromKubernetes(apierrors.NewForbidden(resource, "x", errors.New("quota")), "write ConfigMap %s", "x"))
	if p == nil || p.Class() != Terminal || p.RetryAfter() != 0 || !p.BacksOff() || !strings.HasPrefix(p.Error(), "Forbidden: cannot write ConfigMap x: Kubernetes refuses it (Forbidden)") {
		t.Errorf("a refusal became %v", p)
	}
	conflict := apierrors.NewConflict(resource, "x", errors.New("changed"))
	if err := FromKubernetes(conflict, "write it"); As(err) != nil || !errors.Is(err, conflict) {
		t.Errorf("a conflict became %v", err)
	}
}
