// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/export"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/integrator/limit"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// maxManifest is about how much the Kubernetes API accepts of one object, status included.
const maxManifest = 1 << 20

// exporter prints the imports that exist in an Account's account as Import manifests. It only reads,
// from both sides. What a manifest says is decided in internal/export.
type exporter struct {
	// reader reads the Account, its Secret and the Imports with the permissions of the caller.
	reader client.Reader
	// account is the Account's namespace and name.
	account types.NamespacedName
	// adopt makes manifests that take over the imports; otherwise they make copies.
	adopt bool
	// byExternalID names what is taken over by its externalId where that is unique.
	byExternalID bool
	// allowedHosts are the hosts that the Account's baseURL may name.
	allowedHosts []string
	// network says how the API is called; it has neither base URL nor token.
	network integrator.Config

	// out gets the manifests.
	out output
	// note gets a line for everything that is skipped or has to be checked.
	note func(string)
	// progress gets after each import how many of how many are done; it may be nil.
	progress func(done, total int)
}

// scope is what one export knows.
type scope struct {
	account v1alpha1.Account
	remote  *integrator.Client
	names   *export.Names
	known   inCluster
	total   int
	// externalIDs counts the imports of each externalId.
	externalIDs map[string]int
}

// run exports. It ends at the first error; what was printed before stands.
func (e *exporter) run(ctx context.Context) error {
	var s scope
	if err := e.connect(ctx, &s); err != nil {
		return err
	}
	defer s.remote.Close()
	if err := e.readCluster(ctx, &s); err != nil {
		return err
	}
	if err := e.name(ctx, &s); err != nil {
		return err
	}
	return e.print(ctx, &s)
}

// connect reads the Account and its token, under the same rules as the operator.
func (e *exporter) connect(ctx context.Context, s *scope) (err error) {
	s.remote, err = Connect(ctx, e.reader, e.account, &s.account, e.allowedHosts, e.network)
	return err
}

// Connect reads an Account and its token, under the same rules as the operator, and returns a client for
// it. hosts are those that the Account's baseURL may name; network has neither base URL nor token.
func Connect(ctx context.Context, reader client.Reader, name types.NamespacedName, object *v1alpha1.Account, hosts []string, network integrator.Config) (*integrator.Client, error) {
	err := reader.Get(ctx, name, object)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("there is no Account %q in namespace %q: name another with --account or --namespace", name.Name, name.Namespace)
	}
	if err != nil {
		return nil, fmt.Errorf("read Account %s: %w", name.Name, err)
	}
	spec := object.Spec
	if spec.Suspend {
		return nil, fmt.Errorf("Account %q has spec.suspend: no call may be made for it", name.Name) //nolint:staticcheck // Account is the kind's name
	}
	if err := account.CheckHost(hosts, network.AllowHTTP, spec.BaseURL); err != nil {
		return nil, plainly(err)
	}
	token, _, err := account.ReadToken(ctx, reader, object)
	if err != nil {
		return nil, plainly(err)
	}
	trust, err := account.ReadTrust(ctx, reader, object)
	if err != nil {
		return nil, plainly(err)
	}
	network.BaseURL, network.Token, network.AccountCAs = spec.BaseURL, token, trust.Roots
	network.Limiter = limit.New(float64(spec.RequestsPerSecond), int(spec.RequestsPerSecond), int(spec.MaxInFlight))
	return integrator.New(network)
}

// plainly is an error as a person at a terminal needs it: without the reason, which is for
// conditions, without the promise of a retry, which an export does not keep, and with flags for the
// command that was run.
func plainly(err error) error {
	p := problem.As(err)
	if p == nil {
		return err
	}
	message := p.Message()
	for _, promise := range []string{"; it will be retried when the API permits", "; it will be retried"} {
		message = strings.ReplaceAll(message, promise, "")
	}
	return errors.New(strings.ReplaceAll(message, "start the operator with", "run the export with"))
}

// name gives every import its name before the first is printed: those that are managed keep the
// name of their Import, the others get names in the order of their creation.
func (e *exporter) name(ctx context.Context, s *scope) error {
	s.names = export.NewNames()
	for _, name := range s.known.names {
		s.names.Reserve(name)
	}
	for id, name := range s.known.named {
		s.names.Fix(id, name)
	}
	var all []integrator.Import
	s.externalIDs = map[string]int{}
	for document, err := range s.remote.ListImports(ctx, integrator.ListOptions{Include: []string{"createdAt", "externalId"}, UnlimitedWait: true}) {
		if err != nil {
			return plainly(problem.Wrap(err, "list the imports"))
		}
		s.externalIDs[document.ExternalID]++
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
func (e *exporter) print(ctx context.Context, s *scope) error {
	options := export.Options{Account: e.account.Name, Aliases: s.account.Spec.Aliases}
	done, printed := 0, 0
	for document, err := range s.remote.ListImports(ctx, integrator.ListOptions{UnlimitedWait: true}) {
		if err != nil {
			return plainly(problem.Wrap(err, "list the imports"))
		}
		done++
		if why := e.skip(s, document); why != "" {
			e.note(fmt.Sprintf("skipped %s: %s", called(document), why))
		} else {
			name := s.names.Of(document.ID, document.Name)
			manifest, err := export.Make(document.Raw, name, e.adoption(s, document, options))
			if err != nil {
				return fmt.Errorf("%s: %w", called(document), err)
			}
			if err := e.out.manifest(name, manifest.YAML); err != nil {
				return err
			}
			printed++
			e.warn(document, manifest)
		}
		if e.progress != nil {
			e.progress(done, max(done, s.total))
		}
	}
	if err := e.out.end(&s.account); err != nil {
		return err
	}
	e.note(fmt.Sprintf("exported %d of %d imports", printed, done))
	return nil
}

// skip says why an import gets no manifest, and how to bring it in; "" when it gets one.
func (e *exporter) skip(s *scope, document integrator.Import) string {
	manager, managed := s.known.managed[document.ID]
	wanting, wanted := s.known.wanted[document.ID]
	_, _, marked := s.known.markedFor(document.ExternalID)
	switch {
	case document.ConnectorID != "":
		return "it belongs to an integration app, which updates it; it cannot be managed here"
	case !e.adopt:
		return ""
	case managed:
		return fmt.Sprintf("Import %s in namespace %s manages it", manager.Name, manager.Namespace)
	case wanted:
		return fmt.Sprintf("Import %s in namespace %s names it and does not manage it; see the conditions of that Import", wanting.Name, wanting.Namespace)
	case ownership.IsMarker(document.ExternalID) && !marked:
		return fmt.Sprintf("it has the ownership marker of an Import that is not found here (externalId %s); if no other cluster manages it, adopt it: spec.adopt with id %s and mode Override", drift.Cut(document.ExternalID, 64), document.ID)
	default:
		return ""
	}
}

// adoption is how the manifest of an import takes it over. An import with the marker of an Import
// here that manages another one is a clone, or was restored: it has to be adopted with Override.
func (e *exporter) adoption(s *scope, document integrator.Import, options export.Options) export.Options {
	if !e.adopt {
		return options
	}
	options.Adopt = v1alpha1.AdoptionModeMatch
	if owner, id, ok := s.known.markedFor(document.ExternalID); ok {
		options.Adopt = v1alpha1.AdoptionModeOverride
		e.note(fmt.Sprintf("%s has the ownership marker of Import %s in namespace %s, which manages %s: it is a clone, or was restored; its manifest adopts it with mode Override",
			called(document), owner.Name, owner.Namespace, cmp.Or(id, "no import yet")))
		return options
	}
	options.ByExternalID = e.byExternalID && s.externalIDs[document.ExternalID] == 1 && document.ExternalID != ""
	if e.byExternalID && !options.ByExternalID {
		e.note(called(document) + " has no externalId that is its own: its manifest names it by id, which other accounts do not have")
	}
	return options
}

// warn notes that the cluster would not accept a manifest as it is.
func (e *exporter) warn(document integrator.Import, manifest export.Manifest) {
	if len(manifest.YAML) > maxManifest {
		e.note(fmt.Sprintf("%s is larger than Kubernetes accepts: leave out large fields, such as sampleData", called(document)))
	}
	if untracked := drift.Track(drift.Fields(manifest.Definition), nil).Untracked; untracked > 0 {
		e.note(fmt.Sprintf("%s has %d more fields than status can record: these would stay on the platform when they are removed from its manifest", called(document), untracked))
	}
}

// called names an import in a line of text.
func called(document integrator.Import) string {
	return fmt.Sprintf("import %s (%q)", document.ID, drift.Cut(document.Name, 80))
}
