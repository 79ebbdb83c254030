// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// What uses an import costs a call of its own, and nothing tells when it changes. It is read
// where it matters: before a deletion, and when somebody looks.

// maxUsers bounds status.usedBy.
const maxUsers = 16

// readUsers asks the API what uses the import and keeps it in status.
func (r *ImportReconciler) readUsers(ctx context.Context, s *importScope) ([]integrator.Dependency, error) {
	found, err := s.session.client.Dependencies(ctx, s.id)
	if err != nil {
		return nil, err
	}
	used := users(found)
	s.setUsers(used, r.Clock.Now())
	return used, nil
}

// refreshUsers is readUsers where nothing depends on it: when it fails, status keeps what it
// has.
func (r *ImportReconciler) refreshUsers(ctx context.Context, s *importScope) {
	if _, err := r.readUsers(ctx, s); err != nil {
		log.FromContext(ctx).V(1).Info("cannot read what uses the import", "id", s.id, "status", integrator.StatusCode(err))
	}
}

// asked tells that somebody asks for a look that has not been answered yet.
func (s *importScope) asked() bool {
	value := requested(s.object)
	return value != "" && value != s.object.Status.LastHandledReconcileAt
}

// setUsers keeps what was read. A deletion that is blocked looks again and again: while it
// finds the same, nothing is written.
func (s *importScope) setUsers(used []integrator.Dependency, now time.Time) {
	var list []v1alpha1.ResourceUse
	for _, dependency := range used[:min(len(used), maxUsers)] {
		list = append(list, v1alpha1.ResourceUse{
			Kind: drift.Cut(kindOf(dependency), 64), ID: drift.Cut(dependency.ID, 64), Name: drift.Cut(dependency.Name, 256),
		})
	}
	status := &s.object.Status
	if !s.object.DeletionTimestamp.IsZero() && status.UsedByObservedAt != nil && slices.Equal(status.UsedBy, list) {
		return
	}
	at := metav1.NewTime(now.UTC().Truncate(time.Second))
	status.UsedBy, status.UsedByObservedAt = list, &at
}

// usedByImports are the kinds of resources that imports use. The API lists them together with
// those that use the import; it refuses a deletion that a kind unknown here stands against.
var usedByImports = []string{"connections", "scripts", "stacks", "filedefinitions", "ediprofiles", "integrations"}

// users keeps what uses the import.
func users(dependencies []integrator.Dependency) []integrator.Dependency {
	return slices.DeleteFunc(dependencies, func(dependency integrator.Dependency) bool {
		return slices.Contains(usedByImports, strings.ToLower(dependency.Kind))
	})
}

// kindOf is the kind of one resource; the API names it in the plural.
func kindOf(dependency integrator.Dependency) string {
	return strings.TrimSuffix(dependency.Kind, "s")
}

// blockedBy names what uses the import. Deleting it would break that.
func blockedBy(used []integrator.Dependency) *problem {
	const most = 5
	var names []string
	for _, dependency := range used[:min(len(used), most)] {
		names = append(names, fmt.Sprintf("%s %q", kindOf(dependency), drift.Cut(cmp.Or(dependency.Name, dependency.ID), 100)))
	}
	if len(used) > most {
		names = append(names, fmt.Sprintf("and %d more", len(used)-most))
	}
	return terminalf(reasonDeletionBlocked, "the import is in use by %s: take it out there, or set spec.deletionPolicy to Orphan", strings.Join(names, ", "))
}
