// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/keyref"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// guard keeps out of a report what the operator keeps out of status and events. Those are redacted
// already when they are read. But an event, or the platform's audit log, may be older than the
// spec.valuesFrom that makes a value one that is not shown, and somebody may have copied it.
type guard struct {
	// texts are those of the Secrets and ConfigMaps that Imports and Accounts name.
	texts map[string]bool
	// hidden are the answers so far: most texts come again and again.
	hidden map[string]bool
	// blind are the Imports that have a value which cannot be read: none of their values is shown.
	blind map[client.ObjectKey]bool
	// byID are the Imports of the cluster by their remote import.
	byID map[string][]*v1alpha1.Import
}

func newGuard() *guard {
	return &guard{texts: map[string]bool{}, hidden: map[string]bool{}, blind: map[client.ObjectKey]bool{}, byID: map[string][]*v1alpha1.Import{}}
}

// Redactor returns a function that hides in texts of the platform about an Import what a report hides: texts of
// the Secrets and ConfigMaps that the Imports of its namespace name, and the tokens of the Accounts. Who may not
// list these objects has what the Import itself and its Account name.
func Redactor(ctx context.Context, reader client.Reader, object *v1alpha1.Import, account *v1alpha1.Account) func(string) string {
	g, within := newGuard(), client.InNamespace(object.Namespace)
	if err := each(ctx, reader, &v1alpha1.ImportList{}, func(page *v1alpha1.ImportList) {
		for i := range page.Items {
			g.learn(ctx, reader, page.Items[i].DeepCopy())
		}
	}, within); err != nil {
		g.learn(ctx, reader, object)
	}
	if err := each(ctx, reader, &v1alpha1.AccountList{}, func(page *v1alpha1.AccountList) {
		for i := range page.Items {
			g.learnToken(ctx, reader, &page.Items[i])
		}
	}, within); err != nil {
		g.learnToken(ctx, reader, account)
	}
	return g.text
}

// learn reads what an Import has from Secrets and ConfigMaps.
func (g *guard) learn(ctx context.Context, reader client.Reader, object *v1alpha1.Import) {
	for _, id := range ownership.NamedIDs(object) {
		g.byID[id] = append(g.byID[id], object)
	}
	values, err := definition.ReadValues(ctx, reader, object)
	if err != nil {
		g.blind[client.ObjectKeyFromObject(object)] = true
		return
	}
	for _, value := range values {
		g.add(value.Content)
	}
}

// learnToken reads the token of an Account.
func (g *guard) learnToken(ctx context.Context, reader client.Reader, account *v1alpha1.Account) {
	ref := account.Spec.TokenSecretRef
	keys := keyref.Reader{Live: reader, Namespace: account.Namespace}
	if content, _, err := keys.Read(ctx, keyref.Of(&v1alpha1.KeyReference{Name: ref.Name, Key: ref.Key}, nil)); err == nil {
		g.add(string(content))
	}
}

// add remembers the texts of a secret, as they are and as JSON writes them.
func (g *guard) add(secret any) {
	for _, text := range drift.SecretTexts(secret) {
		g.texts[text] = true
		for _, encode := range []func(any) ([]byte, error){drift.Encode, json.Marshal} {
			if encoded, err := encode(text); err == nil {
				g.texts[string(encoded[1:len(encoded)-1])] = true
			}
		}
	}
}

// hides reports whether a text contains one of a secret. All secrets have to be known before.
func (g *guard) hides(text string) bool {
	if hidden, known := g.hidden[text]; known {
		return hidden
	}
	for secret := range g.texts {
		if strings.Contains(text, secret) {
			g.hidden[text] = true
			return true
		}
	}
	g.hidden[text] = false
	return false
}

// text is a text of the cluster or of the platform as it may be shown.
func (g *guard) text(text string) string {
	if g.hides(text) {
		return drift.Text(drift.Redacted, 0)
	}
	return text
}

// note is the text of a condition or an event of an Import, which may have values.
func (g *guard) note(object client.ObjectKey, text string) string {
	if g.blind[object] && strings.Contains(text, "(declared ") {
		return drift.Text(drift.Redacted, 0)
	}
	return g.text(text)
}

// names are names of fields as they may be shown.
func (g *guard) names(fields []string) []string {
	shown := make([]string, len(fields))
	for i, field := range fields {
		shown[i] = g.text(field)
	}
	return shown
}

// differences are those of an Import's status as they may be shown. foreignShown is its Account's
// spec.foreignValues.
func (g *guard) differences(object *v1alpha1.Import, found []v1alpha1.Difference, foreignShown bool) []v1alpha1.Difference {
	var document map[string]any
	_ = json.Unmarshal(object.Spec.Definition.Raw, &document) // what is no object has no arrays
	id := ownership.RemoteID(object)
	foreign := drift.Foreign{Values: g.blind[client.ObjectKeyFromObject(object)]}
	for _, other := range g.byID[id] {
		for _, source := range other.Spec.ValuesFrom {
			foreign.Secrets = append(foreign.Secrets, source.Path)
		}
		own := ownership.ManagesByStatus(object, id)
		foreign.Values = foreign.Values || !own && !foreignShown && other.UID != object.UID && ownership.ManagesByStatus(other, id)
	}
	for _, source := range object.Spec.ValuesFrom {
		foreign.Secrets = append(foreign.Secrets, source.Path)
	}
	slices.Sort(foreign.Secrets)
	foreign.Secrets = slices.Compact(foreign.Secrets)
	shown := make([]v1alpha1.Difference, 0, len(found))
	for _, difference := range found {
		one := drift.Difference{Path: difference.Path}
		if difference.Declared != "" {
			one.Declared = difference.Declared
		}
		if difference.Remote != "" {
			one.Remote = difference.Remote
		}
		one = drift.RedactForeign([]drift.Difference{one}, document, foreign)[0]
		shown = append(shown, v1alpha1.Difference{
			Path: g.text(one.Path), Declared: g.value(one.Declared, g.blind[client.ObjectKeyFromObject(object)]), Remote: g.value(one.Remote, false),
		})
	}
	return shown
}

// value is a value of a difference as it may be shown. hidden hides it whatever it is.
func (g *guard) value(value any, hidden bool) string {
	text, ok := value.(string)
	switch {
	case value == nil:
		return ""
	case !ok, hidden:
		return drift.Text(drift.Redacted, 0)
	default:
		return g.text(text)
	}
}
