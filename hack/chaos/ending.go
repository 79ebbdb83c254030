// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// ending is how a scenario ended: the objects that are left, and the imports of the account.
type ending struct {
	account *v1alpha1.Account
	managed *v1alpha1.Import
	run     *v1alpha1.ImportRun
	remote  []string
}

func (s *stage) ending(ctx context.Context) (*ending, error) {
	e := &ending{account: &v1alpha1.Account{}, managed: &v1alpha1.Import{}, run: &v1alpha1.ImportRun{}}
	for _, read := range []struct {
		name string
		into client.Object
		gone func()
	}{
		{"default", e.account, func() { e.account = nil }},
		{"orders", e.managed, func() { e.managed = nil }},
		{"first", e.run, func() { e.run = nil }},
	} {
		switch err := s.objects.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: read.name}, read.into); {
		case apierrors.IsNotFound(err):
			read.gone()
		case err != nil:
			return nil, err
		}
	}
	for _, document := range s.sim.Imports(accountName) {
		id, _ := document["_id"].(string)
		if s.strangers[id] {
			continue
		}
		for _, field := range []string{"_id", "createdAt", "lastModified", "apiIdentifier"} {
			delete(document, field)
		}
		if mark, _ := document["externalId"].(string); e.managed != nil && mark == v1alpha1.MarkerPrefix+string(e.managed.UID) {
			document["externalId"] = "the mark"
		} else if strings.HasPrefix(mark, v1alpha1.MarkerPrefix) {
			document["externalId"] = "another mark"
		}
		text, err := json.Marshal(document)
		if err != nil {
			return nil, err
		}
		e.remote = append(e.remote, string(text))
	}
	return e, nil
}

// id is what the Import knows its import by: what is remembered in its status, or, as after a
// restore, in its annotation alone.
func (e *ending) id() string {
	if e.managed == nil {
		return ""
	}
	return cmp.Or(e.managed.Status.ID, e.managed.Annotations[v1alpha1.AnnotationID])
}

// objects are those that are left.
func (e *ending) objects() (objects []client.Object) {
	if e.account != nil {
		objects = append(objects, e.account)
	}
	if e.managed != nil {
		objects = append(objects, e.managed)
	}
	if e.run != nil {
		objects = append(objects, e.run)
	}
	return objects
}

// differ tells in what an ending is not like that of the reference. How a run ended is not
// compared: that has an invariant of its own.
func (e *ending) differ(reference *ending) string {
	return gocmp.Diff(reference.summary(), e.summary())
}

func (e *ending) summary() (lines []string) {
	for _, object := range e.objects() {
		if _, isRun := object.(*v1alpha1.ImportRun); isRun {
			lines = append(lines, "a run")
			continue
		}
		line := fmt.Sprintf("%T %v", object, object.GetFinalizers())
		for _, c := range conditionsOf(object) {
			line += fmt.Sprintf(" %s=%s/%s", c.Type, c.Status, c.Reason)
		}
		lines = append(lines, line)
	}
	if e.managed != nil {
		lines = append(lines, fmt.Sprintf("drift %v, pending %q, id kept %t", e.managed.Status.Drift,
			e.managed.Annotations[v1alpha1.AnnotationCreatePending]+e.managed.Annotations[v1alpha1.AnnotationAdoptPending],
			e.managed.Status.ID != "" && e.managed.Status.ID == e.managed.Annotations[v1alpha1.AnnotationID]))
	}
	return append(lines, e.remote...)
}

const (
	// restScans is for how many scans nothing may be written, settling within what time.
	restScans = 3
	settling  = 30 * time.Second
)

// rest waits until nothing was written for some scans. It is the second half of I8: what has
// come to its end stays there.
func (s *stage) rest(ctx context.Context, scans int) error {
	writes, since := s.trace.standing()
	deadline := time.Now().Add(settling)
	for {
		pause(ctx, 100*time.Millisecond)
		nowWrites, nowScans := s.trace.standing()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case nowWrites == writes && nowScans >= since+scans:
			return nil
		case nowWrites > writes:
			writes, since = nowWrites, nowScans
		}
		if time.Now().After(deadline) {
			if nowScans == since {
				return fmt.Errorf("I8: the account was not scanned for %s", settling)
			}
			return fmt.Errorf("I8: it does not come to rest: %v", lastKeys(s.trace.since(max(0, nowWrites-4))))
		}
	}
}

func lastKeys(writes []write) (keys []string) {
	for _, w := range writes {
		keys = append(keys, w.ID())
	}
	return keys
}

// keep remembers the spec that a user wrote, forget that the object is deleted.
func (s *stage) keep(object client.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.specs[object.GetName()] = specOf(object)
}

func (s *stage) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.specs, name)
}
