// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/go-openapi/jsonpointer"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// What differs between the desired document and the remote import, and the calls that would end it.

// The calls that write, as status.plan shows them.
const (
	CallCreate            = "POST /v1/imports"
	CallClone             = "POST /v1/imports/{id}/clone"
	CallPut               = "PUT /v1/imports/{id}"
	CallReplaceConnection = "PUT /v1/imports/{id}/replaceConnection"
	CallPatch             = "PATCH /v1/imports/{id}"
	CallDelete            = "DELETE /v1/imports/{id}"
)

// AssistantField is the field that only PATCH writes reliably.
const AssistantField = "assistantMetadata"

const (
	pathConnection = "/_connectionId"
	pathAssistant  = "/" + AssistantField
	pathName       = "/name"
	externalID     = "externalId"
	pathExternalID = "/" + externalID
	// anyField is the pointer that matches every field of a document.
	anyField = "/*"
)

// Comparison is the desired document beside the remote import, and what follows from it.
type Comparison struct {
	// Desired is what was compared: without the ownership marker where an adopted import keeps its
	// own externalId.
	Desired *definition.Desired
	// Remote is the remote document.
	Remote map[string]any
	// Shown are the differences as status shows them, Hash is of all of them, Total their number.
	Shown []v1alpha1.Difference
	Hash  string
	Total int
	// Drift is the same for the same differences, also where a value is not shown and Hash is another
	// after each write to the remote import.
	Drift string
	// Ignored are the fields that the user wants left alone, Unmatched those of spec.ignoreDifferences
	// that neither document has.
	Ignored, Unmatched []string
	// Released are the fields that are no longer declared, and are removed from the remote import.
	Released []string
	// Calls end the differences: the smallest that can. None when there are none.
	Calls []string
	// Masked are the fields of which a PUT would send the mask, because they are not declared.
	Masked []string
	// DeclaredChanged: what is declared changed since the last comparison.
	DeclaredChanged bool
	// AssistantDiffers: one of the differences is in assistantMetadata.
	AssistantDiffers bool
	// AddMarker: the adopted import has no externalId. The ownership marker alone is no reason for
	// a write, but goes along with the next PUT.
	AddMarker bool

	// found are all differences, redacted.
	found []drift.Difference
	// rewrite: fields have to be written that the API masks.
	rewrite bool
}

// Compare compares the desired document with a response. Values of spec.valuesFrom are redacted in
// the result, and what belongs to others.
func Compare(owner ownership.Owner, object *v1alpha1.Import, desired *definition.Desired, response integrator.Import, foreign drift.Foreign) (Comparison, error) {
	remote, err := drift.Parse(response.Raw)
	if err != nil {
		return Comparison{}, problem.Transientf(v1alpha1.ReasonUnexpectedResponse, "the API's import document is %v", err)
	}
	c := Comparison{Desired: desired, Remote: remote, Ignored: ignored(owner, object, desired, remote, response)}
	c.Unmatched = drift.Unmatched(object.Spec.IgnoreDifferences, desired.Document, remote)
	if leavesMarkerOut(owner, object, desired, response) {
		c.Desired, c.AddMarker = desired.WithoutMarker(), response.ExternalID == ""
	}
	found := drift.Compare(c.Desired.Document, remote, slices.Concat(drift.WriteOnly, c.Ignored))
	found = drift.RedactForeign(drift.Redact(found, c.Desired.Document, c.Desired.Secrets), remote, foreign)
	c.Shown, c.Hash, c.Total = definition.ShownDifferences(found), hashOf(found, response), len(found)
	c.Drift, c.found = definition.DifferencesHash(found), found
	c.AssistantDiffers = slices.ContainsFunc(found, isAssistant)
	c.Released = drift.Released(definition.Owned(&object.Status).Among(remote), c.Desired.Document, remote, object.Spec.IgnoreDifferences)
	if c.Desired.Marked {
		// The operator wrote its marker there; what is there now is not the operator's.
		c.Released = slices.DeleteFunc(c.Released, func(path string) bool { return path == pathExternalID })
	}
	changed := SpecChanged(owner, object, c.Desired, response)
	c.DeclaredChanged = changed && declaredChanged(object, c.Desired, found, c.Released)
	c.rewrite = changed && needsRewrite(object, c.Desired)
	c.Calls = callsFor(found, c.Released, c.rewrite)
	c.Masked = masked(c.Released, c.Desired, remote, c.Ignored, foreign)
	return c, nil
}

// Merged is the document for a PUT: the remote one with the declared values laid over it, so that
// fields which nobody declared survive the API's full replacement. marker is the Import's
// ownership marker.
func (c Comparison) Merged(marker string) map[string]any {
	merged := drift.Merge(c.Released, c.Desired.Document, c.Remote, c.Ignored)
	if c.AddMarker {
		merged[externalID] = marker
	}
	drift.DropEchoes(merged, c.Desired.Document, c.Remote, c.Released, c.Ignored)
	for _, field := range drift.ServerOwned {
		delete(merged, field)
	}
	return merged
}

// MergedAssistant is assistantMetadata as it is declared, with what others put into it.
func (c Comparison) MergedAssistant() any {
	return drift.Merge(nil, c.Desired.Document, c.Remote, c.Ignored)[AssistantField]
}

// ignored are the fields that the user wants left alone. Name and externalId of a new clone are
// not among them: the operator made the one, and the other is the original's.
func ignored(owner ownership.Owner, object *v1alpha1.Import, desired *definition.Desired, remote map[string]any, response integrator.Import) []string {
	if !owner.IsNewClone(object, response) {
		return object.Spec.IgnoreDifferences
	}
	var ignore []string
	for _, path := range object.Spec.IgnoreDifferences {
		if path != anyField {
			ignore = append(ignore, path)
			continue
		}
		for _, document := range []map[string]any{desired.Document, remote} {
			for field := range document {
				ignore = append(ignore, "/"+jsonpointer.Escape(field))
			}
		}
	}
	return slices.DeleteFunc(ignore, func(path string) bool { return path == pathName || path == pathExternalID || path == anyField })
}

// leavesMarkerOut reports whether an adopted import need not have the ownership marker: an
// externalId of its own stays, and where it has none, Match does not write only because of the
// marker.
func leavesMarkerOut(owner ownership.Owner, object *v1alpha1.Import, desired *definition.Desired, response integrator.Import) bool {
	adopt, externalID := object.Spec.Adopt, response.ExternalID
	switch {
	case adopt == nil && !wasAdopted(object) || !desired.Marked || externalID == owner.Marker(object):
		return false
	case ownership.Observes(object):
		return true
	case externalID == "":
		return adopt == nil || adopt.Mode != v1alpha1.AdoptionModeOverride
	default:
		return !ownership.IsMarker(externalID)
	}
}

// wasAdopted reports whether the Import took its remote import over and left the externalId as it was,
// also when spec.adopt is gone: an import that was created here had one from the beginning.
func wasAdopted(object *v1alpha1.Import) bool {
	owned := definition.Owned(&object.Status)
	return object.Spec.CloneFrom == nil && len(owned.Fields) > 0 && !owned.Has(pathExternalID)
}

// hashOf is a hash of what differs. Where a value is not shown, only the version of the remote
// import shows whether it is still the same.
func hashOf(found []drift.Difference, response integrator.Import) string {
	hash := definition.DifferencesHash(found)
	if !slices.ContainsFunc(found, func(d drift.Difference) bool { return d.Declared == drift.Redacted || d.Remote == drift.Redacted }) {
		return hash
	}
	sum := sha256.Sum256([]byte(hash + "\n" + response.LastModified))
	return hex.EncodeToString(sum[:16])
}

// SpecChanged reports whether what is declared is not what was compared last. After a restore
// without status nobody knows: then it counts as changed, unless drift is only to be reported. A
// new clone, and an import that Override takes over, are always brought to the definition.
func SpecChanged(owner ownership.Owner, object *v1alpha1.Import, desired *definition.Desired, response integrator.Import) bool {
	known := object.Status.DesiredHash
	if known == "" {
		adopt := object.Spec.Adopt
		return object.Spec.DriftPolicy != v1alpha1.DriftPolicyReport || owner.IsNewClone(object, response) ||
			adopt != nil && adopt.Mode == v1alpha1.AdoptionModeOverride
	}
	return known != desired.Hash
}

// declaredChanged reports whether a changed hash means a change of what is declared. Another
// version of a Secret may only have been touched: it counts when the remote import differs where
// its values go, or cannot be compared there.
func declaredChanged(object *v1alpha1.Import, desired *definition.Desired, found []drift.Difference, released []string) bool {
	if !definition.OnlyVersionsChanged(object.Status.DesiredHash, desired.Hash) {
		return true
	}
	return needsRewrite(object, desired) ||
		slices.ContainsFunc(found, func(d drift.Difference) bool { return drift.Touches(d.Path, desired.Secrets) }) ||
		slices.ContainsFunc(released, func(path string) bool { return drift.Touches(path, desired.Secrets) })
}

// needsRewrite reports whether a change has to be written although no comparison can show it: it
// may be in a field that the API masks. What is ignored is not written.
func needsRewrite(object *v1alpha1.Import, desired *definition.Desired) bool {
	paths := drift.Fields(desired.Document)
	if definition.OnlyVersionsChanged(object.Status.DesiredHash, desired.Hash) {
		paths = desired.Secrets
	}
	return slices.ContainsFunc(paths, func(path string) bool {
		return drift.Touches(path, drift.WriteOnly) && !drift.Ignores(path, object.Spec.IgnoreDifferences)
	})
}

// callsFor lists the calls that end the differences: the smallest call that can. rewrite asks for
// a PUT also when nothing is seen to differ.
func callsFor(found []drift.Difference, released []string, rewrite bool) []string {
	switch {
	case len(released) > 0 || rewrite:
		return []string{CallPut}
	case len(found) == 0:
		return nil
	case len(found) == 1 && found[0].Path == pathConnection:
		return []string{CallReplaceConnection}
	case !slices.ContainsFunc(found, func(d drift.Difference) bool { return !isAssistant(d) }):
		return []string{CallPatch}
	default:
		return []string{CallPut}
	}
}

// isAssistant reports whether a difference is in the field that PATCH writes.
func isAssistant(difference drift.Difference) bool {
	return difference.Path == pathAssistant || strings.HasPrefix(difference.Path, pathAssistant+"/")
}

// The API masks some fields in its responses. A PUT replaces the whole document, so it sends the mask
// in place of each such value that is not declared. Whether the API then keeps the stored value is not
// documented.

// masked returns the fields of which a PUT would send the mask. A path is cut where it repeats a secret.
func masked(released []string, desired *definition.Desired, remote map[string]any, ignore []string, foreign drift.Foreign) []string {
	var found []drift.Difference
	for _, field := range drift.WriteOnly {
		for _, path := range drift.Taken(field, released, desired.Document, remote, ignore) {
			found = append(found, drift.Difference{Path: path})
		}
	}
	var paths []string
	for _, shown := range drift.RedactForeign(drift.Redact(found, desired.Document, desired.Secrets), remote, foreign) {
		paths = append(paths, shown.Path)
	}
	return slices.Compact(paths)
}

// RefusedPut is the problem that a PUT would send a mask, nil if there is none or it may be sent.
func (c Comparison) RefusedPut(object *v1alpha1.Import) *problem.Problem {
	return refusedMask(object, c.Masked, c.Desired, c.Ignored, "nothing is written")
}

// OnlyReported reports whether nothing is written because of driftPolicy Report: what is declared did not
// change.
func (c Comparison) OnlyReported(object *v1alpha1.Import) bool {
	return object.Spec.DriftPolicy == v1alpha1.DriftPolicyReport && !c.DeclaredChanged && len(c.Released) == 0
}

// Refused is RefusedPut, and nil also if no PUT is to be made.
func (c Comparison) Refused(object *v1alpha1.Import) *problem.Problem {
	if c.OnlyReported(object) || !slices.Contains(c.Calls, CallPut) {
		return nil
	}
	return c.RefusedPut(object)
}

// RefusedClone is the problem that the update of a clone would send the mask of what its original has,
// nil if it may be sent.
func RefusedClone(object *v1alpha1.Import, desired *definition.Desired, original integrator.Import) error {
	remote, err := drift.Parse(original.Raw)
	if err != nil {
		return problem.Transientf(v1alpha1.ReasonUnexpectedResponse, "the API's import document is %v", err)
	}
	ignore := object.Spec.IgnoreDifferences
	refused := refusedMask(object, masked(nil, desired, remote, ignore, drift.Foreign{}), desired, ignore, "no clone of it is made")
	if refused == nil {
		return nil // and not an error without a problem
	}
	return refused
}

// refusedMask is the problem that a mask would be sent, nil if there is none or spec.maskedFields is Send.
func refusedMask(object *v1alpha1.Import, masked []string, desired *definition.Desired, ignore []string, consequence string) *problem.Problem {
	if len(masked) == 0 || object.Spec.MaskedFields == v1alpha1.MaskedFieldsSend {
		return nil
	}
	unlisted := ""
	if slices.ContainsFunc(masked, func(path string) bool { return drift.Ignores(path, ignore) && drift.Has(desired.Document, path) }) {
		unlisted = " and remove it from spec.ignoreDifferences"
	}
	return problem.Terminalf(v1alpha1.ReasonMaskedField,
		"the API masks %s in the import, and an update would write the mask over its value: %s; declare each with spec.valuesFrom%s, or set spec.maskedFields to Send, if the API keeps the stored value when it gets the mask",
		DescribeMasked(masked), consequence, unlisted)
}

// DescribeMasked lists the first four of the masked fields.
func DescribeMasked(masked []string) string { return drift.Cut(problem.SomeOf(masked, 4), 300) }
