// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package keyref_test

import (
	"context"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/keyref"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// counting counts the reads of a client.
type counting struct {
	client.Reader
	reads int
}

func (c *counting) Get(_ context.Context, name types.NamespacedName, object client.Object, _ ...client.GetOption) error {
	c.reads++
	secret, ok := object.(*corev1.Secret)
	if !ok {
		return apierrors.NewNotFound(corev1.Resource("configmaps"), name.Name)
	}
	secret.UID, secret.ResourceVersion = "u", strconv.Itoa(c.reads)
	secret.Data = map[string][]byte{"user": []byte("jane"), "password": []byte("S")}
	return nil
}

func TestKeysOfOneSecretAreOfOneVersion(t *testing.T) {
	live := &counting{}
	keys := keyref.Reader{Live: live, Namespace: "n", Reason: v1alpha1.ReasonValueNotFound}
	for _, name := range []string{"user", "password", "user"} {
		_, version, err := keys.Read(t.Context(), keyref.Of(&v1alpha1.KeyReference{Name: "s", Key: name}, nil))
		if err != nil || version != "u 1" {
			t.Errorf("%s: version %q, %v", name, version, err)
		}
	}
	if live.reads != 1 {
		t.Errorf("%d reads", live.reads)
	}
	_, _, err := keys.Read(t.Context(), keyref.Of(nil, &v1alpha1.KeyReference{Name: "s", Key: "user"}))
	if p := problem.As(err); p == nil || p.Class() != problem.Waiting || p.Error() != `ValueNotFound: waiting for key "user" of ConfigMap "s", which is not in namespace "n"` {
		t.Errorf("a ConfigMap of a Secret's name: %v", err)
	}
}
