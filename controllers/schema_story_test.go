// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// schemaStory is the kind whose objects are made from its schema.
type schemaStory struct {
	kind, plural string
	// good is a spec with which an object of this name is Ready, or has Succeeded, in the end.
	good func(w *world, name string) map[string]any
	// samples are values that the schema cannot tell.
	samples func(w *world) samples
}

// schemaObject is one object on its way through the story.
type schemaObject struct {
	schemaCase
	name    string
	refusal error
}

var _ = Describe("I write whatever the schema accepts", func() {
	for _, kind := range []schemaStory{
		{kind: "Account", plural: "accounts", good: goodAccount, samples: accountSamples},
		{kind: "Import", plural: "imports", good: goodImport, samples: importSamples},
		{kind: "ImportRun", plural: "importruns", good: goodRun, samples: runSamples},
	} {
		It(fmt.Sprintf("is refused at once, or told what becomes of it: %ss", kind.kind), func(ctx context.Context) {
			w := newSchemaWorld(ctx)
			cases, unknown := schemaCases(specSchema(kind.plural), kind.good(w, "good"), kind.samples(w))
			Expect(unknown).To(BeEmpty(), "fields for which schema_samples_test.go has to have a sample, or schema_cases_test.go a rule")
			panics := panicked()
			objects := make([]*schemaObject, len(cases))
			for i, one := range cases {
				if kind.kind == "Account" {
					offline(one.spec)
				}
				objects[i] = &schemaObject{schemaCase: one, name: fmt.Sprintf("case-%04d", i)}
			}

			By("creating each")
			atOnce(objects, func(o *schemaObject) { o.refusal = k8s.Create(ctx, kind.object(w, o.name, o.spec)) })
			var accepted []*schemaObject
			var wrong []string
			for _, o := range objects {
				switch {
				case o.refusal == nil && o.refused:
					wrong = append(wrong, fmt.Sprintf("%v: is accepted", o))
				case o.refusal == nil:
					accepted = append(accepted, o)
				case !names(o.refusal, o.path):
					wrong = append(wrong, fmt.Sprintf("%v: the refusal does not name the field: %v", o, o.refusal))
				}
			}
			Expect(wrong).To(BeEmpty())

			By("waiting for a state of each")
			kind.eventually(ctx, w, accepted, settledState)

			By("giving each a good spec, or a good one in its place")
			var replaced []*schemaObject
			var mu sync.Mutex
			atOnce(accepted, func(o *schemaObject) {
				if err := kind.mend(ctx, w, o); err != nil {
					mu.Lock()
					defer mu.Unlock()
					replaced = append(replaced, o)
				}
			})
			kind.eventually(ctx, w, replaced, func(found *unstructured.Unstructured) string {
				if found == nil {
					return ""
				}
				return "is not deleted: " + stateOf(found)
			})
			atOnce(replaced, func(o *schemaObject) {
				Expect(k8s.Create(ctx, kind.object(w, o.name, kind.good(w, o.name)))).To(Succeed(), "%v", o)
			})
			kind.eventually(ctx, w, accepted, func(found *unstructured.Unstructured) string {
				if found != nil && strings.HasPrefix(stateOf(found), "Current True/") && settledState(found) == "" {
					return ""
				}
				return "does not recover: " + stateOf(found)
			})

			By("deleting all")
			atOnce(accepted, func(o *schemaObject) {
				Expect(client.IgnoreNotFound(k8s.Delete(ctx, kind.object(w, o.name, nil)))).To(Succeed())
			})
			kind.eventually(ctx, w, accepted, func(found *unstructured.Unstructured) string {
				if found == nil {
					return ""
				}
				return "is not deleted: " + stateOf(found)
			})
			Expect(panicked()).To(Equal(panics), "reconciles that panicked")
			AddReportEntry(fmt.Sprintf("%s: %d from the schema, %d refused, %d accepted, all of these in a state; recovered: %d by a good spec, %d by another object",
				kind.kind, len(objects), len(objects)-len(accepted), len(accepted), len(accepted)-len(replaced), len(replaced)), ReportEntryVisibilityAlways)
		}, SpecTimeout(15*time.Minute))
	}
})

// newSchemaWorld is a world with an account for many calls, Secrets and ConfigMaps to refer
// to, and two Imports.
func newSchemaWorld(ctx context.Context) *world {
	GinkgoHelper()
	w := newEmptyWorld(ctx)
	Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
	account := w.accountObject("default")
	account.Spec.ScanInterval, account.Spec.RequestsPerSecond = "1h", 300
	Expect(k8s.Create(ctx, account)).To(Succeed())
	w.eventuallyReady(ctx, account, "default")
	content := map[string]string{"key": `{"a": 1}`}
	Expect(k8s.Create(ctx, &corev1.Secret{ObjectMeta: w.meta("kept"), StringData: content})).To(Succeed())
	Expect(k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("kept"), Data: content})).To(Succeed())
	w.synced(ctx, w.httpImport("original"))
	return w
}

func (k schemaStory) object(w *world, name string, spec map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(k.kind))
	object.SetNamespace(w.namespace)
	object.SetName(name)
	return object
}

// mend gives the object a good spec. Where it cannot, it deletes the object and returns an error:
// another one has to take its place.
func (k schemaStory) mend(ctx context.Context, w *world, o *schemaObject) error {
	found := k.object(w, o.name, nil)
	err := k8s.Get(ctx, client.ObjectKeyFromObject(found), found)
	for k.kind != "ImportRun" && err == nil {
		found.Object["spec"] = k.good(w, o.name)
		if err = k8s.Update(ctx, found); err == nil {
			return nil
		}
		if !apierrors.IsConflict(err) {
			break
		}
		err = k8s.Get(ctx, client.ObjectKeyFromObject(found), found)
	}
	if suspended, _ := o.spec["suspend"].(bool); suspended && k.kind == "Import" { // what is suspended is not deleted
		Expect(k8s.Patch(ctx, found, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"suspend":false}}`)))).To(Succeed(), "%v", o)
	}
	Expect(client.IgnoreNotFound(k8s.Delete(ctx, k.object(w, o.name, nil)))).To(Succeed())
	return fmt.Errorf("cannot be mended: %w", err)
}

// eventually waits until check has nothing to say of any of the objects, nil for one that was deleted.
func (k schemaStory) eventually(ctx context.Context, w *world, objects []*schemaObject, check func(*unstructured.Unstructured) string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(k.kind + "List"))
		g.Expect(k8s.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
		byName := map[string]*unstructured.Unstructured{}
		for i := range list.Items {
			byName[list.Items[i].GetName()] = &list.Items[i]
		}
		var wrong []string
		for _, o := range objects {
			found := byName[o.name]
			if _, ttl := o.spec["ttlSecondsAfterFinished"]; found == nil && ttl {
				continue
			}
			if finding := check(found); finding != "" {
				wrong = append(wrong, fmt.Sprintf("%v: %s", o, finding))
			}
		}
		g.Expect(wrong).To(BeEmpty())
	}, 3*time.Minute, 300*time.Millisecond).Should(Succeed())
}

// settledState says what is not as it has to be in every state: Ready is there, of this
// generation, with a message of one line, and kstatus can tell.
func settledState(object *unstructured.Unstructured) string {
	if object == nil {
		return "was deleted"
	}
	computed, err := status.Compute(object)
	if err != nil {
		return err.Error()
	}
	if computed.Status != status.CurrentStatus && computed.Status != status.InProgressStatus && computed.Status != status.FailedStatus {
		return "is " + string(computed.Status)
	}
	if observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration"); observed != object.GetGeneration() {
		return fmt.Sprintf("observed generation %d of %d", observed, object.GetGeneration())
	}
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	ready := false
	for _, one := range conditions {
		condition, _ := one.(map[string]any)
		text, _ := condition["message"].(string)
		switch {
		case condition["observedGeneration"] != object.GetGeneration():
			return fmt.Sprintf("condition %v is of generation %v", condition["type"], condition["observedGeneration"])
		case text == "" || condition["reason"] == "":
			return fmt.Sprintf("condition %v says nothing", condition["type"])
		case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\u007f' || r == '\u202e' }):
			return fmt.Sprintf("condition %v is not one line: %q", condition["type"], text)
		}
		ready = ready || condition["type"] == v1alpha1.ConditionReady
	}
	if !ready {
		return "has no Ready condition"
	}
	if phase, found, _ := unstructured.NestedString(object.Object, "status", "phase"); found && phase == string(v1alpha1.RunPending) {
		return "is Pending"
	}
	return ""
}

// stateOf is state of an object of any kind.
func stateOf(object *unstructured.Unstructured) string {
	if object == nil {
		return "deleted"
	}
	computed, err := status.Compute(object)
	if err != nil {
		return err.Error()
	}
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, one := range conditions {
		if condition, _ := one.(map[string]any); condition["type"] == v1alpha1.ConditionReady {
			return fmt.Sprintf("%s %v/%v: %v", computed.Status, condition["status"], condition["reason"], condition["message"])
		}
	}
	return string(computed.Status)
}

// names reports whether an error of the API server names the field: by its path, or, where a rule
// of the object around it speaks, by that one's path and its name.
func names(err error, path string) bool {
	if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
		return false
	}
	text := err.Error()
	at := strings.LastIndexAny(path, ".[")
	return strings.Contains(text, path) || strings.Contains(text, path[:at]) && strings.Contains(text, strings.Trim(path[at:], ".[]"))
}

// atOnce does the same to many objects, several at a time.
func atOnce(objects []*schemaObject, do func(*schemaObject)) {
	GinkgoHelper()
	work := make(chan *schemaObject)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			defer GinkgoRecover()
			for o := range work {
				do(o)
			}
		})
	}
	for _, o := range objects {
		work <- o
	}
	close(work)
	workers.Wait()
}

// specSchema is the schema of the spec as the CRD has it.
func specSchema(plural string) *apiextensionsv1.JSONSchemaProps {
	GinkgoHelper()
	raw, err := os.ReadFile(filepath.Join("..", "config", "crd", "bases", "integrator.io_"+plural+".yaml"))
	Expect(err).NotTo(HaveOccurred())
	var crd apiextensionsv1.CustomResourceDefinition
	Expect(yaml.UnmarshalStrict(raw, &crd)).To(Succeed())
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	return &spec
}

// panicked is how many reconciles of the suite have panicked.
func panicked() float64 {
	GinkgoHelper()
	return sumOf("controller_runtime_reconcile_panics_total", nil)
}

func unstructuredSpec(object client.Object) map[string]any {
	GinkgoHelper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	Expect(err).NotTo(HaveOccurred())
	return content["spec"].(map[string]any)
}
