// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"context"
	"hash/maphash"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// readsAtOnce is how many definitions are read, parsed and hashed at once: each takes many times its size.
const readsAtOnce = 4

// Outlines remember the desired documents of Imports whose definitions are not in the cache, without the
// documents, and how large the definitions are. The zero value is ready for use, and it may be used from several
// goroutines.
type Outlines struct {
	mu    sync.Mutex
	byKey map[client.ObjectKey]outlineOf
	once  sync.Once
	reads chan struct{}
}

// outlineOf is what is remembered of one Import: little, because all with large definitions are here.
type outlineOf struct {
	// of is a hash of the object and its generation, size that of the definition in bytes.
	of   uint64
	size int
	// made is nil when the Import's status says the same.
	made *outline
}

// outline is a desired document without the document, and what it was made of beside the definition.
type outline struct {
	inputs  string
	desired *Desired
}

// Of returns the outline of an Import whose desired document is made of the definition and of inputs, nil if it is
// not known or is not enough: a deletion needs the document, and so does the advice where the API did not accept
// it. After a start, and once the Import was compared, the status has enough of it to see that nothing has changed.
func (o *Outlines) Of(object *v1alpha1.Import, inputs string) *Desired {
	if len(object.Status.NotAccepted) > 0 || !object.DeletionTimestamp.IsZero() {
		return nil
	}
	if known, ok := o.load(object); ok && known.made != nil && known.made.inputs == inputs {
		return known.made.desired
	}
	if Stripped(object) {
		return OutlineOf(object, inputs)
	}
	return nil
}

// Size returns the size in bytes of the definition of an Import, if it is remembered.
func (o *Outlines) Size(object *v1alpha1.Import) (int, bool) {
	known, ok := o.load(object)
	return known.size, ok
}

// Note remembers the desired document of an Import whose definition has size bytes.
func (o *Outlines) Note(object *v1alpha1.Import, inputs string, desired *Desired, size int) {
	o.store(object, outlineOf{of: generationOf(object), size: size, made: &outline{inputs: inputs, desired: desired.Outline()}})
}

// Compared drops, of an Import whose status was written, what that says too.
func (o *Outlines) Compared(object *v1alpha1.Import) {
	known, ok := o.load(object)
	if !ok || known.made == nil || len(known.made.desired.Warnings) > 0 || len(known.made.desired.Secrets) > 0 {
		return
	}
	if says := OutlineOf(object, known.made.inputs); says != nil && says.Hash == known.made.desired.Hash {
		known.made = nil
		o.store(object, known)
	}
}

// Forget drops what is remembered of an Import.
func (o *Outlines) Forget(key client.ObjectKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.byKey, key)
}

// Read calls a function that reads a definition, as soon as few others do. It returns the function's error, or the
// cause of the end of the context.
func (o *Outlines) Read(ctx context.Context, do func() error) error {
	o.once.Do(func() { o.reads = make(chan struct{}, readsAtOnce) })
	select {
	case o.reads <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-o.reads }()
	return do()
}

func (o *Outlines) load(object *v1alpha1.Import) (outlineOf, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	known, ok := o.byKey[client.ObjectKeyFromObject(object)]
	return known, ok && known.of == generationOf(object)
}

func (o *Outlines) store(object *v1alpha1.Import, known outlineOf) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byKey == nil {
		o.byKey = map[client.ObjectKey]outlineOf{}
	}
	o.byKey[client.ObjectKeyFromObject(object)] = known
}

// outlinesSeed is that of the hashes of this process.
var outlinesSeed = maphash.MakeSeed()

// generationOf is a hash of what an outline is of.
func generationOf(object *v1alpha1.Import) uint64 {
	return maphash.Comparable(outlinesSeed, struct {
		uid        types.UID
		generation int64
	}{object.UID, object.Generation})
}
