// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

var _ = Describe("A status that another process overwrites", func() {
	// As by a write of a process that died, which the API server applies late.
	late := client.RawPatch(types.MergePatchType, []byte(`{"status":{"conditions":[{"type":"Ready","status":"False",
		"reason":"TokenRejected","message":"late","observedGeneration":1,"lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`))

	It("is corrected, without a call", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("orders"))
		account := get(ctx, w, &v1alpha1.Account{}, object.Spec.AccountRef.Name)

		Expect(k8s.Status().Patch(ctx, account, late)).To(Succeed())
		Expect(k8s.Status().Patch(ctx, object, late)).To(Succeed())
		w.eventuallyReady(ctx, account, account.Name)
		w.eventuallyReady(ctx, object, object.Name)
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))
	})
})
