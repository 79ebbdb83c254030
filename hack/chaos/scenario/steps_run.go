// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
)

// Steps with the ImportRun named first.

// createRun creates the run with records that differ from each other.
func createRun(records int, spec string) func(context.Context, *Execution) error {
	var data []v1alpha1.JSON
	for i := range records {
		data = append(data, v1alpha1.JSON{Raw: fmt.Appendf(nil, `{"number":"canary-record-%d"}`, i)})
	}
	return createRunWith(data, spec)
}

// createRefusedRun creates a run of two records. The API refuses the second one.
var createRefusedRun = createRunWith(refusedData, ``)

var refusedData = []v1alpha1.JSON{
	{Raw: []byte(`{"number":"canary-record-0"}`)},
	{Raw: []byte(`{"number":"canary-record-1","_simulate":{"statusCode":422,"code":"invalid","message":"no such sku"}}`)},
}

// createKeyedRun creates the same run as a tool that repeats it does.
var createKeyedRun = createRunWith(refusedData, `"idempotencyKey":"monday"`)

func deleteRun(ctx context.Context, x *Execution) error {
	return client.IgnoreNotFound(x.Objects.Delete(ctx, &v1alpha1.ImportRun{ObjectMeta: x.Meta("first")}))
}

// createForgedRun creates a run of two batches whose author claims that the first was answered.
var createForgedRun = createRunWith([]v1alpha1.JSON{{Raw: []byte(`{"number":"canary-record-0"}`)}, {Raw: []byte(`{"number":"canary-record-1"}`)}},
	`"batchSize":1`, func(object *v1alpha1.ImportRun) {
		object.Annotations = map[string]string{v1alpha1.AnnotationClaim: `{"batch":1,"batches":2}`}
	})

func createRunWith(data []v1alpha1.JSON, spec string, edits ...func(*v1alpha1.ImportRun)) func(context.Context, *Execution) error {
	return func(ctx context.Context, x *Execution) error {
		object := &v1alpha1.ImportRun{ObjectMeta: x.Meta("first")}
		if err := json.Unmarshal([]byte(`{`+spec+`}`), &object.Spec); err != nil {
			return err
		}
		object.Spec.ImportRef = &v1alpha1.LocalReference{Name: "orders"}
		object.Spec.ActiveDeadlineSeconds, object.Spec.Data = ptr.To[int32](15), data
		for _, edit := range edits {
			edit(object)
		}
		return x.Create(ctx, object)
	}
}

func runFinished(ctx context.Context, x *Execution) error {
	run := &v1alpha1.ImportRun{}
	if err := x.Objects.Get(ctx, client.ObjectKey{Namespace: x.Namespace, Name: "first"}, run); err != nil {
		return err
	}
	if !sandbox.Finished(run.Status.Phase) {
		return fmt.Errorf("the ImportRun first is %s: %s, claim %s", run.Status.Phase, sandbox.Describe(run.Status.Conditions), run.Annotations[v1alpha1.AnnotationClaim])
	}
	return nil
}

// runDeleted waits until the run has finished and was deleted.
func runDeleted(ctx context.Context, x *Execution) error {
	if x.Exists(ctx, &v1alpha1.ImportRun{ObjectMeta: x.Meta("first")}) {
		return errors.New("the run exists")
	}
	return nil
}
