// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record/util"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/watch"
)

// Minimal makes the requests to Kubernetes that an operator needs, and does nothing else. It has the rights of the
// operator's ServiceAccount, and a connection of its own.
type Minimal struct {
	client.Client

	config  *rest.Config
	http    *http.Client
	labeled watch.Labeled
}

// Minimal connects such a client.
func (e *Environment) Minimal(ctx context.Context) (*Minimal, error) {
	path, err := e.Plane.OperatorKubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	m := &Minimal{}
	if m.config, err = clientcmd.BuildConfigFromFlags("", path); err != nil {
		return nil, err
	}
	m.config.QPS = -1
	if m.http, err = rest.HTTPClientFor(m.config); err != nil {
		return nil, err
	}
	m.Client, err = client.New(m.config, client.Options{Scheme: scheme.All(), HTTPClient: m.http})
	return m, err
}

// Watching watches a kind of objects while something is done, as each operator does. What comes is not decoded.
func (m *Minimal) Watching(ctx context.Context, list metav1.TypeMeta, resource string, do func(context.Context) error) (err error) {
	watched, end := context.WithCancel(ctx)
	var reader sync.WaitGroup
	reader.Go(func() {
		// The API server ends a watch that is too slow for it, and an operator begins another one then.
		for err == nil && watched.Err() == nil {
			err = m.watch(watched, list, resource)
		}
		if watched.Err() != nil {
			err = nil
		}
	})
	failed := do(ctx)
	end()
	reader.Wait()
	return errors.Join(failed, err)
}

// watch reads what changes from now on, until the watch ends.
func (m *Minimal) watch(ctx context.Context, list metav1.TypeMeta, resource string) error {
	now := &metav1.PartialObjectMetadataList{TypeMeta: list}
	if err := m.List(ctx, now, client.Limit(1)); err != nil {
		return err
	}
	url := fmt.Sprintf("%s/apis/%s/%s?watch=1&resourceVersion=%s", m.config.Host, v1alpha1.GroupVersion, resource, now.ResourceVersion)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := m.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the watch of a plain client is answered %s", response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// Job is what is done with one object.
type Job func(ctx context.Context, name string) error

// Follow has a user do one thing with each object, and each is followed by the operator's part, workers at a
// time. It returns when all of it is done.
func Follow(ctx context.Context, names []string, user, operator Job, workers int) error {
	ready := make(chan string, len(names))
	var first error
	var both sync.WaitGroup
	both.Go(func() {
		defer close(ready)
		first = parallel(ctx, writers, names, func(name string) error {
			err := user(ctx, name)
			if err == nil {
				ready <- name
			}
			return err
		})
	})
	failed := make([]error, workers)
	for i := range workers {
		both.Go(func() {
			for name := range ready {
				if failed[i] == nil {
					failed[i] = operator(ctx, name)
				}
			}
		})
	}
	both.Wait()
	return cmp.Or(append(failed, first)...)
}

// Each does something with each object, as many at a time as a user does.
func Each(ctx context.Context, names []string, do Job) error {
	return parallel(ctx, writers, names, func(name string) error { return do(ctx, name) })
}

// PatchImport writes metadata of an Import.
func (m *Minimal) PatchImport(ctx context.Context, name, patch string) error {
	return m.Patch(ctx, &v1alpha1.Import{ObjectMeta: Meta(name)}, client.RawPatch(types.MergePatchType, []byte(patch)))
}

// ReadImport reads an Import past all caches.
func (m *Minimal) ReadImport(ctx context.Context, name string) error {
	return m.Get(ctx, clientKey(name), &v1alpha1.Import{})
}

// ListImports lists the Imports of all namespaces that have one of the labels which an import may be known by. As
// in the operator, those who ask at the same time share a list.
func (m *Minimal) ListImports(ctx context.Context, values ...string) error {
	_, err := m.labeled.List(ctx, m, values...)
	return err
}

// ReportImport writes the status of an Import that is as declared at a generation.
func (m *Minimal) ReportImport(ctx context.Context, name string, generation int64) error {
	patch := fmt.Sprintf(`{"status":{"id":%q,"observedGeneration":%d,"desiredHash":"%064d","inputsHash":"%064d","lastModified":%q,"comparedLastModified":%q,"createdAt":%q,`+
		`"adaptorType":"HTTPImport","connectionID":%q,"ownedFields":["/_connectionId","/adaptorType","/http/batchSize","/http/body","/http/method","/http/relativeURI","/name"],`+
		`"conditions":[{"type":"Ready","status":"True","reason":"Synced","message":"the remote import is as declared","observedGeneration":%d,"lastTransitionTime":%q}]}}`,
		Connection, generation, 0, generation, modified, modified, modified, Connection, generation, time.Now().UTC().Format(time.RFC3339))
	object := &v1alpha1.Import{ObjectMeta: Meta(name)}
	return m.Status().Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(patch)))
}

// modified is a time as the API has it.
const modified = "2026-01-02T03:04:05.678Z"

// PatchRun writes metadata of a run.
func (m *Minimal) PatchRun(ctx context.Context, name, patch string) error {
	return m.Patch(ctx, &v1alpha1.ImportRun{ObjectMeta: Meta(name)}, client.RawPatch(types.MergePatchType, []byte(patch)))
}

// ReportRun writes the status of a run in a phase; one that has succeeded has ended.
func (m *Minimal) ReportRun(ctx context.Context, name string, phase v1alpha1.RunPhase) error {
	now, ready, ended := time.Now().UTC().Format(time.RFC3339), "False", ""
	if phase == v1alpha1.RunSucceeded {
		ready, ended = "True", fmt.Sprintf(`"completionTime":%q,`, now)
	}
	condition := func(kind string) string {
		return fmt.Sprintf(`{"type":%q,"status":%q,"reason":%q,"message":"1 record","observedGeneration":1,"lastTransitionTime":%q}`, kind, ready, phase, now)
	}
	patch := fmt.Sprintf(`{"status":{"phase":%q,"importID":%q,"observedGeneration":1,"startTime":%q,%s"dataHash":"%064d","progress":"1/1","batches":{"total":1,"done":1},"records":{"total":1,"succeeded":1},"conditions":[%s,%s]}}`,
		phase, Connection, now, ended, 0, condition(v1alpha1.ConditionReady), condition(v1alpha1.ConditionSucceeded))
	return m.Status().Patch(ctx, &v1alpha1.ImportRun{ObjectMeta: Meta(name)}, client.RawPatch(types.MergePatchType, []byte(patch)))
}

// Event writes an event about an object.
func (m *Minimal) Event(ctx context.Context, kind, name, reason string) error {
	event := &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: util.GenerateEventName(name, time.Now().UnixNano())}, EventTime: metav1.NowMicro(),
		ReportingController: "integrator-operator", ReportingInstance: "integrator-operator-bench",
		Type: "Normal", Reason: reason, Action: reason, Note: "created the import " + Connection,
	}
	event.Regarding.APIVersion, event.Regarding.Kind = v1alpha1.GroupVersion.String(), kind
	event.Regarding.Namespace, event.Regarding.Name = Namespace, name
	return m.Create(ctx, event)
}
