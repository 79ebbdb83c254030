// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-openapi/jsonpointer"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

const (
	reasonInvalidDefinition = "InvalidDefinition"
	reasonUnknownAlias      = "UnknownAlias"
)

// What is known of the document's fields, shared with the other packages.
var (
	serverOwned = drift.ServerOwned
	writeOnly   = drift.WriteOnly
	idField     = drift.IDField
)

// desired is the document that the remote import is held to.
type desired struct {
	document map[string]any
	// marked tells that externalId is our mark, for want of a declared one.
	marked bool
	// hash tells whether anything declared changed: of the document without the values of
	// spec.valuesFrom and, after a dot, of the versions of these.
	hash string
	// fields are the JSON pointers of what the document declares, secrets those of the values.
	fields, secrets []string
}

// desire makes the desired document: the definition with the values laid over it and its
// aliases resolved, and the operator's mark where the user declares no externalId.
func desire(object *v1alpha1.Import, accountName string, ids map[string]v1alpha1.ID, values []value) (*desired, error) {
	document, err := drift.Parse(object.Spec.Definition.Raw)
	if err != nil {
		return nil, terminalf(reasonInvalidDefinition, "spec.definition is %v", err)
	}
	if err := refuseServerOwned(document); err != nil {
		return nil, err
	}
	d := &desired{document: document}
	if err := d.reserve(values); err != nil {
		return nil, err
	}
	known := aliases{account: accountName, ids: ids, secrets: d.secrets}
	if err := known.resolve("", document); err != nil {
		return nil, err
	}
	externalID, _ := document["externalId"].(string)
	if d.marked = externalID == ""; d.marked {
		document["externalId"] = marker(object)
	}
	// Before the values are in it: nobody can try them out on a hash.
	if d.hash, err = hashOf(object, document); err != nil {
		return nil, err
	}
	if len(values) > 0 {
		d.hash += "." + versionOf(values, ids)
	}
	if err := d.fill(values); err != nil {
		return nil, err
	}
	if err := known.resolve("", document); err != nil {
		return nil, err
	}
	d.fields = drift.Fields(document)
	if err := d.checkFields(); err != nil {
		return nil, err
	}
	return d, nil
}

// hashOf is the hash of what an Import declares, values of spec.valuesFrom apart.
func hashOf(object *v1alpha1.Import, document map[string]any) (string, error) {
	encoded, err := json.Marshal(document)
	if err != nil {
		return "", fmt.Errorf("encode the definition: %w", err)
	}
	if object.Spec.ManagementPolicy == v1alpha1.ManagementPolicyObserve {
		encoded = append(encoded, v1alpha1.ManagementPolicyObserve...)
	}
	if adopt := object.Spec.Adopt; adopt != nil {
		// To take an import over is a new declaration, whatever its document.
		encoded = append(encoded, adopt.ID+"\n"+v1alpha1.ID(adopt.ExternalID)+"\n"+v1alpha1.ID(adopt.Mode)...)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:16]), nil
}

// checkFields refuses what status cannot hold. A name that comes from a Secret and is so
// long may be anything: it is not repeated.
func (d *desired) checkFields() error {
	if len(d.fields) > maxOwnedFields {
		return terminalf(reasonInvalidDefinition, "spec.definition has %d fields outside arrays, more than the %d that can be tracked", len(d.fields), maxOwnedFields)
	}
	i := slices.IndexFunc(d.fields, func(field string) bool { return len(field) > maxPath })
	switch {
	case i < 0:
		return nil
	case drift.Under(d.fields[i], d.secrets):
		return terminalf(reasonInvalidValue, "spec.valuesFrom has a value with a field whose path is longer than %d bytes", maxPath)
	default:
		return terminalf(reasonInvalidDefinition, "spec.definition has a field whose path is longer than %d bytes: %s", maxPath, drift.Cut(d.fields[i], 100))
	}
}

// unmark takes our mark out of the document.
func (d *desired) unmark() {
	const field = "externalId"
	delete(d.document, field)
	d.fields = slices.DeleteFunc(d.fields, func(path string) bool { return path == "/"+field })
}

// Bounds of status.ownedFields, as the CRD has them.
const (
	maxOwnedFields = 4096
	maxPath        = 512
)

// marker is the externalId by which an import is found again after a crash.
func marker(object *v1alpha1.Import) string {
	return v1alpha1.MarkerPrefix + string(object.UID)
}

func refuseServerOwned(document map[string]any) error {
	var found []string
	for _, field := range serverOwned {
		if _, ok := document[field]; ok {
			found = append(found, field)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return terminalf(reasonInvalidDefinition, "spec.definition declares %s, which the server makes itself: remove it from the definition", strings.Join(found, ", "))
}

// aliases are those of an Account.
type aliases struct {
	account string
	ids     map[string]v1alpha1.ID
	// secrets are the JSON pointers at and under which an alias is not named in an error.
	secrets []string
}

// resolve replaces "@alias" in every id field, at any depth.
func (a aliases) resolve(path string, value any) error {
	switch typed := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(typed)) {
			below := path + "/" + jsonpointer.Escape(key)
			if idField.MatchString(key) {
				resolved, err := a.resolveIDs(below, typed[key])
				if err != nil {
					return err
				}
				typed[key] = resolved
				continue
			}
			if err := a.resolve(below, typed[key]); err != nil {
				return err
			}
		}
	case []any:
		for i, child := range typed {
			if err := a.resolve(fmt.Sprintf("%s/%d", path, i), child); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolveIDs resolves the value of an id field: one id, an array of them, or something
// that holds id fields itself.
func (a aliases) resolveIDs(path string, value any) (any, error) {
	switch typed := value.(type) {
	case string:
		alias, ok := strings.CutPrefix(typed, "@")
		if !ok {
			return typed, nil
		}
		id, ok := a.ids[alias]
		switch {
		case ok:
			return string(id), nil
		case drift.Under(path, a.secrets):
			return nil, terminalf(reasonUnknownAlias, "definition%s: Account %q has no such alias in spec.aliases as spec.valuesFrom has there; %s",
				path, a.account, existing(a.ids))
		default:
			return nil, terminalf(reasonUnknownAlias, "definition%s: Account %q has no alias %q in spec.aliases; %s",
				path, a.account, drift.Cut(alias, 63), existing(a.ids))
		}
	case []any:
		for i, child := range typed {
			resolved, err := a.resolveIDs(fmt.Sprintf("%s/%d", path, i), child)
			if err != nil {
				return nil, err
			}
			typed[i] = resolved
		}
		return typed, nil
	default:
		return value, a.resolve(path, value)
	}
}

func existing(ids map[string]v1alpha1.ID) string {
	if len(ids) == 0 {
		return "it has none"
	}
	return "it has " + drift.Cut(strings.Join(slices.Sorted(maps.Keys(ids)), ", "), 300)
}

// asDifferences is what status shows of differences: the first 16, values cut.
func asDifferences(found []drift.Difference) []v1alpha1.Difference {
	const most, longest = 16, 256
	var shown []v1alpha1.Difference
	for _, difference := range found[:min(len(found), most)] {
		item := v1alpha1.Difference{Path: drift.Cut(difference.Path, maxPath)}
		if difference.Declared != nil {
			item.Declared = drift.Text(difference.Declared, longest)
		}
		if difference.Remote != nil {
			item.Remote = drift.Text(difference.Remote, longest)
		}
		shown = append(shown, item)
	}
	return shown
}

// digestOf is the hash of what differs. Where a value is not shown, only the version of the
// remote tells whether it is still the same.
func (s *importScope) digestOf(found []drift.Difference) string {
	hidden := slices.ContainsFunc(found, func(d drift.Difference) bool { return d.Declared == drift.Redacted || d.Remote == drift.Redacted })
	if !hidden {
		return digestOf(found)
	}
	sum := sha256.Sum256([]byte(digestOf(found) + "\n" + s.remote.LastModified))
	return hex.EncodeToString(sum[:16])
}

// digestOf is a hash of all differences, of which status shows only the first, cut.
func digestOf(found []drift.Difference) string {
	sum := sha256.New()
	for _, difference := range found {
		for _, value := range []any{difference.Path, difference.Declared, difference.Remote} {
			// Values of a parsed document can always be encoded.
			encoded, _ := json.Marshal(value)
			_, _ = sum.Write(append(encoded, '\n'))
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// describe tells differences in one line: path, declared and remote value.
func describe(found []v1alpha1.Difference, total int) string {
	const most = 4
	var parts []string
	for _, difference := range found[:min(len(found), most)] {
		parts = append(parts, fmt.Sprintf("%s (declared %s, remote %s)", difference.Path,
			drift.Cut(orNone(difference.Declared), 80), drift.Cut(orNone(difference.Remote), 80)))
	}
	if total > len(parts) {
		parts = append(parts, fmt.Sprintf("and %d more", total-len(parts)))
	}
	return strings.Join(parts, "; ")
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
