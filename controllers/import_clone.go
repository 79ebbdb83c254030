// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"strings"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// A copy is made by the API, which takes a name and a connection for it and keeps the rest,
// the original's externalId too. Until the first update gives it the declared name and our
// mark, its name is our mark: by that it is found again when the answer was lost.

const reasonCloneSourceNotReady = "CloneSourceNotReady"

// rawCopy tells that the import is a copy of our own making before its first update.
func (s *importScope) rawCopy() bool {
	return strings.TrimSpace(s.remote.Name) == marker(s.object)
}

// copying is the way to make the import as a copy.
func (r *ImportReconciler) copying(ctx context.Context, s *importScope) (making, error) {
	original, err := r.original(ctx, s)
	if err != nil {
		return making{}, err
	}
	connections, err := s.connectionMap()
	if err != nil {
		return making{}, err
	}
	name := marker(s.object)
	return making{name: name, calls: []string{callClone, callPut}, post: func(ctx context.Context, s *importScope) (err error) {
		s.id, err = s.session.client.CloneImport(ctx, original, integrator.CloneRequest{Name: name, ConnectionMap: connections})
		return err
	}}, nil
}

// original is the id of the import to copy.
func (r *ImportReconciler) original(ctx context.Context, s *importScope) (string, error) {
	from := s.object.Spec.CloneFrom
	if from.ImportRef == nil {
		return string(from.ID), nil
	}
	var source v1alpha1.Import
	err := r.Get(ctx, client.ObjectKey{Namespace: s.object.Namespace, Name: from.ImportRef.Name}, &source)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return "", err
	case err != nil || source.Status.ID == "":
		return "", waitingf(reasonCloneSourceNotReady, "waiting for Import %q, which spec.cloneFrom copies, to have a remote import", from.ImportRef.Name)
	case source.Spec.AccountRef != s.object.Spec.AccountRef:
		return "", terminalf(reasonInvalidDefinition, "spec.cloneFrom.importRef: Import %q is in Account %q; a copy can only be made within one account", from.ImportRef.Name, source.Spec.AccountRef.Name)
	default:
		return source.Status.ID, nil
	}
}

// connectionMap is spec.cloneFrom.connectionMap with its aliases resolved.
func (s *importScope) connectionMap() (map[string]string, error) {
	resolved := map[string]string{}
	for from, to := range s.object.Spec.CloneFrom.ConnectionMap {
		var pair [2]string
		for i, text := range []string{from, string(to)} {
			id, err := aliases{account: s.session.key.Name, ids: s.session.ids}.resolveIDs("", text)
			if err != nil {
				return nil, terminalf(reasonUnknownAlias, "spec.cloneFrom.connectionMap: Account %q has no alias for %s in spec.aliases; %s",
					s.session.key.Name, drift.Cut(text, 64), existing(s.session.ids))
			}
			pair[i], _ = id.(string)
		}
		resolved[pair[0]] = pair[1]
	}
	return resolved, nil
}

// copiesOf maps an Import to those that are copies of it.
func (r *ImportReconciler) copiesOf(ctx context.Context, object client.Object) []ctrl.Request {
	return requestsByIndex(ctx, r, &v1alpha1.ImportList{}, object.GetNamespace(), indexImportOrigin, object.GetName())
}
