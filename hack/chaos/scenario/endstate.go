// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
)

// EndState is what is left after a scenario: the objects, nil where one was deleted, and the
// imports of the account.
type EndState struct {
	Account *v1alpha1.Account
	Import  *v1alpha1.Import
	Run     *v1alpha1.ImportRun
	// remote are the documents of the account as JSON, without what differs each time.
	remote []string
}

// EndState reads what is left.
func (x *Execution) EndState(ctx context.Context) (*EndState, error) {
	e := &EndState{Account: &v1alpha1.Account{}, Import: &v1alpha1.Import{}, Run: &v1alpha1.ImportRun{}}
	for _, read := range []struct {
		name    string
		into    client.Object
		deleted func()
	}{
		{"default", e.Account, func() { e.Account = nil }},
		{"orders", e.Import, func() { e.Import = nil }},
		{"first", e.Run, func() { e.Run = nil }},
	} {
		switch err := x.Objects.Get(ctx, client.ObjectKey{Namespace: x.Namespace, Name: read.name}, read.into); {
		case apierrors.IsNotFound(err):
			read.deleted()
		case err != nil:
			return nil, err
		}
	}
	for _, document := range x.API.Imports(sandbox.AccountName) {
		if id, _ := document["_id"].(string); x.Foreign(id) {
			continue
		}
		for _, field := range []string{"_id", "createdAt", "lastModified", "apiIdentifier"} {
			delete(document, field)
		}
		if marker, _ := document["externalId"].(string); e.Import != nil && marker == v1alpha1.MarkerPrefix+string(e.Import.UID) {
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

// ID is the remote import that the Import refers to: by its status, or, as after a restore, by its
// annotation alone.
func (e *EndState) ID() string {
	if e.Import == nil {
		return ""
	}
	return cmp.Or(e.Import.Status.ID, e.Import.Annotations[v1alpha1.AnnotationID])
}

// Objects are those that are left.
func (e *EndState) Objects() (objects []client.Object) {
	if e.Account != nil {
		objects = append(objects, e.Account)
	}
	if e.Import != nil {
		objects = append(objects, e.Import)
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
		lines = append(lines, line)
	}
	if e.Import != nil {
		lines = append(lines, fmt.Sprintf("drift %v, pending %q, id kept %t", e.Import.Status.Drift,
			e.Import.Annotations[v1alpha1.AnnotationCreatePending]+e.Import.Annotations[v1alpha1.AnnotationAdoptPending],
			e.Import.Status.ID != "" && e.Import.Status.ID == e.Import.Annotations[v1alpha1.AnnotationID]))
	}
	return append(lines, e.remote...)
}
