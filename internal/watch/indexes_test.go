// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

const (
	remoteID = "64a0000000000000000000a1"
	otherID  = "64a0000000000000000000a2"
)

// anImport is an Import of the Account "default" with changes.
func anImport(changes ...func(*v1alpha1.Import)) *v1alpha1.Import {
	object := &v1alpha1.Import{}
	object.Namespace, object.Name, object.Generation = "test", "orders", 1
	object.Spec.AccountRef.Name = "default"
	for _, change := range changes {
		change(object)
	}
	return object
}

func annotated(key, value string) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) {
		if object.Annotations == nil {
			object.Annotations = map[string]string{}
		}
		object.Annotations[key] = value
	}
}

func withStatusID(id string) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) { object.Status.ID = id }
}

func cloning(clone v1alpha1.CloneSpec) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) { object.Spec.CloneFrom = &clone }
}

// withValues gives the Import a value of each source.
func withValues(sources ...v1alpha1.ValueSource) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) { object.Spec.ValuesFrom = sources }
}

func key(name, key string) *v1alpha1.KeyReference {
	return &v1alpha1.KeyReference{Name: name, Key: key}
}

// aRun is a run with changes.
func aRun(changes ...func(*v1alpha1.ImportRun)) *v1alpha1.ImportRun {
	run := &v1alpha1.ImportRun{}
	run.Namespace, run.Name, run.Generation = "test", "load", 1
	for _, change := range changes {
		change(run)
	}
	return run
}

func inPhase(phase v1alpha1.RunPhase) func(*v1alpha1.ImportRun) {
	return func(run *v1alpha1.ImportRun) { run.Status.Phase = phase }
}

// complete refers to an object by each of its references, which no real run does.
func complete(run *v1alpha1.ImportRun) {
	run.Spec.ImportRef = &v1alpha1.LocalReference{Name: "orders"}
	run.Spec.AccountRef = &v1alpha1.LocalReference{Name: "prod"}
	run.Spec.IdempotencyKey = "2026-01-01"
	run.Spec.RetryOf = &v1alpha1.LocalReference{Name: "yesterday"}
	run.Spec.DataFrom = []v1alpha1.DataSource{{ConfigMapKeyRef: key("lists", "a")}, {SecretKeyRef: key("customers", "a")}}
}

var ofCompleteRun = values{
	watch.IndexRunImport: {"orders"}, watch.IndexRunAccount: {"prod"}, watch.IndexRunKey: {"2026-01-01"}, watch.IndexRunRetryOf: {"yesterday"},
	watch.IndexRunConfigMap: {"lists"}, watch.IndexRunSecret: {"customers"},
}

// values of an object's indexes, by field, without those that have none.
type values map[string][]string

// recorder is an indexer that hands over what is registered.
type recorder func(object client.Object, field string, extract client.IndexerFunc) error

func (r recorder) IndexField(_ context.Context, object client.Object, field string, extract client.IndexerFunc) error {
	return r(object, field, extract)
}

func TestIndexes(t *testing.T) {
	cases := map[string]struct {
		reason string
		object client.Object
		want   values
	}{
		"Account": {
			"a Secret wakes the Account whose token it has",
			&v1alpha1.Account{Spec: v1alpha1.AccountSpec{TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token-of-prod"}}},
			values{watch.IndexAccountSecret: {"token-of-prod"}},
		},
		"AccountWithBundle": {
			"a ConfigMap wakes the Account that trusts what it has",
			&v1alpha1.Account{Spec: v1alpha1.AccountSpec{TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token"},
				CABundleRef: &v1alpha1.CABundleReference{Kind: v1alpha1.CABundleKindConfigMap, Name: "ca"}}},
			values{watch.IndexAccountSecret: {"token"}, watch.IndexAccountConfigMap: {"ca"}},
		},
		"AccountWithSecretBundle": {
			"and so does a Secret",
			&v1alpha1.Account{Spec: v1alpha1.AccountSpec{TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token"},
				CABundleRef: &v1alpha1.CABundleReference{Kind: v1alpha1.CABundleKindSecret, Name: "ca"}}},
			values{watch.IndexAccountSecret: {"token", "ca"}},
		},
		"AccountWithOneSecret": {
			"which may have the token too, and counts once",
			&v1alpha1.Account{Spec: v1alpha1.AccountSpec{TokenSecretRef: v1alpha1.TokenSecretReference{Name: "both"},
				CABundleRef: &v1alpha1.CABundleReference{Kind: v1alpha1.CABundleKindSecret, Name: "both"}}},
			values{watch.IndexAccountSecret: {"both"}},
		},
		"Import": {
			"an Account wakes its Imports; an Import that refers to nothing else is woken by nothing else",
			anImport(), values{watch.IndexImportMarker: {watch.BucketOf("k8s/")}},
		},
		"Clone": {
			"the Import that is copied wakes the one that waits for it",
			anImport(cloning(v1alpha1.CloneSpec{ImportRef: &v1alpha1.LocalReference{Name: "origin"}})),
			values{watch.IndexImportMarker: {watch.BucketOf("k8s/")}, watch.IndexImportOrigin: {"origin"}},
		},
		"CloneOfID": {
			"an import without an object has no events",
			anImport(cloning(v1alpha1.CloneSpec{ID: remoteID})),
			values{watch.IndexImportMarker: {watch.BucketOf("k8s/")}},
		},
		"RememberedID": {
			"an Import is found by the id in its annotation, which a restore keeps",
			anImport(annotated(v1alpha1.AnnotationID, remoteID)),
			values{watch.IndexImportMarker: {watch.BucketOf("k8s/")}, watch.IndexImportID: {watch.BucketOf(remoteID)}},
		},
		"StatusID": {
			"or by that in its status, which an observed import has alone",
			anImport(withStatusID(remoteID)),
			values{watch.IndexImportMarker: {watch.BucketOf("k8s/")}, watch.IndexImportID: {watch.BucketOf(remoteID)}},
		},
		"ClaimedID": {
			"or by the one that it is about to adopt: a rival has to see that",
			anImport(annotated(v1alpha1.AnnotationAdoptPending, otherID)),
			values{watch.IndexImportMarker: {watch.BucketOf("k8s/")}, watch.IndexImportID: {watch.BucketOf(otherID)}},
		},
		"TwoIDs": {
			"or by both",
			anImport(annotated(v1alpha1.AnnotationID, remoteID), annotated(v1alpha1.AnnotationAdoptPending, otherID)),
			values{watch.IndexImportMarker: {watch.BucketOf("k8s/")}, watch.IndexImportID: {watch.BucketOf(remoteID), watch.BucketOf(otherID)}},
		},
		"Adopts": {
			"an Import that lets go of an import wakes the one that wants it, however its id is written",
			anImport(func(object *v1alpha1.Import) {
				object.UID = "u1"
				object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: v1alpha1.ID(strings.ToUpper(remoteID))}
			}),
			values{watch.IndexImportMarker: {watch.BucketOf("k8s/u1")}, watch.IndexImportAdopts: {remoteID}},
		},
		"OneIDTwice": {
			"the same id counts once",
			anImport(annotated(v1alpha1.AnnotationID, remoteID), annotated(v1alpha1.AnnotationAdoptPending, remoteID)),
			values{watch.IndexImportMarker: {watch.BucketOf("k8s/")}, watch.IndexImportID: {watch.BucketOf(remoteID)}},
		},
		"CreatePending": {
			"while an import is created again, the status has the id of the deleted one, which is nobody's",
			anImport(withStatusID(remoteID), annotated(v1alpha1.AnnotationCreatePending, "{}")),
			values{watch.IndexImportMarker: {watch.BucketOf("k8s/")}},
		},
		"Values": {
			"Secrets and ConfigMaps wake the Imports that have values from them, each once",
			anImport(withValues(
				v1alpha1.ValueSource{SecretKeyRef: key("passwords", "a")}, v1alpha1.ValueSource{SecretKeyRef: key("passwords", "b")},
				v1alpha1.ValueSource{ConfigMapKeyRef: key("settings", "a")}, v1alpha1.ValueSource{SecretKeyRef: key("tokens", "a")},
				v1alpha1.ValueSource{ConfigMapKeyRef: key("settings", "b")}, v1alpha1.ValueSource{ConfigMapKeyRef: key("urls", "a")})),
			values{
				watch.IndexImportMarker: {watch.BucketOf("k8s/")},
				watch.IndexImportSecret: {"passwords", "tokens"}, watch.IndexImportConfigMap: {"settings", "urls"},
			},
		},

		"NewRun":          {"a run that has no phase yet waits for everything that it refers to", aRun(complete), ofCompleteRun},
		"PendingRun":      {"so does one whose status was written", aRun(complete, inPhase(v1alpha1.RunPending)), ofCompleteRun},
		"WaitingRun":      {"and one that waits", aRun(complete, inPhase(v1alpha1.RunWaiting)), ofCompleteRun},
		"RunningRun":      {"and one between two batches", aRun(complete, inPhase(v1alpha1.RunRunning)), ofCompleteRun},
		"SucceededRun":    {"nothing wakes a run that has ended", aRun(complete, inPhase(v1alpha1.RunSucceeded)), values{}},
		"FailedRun":       {"however it ended", aRun(complete, inPhase(v1alpha1.RunFailed)), values{}},
		"UnknownRun":      {"even if nobody knows how", aRun(complete, inPhase(v1alpha1.RunUnknown)), values{}},
		"CanceledRun":     {"or a person ended it", aRun(complete, inPhase(v1alpha1.RunCanceled)), values{}},
		"RunWithoutNames": {"no index has an empty name: it would join all runs without one", aRun(), values{}},
		"RunData": {
			"each object with data counts once",
			aRun(func(run *v1alpha1.ImportRun) {
				run.Spec.DataFrom = []v1alpha1.DataSource{
					{ConfigMapKeyRef: key("lists", "a")}, {ConfigMapKeyRef: key("lists", "b")}, {ConfigMapKeyRef: key("more", "a")},
					{SecretKeyRef: key("customers", "a")}, {SecretKeyRef: key("customers", "b")},
				}
			}),
			values{watch.IndexRunConfigMap: {"lists", "more"}, watch.IndexRunSecret: {"customers"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := values{}
			err := watch.SetupIndexes(t.Context(), recorder(func(object client.Object, field string, extract client.IndexerFunc) error {
				if reflect.TypeOf(object) == reflect.TypeOf(tc.object) {
					if found := extract(tc.object); len(found) > 0 {
						got[field] = found
					}
				}
				return nil
			}), ownership.Owner{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSetupIndexesFails(t *testing.T) {
	failed := errors.New("the cache has begun")
	err := watch.SetupIndexes(t.Context(), recorder(func(client.Object, string, client.IndexerFunc) error { return failed }), ownership.Owner{})
	if !errors.Is(err, failed) {
		t.Errorf("the error is %v", err)
	}
}

// indexed is a client for objects, with all indexes.
func indexed(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...)
	if err := watch.SetupIndexes(t.Context(), recorder(func(object client.Object, field string, extract client.IndexerFunc) error {
		builder.WithIndex(object, field, extract)
		return nil
	}), ownership.Owner{}); err != nil {
		t.Fatal(err)
	}
	return builder.Build()
}

func TestRequestsByIndex(t *testing.T) {
	named := func(namespace, name string, object client.Object) client.Object {
		object.SetNamespace(namespace)
		object.SetName(name)
		return object
	}
	secret := withValues(v1alpha1.ValueSource{SecretKeyRef: key("passwords", "a")}, v1alpha1.ValueSource{SecretKeyRef: key("tokens", "a")})
	sameKey := func(run *v1alpha1.ImportRun) { run.Spec.IdempotencyKey = "k" }
	reader := indexed(t,
		named("test", "both", anImport(secret)),
		named("test", "one", anImport(withValues(v1alpha1.ValueSource{SecretKeyRef: key("tokens", "b")}))),
		named("test", "none", anImport()),
		named("prod", "both", anImport(secret)),
		named("test", "ended", aRun(sameKey, inPhase(v1alpha1.RunSucceeded))),
		named("test", "waits", aRun(sameKey, inPhase(v1alpha1.RunWaiting))),
	)
	cases := map[string]struct {
		reason                  string
		list                    client.ObjectList
		namespace, index, value string
		want                    []string
	}{
		"OfSeveral":      {"every object that refers to the changed one is asked for", &v1alpha1.ImportList{}, "test", watch.IndexImportSecret, "tokens", []string{"test/both", "test/one"}},
		"OfOne":          {"and no other", &v1alpha1.ImportList{}, "test", watch.IndexImportSecret, "passwords", []string{"test/both"}},
		"OtherNamespace": {"references stay within their namespace", &v1alpha1.ImportList{}, "prod", watch.IndexImportSecret, "tokens", []string{"prod/both"}},
		"Nobody":         {"what nobody refers to wakes nobody", &v1alpha1.ImportList{}, "test", watch.IndexImportSecret, "other", nil},
		"Key":            {"a run that ended wakes those that wait for its key, and not itself", &v1alpha1.ImportRunList{}, "test", watch.IndexRunKey, "k", []string{"test/waits"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			requests := watch.RequestsByIndex(t.Context(), reader, tc.list, tc.namespace, tc.index, tc.value)
			if diff := cmp.Diff(tc.want, keysOf(requests)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// keysOf gives namespaces and names, sorted.
func keysOf(requests []ctrl.Request) []string {
	var keys []string
	for _, request := range requests {
		keys = append(keys, request.String())
	}
	slices.Sort(keys)
	return keys
}

// TestRequestsByIndexLogs: an event handler cannot return the error, and nobody would learn of it.
func TestRequestsByIndexLogs(t *testing.T) {
	var logged []string
	logger := funcr.New(func(_, arguments string) { logged = append(logged, arguments) }, funcr.Options{})
	ctx := log.IntoContext(t.Context(), logger)
	requests := watch.RequestsByIndex(ctx, indexed(t), &v1alpha1.ImportList{}, "test", "no.such.index", "x")
	if len(requests) != 0 || len(logged) != 1 {
		t.Errorf("requests %v, logged %q", requests, logged)
	}
}

func TestImportsInBuckets(t *testing.T) {
	owner := ownership.Owner{}
	builder := fake.NewClientBuilder().WithScheme(scheme.All())
	var all []client.Object
	for i := range 5000 {
		object := anImport(withStatusID(fmt.Sprintf("%024x", i)), func(o *v1alpha1.Import) {
			o.Namespace, o.Name, o.UID = fmt.Sprintf("ns%d", i%3), fmt.Sprintf("import-%d", i), types.UID(fmt.Sprintf("u%d", i))
		})
		all = append(all, object)
	}
	indexer := map[string]client.IndexerFunc{}
	if err := watch.SetupIndexes(t.Context(), indexes(indexer), owner); err != nil {
		t.Fatal(err)
	}
	for field, values := range indexer {
		builder = builder.WithIndex(&v1alpha1.Import{}, field, values)
	}
	reader := builder.WithObjects(all...).Build()
	names := func(found []v1alpha1.Import, err error) []string {
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for i := range found {
			names = append(names, found[i].Namespace+"/"+found[i].Name)
		}
		return names
	}
	if diff := cmp.Diff([]string{"ns1/import-4000"}, names(watch.ImportsWithID(t.Context(), reader, fmt.Sprintf("%024x", 4000)))); diff != "" {
		t.Errorf("others of the same bucket do not have the id: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ns2/import-2999"}, names(watch.ImportsWithMarker(t.Context(), reader, owner, "k8s/u2999"))); diff != "" {
		t.Errorf("others of the same bucket do not have the marker: -want, +got:\n%s", diff)
	}
	if got := names(watch.ImportsWithID(t.Context(), reader, "nobody's")); got != nil {
		t.Errorf("nobody has this id: %v", got)
	}
	if a, b := watch.BucketOf(remoteID), watch.BucketOf(otherID); a == b {
		t.Errorf("the two ids of the other tests are in one bucket, %s", a)
	}
}

// indexes takes the indexes of Imports.
type indexes map[string]client.IndexerFunc

func (i indexes) IndexField(_ context.Context, object client.Object, field string, values client.IndexerFunc) error {
	if _, ok := object.(*v1alpha1.Import); ok {
		i[field] = values
	}
	return nil
}

// waiting is a cache that has not this process's own writes.
type waiting struct {
	client.Reader
	waited bool
}

func (w *waiting) List(_ context.Context, _ client.ObjectList, options ...client.ListOption) error {
	w.waited = !(&client.ListOptions{}).ApplyOptions(options).DisableReadYourWritesConsistency
	return nil
}

func TestHandlersDoNotWaitForWrites(t *testing.T) {
	reader := &waiting{}
	watch.RequestsByIndex(t.Context(), reader, &v1alpha1.ImportList{}, "ns", watch.IndexImportOrigin, "default")
	if reader.waited {
		t.Error("an event waits for the writes of the process, and with it all later ones")
	}
	watch.RequestsOfAccount(t.Context(), reader, &v1alpha1.Account{})
	if reader.waited {
		t.Error("an event of an Account waits for the writes of the process")
	}
	if _, err := watch.ImportsWithID(t.Context(), reader, remoteID); err != nil || !reader.waited {
		t.Errorf("a decision about an id counts what this process has written: %v", err)
	}
}
