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

var _ = Describe("Everything that refers to an import is lost, as by an older copy of etcd", func() {
	It("is found by its ownership marker, and not created again", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("orders"))
		id := object.Status.ID
		change(ctx, object, func(o *v1alpha1.Import) { o.Spec.Suspend = true })
		w.eventually(ctx, object, "orders", "Current True/Suspended")

		bare := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":null,"finalizers":null}}`))
		Expect(k8s.Patch(ctx, object, bare)).To(Succeed())
		Expect(k8s.Status().Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(`{"status":null}`)))).To(Succeed())
		change(ctx, object, func(o *v1alpha1.Import) { o.Spec.Suspend = false })

		w.eventuallyReady(ctx, object, "orders")
		Expect(object.Status.ID).To(Equal(id))
		Expect(object.Finalizers).To(ContainElement("integrator.io/import"))
		Expect(object.Annotations).To(HaveKeyWithValue("integrator.io/id", id))
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})
})
