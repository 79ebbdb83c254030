// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

const (
	pollerCRD = "hack/poller/crd.yaml"
	// externalName is where crossplane-runtime keeps the id.
	externalName = "crossplane.io/external-name"
)

// polledKind is the kind of the poller's objects.
var polledKind = schema.GroupVersionKind{Group: "poller.integrator.io", Version: "v1alpha1", Kind: "PolledImport"}

var errNoPoller = errors.New("--poller is missing: the program of hack/poller")

// InstallPoller installs the kind of the poller's objects.
func (e *Environment) InstallPoller(ctx context.Context) error {
	if e.options.Poller == "" {
		return errNoPoller
	}
	if _, err := e.Plane.Kubectl(ctx, "apply", "--server-side", "-f", pollerCRD); err != nil {
		return err
	}
	_, err := e.Plane.Kubectl(ctx, "wait", "--for=condition=Established", "crd", "polledimports."+polledKind.Group, "--timeout=60s")
	return err
}

// StartPoller starts the poller with its defaults, as the cluster's administrator.
func (e *Environment) StartPoller(args ...string) (err error) {
	args = append([]string{"--kubeconfig=" + e.Plane.Kubeconfig, "--api=" + e.api, "--token=" + tokenOf("default")}, args...)
	e.manager, err = e.processes.Start(managerLog, e.options.Poller, os.Environ(), args...)
	return err
}

// Polled are the poller's objects for the same documents as some Imports.
func Polled(imports []*v1alpha1.Import) (all []client.Object, err error) {
	for _, object := range imports {
		definition := map[string]any{}
		if err := json.Unmarshal(object.Spec.Definition.Raw, &definition); err != nil {
			return nil, err
		}
		all = append(all, polled(object.Name, definition))
	}
	return all, nil
}

func polled(name string, definition map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"definition": definition}}}
	object.SetGroupVersionKind(polledKind)
	object.SetNamespace(Namespace)
	object.SetName(name)
	return object
}

// PollUntilReady creates objects of the poller, and returns how long it took until all of them were Ready.
func (e *Environment) PollUntilReady(ctx context.Context, objects []client.Object) (time.Duration, error) {
	var names []string
	for _, object := range objects {
		names = append(names, object.GetName())
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(polledKind.GroupVersion().WithKind(polledKind.Kind + "List"))
	return e.until(ctx, func() error {
		return parallel(ctx, writers, objects, func(object client.Object) error { return e.Objects.Create(ctx, object) })
	}, names, list, func(event watch.Event) bool {
		polled, ok := event.Object.(*unstructured.Unstructured)
		return ok && apimeta.IsStatusConditionTrue(conditionsOf(polled), v1alpha1.ConditionReady)
	})
}

// conditionsOf are the conditions of an object of the poller, none if they cannot be read.
func conditionsOf(object *unstructured.Unstructured) []metav1.Condition {
	var status struct {
		Conditions []metav1.Condition `json:"conditions"`
	}
	fields, _, _ := unstructured.NestedMap(object.Object, "status") // without a status it is not Ready
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &status); err != nil {
		return nil
	}
	return status.Conditions
}

// DropPolled deletes objects of the poller without it: their imports stay. The poller must not run.
func (e *Environment) DropPolled(ctx context.Context, objects []client.Object) error {
	return parallel(ctx, writers, objects, func(object client.Object) error {
		if err := e.Objects.Delete(ctx, polled(object.GetName(), nil)); err != nil {
			return err
		}
		err := e.Objects.Patch(ctx, polled(object.GetName(), nil), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
		return client.IgnoreNotFound(err)
	})
}

// PolledIDs are the ids of the imports of objects of the poller.
func (e *Environment) PolledIDs(ctx context.Context, objects []client.Object) (ids []string, err error) {
	for _, object := range objects {
		if err := e.Objects.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			return nil, err
		}
		id := object.GetAnnotations()[externalName]
		if id == "" {
			return nil, fmt.Errorf("%s has no id", object.GetName())
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// AddRemote makes the account in the API, without an Account.
func (e *Environment) AddRemote(ctx context.Context) error {
	return e.addRemote(ctx, "default", AccountName, nil)
}
