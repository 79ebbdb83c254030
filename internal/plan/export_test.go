// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// ApplyAll does what Make plans: the same reconcilers work on the same objects, in no dry run, and with clients
// that write. It returns the cluster after that.
func ApplyAll(ctx context.Context, manifests []Manifest, options Options) (client.Client, error) {
	w, err := newWorld(ctx, manifests, options)
	if err != nil {
		return nil, err
	}
	defer w.close()
	var all v1alpha1.ImportList
	if err := w.engine.memory.List(ctx, &all); err != nil {
		return nil, err
	}
	for i := range all.Items {
		delete(all.Items[i].Annotations, v1alpha1.AnnotationDryRun)
		if err := w.engine.memory.Update(ctx, &all.Items[i]); err != nil {
			return nil, err
		}
	}
	// Again: an Import may have waited for what another one has left.
	for range 2 {
		if err := w.run(ctx); err != nil {
			return nil, err
		}
	}
	return w.engine.memory, nil
}
