// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

var (
	jane = simulator.User{Email: "jane@example.com", Name: "Jane"}

	created = step{declare(`{"definition": ` + definition + `}`), importReady}
)

// scenarios are all of them, in the order of the report.
var scenarios = []scenario{
	{name: "create", prelude: []step{account}, steps: []step{created}, creates: 1},
	{name: "update", prelude: []step{account, created}, creates: 1, steps: []step{
		{change(`{"spec":{"definition":{"http":{"relativeURI":["/v2/orders"]},"description":"second"}}}`), importReady},
	}},
	{name: "connection", prelude: []step{account, created}, creates: 1, steps: []step{
		{change(`{"spec":{"definition":{"_connectionId":"@dealers"}}}`), importReady},
	}},
	{name: "drift", prelude: []step{account, created}, creates: 1, steps: []step{{edited, corrected}, {edited, corrected}}},
	{name: "recreate", prelude: []step{account, created}, creates: 2, steps: []step{{vanished, replaced}}},
	{name: "clone", seed: seedOriginal, prelude: []step{account}, creates: 1, steps: []step{
		{declare(`{"cloneFrom":{"id":"` + originalID + `","connectionMap":{"@shop":"@dealers"}},"definition":{"name":"orders","adaptorType":"HTTPImport","_connectionId":"@dealers"}}`), importReady},
	}},
	{name: "adopt", seed: seedOriginal, retakes: true, prelude: []step{account}, steps: []step{
		{declare(`{"adopt":{"id":"` + originalID + `","mode":"Override"},"definition":` + definition + `}`), importReady},
	}},
	{name: "values", prelude: []step{account, {do: secretValue("canary-value-1")}, {declare(`{"definition":` + definition + `,
		"valuesFrom":[{"path":"/http/headers","secretKeyRef":{"name":"shop","key":"headers"},"format":"JSON"}]}`), importReady}}, creates: 1, steps: []step{
		{do: rotateValue("canary-value-2"), until: holdsValue("canary-value-2")},
	}},
	{name: "rotation", prelude: []step{account, created}, creates: 1, steps: []step{{do: rotate, until: scannedAgain}}},
	{name: "delete", prelude: []step{account, created}, creates: 1, deletes: 1, steps: []step{{remove, gone}}},
	{name: "orphan", orphans: true, prelude: []step{account, {declare(`{"deletionPolicy":"Orphan","definition":` + definition + `}`), importReady}}, creates: 1, steps: []step{{remove, gone}}},
	{name: "secret-gone", prelude: []step{account, created}, creates: 1, deletes: 1, steps: []step{{takeSecret, accountStopped}, {remove, stays}, {giveSecret, gone}}},
	{name: "run", prelude: []step{account, created}, creates: 1, records: 3, steps: []step{{sent(3, ``), runEnded}}},
	{name: "batches", prelude: []step{account, created}, creates: 1, records: 4, steps: []step{{sent(4, `"batchSize":2`), runEnded}}},
	{name: "keyed", prelude: []step{account, created}, creates: 1, records: 2, steps: []step{{sent(2, `"idempotencyKey":"monday","responseSecretName":"answers"`), runEnded}}},
	{name: "expired", prelude: []step{account, created}, creates: 1, records: 1, steps: []step{{sent(1, `"ttlSecondsAfterFinished":1`), runGone}}},
	{name: "refused", prelude: []step{account, created}, creates: 1, records: 1, ends: v1alpha1.RunFailed, steps: []step{{runRefused, runEnded}}},
}

// seedOriginal puts an import into the account that has more than anybody declares.
func seedOriginal(s *stage) error {
	_, err := s.sim.SeedImport(accountName, json.RawMessage(`{"_id":"`+originalID+`","name":"original","adaptorType":"HTTPImport","_connectionId":"`+shopConnection+`",
		"description":"made in the UI","http":{"method":["POST"],"relativeURI":["/orders"],"body":[null],"batchSize":10},"hooks":{"preMap":{"function":"notDeclared"}}}`))
	return err
}

func seedBystander(s *stage) error {
	_, err := s.sim.SeedImport(accountName, json.RawMessage(`{"_id":"`+bystanderID+`","name":"orders","adaptorType":"HTTPImport","_connectionId":"`+shopConnection+`",
		"http":{"method":["POST"],"relativeURI":["/other"],"body":[null]}}`))
	return err
}

// remoteID is the id of the Import named orders.
func (s *stage) remoteID(ctx context.Context) (string, error) {
	object := &v1alpha1.Import{}
	err := s.objects.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "orders"}, object)
	if err == nil && object.Status.ID == "" {
		err = errors.New("the Import orders has no id")
	}
	return object.Status.ID, err
}

func edited(ctx context.Context, s *stage) error {
	id, err := s.remoteID(ctx)
	if err != nil {
		return err
	}
	return s.sim.EditAs(jane, accountName, id, func(d simulator.Document) {
		d["http"].(map[string]any)["relativeURI"] = []any{"/wrong"}
		d["description"] = "Jane's note"
	})
}

func corrected(ctx context.Context, s *stage) error {
	id, err := s.remoteID(ctx)
	if err != nil {
		return err
	}
	document, _ := s.sim.Import(accountName, id)
	if uri := fmt.Sprint(document["http"].(map[string]any)["relativeURI"]); uri != "[/orders]" {
		return fmt.Errorf("the import writes to %s", uri)
	}
	return importReady(ctx, s)
}

func vanished(ctx context.Context, s *stage) error {
	id, err := s.remoteID(ctx)
	if err != nil {
		return err
	}
	s.before = id
	return s.sim.DeleteAs(jane, accountName, id)
}

func replaced(ctx context.Context, s *stage) error {
	id, err := s.remoteID(ctx)
	if err != nil {
		return err
	}
	if id == s.before {
		return fmt.Errorf("the import that was deleted is still the one of Import orders: %s", s.conditions(ctx, &v1alpha1.Import{ObjectMeta: s.meta("orders")}))
	}
	return importReady(ctx, s)
}

func headers(value string) string { return `[{"name":"X-Key","value":"` + value + `"}]` }

func secretValue(value string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		return s.create(ctx, &corev1.Secret{ObjectMeta: s.meta("shop"), StringData: map[string]string{"headers": headers(value)}})
	}
}

func rotateValue(value string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		patch := fmt.Appendf(nil, `{"stringData":{"headers":%q}}`, headers(value))
		return s.objects.Patch(ctx, &corev1.Secret{ObjectMeta: s.meta("shop")}, client.RawPatch(mergePatch, patch))
	}
}

func holdsValue(value string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		id, err := s.remoteID(ctx)
		if err != nil {
			return err
		}
		document, _ := s.sim.Import(accountName, id)
		if text := fmt.Sprint(document["http"].(map[string]any)["headers"]); text != fmt.Sprint([]any{map[string]any{"name": "X-Key", "value": value}}) {
			return errors.New("the import has another value")
		}
		return importReady(ctx, s)
	}
}

func rotate(_ context.Context, s *stage) error {
	s.rotateToken()
	s.rotating.Wait()
	_, s.scansBefore = s.trace.standing()
	return nil
}

func scannedAgain(ctx context.Context, s *stage) error {
	if _, scans := s.trace.standing(); scans < s.scansBefore+2 {
		return errors.New("the account is not scanned")
	}
	return errors.Join(s.ready(ctx, &v1alpha1.Account{ObjectMeta: s.meta("default")}), importReady(ctx, s))
}

func remove(ctx context.Context, s *stage) error {
	err := s.objects.Delete(ctx, &v1alpha1.Import{ObjectMeta: s.meta("orders")})
	s.forget("orders")
	return client.IgnoreNotFound(err)
}

func takeSecret(ctx context.Context, s *stage) error {
	return client.IgnoreNotFound(s.objects.Delete(ctx, tokenSecret(s, "")))
}

func giveSecret(ctx context.Context, s *stage) error {
	return s.create(ctx, tokenSecret(s, s.currentToken()))
}

// accountStopped waits until the Account says that it cannot work.
func accountStopped(ctx context.Context, s *stage) error {
	object := &v1alpha1.Account{ObjectMeta: s.meta("default")}
	if s.ready(ctx, object) == nil {
		return errors.New("the Account is Ready")
	}
	if described(object.Status.Conditions) == "" {
		return errors.New("the Account says nothing")
	}
	return nil
}

// stays waits until the Import says what its deletion waits for.
func stays(ctx context.Context, s *stage) error {
	object := &v1alpha1.Import{ObjectMeta: s.meta("orders")}
	if s.ready(ctx, object) == nil {
		return errors.New("the Import is Ready")
	}
	return nil
}

// runGone waits until the run named first has ended and is gone.
func runGone(ctx context.Context, s *stage) error {
	if s.there(ctx, &v1alpha1.ImportRun{ObjectMeta: s.meta("first")}) {
		return errors.New("the run is there")
	}
	return nil
}

// sent is a run with records that can be told apart.
func sent(records int, more string) func(context.Context, *stage) error {
	var data []v1alpha1.JSON
	for i := range records {
		data = append(data, v1alpha1.JSON{Raw: fmt.Appendf(nil, `{"number":"canary-record-%d"}`, i)})
	}
	return runOf(data, more)
}

var runRefused = runOf([]v1alpha1.JSON{
	{Raw: []byte(`{"number":"canary-record-0"}`)},
	{Raw: []byte(`{"number":"canary-record-1","_simulate":{"statusCode":422,"code":"invalid","message":"no such sku"}}`)},
}, ``)

func runOf(data []v1alpha1.JSON, more string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		object := &v1alpha1.ImportRun{ObjectMeta: s.meta("first")}
		if err := json.Unmarshal([]byte(`{`+more+`}`), &object.Spec); err != nil {
			return err
		}
		seconds := int32(15)
		object.Spec.ImportRef = &v1alpha1.LocalReference{Name: "orders"}
		object.Spec.ActiveDeadlineSeconds, object.Spec.Data = &seconds, data
		return s.create(ctx, object)
	}
}

func scenarioNamed(name string) (*scenario, error) {
	return named(scenarios, name, func(s *scenario) string { return s.name })
}

// there tells that an object exists.
func (s *stage) there(ctx context.Context, object client.Object) bool {
	return !apierrors.IsNotFound(s.objects.Get(ctx, client.ObjectKeyFromObject(object), object))
}
