// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// What other people do while a scenario is played.

// labelAll writes to the objects again and again, as a tool does that keeps labels.
func labelAll(ctx context.Context, s *stage) {
	for i := 0; ctx.Err() == nil; i++ {
		patch := client.RawPatch(mergePatch, fmt.Appendf(nil, `{"metadata":{"labels":{"touched":"%d"}}}`, i))
		for _, object := range []client.Object{
			&v1alpha1.Account{ObjectMeta: s.meta("default")}, &v1alpha1.Import{ObjectMeta: s.meta("orders")}, &v1alpha1.ImportRun{ObjectMeta: s.meta("first")},
		} {
			_ = s.objects.Patch(ctx, object, patch) // it may not be there
		}
		pause(ctx, 250*time.Millisecond)
	}
}

// stripAnnotations takes the operator's annotations off the Import again and again, as kubectl
// replace does.
func stripAnnotations(ctx context.Context, s *stage) {
	patch := client.RawPatch(mergePatch, fmt.Appendf(nil, `{"metadata":{"annotations":{%q:null,%q:null,%q:null}}}`,
		v1alpha1.AnnotationID, v1alpha1.AnnotationCreatePending, v1alpha1.AnnotationAdoptPending))
	for ctx.Err() == nil {
		_ = s.objects.Patch(ctx, &v1alpha1.Import{ObjectMeta: s.meta("orders")}, patch) // it may not be there
		pause(ctx, 300*time.Millisecond)
	}
}

// seedStrangers has other people's imports in the account before there are any of ours: what is
// deleted among them shifts ours to other pages of the list.
func seedStrangers(s *stage) error {
	for range 150 {
		if err := s.addStranger(); err != nil {
			return err
		}
	}
	return nil
}

// editAccount makes and deletes other imports all the time, so that the pages of lists shift
// while they are read.
func editAccount(ctx context.Context, s *stage) {
	for ctx.Err() == nil {
		s.mu.Lock()
		oldest := s.order[0]
		s.order = s.order[1:]
		s.mu.Unlock()
		if err := errors.Join(s.sim.DeleteAs(jane, accountName, oldest), s.addStranger()); err != nil {
			s.fail(err)
			return
		}
		pause(ctx, 15*time.Millisecond)
	}
}

func (s *stage) addStranger() error {
	id, err := s.sim.SeedImport(accountName, json.RawMessage(fmt.Sprintf(`{"name":"another's","adaptorType":"HTTPImport","_connectionId":%q,"http":{"method":["POST"],"relativeURI":["/"],"body":[null]}}`, shopConnection)))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strangers[id] = true
	s.order = append(s.order, id)
	return err
}

func pause(ctx context.Context, span time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(span):
	}
}
