// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// Steps in which two may have the same remote import: two Imports, an Import and another cluster, or
// an Import and a user of the account.

// second is the name of another Import that declares the same as the Import named orders.
const second = "second"

// conflicts reports whether an Import is Stalled because the remote import is another's.
func conflicts(object client.Object) bool {
	stalled := apimeta.FindStatusCondition(sandbox.ConditionsOf(object), v1alpha1.ConditionStalled)
	return stalled != nil && stalled.Status == metav1.ConditionTrue && stalled.Reason == v1alpha1.ReasonOwnershipConflict &&
		stalled.ObservedGeneration == object.GetGeneration()
}

// adopting is a spec that takes over an import whatever it is like.
func adopting(id string) string {
	return `{"adopt":{"id":"` + id + `","mode":"Override"},"definition":` + Definition + `}`
}

// declareRivals creates two Imports that adopt the same remote import, before the manager sees one of
// them. It begins with both at the same time, and what its cache shows of the other may be old.
func declareRivals(ctx context.Context, x *Execution) error {
	spec := adopting(sandbox.OriginalID)
	return x.WithoutManager(func() error {
		return errors.Join(declare(spec)(ctx, x), declareAs(second, spec)(ctx, x))
	})
}

// oneHasIt waits until one of the rivals is Ready, and the other has given up.
func oneHasIt(ctx context.Context, x *Execution) error {
	ready, stalled := 0, 0
	var found []error
	for _, name := range []string{"orders", second} {
		object := &v1alpha1.Import{ObjectMeta: x.Meta(name)}
		err := x.Ready(ctx, object)
		switch {
		case err == nil:
			ready++
		case conflicts(object):
			stalled++
		}
		found = append(found, err)
	}
	if ready != 1 || stalled != 1 {
		return fmt.Errorf("%d Imports are Ready and %d Stalled: %w", ready, stalled, errors.Join(found...))
	}
	return nil
}

// declareHeir creates another Import that adopts the remote import of the first: this is how an
// Import is renamed.
func declareHeir(ctx context.Context, x *Execution) error {
	id, err := x.remoteID(ctx)
	if err != nil {
		return err
	}
	x.inherited = id
	x.HandOn(id)
	return declareAs(second, adopting(id))(ctx, x)
}

// heirWaits waits until the other Import says that the first has the remote import.
func heirWaits(ctx context.Context, x *Execution) error {
	object := &v1alpha1.Import{ObjectMeta: x.Meta(second)}
	err := x.Ready(ctx, object)
	switch {
	case err == nil:
		return fmt.Errorf("the Import %s has the remote import already", second)
	case conflicts(object):
		return nil
	default:
		return err
	}
}

// handedOver waits until the first Import is deleted, and the other has its remote import.
func handedOver(ctx context.Context, x *Execution) error {
	object := &v1alpha1.Import{ObjectMeta: x.Meta(second)}
	if err := errors.Join(importDeleted(ctx, x), x.Ready(ctx, object)); err != nil {
		return err
	}
	if object.Status.ID != x.inherited {
		return fmt.Errorf("the Import %s has the import %s, not %s", second, object.Status.ID, x.inherited)
	}
	return nil
}

// seedNamesake puts an import into the account that another cluster created, from the same manifest.
func seedNamesake(x *Execution) error {
	_, err := x.API.SeedImport(sandbox.AccountName, json.RawMessage(`{"_id":"`+sandbox.OriginalID+`","name":"orders","adaptorType":"HTTPImport","_connectionId":"`+sandbox.ShopConnection+`",
		"externalId":"`+v1alpha1.MarkerPrefix+`00000000-0000-0000-0000-000000000000","http":{"method":["POST"],"relativeURI":["/old"],"body":[null]}}`))
	x.Keep(sandbox.OriginalID)
	return err
}

// secondSpec declares an import of another name than that of the Import named orders.
const secondSpec = `{"definition": {"name": "second", "adaptorType": "HTTPImport", "_connectionId": "@shop",
	"http": {"method": ["POST"], "relativeURI": ["/second"], "body": [null], "batchSize": 10}}}`

func secondReady(ctx context.Context, x *Execution) error {
	return x.Ready(ctx, &v1alpha1.Import{ObjectMeta: x.Meta(second)})
}

// seedCrowd fills more pages of the account's list than there are Imports.
func seedCrowd(x *Execution) error {
	for n := range 3 * sandbox.PageSize {
		id := fmt.Sprintf("64c0000000000000000%05d", n)
		if _, err := x.API.SeedImport(sandbox.AccountName, json.RawMessage(`{"_id":"`+id+`","name":"`+id+`","adaptorType":"HTTPImport","_connectionId":"`+sandbox.ShopConnection+`",
			"http":{"method":["POST"],"relativeURI":["/old"],"body":[null]}}`)); err != nil {
			return err
		}
		x.Keep(id)
	}
	return nil
}

func noteSingles(_ context.Context, x *Execution) error {
	x.scansBefore = x.Recorder().Singles()
	return nil
}

// scannedAlone waits until the imports that have an Import are read one by one.
func scannedAlone(_ context.Context, x *Execution) error {
	if x.Recorder().Singles() < x.scansBefore+2 {
		return errors.New("the account is not scanned by reads of single imports")
	}
	return nil
}

// addNamesake has another cluster create an import from the same manifest, which the last list does not have.
func addNamesake(_ context.Context, x *Execution) error { return seedNamesake(x) }

// ownershipDecided waits until the Import says that the import is another's. One that has created its
// own instead is Ready, and I1 counts that.
func ownershipDecided(ctx context.Context, x *Execution) error {
	object := &v1alpha1.Import{ObjectMeta: x.Meta("orders")}
	if err := x.Ready(ctx, object); err != nil && !conflicts(object) {
		return err
	}
	return nil
}

// takeNamesake has the Import take over the import of the other cluster, which nobody has written to
// so far.
func takeNamesake(ctx context.Context, x *Execution) error {
	if err := x.letGo(sandbox.OriginalID); err != nil {
		return err
	}
	return change(`{"spec":{"adopt":{"id":"`+sandbox.OriginalID+`","mode":"Override"}}}`)(ctx, x)
}

// cloneRemote clones the remote import in the UI, and edits the clone. It keeps the ownership marker
// of its original.
func cloneRemote(ctx context.Context, x *Execution) error {
	id, err := x.remoteID(ctx)
	if err != nil {
		return err
	}
	if x.copied, err = x.API.CloneAs(Jane, sandbox.AccountName, id, "Jane's orders"); err != nil {
		return err
	}
	defer x.Keep(x.copied)
	return x.API.EditAs(Jane, sandbox.AccountName, x.copied, func(d simulator.Document) {
		d["http"].(map[string]any)["relativeURI"] = []any{"/hers"}
	})
}

// restoreRemote restores the import from the recycle bin that was deleted, when the Import has
// another.
func restoreRemote(_ context.Context, x *Execution) error {
	if err := x.API.Restore(sandbox.AccountName, x.deletedID); err != nil {
		return err
	}
	x.copied = x.deletedID
	x.Keep(x.copied)
	return nil
}

// unmarkRemote takes the ownership marker from the remote import.
func unmarkRemote(ctx context.Context, x *Execution) error {
	id, err := x.remoteID(ctx)
	if err != nil {
		return err
	}
	return x.API.EditAs(Jane, sandbox.AccountName, id, func(d simulator.Document) { d["externalId"] = "Jane's own" })
}

// remoteRead waits until the operator has read what the remote import is by now.
func remoteRead(ctx context.Context, x *Execution) error {
	object := &v1alpha1.Import{ObjectMeta: x.Meta("orders")}
	if err := x.Ready(ctx, object); err != nil {
		return err
	}
	document, _ := x.API.Import(sandbox.AccountName, object.Status.ID)
	if object.Status.LastModified != document["lastModified"] {
		return errors.New("the Import orders has not been compared with the import since Jane changed it")
	}
	return nil
}

// loseStatus removes the status of the Import, as a backup without statuses does.
func loseStatus(ctx context.Context, x *Execution) error {
	object := &v1alpha1.Import{}
	if err := x.Objects.Get(ctx, client.ObjectKey{Namespace: x.Namespace, Name: "orders"}, object); err != nil {
		return err
	}
	object.Status = v1alpha1.ImportStatus{ObservedGeneration: -1}
	return x.Objects.Status().Update(ctx, object)
}

// copyShown waits until the Import shows what else has its ownership marker.
func copyShown(ctx context.Context, x *Execution) error {
	object := &v1alpha1.Import{ObjectMeta: x.Meta("orders")}
	if err := x.Ready(ctx, object); err != nil {
		return err
	}
	if !slices.Contains(object.Status.Copies, x.copied) {
		return fmt.Errorf("the Import orders shows the copies %v, not %s", object.Status.Copies, x.copied)
	}
	return nil
}
