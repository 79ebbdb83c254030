// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unique"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// The cache has Imports without what is large and is seldom needed: a large definition, and the fields that
// were applied where they are many. They are read when documents are compared or written. A definition is
// then absent, which the API server accepts in no object: a stripped Import cannot be written by mistake.
// The fields that were applied are one text that is no JSON pointer, so that there still are some.

const (
	// keptDefinition is how large a definition may be that the cache keeps, in bytes: about as large as the
	// rest. That of an Import that was not reconciled yet may be larger: it is needed at once.
	keptDefinition, keptUnobserved = 512, 8 << 10
	// keptOwned is the same of the fields that were applied.
	keptOwned = 1 << 10
	// keptAnnotation is how long the value of an annotation of others may be that the cache keeps, and
	// keptAnnotations how much of them.
	keptAnnotation, keptAnnotations = 256, 1 << 10

	ownAnnotations = "integrator.io/"
	// strippedOwned begins the text in place of the fields that were applied. Their hash follows.
	strippedOwned = "stripped:"
)

// Strip removes from an Import what the cache does not keep. What many Imports have is in memory once. Of its
// labels remain those that select it, and that of the remote import: see ownership.CachedLabel.
func Strip(object *v1alpha1.Import, selecting map[string]string) {
	object.ManagedFields, object.OwnerReferences = nil, nil
	object.Labels = keptLabels(object, selecting)
	object.Annotations = KeptAnnotations(object.Annotations)
	kept := keptDefinition
	if object.Status.ObservedGeneration < 1 {
		kept = keptUnobserved
	}
	if len(object.Spec.Definition.Raw) > kept {
		object.Spec.Definition.Raw = nil
	}
	StripStatus(&object.Status)
	share(object)
}

// StripOther removes from an Import that another operator reconciles what is of no use to decisions about
// others: which remote import it has, or wants, whether a run may invoke it, and where it has values of
// Secrets. An intent whose import the status has says nothing more.
func StripOther(object *v1alpha1.Import, selecting map[string]string) {
	object.Spec.Definition.Raw, object.Spec.IgnoreDifferences = nil, nil
	state := object.Status
	if ownership.Confirmed(object) {
		state.CreateToken = ""
		delete(object.Annotations, v1alpha1.AnnotationCreatePending)
	}
	if !ownership.LeftClaim(object) {
		object.Labels = nil
	}
	object.Status = v1alpha1.ImportStatus{
		ObservedGeneration: state.ObservedGeneration, Conditions: state.Conditions, ID: state.ID, CreateToken: state.CreateToken, Management: state.Management,
	}
	for i := range object.Status.Conditions {
		object.Status.Conditions[i].Message = ""
	}
	Strip(object, selecting)
}

// Large reports whether the cache does not keep the definition once the Import was reconciled.
func Large(object *v1alpha1.Import) bool { return len(object.Spec.Definition.Raw) > keptDefinition }

// StripStatus does what Strip does, with a status alone. Stripped twice, it is the same.
func StripStatus(state *v1alpha1.ImportStatus) {
	if StrippedStatus(state) || len(state.OwnedFields) == 0 || ownedSize(state) <= keptOwned {
		return
	}
	sum := sha256.New()
	for _, path := range state.OwnedFields {
		_, _ = fmt.Fprintf(sum, "%q\n", path)
	}
	_, _ = sum.Write(state.OwnedFieldHashes)
	state.OwnedFields = []string{strippedOwned + hex.EncodeToString(sum.Sum(nil)[:16])}
	state.OwnedFieldHashes = nil
}

func ownedSize(state *v1alpha1.ImportStatus) int {
	size := len(state.OwnedFieldHashes)
	for _, path := range state.OwnedFields {
		size += len(path)
	}
	return size
}

// KeptAnnotations are those of the annotations that the cache keeps: the operator's own, and short ones of
// others. kubectl, for one, keeps all that it applied in an annotation.
func KeptAnnotations(annotations map[string]string) map[string]string {
	if len(annotations) == 0 {
		return nil
	}
	kept, size := make(map[string]string, len(annotations)), 0
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		value := annotations[name]
		if !strings.HasPrefix(name, ownAnnotations) {
			if len(value) > keptAnnotation || size+len(name)+len(value) > keptAnnotations {
				continue
			}
			size += len(name) + len(value)
		}
		kept[shared(name)] = value
	}
	return kept
}

// keptLabels are the labels that the cache keeps.
func keptLabels(object *v1alpha1.Import, selecting map[string]string) map[string]string {
	remote := ownership.CachedLabel(object)
	if remote == "" && len(selecting) == 0 {
		return nil
	}
	var key strings.Builder
	kept := make(map[string]string, len(selecting)+1)
	for _, name := range slices.Sorted(maps.Keys(selecting)) {
		kept[name] = selecting[name]
		_, _ = fmt.Fprintf(&key, "%s=%s,", name, selecting[name])
	}
	if remote != "" {
		kept[v1alpha1.LabelRemoteImport] = remote
		key.WriteString(remote)
	}
	return sharedLabels.get(key.String(), func() map[string]string { return kept })
}

// share has what many Imports have in memory once. Whoever gets an object from the cache gets a copy of it.
func share(object *v1alpha1.Import) {
	object.Kind, object.APIVersion = shared(object.Kind), shared(object.APIVersion)
	object.Namespace = shared(object.Namespace)
	if account := &object.Spec.AccountRef; account.Name != "" {
		account.Name = shared(account.Name)
	}
	for i, path := range object.Spec.IgnoreDifferences {
		object.Spec.IgnoreDifferences[i] = shared(path)
	}
	state := &object.Status
	object.Finalizers, state.OwnedFields = sharedList(object.Finalizers), sharedList(state.OwnedFields)
	// What was read as JSON has room for more.
	state.Conditions = exact(state.Conditions)
	state.AdaptorType, state.ConnectionID = shared(state.AdaptorType), shared(state.ConnectionID)
	for _, time := range []*string{&state.CreatedAt, &state.ComparedLastModified} {
		if *time == state.LastModified {
			*time = state.LastModified
		}
	}
	for i := range state.Conditions {
		c := &state.Conditions[i]
		c.Type, c.Reason, c.Message = shared(c.Type), shared(c.Reason), shared(c.Message)
	}
}

// exact is a list without room for more.
func exact[T any](list []T) []T {
	if cap(list) == len(list) {
		return list
	}
	return append(make([]T, 0, len(list)), list...)
}

// sharedList is a list with the same texts, which others may have too. One that stands for fields that were applied
// is of its Import alone.
func sharedList(list []string) []string {
	if len(list) == 0 || len(list) == 1 && strings.HasPrefix(list[0], strippedOwned) {
		return exact(list)
	}
	return sharedLists.get(strings.Join(list, "\x00"), func() []string {
		texts := make([]string, len(list))
		for i, text := range list {
			texts[i] = shared(text)
		}
		return texts
	})
}

// mostCommon is how many different values of one kind are in memory once. Imports that have more of them than that
// share fewer.
const mostCommon = 512

// common are values that many Imports have, by a text that says all of them. It may be used from several
// goroutines.
type common[T any] struct {
	mu     sync.Mutex
	byText map[string]T
}

var (
	sharedLabels common[map[string]string]
	sharedLists  common[[]string]
)

// get returns the value that has this text, which is made if there is none.
func (c *common[T]) get(text string, value func() T) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.byText[text]; ok {
		return known
	}
	if c.byText == nil || len(c.byText) >= mostCommon {
		c.byText = map[string]T{}
	}
	c.byText[text] = value()
	return c.byText[text]
}

func shared(text string) string {
	if text == "" {
		return ""
	}
	return unique.Make(text).Value()
}

// Stripped reports whether an Import of the cache lacks something.
func Stripped(object *v1alpha1.Import) bool {
	return object.Spec.Definition.Raw == nil || StrippedStatus(&object.Status)
}

// StrippedStatus reports whether a status lacks the fields that were applied.
func StrippedStatus(state *v1alpha1.ImportStatus) bool {
	return len(state.OwnedFields) == 1 && strings.HasPrefix(state.OwnedFields[0], strippedOwned)
}

// errMoved: the API server has another version by now, whose event is on its way.
var errMoved = errors.New("the Import changed meanwhile")

// Whole reads an Import past the cache that the cache has stripped. The statuses, which are those that the
// cache has or what a reconcile has made of them, get the fields that were applied. It is a conflict when the
// API server has another object, one that declares something else, or one to which other fields were
// applied: the reconcile goes on with what the cache has then.
func Whole(ctx context.Context, live client.Reader, object *v1alpha1.Import, statuses ...*v1alpha1.ImportStatus) (*v1alpha1.Import, error) {
	whole := &v1alpha1.Import{}
	if err := live.Get(ctx, client.ObjectKeyFromObject(object), whole); err != nil {
		return nil, fmt.Errorf("read the definition of the Import: %w", err)
	}
	known := whole.Status.DeepCopy()
	StripStatus(known)
	moved := whole.UID != object.UID || whole.Generation != object.Generation
	for _, state := range statuses {
		moved = moved || StrippedStatus(state) && !slices.Equal(state.OwnedFields, known.OwnedFields)
	}
	if moved {
		return nil, apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("imports").GroupResource(), object.Name, errMoved)
	}
	for _, state := range statuses {
		if StrippedStatus(state) {
			SetOwned(state, Owned(&whole.Status))
		}
	}
	return whole, nil
}

// Outline is what is known of a document without the document: enough to say whether it was compared before.
func (d *Desired) Outline() *Desired {
	return &Desired{Marked: d.Marked, Hash: d.Hash, Secrets: d.Secrets, LeftOut: d.LeftOut, Mistakes: d.Mistakes, Warnings: d.Warnings}
}

// OutlineOf is the outline of the document that an Import was compared with last, as its status has it. It
// holds while the Import declares the same and inputs are the same: see Inputs.
func OutlineOf(object *v1alpha1.Import, inputs string) *Desired {
	state := &object.Status
	if state.DesiredHash == "" || state.InputsHash != inputs || state.ObservedGeneration != object.Generation {
		return nil
	}
	return &Desired{Hash: state.DesiredHash, LeftOut: state.IgnoredFields, Mistakes: state.Warnings}
}

// documentVersion changes when Desire makes another document of the same spec and the same inputs.
const documentVersion = "1"

// Inputs is a hash of all that a document is made of beside the spec of its Import.
func Inputs(marker string, aliases map[string]v1alpha1.ID, values []Value) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{documentVersion, fields.Version(), marker, versionsHash(values, aliases)}, "\n")))
	return hex.EncodeToString(sum[:12])
}
