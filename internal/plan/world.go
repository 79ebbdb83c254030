// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/admission"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
)

// key names an object of one of the project's kinds.
type key struct {
	kind string
	types.NamespacedName
}

// entry is one manifest on its way through the plan.
type entry struct {
	manifest Manifest
	key      key
	// generated: the name is one that the API server would make.
	generated bool
	// refused is what an API server would refuse it for.
	refused []string
	// old is what the cluster has, nil if it has nothing. changed: the manifest has another spec.
	old     *unstructured.Unstructured
	changed bool
	// typed is the object as it is put into memory, nil if it is refused.
	typed client.Object
}

// world is the copy of the cluster in memory, and the reconcilers that work on it.
type world struct {
	options    Options
	kinds      *admission.Kinds
	entries    []*entry
	notes      []string
	namespaces []string
	// others are the objects of the cluster that are not among the manifests, by kind and name.
	others map[key]client.Object
	// deleted are those of the others that would be deleted.
	deleted []*v1alpha1.Import
	live    *liveReader
	engine  *engine
}

func newWorld(ctx context.Context, manifests []Manifest, options Options) (*world, error) {
	kinds, err := admission.Load()
	if err != nil {
		return nil, err
	}
	w := &world{options: options, kinds: kinds, others: map[key]client.Object{}}
	w.live = &liveReader{cluster: options.Cluster, token: options.Account.Token, given: map[key]client.Object{}}
	seen := map[key]string{}
	for _, manifest := range manifests {
		e, err := w.enter(ctx, manifest)
		if err != nil {
			return nil, err
		}
		if e == nil {
			continue
		}
		if first, twice := seen[e.key]; twice {
			e.refused = append(e.refused, fmt.Sprintf("%s declares the same object: remove one of them", cmp.Or(first, "another manifest")))
			e.typed = nil
		}
		seen[e.key] = manifest.Source
		w.entries = append(w.entries, e)
	}
	w.namespaces = w.namespacesOf()
	if err := w.readOthers(ctx); err != nil {
		return nil, err
	}
	w.standIn()
	return w, w.start(ctx)
}

// enter judges one manifest. Secrets and ConfigMaps are remembered as sources; other kinds have no
// entry.
func (w *world) enter(ctx context.Context, manifest Manifest) (*entry, error) {
	object := manifest.Object.DeepCopy()
	object.SetNamespace(cmp.Or(object.GetNamespace(), w.options.Namespace))
	if !w.kinds.Knows(object.GroupVersionKind()) {
		return nil, w.live.give(object)
	}
	made := object.GetName() == "" && object.GetGenerateName() != ""
	if made { // the API server makes the rest of the name
		object.SetName(fmt.Sprintf("%s%05d", object.GetGenerateName(), len(w.entries)))
	}
	e := &entry{manifest: manifest, generated: made, key: key{object.GetKind(), types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}}}
	var err error
	// A name that no object can have is refused below.
	if !made && len(apivalidation.NameIsDNSSubdomain(object.GetName(), false)) == 0 {
		if e.old, err = w.read(ctx, object); err != nil {
			return nil, fmt.Errorf("read %s %s: %w", object.GetKind(), e.key.NamespacedName, err)
		}
	}
	if object, err = merge(object, e.old); err != nil {
		return nil, err
	}
	admitted, refused := w.kinds.Admit(object, e.old)
	if e.refused = refused; len(refused) > 0 {
		return e, nil
	}
	e.changed = e.old == nil || !equality.Semantic.DeepEqual(e.old.Object["spec"], admitted.Object["spec"])
	applied(admitted, e.old, e.changed)
	e.typed, err = typed(admitted)
	return e, err
}

// read returns the object that the cluster has, nil if it has none.
func (w *world) read(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if w.options.Cluster == nil {
		return nil, nil //nolint:nilnil // nothing is there
	}
	old := &unstructured.Unstructured{}
	old.SetGroupVersionKind(object.GroupVersionKind())
	err := w.options.Cluster.Get(ctx, client.ObjectKeyFromObject(object), old)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // nothing is there
	}
	return old, err
}

// applied gives the object what it has after it was applied: the metadata and the status of the old
// one, or those of a new one.
func applied(object, old *unstructured.Unstructured, changed bool) {
	if old == nil {
		object.SetUID(types.UID(uuid.NewString()))
		object.SetGeneration(1)
		object.SetCreationTimestamp(metav1.Now())
		return
	}
	annotations, labels := old.GetAnnotations(), old.GetLabels()
	object.SetAnnotations(merged(annotations, object.GetAnnotations()))
	object.SetLabels(merged(labels, object.GetLabels()))
	object.SetUID(old.GetUID())
	object.SetFinalizers(old.GetFinalizers())
	object.SetCreationTimestamp(old.GetCreationTimestamp())
	object.SetDeletionTimestamp(old.GetDeletionTimestamp())
	object.SetGeneration(old.GetGeneration())
	if changed {
		object.SetGeneration(old.GetGeneration() + 1)
	}
	if status, ok := old.Object["status"]; ok {
		object.Object["status"] = runtime.DeepCopyJSONValue(status)
	}
}

func merged(old, declared map[string]string) map[string]string {
	all := maps.Clone(old)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, declared)
	return all
}

// typed is the object in the type of its kind.
func typed(object *unstructured.Unstructured) (client.Object, error) {
	made, err := scheme.All().New(object.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	result := made.(client.Object)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, result); err != nil {
		return nil, fmt.Errorf("read %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	result.SetResourceVersion("")
	if object, ok := result.(*v1alpha1.Import); ok {
		dryRun(object)
	}
	return result, nil
}

// dryRun has the operator plan for the Import, and write nothing.
func dryRun(object *v1alpha1.Import) {
	object.Annotations = merged(object.Annotations, map[string]string{v1alpha1.AnnotationDryRun: "true"})
	object.Status.Plan = nil
}

// namespacesOf are the namespaces of the manifests.
func (w *world) namespacesOf() []string {
	found := sets.New[string]()
	for _, e := range w.entries {
		found.Insert(e.key.Namespace)
	}
	return sets.List(found)
}

// readOthers reads what the cluster has besides the manifests: the Imports, because they may have what
// a manifest asks for, and the Accounts of the manifests' namespaces. Who may not list all namespaces
// sees the Imports of these.
func (w *world) readOthers(ctx context.Context) error {
	if w.options.Cluster == nil {
		return nil
	}
	err := w.listImports(ctx)
	if apierrors.IsForbidden(err) {
		w.notes = append(w.notes, "Imports of other namespaces cannot be listed: what is managed from there is not recognised")
		err = w.eachNamespace(func(namespace string) error { return w.listImports(ctx, client.InNamespace(namespace)) })
	}
	if err != nil {
		return fmt.Errorf("list the Imports: %w", err)
	}
	return w.eachNamespace(func(namespace string) error {
		var accounts v1alpha1.AccountList
		if err := w.options.Cluster.List(ctx, &accounts, client.InNamespace(namespace)); err != nil {
			return fmt.Errorf("list the Accounts: %w", err)
		}
		for i := range accounts.Items {
			w.other("Account", &accounts.Items[i])
		}
		return nil
	})
}

func (w *world) eachNamespace(do func(namespace string) error) error {
	for _, namespace := range w.namespaces {
		if err := do(namespace); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) listImports(ctx context.Context, options ...client.ListOption) error {
	var page v1alpha1.ImportList
	for {
		if err := w.options.Cluster.List(ctx, &page, append(options, client.Limit(200), client.Continue(page.Continue))...); err != nil {
			return err
		}
		for i := range page.Items {
			w.other("Import", page.Items[i].DeepCopy())
		}
		if page.Continue == "" {
			return nil
		}
	}
}

// other remembers an object of the cluster, unless a manifest declares it. A refused manifest leaves
// the object as it is.
func (w *world) other(kind string, object client.Object) {
	at := key{kind, client.ObjectKeyFromObject(object)}
	if !slices.ContainsFunc(w.entries, func(e *entry) bool { return e.key == at && e.typed != nil }) {
		object.SetResourceVersion("")
		w.others[at] = object
	}
}

// standIn makes the Accounts that Imports name and that are nowhere, if the options have one.
func (w *world) standIn() {
	if w.options.Account.Token == "" || w.options.Account.BaseURL == "" {
		if w.options.Cluster == nil {
			w.notes = append(w.notes, "no cluster is read, and no token is given: only Accounts whose Secrets are among the manifests can be used; see --token-file")
		}
		return
	}
	known := sets.KeySet(w.others)
	for _, e := range w.entries {
		known.Insert(e.key)
	}
	for _, e := range w.entries {
		object, ok := e.typed.(*v1alpha1.Import)
		at := key{"Account", types.NamespacedName{Namespace: e.key.Namespace}}
		if ok {
			at.Name = object.Spec.AccountRef.Name
		}
		if !ok || known.Has(at) {
			continue
		}
		made := &v1alpha1.Account{}
		made.Namespace, made.Name, made.UID, made.Generation = at.Namespace, at.Name, types.UID(uuid.NewString()), 1
		made.Spec = v1alpha1.AccountSpec{BaseURL: w.options.Account.BaseURL, Aliases: w.options.Account.Aliases,
			TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token", Key: "token"}}
		w.others[at] = made
		known.Insert(at)
	}
}

// liveReader reads Secrets and ConfigMaps: those of the manifests, then those of the cluster.
type liveReader struct {
	client.Reader
	cluster client.Reader
	token   string
	given   map[key]client.Object
}

// give remembers a Secret or ConfigMap of the manifests.
func (l *liveReader) give(object *unstructured.Unstructured) error {
	if object.GroupVersionKind().Group != "" || object.GetKind() != "Secret" && object.GetKind() != "ConfigMap" {
		return nil
	}
	made, err := typed(object)
	if err != nil {
		return err
	}
	if secret, ok := made.(*corev1.Secret); ok {
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		for name, text := range secret.StringData {
			secret.Data[name] = []byte(text)
		}
	}
	l.given[key{object.GetKind(), client.ObjectKeyFromObject(object)}] = made
	return nil
}

// Get reads an object. Secrets and ConfigMaps have no place in memory.
func (l *liveReader) Get(ctx context.Context, name types.NamespacedName, into client.Object, options ...client.GetOption) error {
	kind := ""
	switch into.(type) {
	case *corev1.Secret:
		kind = "Secret"
	case *corev1.ConfigMap:
		kind = "ConfigMap"
	default:
		return l.Reader.Get(ctx, name, into, options...)
	}
	if given, ok := l.given[key{kind, name}]; ok {
		return copyInto(given, into)
	}
	var err error = apierrors.NewNotFound(corev1.Resource(kind), name.Name)
	if l.cluster != nil {
		err = l.cluster.Get(ctx, name, into, options...)
	}
	if secret, ok := into.(*corev1.Secret); ok && err != nil && l.token != "" {
		secret.Data = map[string][]byte{"token": []byte(l.token)}
		return nil
	}
	return err
}

func copyInto(from, into client.Object) error {
	switch into := into.(type) {
	case *corev1.Secret:
		from.(*corev1.Secret).DeepCopyInto(into)
	case *corev1.ConfigMap:
		from.(*corev1.ConfigMap).DeepCopyInto(into)
	}
	return nil
}
