// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package definition makes the desired document of an Import from the object and what it refers
// to: aliases of the Account, and values of Secrets and ConfigMaps.
package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Bounds of status.ownedFields, as the CRD has them.
const (
	// MaxOwnedFields is how many fields can be tracked.
	MaxOwnedFields = 4096
	// MaxPath is how long the path of a field may be, in bytes.
	MaxPath = 512
)

const externalIDField = "externalId"

// Desired is the document that the remote import is to have.
type Desired struct {
	// Document is complete: with the values, resolved aliases, and an externalId.
	Document map[string]any
	// Marked: externalId is the ownership marker, because the user declares none.
	Marked bool
	// Hash changes when anything declared does: it is a hash of the document without the values of
	// spec.valuesFrom and, after a dot, one of the versions of these.
	Hash string
	// Fields are the JSON pointers of what the document declares, Secrets those of the values.
	Fields, Secrets []string
	// Warnings are about what can be sent, and is most likely not what was meant.
	Warnings []Warning

	origins origins
}

// Name is the declared name, "" when the definition could not be resolved.
func (d *Desired) Name() string { return d.text("name") }

// ExternalID is the declared externalId or the ownership marker, "" when the definition could not
// be resolved, or when the marker is left out of it.
func (d *Desired) ExternalID() string { return d.text("externalId") }

func (d *Desired) text(field string) string {
	if d == nil {
		return ""
	}
	value, _ := d.Document[field].(string)
	return value
}

// ValuesAreMasked reports whether a value of spec.valuesFrom goes where the API masks it.
func (d *Desired) ValuesAreMasked() bool {
	return slices.ContainsFunc(d.Secrets, func(path string) bool { return drift.Touches(path, drift.WriteOnly) })
}

// DeclaresWriteOnly reports whether a field is declared that the API masks in its responses.
func (d *Desired) DeclaresWriteOnly() bool {
	return slices.ContainsFunc(drift.WriteOnly, func(path string) bool { return drift.Has(d.Document, path) })
}

// Desire makes the desired document: the definition with the values laid over it and its aliases
// resolved, and the ownership marker where the user declares no externalId. Its errors are
// problems, and none of them repeats a value.
func Desire(object *v1alpha1.Import, marker, accountName string, aliases map[string]v1alpha1.ID, values []Value) (*Desired, error) {
	document, err := drift.Parse(object.Spec.Definition.Raw)
	if err != nil {
		return nil, problem.Terminalf(v1alpha1.ReasonInvalidDefinition, "spec.definition is %v", err)
	}
	if err := refuseServerOwned(document); err != nil {
		return nil, err
	}
	d := &Desired{Document: document, origins: originsOf(accountName, values)}
	if err := d.reserve(values); err != nil {
		return nil, err
	}
	d.Warnings = warnings(document, values)
	known := resolver{account: accountName, aliases: aliases, secrets: d.Secrets, resolved: d.origins.aliases}
	if err := known.resolve("", document); err != nil {
		return nil, err
	}
	externalID, _ := document[externalIDField].(string)
	if d.Marked = externalID == ""; d.Marked {
		document[externalIDField] = marker
	}
	// The hash is made before the values are filled in: nobody can guess values and check the
	// guesses against it.
	if d.Hash, err = hashOf(object, document); err != nil {
		return nil, err
	}
	if len(values) > 0 {
		d.Hash += "." + versionsHash(values, aliases)
	}
	if err := d.fill(values); err != nil {
		return nil, err
	}
	if err := known.resolve("", document); err != nil {
		return nil, err
	}
	d.Fields = drift.Fields(document)
	if err := d.checkFields(); err != nil {
		return nil, err
	}
	return d, nil
}

// hashOf is the hash of what an Import declares, without the values of spec.valuesFrom. spec.adopt is
// no part of it: that it is taken away later declares nothing new.
func hashOf(object *v1alpha1.Import, document map[string]any) (string, error) {
	encoded, err := json.Marshal(document)
	if err != nil {
		return "", fmt.Errorf("encode the definition: %w", err)
	}
	if ownership.Observes(object) {
		encoded = append(encoded, v1alpha1.ManagementPolicyObserve...)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:16]), nil
}

// OnlyVersionsChanged reports whether two hashes are of the same declaration with values, so that
// at most the versions of the Secrets and ConfigMaps differ, or the aliases.
func OnlyVersionsChanged(beforeHash, nowHash string) bool {
	before, _, had := strings.Cut(beforeHash, ".")
	now, _, has := strings.Cut(nowHash, ".")
	return before == now && had && has
}

// SameVersions reports whether two hashes are of the same versions of the values and aliases.
func SameVersions(beforeHash, nowHash string) bool {
	_, before, had := strings.Cut(beforeHash, ".")
	_, now, has := strings.Cut(nowHash, ".")
	return before == now && had && has
}

// checkFields refuses what status cannot hold. A path that is so long and comes from a Secret may
// contain anything, so it is not repeated.
func (d *Desired) checkFields() error {
	if len(d.Fields) > MaxOwnedFields {
		return problem.Terminalf(v1alpha1.ReasonInvalidDefinition, "spec.definition has %d fields outside arrays, more than the %d that can be tracked", len(d.Fields), MaxOwnedFields)
	}
	i := slices.IndexFunc(d.Fields, func(field string) bool { return len(field) > MaxPath })
	switch {
	case i < 0:
		return nil
	case drift.Under(d.Fields[i], d.Secrets):
		return problem.Terminalf(v1alpha1.ReasonInvalidValue, "spec.valuesFrom has a value with a field whose path is longer than %d bytes", MaxPath)
	default:
		return problem.Terminalf(v1alpha1.ReasonInvalidDefinition, "spec.definition has a field whose path is longer than %d bytes: %s", MaxPath, drift.Cut(d.Fields[i], 100))
	}
}

// WithoutMarker returns the desired document without an externalId. The documents share what is
// below their top level.
func (d *Desired) WithoutMarker() *Desired {
	without := *d
	without.Document = maps.Clone(d.Document)
	delete(without.Document, externalIDField)
	without.Fields = slices.DeleteFunc(slices.Clone(d.Fields), func(path string) bool { return path == "/"+externalIDField })
	return &without
}

func refuseServerOwned(document map[string]any) error {
	var found []string
	for _, field := range drift.ServerOwned {
		if _, ok := document[field]; ok {
			found = append(found, field)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return problem.Terminalf(v1alpha1.ReasonInvalidDefinition, "spec.definition declares %s, which the server sets itself: remove it from the definition", strings.Join(found, ", "))
}
