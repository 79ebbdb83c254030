// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// What the model of Imports does not come to: Observe, suspend, damaged intents, an externalId of
// the user's own. The rest of the decisions is checked there, in every order of events.

const oneID, otherID = "64a000000000000000000001", "64a000000000000000000002"

func declared(edits ...func(*v1alpha1.Import)) *v1alpha1.Import {
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{UID: "uid", Annotations: map[string]string{}}}
	for _, edit := range edits {
		edit(object)
	}
	return object
}

func annotated(name, value string) func(*v1alpha1.Import) {
	return func(object *v1alpha1.Import) { object.Annotations[name] = value }
}

func intending(age time.Duration) func(*v1alpha1.Import) {
	return annotated(v1alpha1.AnnotationCreatePending,
		fmt.Sprintf(`{"externalId":"k8s/uid","name":"prices","time":%q}`, modelStart.Add(-age).Format(time.RFC3339)))
}

func held(object *v1alpha1.Import) { object.Finalizers = []string{v1alpha1.Finalizer} }
func observed(object *v1alpha1.Import) {
	object.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
}
func adopts(object *v1alpha1.Import)   { object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: oneID} }
func going(object *v1alpha1.Import)    { object.DeletionTimestamp = &metav1.Time{Time: modelStart} }
func still(object *v1alpha1.Import)    { object.Spec.Suspend = true }
func inStatus(object *v1alpha1.Import) { object.Status.ID = oneID }

func TestWhereARemoteImportIs(t *testing.T) {
	id, damaged := annotated(v1alpha1.AnnotationID, oneID), annotated(v1alpha1.AnnotationCreatePending, "{")
	for name, test := range map[string]struct {
		object *v1alpha1.Import
		edit   func(*known)
		want   importStep
	}{
		"new":                            {declared(), nil, doMake},
		"new, to adopt":                  {declared(adopts), nil, doAdopt},
		"new, to observe nothing":        {declared(observed), nil, doRefuse},
		"new, to observe":                {declared(observed, adopts), nil, doAdopt},
		"known":                          {declared(id, held), nil, doLook},
		"known, finalizer taken away":    {declared(id), nil, doRemember},
		"known from status alone":        {declared(inStatus, held), nil, doRemember},
		"observed":                       {declared(inStatus, adopts, observed), nil, doLook},
		"observed, and to manage":        {declared(inStatus, adopts), nil, doAdopt},
		"pending, of the cache":          {declared(intending(0), held), nil, doReread},
		"pending":                        {declared(intending(0), held), func(k *known) { k.live = true }, doSearch},
		"pending, status of before":      {declared(intending(0), held, inStatus), func(k *known) { k.live = true }, doSearch},
		"pending, damaged":               {declared(damaged, held), func(k *known) { k.live = true }, doRenew},
		"pending, of the future":         {declared(intending(-time.Minute), held), func(k *known) { k.live = true }, doRenew},
		"pending, found":                 {declared(intending(0), held), func(k *known) { k.live, k.searches, k.found = true, 1, []string{oneID} }, doTake},
		"pending, found several":         {declared(intending(0), held), func(k *known) { k.live, k.searches, k.found = true, 1, []string{oneID, otherID} }, doChoose},
		"pending, not found yet":         {declared(intending(time.Minute), held), func(k *known) { k.live, k.searches = true, 1 }, doAwait},
		"pending, not found once":        {declared(intending(importGrace), held), func(k *known) { k.live, k.searches = true, 1 }, doSearch},
		"pending, not found":             {declared(intending(importGrace), held), func(k *known) { k.live, k.searches = true, 2 }, doMake},
		"pending, not found, to adopt":   {declared(intending(importGrace), held, adopts), func(k *known) { k.live, k.searches = true, 2 }, doAdopt},
		"pending, not found, is going":   {declared(intending(importGrace), held, going), func(k *known) { k.live, k.searches = true, 2 }, doRelease},
		"pending, not found, to observe": {declared(intending(importGrace), held, observed), func(k *known) { k.live, k.searches = true, 2 }, doRefuse},
		"known, is going":                {declared(id, going, held), nil, doLook},
		"nothing, but its mark":          {declared(), func(k *known) { k.marked = true }, doSearch},
		"nothing, but its mark: found":   {declared(), func(k *known) { k.marked, k.searches, k.found = true, 1, []string{oneID} }, doTake},
		"nothing, its mark gone":         {declared(), func(k *known) { k.marked, k.searches = true, 1 }, doMake},
	} {
		t.Run(name, func(t *testing.T) {
			k := known{object: test.object, at: modelStart, grace: importGrace}
			if test.edit != nil {
				test.edit(&k)
			}
			if got := k.locate(); got != test.want {
				t.Errorf("step %d, want %d", got, test.want)
			}
		})
	}
}

func TestHowADeletionBegins(t *testing.T) {
	id := annotated(v1alpha1.AnnotationID, oneID)
	orphaned := func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan }
	for name, test := range map[string]struct {
		object *v1alpha1.Import
		want   importStep
	}{
		"nothing to let go":     {declared(going, id), doNothing},
		"Orphan":                {declared(going, held, id, orphaned), doRelease},
		"Orphan, suspended":     {declared(going, held, id, orphaned, still), doRelease},
		"observed":              {declared(going, held, id, observed), doRelease},
		"suspended":             {declared(going, held, id, still), doHold},
		"nothing was made":      {declared(going, held), doRelease},
		"suspended, not made":   {declared(going, held, still), doHold},
		"there":                 {declared(going, held, id), doLook},
		"there, by status":      {declared(going, held, inStatus), doLook},
		"may have been made":    {declared(going, held, intending(0)), doReread},
		"may have, was another": {declared(going, held, intending(0), inStatus), doReread},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (known{object: test.object, at: modelStart, grace: importGrace}).letGo(); got != test.want {
				t.Errorf("step %d, want %d", got, test.want)
			}
		})
	}
}

func TestWhatMayHaveBeenMade(t *testing.T) {
	pending := intent{ExternalID: "erp-17", Name: "prices", Time: modelStart}
	at := func(offset time.Duration) string { return modelStart.Add(offset).Format(time.RFC3339) }
	for name, test := range map[string]struct {
		document integrator.Import
		want     bool
	}{
		"our mark":                      {integrator.Import{Name: "renamed", ExternalID: "k8s/uid"}, true},
		"our copy":                      {integrator.Import{Name: "k8s/uid", ExternalID: "k8s/other"}, true},
		"another's mark":                {integrator.Import{Name: "prices", ExternalID: "k8s/other"}, false},
		"another's copy of ours":        {integrator.Import{Name: "k8s/other", ExternalID: "k8s/uid"}, false},
		"my externalId":                 {integrator.Import{Name: " prices ", ExternalID: "erp-17", CreatedAt: at(time.Second)}, true},
		"my externalId, a slow clock":   {integrator.Import{Name: "prices", ExternalID: "erp-17", CreatedAt: at(-time.Minute)}, true},
		"my externalId, no clock":       {integrator.Import{Name: "prices", ExternalID: "erp-17", CreatedAt: "today"}, true},
		"my externalId, from before":    {integrator.Import{Name: "prices", ExternalID: "erp-17", CreatedAt: at(-time.Hour)}, false},
		"my externalId, another's name": {integrator.Import{Name: "orders", ExternalID: "erp-17", CreatedAt: at(time.Second)}, false},
		"my name alone":                 {integrator.Import{Name: "prices", CreatedAt: at(time.Second)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := isCandidate(declared(), pending, test.document); got != test.want {
				t.Errorf("%t, want %t", got, test.want)
			}
		})
	}
}
