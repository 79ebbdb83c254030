// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"slices"
	"sync"
	"time"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// SecretPathLife is for how long a path counts as that of a secret after its Import is gone, or
// does not declare it any more: its value may still be in the remote import.
const SecretPathLife = 24 * time.Hour

// SecretPaths remember where Imports put values of Secrets and ConfigMaps into remote imports. They
// are of all accounts of the process, because several may lead to one account of the platform.
// They are safe for concurrent use.
type SecretPaths struct {
	mu    sync.Mutex
	byID  map[string][]secretPath
	swept time.Time
}

type secretPath struct {
	path string
	// managed: the Import that has the path manages the remote import.
	managed bool
	until   time.Time
}

// Note records the paths of an Import that has a remote import.
func (p *SecretPaths) Note(object *v1alpha1.Import, now time.Time) {
	id := ownership.RemoteID(object)
	if id == "" || len(object.Spec.ValuesFrom) == 0 {
		return
	}
	paths := make([]string, len(object.Spec.ValuesFrom))
	for i, source := range object.Spec.ValuesFrom {
		paths[i] = source.Path
	}
	p.NotePaths(id, paths, ownership.ManagesByStatus(object, id), now)
}

// NotePaths records paths of a remote import, as those of a clone, which has what its original has.
func (p *SecretPaths) NotePaths(id string, paths []string, managed bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID == nil {
		p.byID = map[string][]secretPath{}
	}
	for _, path := range paths {
		seen := secretPath{path: path, managed: managed, until: now.Add(SecretPathLife)}
		same := func(other secretPath) bool { return other.path == path && other.managed == managed }
		if i := slices.IndexFunc(p.byID[id], same); i >= 0 {
			p.byID[id][i] = seen
		} else {
			p.byID[id] = append(p.byID[id], seen)
		}
	}
	p.sweep(now)
}

// Of are the paths of a remote import. managedOnly leaves out what an Import has that only observes
// the import: whoever manages it is not kept from seeing it by somebody's Import.
func (p *SecretPaths) Of(id string, managedOnly bool, now time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var paths []string
	for _, seen := range p.byID[id] {
		if seen.until.After(now) && (seen.managed || !managedOnly) && !slices.Contains(paths, seen.path) {
			paths = append(paths, seen.path)
		}
	}
	return paths
}

// sweep forgets, once in the life of a path, what is over.
func (p *SecretPaths) sweep(now time.Time) {
	if now.Sub(p.swept) < SecretPathLife {
		return
	}
	p.swept = now
	for id, paths := range p.byID {
		paths = slices.DeleteFunc(paths, func(seen secretPath) bool { return !seen.until.After(now) })
		if p.byID[id] = paths; len(paths) == 0 {
			delete(p.byID, id)
		}
	}
}
