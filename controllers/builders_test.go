// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

func (w *world) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: w.namespace, Name: name}
}

func (w *world) secret(name, token string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: w.meta(name), StringData: map[string]string{"token": token}}
}

func (w *world) accountObject(name string) *v1alpha1.Account {
	return &v1alpha1.Account{ObjectMeta: w.meta(name), Spec: v1alpha1.AccountSpec{
		BaseURL:        simURL,
		TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token"},
		Aliases:        map[string]v1alpha1.ID{"shop": shopConnection, "ftp": ftpConnection},
		ScanInterval:   "1s",
	}}
}

// httpImport is a small HTTPImport named name, with more JSON fields laid over it.
func (w *world) httpImport(name string, more ...string) *v1alpha1.Import {
	return w.declare(name, append([]string{fmt.Sprintf(`{
		"name": %q, "_connectionId": "@shop", "adaptorType": "HTTPImport",
		"http": {"method": ["POST"], "relativeURI": ["/items"], "body": [null], "batchSize": 10}
	}`, name)}, more...)...)
}

// declare is an Import whose definition is the given JSON objects, the later over the former.
func (w *world) declare(name string, documents ...string) *v1alpha1.Import {
	return &v1alpha1.Import{ObjectMeta: w.meta(name), Spec: v1alpha1.ImportSpec{
		Definition: v1alpha1.ImportDefinition{Raw: overlaid(documents...)},
	}}
}

func overlaid(documents ...string) []byte {
	GinkgoHelper()
	merged := map[string]json.RawMessage{}
	for _, document := range documents {
		Expect(json.Unmarshal([]byte(document), &merged)).To(Succeed())
	}
	raw, err := json.Marshal(merged)
	Expect(err).NotTo(HaveOccurred())
	return raw
}

// run is an ImportRun of the Import, with one record for each line.
func (w *world) run(name, importName string, records ...string) *v1alpha1.ImportRun {
	run := &v1alpha1.ImportRun{ObjectMeta: w.meta(name), Spec: v1alpha1.ImportRunSpec{
		ImportRef: &v1alpha1.LocalReference{Name: importName},
	}}
	for _, record := range records {
		run.Spec.Data = append(run.Spec.Data, v1alpha1.JSON{Raw: []byte(record)})
	}
	return run
}

// runByID is a run of an import that is named by its id.
func (w *world) runByID(name, id string, records ...string) *v1alpha1.ImportRun {
	run := w.run(name, "", records...)
	run.Spec.ImportRef, run.Spec.ImportID, run.Spec.AccountRef = nil, v1alpha1.ID(id), &v1alpha1.LocalReference{Name: "default"}
	return run
}

// get reads an object of the story's namespace.
func get[T client.Object](ctx context.Context, w *world, object T, name string) T {
	GinkgoHelper()
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, object)).To(Succeed())
	return object
}

// change edits an object's spec as a user does.
func change[T client.Object](ctx context.Context, object T, edit func(T)) {
	GinkgoHelper()
	changeAs(ctx, k8s, object, edit)
}

// changeAs is change by somebody.
func changeAs[T client.Object](ctx context.Context, somebody client.Client, object T, edit func(T)) {
	GinkgoHelper()
	Eventually(func() error {
		if err := somebody.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		edit(object)
		return somebody.Update(ctx, object)
	}).Should(Succeed())
}

// state is what kstatus, and so Flux and kustomize, make of an object, with its Ready
// condition: "Current True/Synced".
func state(object client.Object) string {
	GinkgoHelper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	Expect(err).NotTo(HaveOccurred())
	computed, err := status.Compute(&unstructured.Unstructured{Object: content})
	Expect(err).NotTo(HaveOccurred())
	ready := apimeta.FindStatusCondition(conditionsOf(object), v1alpha1.ConditionReady)
	if ready == nil {
		return string(computed.Status)
	}
	return fmt.Sprintf("%s %s/%s", computed.Status, ready.Status, ready.Reason)
}

func conditionsOf(object client.Object) []metav1.Condition {
	switch typed := object.(type) {
	case *v1alpha1.Account:
		return typed.Status.Conditions
	case *v1alpha1.Import:
		return typed.Status.Conditions
	case *v1alpha1.ImportRun:
		return typed.Status.Conditions
	default:
		panic(fmt.Sprintf("no conditions in %T", object))
	}
}

func message(object client.Object) string {
	if ready := apimeta.FindStatusCondition(conditionsOf(object), v1alpha1.ConditionReady); ready != nil {
		return ready.Message
	}
	return ""
}

// eventually waits for the object's state.
func (w *world) eventually(ctx context.Context, object client.Object, name, want string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, object)).To(Succeed())
		g.Expect(object).To(HaveField("GetGeneration()", observed(object)), "observed generation")
		g.Expect(state(object)).To(Equal(want), message(object))
	}).Should(Succeed())
}

func observed(object client.Object) int64 {
	switch typed := object.(type) {
	case *v1alpha1.Account:
		return typed.Status.ObservedGeneration
	case *v1alpha1.Import:
		return typed.Status.ObservedGeneration
	case *v1alpha1.ImportRun:
		return typed.Status.ObservedGeneration
	default:
		panic(fmt.Sprintf("no status in %T", object))
	}
}

func (w *world) eventuallyReady(ctx context.Context, object client.Object, name string) {
	GinkgoHelper()
	reason := map[bool]string{true: "TokenAccepted", false: "Synced"}
	_, isAccount := object.(*v1alpha1.Account)
	w.eventually(ctx, object, name, "Current True/"+reason[isAccount])
}

// synced creates the Import and waits until it is.
func (w *world) synced(ctx context.Context, object *v1alpha1.Import) *v1alpha1.Import {
	GinkgoHelper()
	Expect(k8s.Create(ctx, object)).To(Succeed())
	w.eventuallyReady(ctx, object, object.Name)
	return object
}

// calls counts the requests of the story's account, as "GET /v1/imports/{id}": 2, without
// those of the scanner and of the credential check.
func (w *world) calls() map[string]int {
	counts := map[string]int{}
	for _, entry := range sim.Ledger(simulator.Filter{Account: w.account}) {
		if !entry.Applied && entry.Answered == nil && entry.Fault == "" {
			continue // just received: a write that is not applied yet overwrites what the story does next
		}
		call := entry.Method + " " + entry.Route
		if call == "GET /v1/imports" || call == "GET /v1/tokenInfo" {
			continue
		}
		counts[call]++
	}
	return counts
}

// events returns "reason: note" of the object's events, in no order.
func (w *world) events(ctx context.Context, name string) []string {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(k8s.List(ctx, &list, client.InNamespace(w.namespace))).To(Succeed())
	var notes []string
	for _, event := range list.Items {
		if event.Regarding.Name == name {
			notes = append(notes, event.Reason+": "+event.Note)
		}
	}
	return notes
}

// metric reads a counter or gauge of the Account default, 0 while it has none.
func (w *world) metric(name string) float64 {
	GinkgoHelper()
	return sumOf(name, map[string]string{"namespace": w.namespace, "name": "default"})
}

// sumOf adds up a counter or gauge of this process, of all that have these labels.
func sumOf(name string, labels map[string]string) (sum float64) {
	GinkgoHelper()
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			matching := 0
			for _, label := range metric.GetLabel() {
				if value, ok := labels[label.GetName()]; ok && value == label.GetValue() {
					matching++
				}
			}
			if matching == len(labels) {
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue() // it has one of the two
			}
		}
	}
	return sum
}

// scans waits until the account was scanned n more times from the start, and the operator knows the result.
func (w *world) scans(n int) {
	GinkgoHelper()
	last := float64(w.begunScans(n).UnixMicro()) / 1e6
	Eventually(func() float64 { return w.metric("integrator_scan_last_end_timestamp_seconds") }).Should(BeNumerically(">=", last))
}

// begunScans waits until n more scans of the account have begun, and returns when the last of them did. Nobody has to
// know the result: the list may fail, or be another Account's.
func (w *world) begunScans(n int) time.Time {
	GinkgoHelper()
	began := func() (times []time.Time) {
		for _, entry := range w.lists() {
			if !strings.Contains(entry.Query, "skip=") {
				times = append(times, entry.Received)
			}
		}
		return times
	}
	before := len(began())
	Eventually(func() int { return len(began()) }).Should(BeNumerically(">=", before+n))
	return began()[before+n-1]
}

// remote returns the document that the simulator has stored.
func (w *world) remote(id string) simulator.Document {
	GinkgoHelper()
	document, ok := sim.Import(w.account, id)
	Expect(ok).To(BeTrue(), "no import %s in the account", id)
	return document
}

var jane = simulator.User{Name: "Jane Doe", Email: "jane@example.com"}

func seconds(n int32) *int32 { return ptr.To(n) }

// decode reads JSON with its numbers as they are written.
func decode(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return decoder.Decode(into)
}
