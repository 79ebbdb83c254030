// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/simulator/document"
)

// refusedByKubernetes is the reason of an object that could not be applied.
const refusedByKubernetes = "refused by Kubernetes"

// campaign is what is done with the documents.
type campaign struct {
	*environment
	options options
	report  *report
	samples []*sample

	// byName are the documents that were exported, by the name of their objects.
	byName map[string]*sample
	// manifests are the exported ones, by way.
	manifests map[string][]*unstructured.Unstructured
	// changes are what somebody did on the platform, by way and id.
	changes map[string]map[string]*change
}

// store puts the documents into an account, as imports that have been there before the operator.
func (c *campaign) store(ctx context.Context) error {
	connections := c.connections()
	for _, way := range ways {
		if err := c.addAccount(ctx, way, connections); err != nil {
			return err
		}
	}
	taken := map[string]bool{}
	var kept []*sample
	for _, s := range c.samples {
		doc := document.Copy(s.document)
		id, _ := doc["_id"].(string)
		if id = document.ID(id); !document.IsID(id) || taken[id] {
			delete(doc, "_id")
		}
		var answer struct {
			ID string `json:"_id"`
		}
		err := local.CallSimulator(ctx, http.MethodPost, c.admin+"/accounts/"+adopted+"/imports", nil, doc, &answer)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			c.report.apart = append(c.report.apart, apart{s.file, "the platform refuses it: " + refusal(err)})
			continue
		}
		s.id, taken[answer.ID] = answer.ID, true
		kept = append(kept, s)
	}
	c.samples = kept
	return nil
}

// refusal is why the simulator refuses a document.
func refusal(err error) string {
	text := err.Error()
	for _, code := range []string{"invalid_", "missing_", "update_not_allowed"} {
		if i := strings.Index(text, code); i >= 0 {
			return withoutValues(strings.TrimRight(text[i:], "}\"\n"))
		}
	}
	return withoutValues(text)
}

// connections are all that the documents use.
func (c *campaign) connections() []simulator.Connection {
	seen := map[string]bool{}
	var connections []simulator.Connection
	for _, s := range c.samples {
		id := document.ID(document.Text(s.document, "_connectionId"))
		if document.IsID(id) && !seen[id] {
			seen[id] = true
			connections = append(connections, simulator.Connection{ID: id})
		}
	}
	return connections
}

// export runs "manager export" in both forms, before anything is managed: both name the imports alike.
func (c *campaign) export(ctx context.Context) error {
	c.byName, c.manifests = map[string]*sample{}, map[string][]*unstructured.Unstructured{}
	byID := map[string]*sample{}
	for _, s := range c.samples {
		byID[s.id] = s
	}
	for way, flags := range map[string][]string{adopted: {"--adopt"}, copied: nil} {
		args := append(append([]string{"export", "--namespace=" + adopted}, c.hosts()...), flags...)
		stdout, stderr, err := local.RunApart(ctx, c.options.manager, append(os.Environ(), "KUBECONFIG="+c.plane.Kubeconfig), args...)
		if err != nil {
			return fmt.Errorf("manager export: %w: %s", err, withoutValues(stderr))
		}
		for _, text := range strings.Split(stdout, "\n---\n") {
			manifest, err := readManifest(text, way)
			if err != nil {
				return err
			}
			c.manifests[way] = append(c.manifests[way], manifest)
			if id, found, _ := unstructured.NestedString(manifest.Object, "spec", "adopt", "id"); found && byID[id] != nil {
				byID[id].name = manifest.GetName()
				c.byName[manifest.GetName()] = byID[id]
				if err := sendMasks(manifest, byID[id].document); err != nil {
					return err
				}
			}
		}
	}
	for _, s := range c.samples {
		if s.name == "" {
			c.report.apart = append(c.report.apart, apart{s.file, "the export leaves it out: " + leftOut(s.document)})
		}
	}
	return nil
}

// sendMasks does what the operator asks for where an import has values that the API masks: it says that
// the API keeps them when it gets the mask, as the simulator does.
func sendMasks(manifest *unstructured.Unstructured, doc map[string]any) error {
	for _, path := range drift.WriteOnly {
		if drift.Has(doc, path) {
			return unstructured.SetNestedField(manifest.Object, "Send", "spec", "maskedFields")
		}
	}
	return nil
}

func leftOut(doc map[string]any) string {
	if doc["_connectorId"] != nil {
		return "an integration app owns it"
	}
	return "see the notes of manager export"
}

// readManifest reads a manifest as kubectl does.
func readManifest(text, namespace string) (*unstructured.Unstructured, error) {
	raw, err := yaml.YAMLToJSON([]byte(strings.TrimPrefix(text, "---\n")))
	if err != nil {
		return nil, fmt.Errorf("a manifest is not YAML: %s", withoutValues(err.Error()))
	}
	manifest := &unstructured.Unstructured{}
	if err := manifest.UnmarshalJSON(raw); err != nil {
		return nil, err
	}
	manifest.SetNamespace(namespace)
	return manifest, nil
}

// adopt applies the manifests that take over the imports.
func (c *campaign) adopt(ctx context.Context) error {
	return c.applyAndWait(ctx, adopted, c.manifests[adopted])
}

// copy applies the manifests that make the imports again, in another account.
func (c *campaign) copy(ctx context.Context) error {
	return c.applyAndWait(ctx, copied, c.manifests[copied])
}

// paste applies the documents as they are.
func (c *campaign) paste(ctx context.Context) error {
	var manifests []*unstructured.Unstructured
	for i, s := range c.samples {
		if s.name == "" { // so that it has a name in the report
			s.name = fmt.Sprintf("document-%d", i)
			c.byName[s.name] = s
		}
		doc := document.Copy(s.document)
		delete(doc, "_id")
		delete(doc, "_connectorId")
		raw, err := json.Marshal(map[string]any{
			"apiVersion": v1alpha1.GroupVersion.String(), "kind": "Import",
			"metadata": map[string]any{"name": s.name, "namespace": pasted}, "spec": map[string]any{"definition": doc},
		})
		if err != nil {
			return err
		}
		manifest := &unstructured.Unstructured{}
		if err := manifest.UnmarshalJSON(raw); err != nil {
			return err
		}
		manifests = append(manifests, manifest)
	}
	return c.applyAndWait(ctx, pasted, manifests)
}

// applyAndWait applies all manifests, and waits until they are in step or nothing happens any more.
func (c *campaign) applyAndWait(ctx context.Context, way string, manifests []*unstructured.Unstructured) error {
	var applied []string
	var mu sync.Mutex
	err := inParallel(c.options.parallel, manifests, func(manifest *unstructured.Unstructured) error {
		name := manifest.GetName()
		manifest.SetAnnotations(map[string]string{"integrator.io/allow-namesake": "true"})
		err := c.objects.Apply(ctx, client.ApplyConfigurationFromUnstructured(manifest), client.FieldOwner("corpus"), client.ForceOwnership)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			applied = append(applied, name)
		case apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err):
			c.report.add(way, c.fileOf(name), refusedByKubernetes, err.Error(), nil)
		default:
			return fmt.Errorf("apply %s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(applied)
	return c.settle(ctx, way, applied)
}

func (c *campaign) fileOf(name string) string {
	if s := c.byName[name]; s != nil {
		return s.file
	}
	return name
}

// settle waits until all Imports are Ready, or nothing has changed for a while.
func (c *campaign) settle(ctx context.Context, way string, names []string) error {
	return c.await(ctx, func() (int, error) {
		objects, err := c.imports(ctx, way)
		waiting := 0
		for _, name := range names {
			if object := objects[name]; object == nil || !isReady(object) {
				waiting++
			}
		}
		return waiting, err
	})
}

// await repeats a count until it is 0, or does not fall any more.
func (c *campaign) await(ctx context.Context, count func() (int, error)) error {
	least, since := -1, time.Now()
	for {
		began := time.Now()
		waiting, err := count()
		if err != nil || waiting == 0 {
			return err
		}
		if least < 0 || waiting < least {
			least, since = waiting, time.Now()
		}
		if time.Since(since) > c.options.patience {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(500*time.Millisecond + 3*time.Since(began)): // the manager needs the processors too
		}
	}
}

func isReady(object *v1alpha1.Import) bool {
	ready := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == object.Generation
}

// check notes every Import that is not in step.
func (c *campaign) check(ctx context.Context) error {
	for _, way := range ways {
		objects, err := c.imports(ctx, way)
		if err != nil {
			return err
		}
		for name, object := range objects {
			c.report.checked(way)
			if reason, message, paths := outOfStep(object); reason != "" {
				c.report.add(way, c.fileOf(name), reason, message, paths)
				continue
			}
			if change := c.changes[way][object.Status.ID]; change != nil && len(change.lost) > 0 {
				c.report.add(way, c.fileOf(name), "lost or not corrected on the platform", "", change.lost)
			}
		}
	}
	return nil
}

// outOfStep says why an Import is not in step, "" if it is.
func outOfStep(object *v1alpha1.Import) (reason, message string, paths []string) {
	for _, difference := range append(slices.Clone(object.Status.NotAccepted), object.Status.Drift...) {
		paths = append(paths, difference.Path)
	}
	ready := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return "no status", "", paths
	case !isReady(object) || len(paths) > 0:
		return ready.Reason, ready.Message, paths
	default:
		return "", "", nil
	}
}

// inParallel runs a function for each of the items, some at a time.
func inParallel[T any](parallel int, items []T, run func(T) error) error {
	next := make(chan T)
	failed := make([]error, max(1, parallel))
	var all sync.WaitGroup
	for i := range failed {
		all.Go(func() {
			for item := range next {
				if failed[i] == nil {
					failed[i] = run(item)
				}
			}
		})
	}
	for _, item := range items {
		next <- item
	}
	close(next)
	all.Wait()
	return firstOf(failed...)
}

// parsed is a document that the simulator answered.
func parsed(raw json.RawMessage) (map[string]any, error) { return drift.Parse(raw) }
