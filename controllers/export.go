// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/export"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// maxManifest is about what the Kubernetes API takes of one object, status included.
const maxManifest = 1 << 20

// Exporter prints the imports that exist in an Account's account as Import manifests. It
// only reads, from both sides.
type Exporter struct {
	// Reader reads the Account, its Secret and the Imports with the caller's own rights.
	Reader client.Reader
	// Account is the Account's namespace and name.
	Account types.NamespacedName
	// Adopt makes manifests that take over the imports; otherwise they make copies.
	Adopt bool
	// AllowedHosts are the hosts that the Account's baseURL may name.
	AllowedHosts []string
	// AllowHTTP permits base URLs without TLS and on the machine itself, for tests and demos.
	AllowHTTP bool
	// AllowPrivate permits hosts with addresses of private networks.
	AllowPrivate bool

	// Out gets YAML documents, each begun by "---", one write for each.
	Out io.Writer
	// Note is told, in a line each, what is passed over and what needs a look.
	Note func(string)
	// Progress is told after each import how many of how many are done.
	Progress func(done, total int)
}

// exportScope is what one export knows.
type exportScope struct {
	account v1alpha1.Account
	remote  *integrator.Client
	names   *export.Names
	known   inCluster
	total   int
}

// inCluster is which imports the cluster's Imports manage.
type inCluster struct {
	// byID and byMark name the Import that manages an import, or says so by the mark.
	byID, byMark map[string]types.NamespacedName
	// names are those of the Imports in the Account's namespace, named those by the id of the
	// one import that each has.
	names []string
	named map[string]string
}

// Run exports. It ends at the first error; what was printed before stands.
func (e *Exporter) Run(ctx context.Context) error {
	var s exportScope
	if err := e.connect(ctx, &s); err != nil {
		return err
	}
	defer s.remote.Close()
	if err := e.look(ctx, &s); err != nil {
		return err
	}
	if err := e.name(ctx, &s); err != nil {
		return err
	}
	return e.print(ctx, &s)
}

// connect reads the Account and its token, by the same rules as the operator does.
func (e *Exporter) connect(ctx context.Context, s *exportScope) error {
	err := e.Reader.Get(ctx, e.Account, &s.account)
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("there is no Account %q in namespace %q: name another with --account or --namespace", e.Account.Name, e.Account.Namespace)
	}
	if err != nil {
		return fmt.Errorf("read Account %s: %w", e.Account.Name, err)
	}
	if s.account.Spec.Suspend {
		return fmt.Errorf("Account %q has spec.suspend: no call may be made for it", e.Account.Name) //nolint:staticcheck // Account is the kind's name
	}
	rules := AccountReconciler{Live: e.Reader, AllowedHosts: e.AllowedHosts}
	if err := rules.checkHost(s.account.Spec.BaseURL); err != nil {
		return plainly(err)
	}
	token, _, err := rules.token(ctx, &s.account)
	if err != nil {
		return plainly(err)
	}
	spec := s.account.Spec
	s.remote, err = integrator.New(integrator.Config{
		BaseURL: spec.BaseURL, Token: token, AllowHTTP: e.AllowHTTP, AllowPrivate: e.AllowPrivate,
		Limiter: integrator.NewLimiter(float64(spec.RequestsPerSecond), int(spec.RequestsPerSecond), int(spec.MaxInFlight)),
	})
	return err
}

// plainly is an error as a person at a terminal needs it: without the condition's reason, and
// without the promise that it is tried again, which nobody does here.
func plainly(err error) error {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		return err
	}
	message := p.message
	for _, promise := range []string{", it is tried again by itself", "; it is tried again by itself", "; it goes on by itself when the API permits"} {
		message = strings.ReplaceAll(message, promise, "")
	}
	return errors.New(message)
}

// look finds out which imports are managed already. Who may not list all namespaces sees
// those of the Account's.
func (e *Exporter) look(ctx context.Context, s *exportScope) error {
	s.known = inCluster{byID: map[string]types.NamespacedName{}, byMark: map[string]types.NamespacedName{}, named: map[string]string{}}
	err := e.lookIn(ctx, s)
	if apierrors.IsForbidden(err) {
		e.Note("Imports of other namespaces cannot be listed; those that are managed from there are not recognised")
		err = e.lookIn(ctx, s, client.InNamespace(e.Account.Namespace))
	}
	if err != nil {
		return fmt.Errorf("list the Imports: %w", err)
	}
	return nil
}

func (e *Exporter) lookIn(ctx context.Context, s *exportScope, options ...client.ListOption) error {
	var page v1alpha1.ImportList
	for {
		if err := e.Reader.List(ctx, &page, append(options, client.Limit(200), client.Continue(page.Continue))...); err != nil {
			return err
		}
		for i := range page.Items {
			s.known.add(&page.Items[i], e.Account.Namespace)
		}
		if page.Continue == "" {
			return nil
		}
	}
}

func (k *inCluster) add(object *v1alpha1.Import, namespace string) {
	key := client.ObjectKeyFromObject(object)
	k.byMark[marker(object)] = key
	ids := []string{object.Status.ID, object.Annotations[v1alpha1.AnnotationID]}
	if object.Spec.Adopt != nil {
		ids = append(ids, string(object.Spec.Adopt.ID))
	}
	for _, id := range ids {
		if _, known := k.byID[id]; id != "" && !known {
			k.byID[id] = key
		}
	}
	if object.Namespace != namespace {
		return
	}
	k.names = append(k.names, object.Name)
	if id := remoteID(object); id != "" {
		k.named[id] = object.Name
	}
}

// name gives every import its name before the first is printed: those that are managed keep
// that of their Import, the others get theirs in the order of their creation.
func (e *Exporter) name(ctx context.Context, s *exportScope) error {
	s.names = export.NewNames()
	for _, name := range s.known.names {
		s.names.Reserve(name)
	}
	for id, name := range s.known.named {
		s.names.Fix(id, name)
	}
	var all []integrator.Import
	for document, err := range s.remote.ListImports(ctx, integrator.ListOptions{Include: []string{"createdAt"}, Patient: true}) {
		if err != nil {
			return plainly(asError(classify(err, "list the imports"), err))
		}
		all = append(all, integrator.Import{ID: document.ID, Name: document.Name, CreatedAt: document.CreatedAt})
	}
	slices.SortFunc(all, func(a, b integrator.Import) int {
		return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, document := range all {
		s.names.Of(document.ID, document.Name)
	}
	s.total = len(all)
	return nil
}

// print writes one document after the other, as the pages come.
func (e *Exporter) print(ctx context.Context, s *exportScope) error {
	options := export.Options{Account: e.Account.Name, Aliases: s.account.Spec.Aliases, Adopt: e.Adopt}
	done, printed := 0, 0
	for document, err := range s.remote.ListImports(ctx, integrator.ListOptions{Patient: true}) {
		if err != nil {
			return plainly(asError(classify(err, "list the imports"), err))
		}
		done++
		if why := e.passOver(s, document); why != "" {
			e.Note(fmt.Sprintf("passed over %s: %s", called(document), why))
		} else {
			manifest, err := export.Make(document.Raw, s.names.Of(document.ID, document.Name), options)
			if err != nil {
				return fmt.Errorf("%s: %w", called(document), err)
			}
			if _, err := e.Out.Write(append([]byte("---\n"), manifest.YAML...)); err != nil {
				return fmt.Errorf("write the manifests: %w", err)
			}
			printed++
			e.warn(document, manifest)
		}
		if e.Progress != nil {
			e.Progress(done, max(done, s.total))
		}
	}
	e.Note(fmt.Sprintf("exported %d of %d imports", printed, done))
	return nil
}

// passOver says why an import gets no manifest, "" when it does.
func (e *Exporter) passOver(s *exportScope, document integrator.Import) string {
	owner, managed := s.known.byID[document.ID]
	if !managed {
		owner, managed = s.known.byMark[document.ExternalID]
	}
	switch {
	case document.ConnectorID != "":
		return "it belongs to an integration app, which updates it"
	case !e.Adopt:
		return ""
	case managed:
		return fmt.Sprintf("Import %s in namespace %s manages it", owner.Name, owner.Namespace)
	case strings.HasPrefix(document.ExternalID, v1alpha1.MarkerPrefix):
		return "it carries the mark of an Import that is not to be seen here; if that is gone, adopt it with mode Override"
	default:
		return ""
	}
}

// warn tells of a manifest that the cluster would not take as it is.
func (e *Exporter) warn(document integrator.Import, manifest export.Manifest) {
	if len(manifest.YAML) > maxManifest {
		e.Note(fmt.Sprintf("%s is larger than Kubernetes takes: leave out what is large, such as sampleData", called(document)))
	}
	fields := drift.Fields(manifest.Definition)
	if len(fields) > maxOwnedFields {
		e.Note(fmt.Sprintf("%s has more fields than the %d that can be tracked: leave some out, such as sampleData", called(document), maxOwnedFields))
	}
	if i := slices.IndexFunc(fields, func(field string) bool { return len(field) > maxPath }); i >= 0 {
		e.Note(fmt.Sprintf("%s has a path longer than %d bytes, which cannot be tracked: %s", called(document), maxPath, drift.Cut(fields[i], 100)))
	}
}

// called is an import in a line of text.
func called(document integrator.Import) string {
	return fmt.Sprintf("import %s (%q)", document.ID, drift.Cut(document.Name, 80))
}
