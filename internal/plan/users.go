// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/controllers/imports"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// usersTimeout bounds how long is read what uses the imports, for all of them together.
const usersTimeout = time.Minute

// userReader reads what uses remote imports.
type userReader struct {
	world *world
	// lists are the imports with an externalId of the Accounts of which they were asked for.
	lists sync.Map
}

// addUsers adds to the items what uses the remote imports that would be written to. Imports to which nothing
// is done are not asked for: it is a call for each. What cannot be read is said in the item, and fails
// nothing: a write breaks nobody who uses an import, and a deletion has read it itself.
func (w *world) addUsers(ctx context.Context, items []Item) {
	ctx, cancel := context.WithTimeoutCause(ctx, usersTimeout, fmt.Errorf("there was no answer within %s", usersTimeout))
	defer cancel()
	reader := &userReader{world: w}
	group := errgroup.Group{}
	group.SetLimit(concurrent)
	for i, e := range w.entries {
		object, ok := e.typed.(*v1alpha1.Import)
		if item := &items[i]; ok && len(item.Calls) > 0 && (item.ID != "" || item.Action == Adopt) {
			group.Go(func() error {
				if err := reader.read(ctx, object, item); err != nil {
					item.UsedByUnknown = unread(ctx, err)
				}
				return nil
			})
		}
	}
	_ = group.Wait() // no function of the group returns an error
}

// unread says in one line why something could not be read.
func unread(ctx context.Context, err error) string {
	if cause := context.Cause(ctx); cause != nil {
		return cause.Error()
	}
	if p := problem.FromAPI(err, "read what uses the import"); p != nil {
		return p.Message()
	}
	return err.Error()
}

func (r *userReader) read(ctx context.Context, object *v1alpha1.Import, item *Item) (err error) {
	session, err := r.world.engine.registry.Session(ctx, object.Namespace, object.Spec.AccountRef.Name)
	if err != nil {
		return err
	}
	if item.ID == "" {
		if item.ID, err = r.adopted(ctx, session, object.Spec.Adopt); err != nil {
			return err
		}
	}
	item.UsedBy, err = imports.Users(ctx, session, item.ID)
	return err
}

// adopted is the id of the import that spec.adopt names.
func (r *userReader) adopted(ctx context.Context, session *account.Session, adopt *v1alpha1.AdoptSpec) (string, error) {
	if adopt.ID != "" {
		return strings.ToLower(string(adopt.ID)), nil
	}
	once, _ := r.lists.LoadOrStore(session.Key, sync.OnceValues(func() (map[string]string, error) { return byExternalID(ctx, session) }))
	ids, err := once.(func() (map[string]string, error))()
	if err == nil && ids[adopt.ExternalID] == "" {
		err = fmt.Errorf("the account no longer has an import with externalId %q", adopt.ExternalID)
	}
	return ids[adopt.ExternalID], err
}

// byExternalID are the ids of the imports of an account by their externalId.
func byExternalID(ctx context.Context, session *account.Session) (map[string]string, error) {
	ids := map[string]string{}
	for document, err := range session.Client.ListImports(ctx, integrator.ListOptions{Include: []string{"externalId"}}) {
		if err != nil {
			return nil, err
		}
		if document.ExternalID != "" {
			ids[document.ExternalID] = document.ID
		}
	}
	return ids, nil
}
