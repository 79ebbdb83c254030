// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
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

// editAccount makes and deletes other imports all the time, so that the pages of lists shift
// while they are read.
func editAccount(ctx context.Context, s *stage) {
	var there []string
	for i := 0; ctx.Err() == nil; i++ {
		id, err := s.sim.SeedImport(accountName, json.RawMessage(fmt.Sprintf(`{"name":"other %d","adaptorType":"HTTPImport","_connectionId":%q,"http":{"method":["POST"],"relativeURI":["/"],"body":[null]}}`, i, shopConnection)))
		if err != nil {
			s.fail(err)
			return
		}
		s.stranger(id)
		if there = append(there, id); len(there) > 5 {
			if err := s.sim.DeleteAs(jane, accountName, there[0]); err != nil {
				s.fail(err)
				return
			}
			there = there[1:]
		}
		pause(ctx, 20*time.Millisecond)
	}
}

func (s *stage) stranger(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strangers[id] = true
}

func pause(ctx context.Context, span time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(span):
	}
}
