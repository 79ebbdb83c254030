// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// EndState is what is left after a scenario: the objects, nil where one was deleted, and the
// imports of the account.
type EndState struct {
	Account *v1alpha1.Account
	Run     *v1alpha1.ImportRun
	imports []*v1alpha1.Import
	// remote are the documents of the account as JSON, without what differs each time.
	remote []string
}

// EndState reads what is left.
func (x *Execution) EndState(ctx context.Context) (*EndState, error) {
	e := &EndState{Account: &v1alpha1.Account{}, Run: &v1alpha1.ImportRun{}}
	for _, read := range []struct {
		name    string
		into    client.Object
		deleted func()
	}{
		{"default", e.Account, func() { e.Account = nil }},
		{"first", e.Run, func() { e.Run = nil }},
	} {
		switch err := x.Objects.Get(ctx, client.ObjectKey{Namespace: x.Namespace, Name: read.name}, read.into); {
		case apierrors.IsNotFound(err):
			read.deleted()
		case err != nil:
			return nil, err
		}
	}
	var err error
	if e.imports, err = x.listImports(ctx); err != nil {
		return nil, err
	}
	for _, document := range x.API.Imports(sandbox.AccountName) {
		id, _ := document["_id"].(string)
		if x.Foreign(id) || x.Kept(id) {
			continue
		}
		for _, field := range []string{"_id", "createdAt", "lastModified", "apiIdentifier"} {
			delete(document, field)
		}
		if marker, _ := document["externalId"].(string); slices.ContainsFunc(e.Imports(), func(object *v1alpha1.Import) bool {
			return idOf(object) == id && marker == v1alpha1.MarkerPrefix+string(object.UID)
		}) {
			document["externalId"] = "the ownership marker"
		} else if strings.HasPrefix(marker, v1alpha1.MarkerPrefix) {
			document["externalId"] = "another ownership marker"
		}
		text, err := json.Marshal(document)
		if err != nil {
			return nil, err
		}
		e.remote = append(e.remote, string(text))
	}
	return e, nil
}

// Imports are those that are left.
func (e *EndState) Imports() []*v1alpha1.Import { return e.imports }

// listImports reads the Imports of the sandbox.
func (x *Execution) listImports(ctx context.Context) (objects []*v1alpha1.Import, err error) {
	var list v1alpha1.ImportList
	err = x.Objects.List(ctx, &list, x.Within()...)
	for i := range list.Items {
		objects = append(objects, &list.Items[i])
	}
	return objects, err
}

// IDs are the remote imports that the Imports refer to.
func (e *EndState) IDs() (ids []string) {
	for _, object := range e.Imports() {
		if id := idOf(object); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// idOf is the remote import that an Import refers to as its own: by its status, or, as after a restore, by its
// annotation, or by saying that the import has to be taken over.
func idOf(object *v1alpha1.Import) string {
	id := object.Annotations[v1alpha1.AnnotationID]
	if !ownership.OnlyObserved(object) {
		id = cmp.Or(object.Status.ID, id)
	}
	if stalled := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionStalled); id == "" && stalled != nil && (ownership.Owner{}).CopiedMarker(object) != "" {
		id = namedID.FindString(stalled.Message)
	}
	return id
}

// namedID matches an id in a message.
var namedID = regexp.MustCompile(`\b[0-9a-f]{24}\b`)

// Objects are those that are left.
func (e *EndState) Objects() (objects []client.Object) {
	if e.Account != nil {
		objects = append(objects, e.Account)
	}
	for _, object := range e.Imports() {
		objects = append(objects, object)
	}
	if e.Run != nil {
		objects = append(objects, e.Run)
	}
	return objects
}

// Diff returns how an end state differs from that of the reference, "" when it does not. How a run
// finished is not compared: that has an invariant of its own.
func (e *EndState) Diff(reference *EndState) string {
	return gocmp.Diff(reference.summary(), e.summary())
}

// summary has a line for each object and each document. Of several Imports it does not say which is
// which: it may differ each time.
func (e *EndState) summary() (lines []string) {
	for _, object := range e.Objects() {
		if _, isRun := object.(*v1alpha1.ImportRun); isRun {
			lines = append(lines, "a run")
			continue
		}
		line := fmt.Sprintf("%T %v", object, object.GetFinalizers())
		for _, c := range sandbox.ConditionsOf(object) {
			line += fmt.Sprintf(" %s=%s/%s", c.Type, c.Status, c.Reason)
		}
		if object, isImport := object.(*v1alpha1.Import); isImport {
			pending := object.Annotations[v1alpha1.AnnotationAdoptPending]
			if !ownership.Confirmed(object) {
				pending += object.Annotations[v1alpha1.AnnotationCreatePending]
			}
			line += fmt.Sprintf(" drift %v, pending %q, id kept %t", object.Status.Drift, pending,
				object.Status.ID != "" && ownership.HasMetadata(object, object.Status.ID))
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return append(lines, e.remote...)
}
