// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// Steps with the Import named orders.

// Jane is another user of the account.
var Jane = simulator.User{Email: "jane@example.com", Name: "Jane"}

// Definition is what the Import declares.
const Definition = `{"name": "orders", "adaptorType": "HTTPImport", "_connectionId": "@shop",
	"http": {"method": ["POST"], "relativeURI": ["/orders"], "body": [null], "batchSize": 10}}`

// seedOriginal puts an import into the account that has more fields than anybody declares.
func seedOriginal(x *Execution) error {
	_, err := x.API.SeedImport(sandbox.AccountName, json.RawMessage(`{"_id":"`+sandbox.OriginalID+`","name":"original","adaptorType":"HTTPImport","_connectionId":"`+sandbox.ShopConnection+`",
		"description":"made in the UI","http":{"method":["POST"],"relativeURI":["/orders"],"body":[null],"batchSize":10},"hooks":{"preMap":{"function":"notDeclared"}}}`))
	return err
}

func seedUnmanaged(x *Execution) error {
	_, err := x.API.SeedImport(sandbox.AccountName, json.RawMessage(`{"_id":"`+sandbox.UnmanagedID+`","name":"orders","adaptorType":"HTTPImport","_connectionId":"`+sandbox.ShopConnection+`",
		"http":{"method":["POST"],"relativeURI":["/other"],"body":[null]}}`))
	return err
}

// declare creates the Import with a spec.
func declare(spec string) func(context.Context, *Execution) error { return declareAs("orders", spec) }

// declareAs creates an Import of this name with a spec.
func declareAs(name, spec string) func(context.Context, *Execution) error {
	return func(ctx context.Context, x *Execution) error {
		object := &v1alpha1.Import{ObjectMeta: x.Meta(name)}
		if err := json.Unmarshal([]byte(spec), &object.Spec); err != nil {
			return err
		}
		return x.Create(ctx, object)
	}
}

// change merges into the Import.
func change(patch string) func(context.Context, *Execution) error {
	return func(ctx context.Context, x *Execution) error {
		object := &v1alpha1.Import{ObjectMeta: x.Meta("orders")}
		if err := x.Objects.Patch(ctx, object, client.RawPatch(sandbox.MergePatch, []byte(patch))); err != nil {
			return err
		}
		x.Remember(object)
		return nil
	}
}

func importReady(ctx context.Context, x *Execution) error {
	return x.Ready(ctx, &v1alpha1.Import{ObjectMeta: x.Meta("orders")})
}

func deleteImport(ctx context.Context, x *Execution) error {
	err := x.Objects.Delete(ctx, &v1alpha1.Import{ObjectMeta: x.Meta("orders")})
	x.Forget("orders")
	return client.IgnoreNotFound(err)
}

// importNotReady waits until the Import says what its deletion waits for.
func importNotReady(ctx context.Context, x *Execution) error {
	object := &v1alpha1.Import{ObjectMeta: x.Meta("orders")}
	if x.Ready(ctx, object) == nil {
		return errors.New("the Import is Ready")
	}
	return nil
}

func importDeleted(ctx context.Context, x *Execution) error {
	err := x.Objects.Get(ctx, client.ObjectKey{Namespace: x.Namespace, Name: "orders"}, &v1alpha1.Import{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	default:
		return fmt.Errorf("the Import orders exists: %s", x.DescribeConditions(ctx, &v1alpha1.Import{ObjectMeta: x.Meta("orders")}))
	}
}

// remoteID is the id in the status of the Import.
func (x *Execution) remoteID(ctx context.Context) (string, error) {
	object := &v1alpha1.Import{}
	err := x.Objects.Get(ctx, client.ObjectKey{Namespace: x.Namespace, Name: "orders"}, object)
	if err == nil && object.Status.ID == "" {
		err = errors.New("the Import orders has no id")
	}
	return object.Status.ID, err
}

// editRemote changes a field that is declared and one that is not.
func editRemote(ctx context.Context, x *Execution) error {
	id, err := x.remoteID(ctx)
	if err != nil {
		return err
	}
	return x.API.EditAs(Jane, sandbox.AccountName, id, func(d simulator.Document) {
		d["http"].(map[string]any)["relativeURI"] = []any{"/wrong"}
		d["description"] = "Jane's note"
	})
}

func driftCorrected(ctx context.Context, x *Execution) error {
	id, err := x.remoteID(ctx)
	if err != nil {
		return err
	}
	document, _ := x.API.Import(sandbox.AccountName, id)
	if uri := fmt.Sprint(document["http"].(map[string]any)["relativeURI"]); uri != "[/orders]" {
		return fmt.Errorf("the import writes to %s", uri)
	}
	return importReady(ctx, x)
}

func deleteRemote(ctx context.Context, x *Execution) error {
	id, err := x.remoteID(ctx)
	if err != nil {
		return err
	}
	x.deletedID = id
	return x.API.DeleteAs(Jane, sandbox.AccountName, id)
}

func importRecreated(ctx context.Context, x *Execution) error {
	id, err := x.remoteID(ctx)
	if err != nil {
		return err
	}
	if id == x.deletedID {
		return fmt.Errorf("the Import orders still refers to the import that was deleted: %s", x.DescribeConditions(ctx, &v1alpha1.Import{ObjectMeta: x.Meta("orders")}))
	}
	return importReady(ctx, x)
}

func headers(value string) string { return `[{"name":"X-Key","value":"` + value + `"}]` }

// createValue creates the Secret that valuesFrom refers to.
func createValue(value string) func(context.Context, *Execution) error {
	return func(ctx context.Context, x *Execution) error {
		return x.Create(ctx, &corev1.Secret{ObjectMeta: x.Meta("shop"), StringData: map[string]string{"headers": headers(value)}})
	}
}

func changeValue(value string) func(context.Context, *Execution) error {
	return func(ctx context.Context, x *Execution) error {
		patch := fmt.Appendf(nil, `{"stringData":{"headers":%q}}`, headers(value))
		return x.Objects.Patch(ctx, &corev1.Secret{ObjectMeta: x.Meta("shop")}, client.RawPatch(sandbox.MergePatch, patch))
	}
}

func valueWritten(value string) func(context.Context, *Execution) error {
	return func(ctx context.Context, x *Execution) error {
		id, err := x.remoteID(ctx)
		if err != nil {
			return err
		}
		document, _ := x.API.Import(sandbox.AccountName, id)
		if text := fmt.Sprint(document["http"].(map[string]any)["headers"]); text != fmt.Sprint([]any{map[string]any{"name": "X-Key", "value": value}}) {
			return errors.New("the import has another value")
		}
		return importReady(ctx, x)
	}
}
