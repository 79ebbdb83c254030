// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/problem"
	"github.com/integrator-operator/integrator-operator/internal/status"
)

// scope carries what one reconcile of an Import knows.
type scope struct {
	object *v1alpha1.Import
	// before is the object as it was read.
	before *v1alpha1.Import

	session *account.Session
	desired *definition.Desired
	// remote is the remote import as the API answered it last.
	remote integrator.Import
	// cloneSource is what the import is cloned from, from the intent on; nil when it is created.
	cloneSource *cloneSource
	// calls are those that a dry run did not make, differences what they would change.
	calls       []string
	differences []v1alpha1.Difference
	// events are recorded after the status was written.
	events []status.Event
}

// normal and warning are shorter names of the event types.
const (
	normal  = corev1.EventTypeNormal
	warning = corev1.EventTypeWarning
)

func (s *scope) event(kind, reason, note string) {
	s.events = append(s.events, status.Event{Type: kind, Reason: reason, Note: note})
}

func (s *scope) accountKey() types.NamespacedName {
	return types.NamespacedName{Namespace: s.object.Namespace, Name: s.object.Spec.AccountRef.Name}
}

// declaredName is the declared name, "" when the definition could not be resolved.
func (s *scope) declaredName() string {
	if s.desired == nil {
		return ""
	}
	name, _ := s.desired.Document["name"].(string)
	return name
}

// recordRemote keeps what the API answered. Whatever follows, this version has been read: the
// scanner need not report it.
func (s *scope) recordRemote(answer integrator.Import) {
	s.remote = answer
	s.session.Observations.Note(answer.ID, answer.LastModified)
	s.session.Observations.NoteMarker(answer.ExternalID)
	s.session.Observations.RecordRead(s.object, answer.ID, true)
	s.object.Status.LastModified = drift.Cut(answer.LastModified, 64)
}

// evidence is what is known about who may have the remote import.
func (s *scope) evidence(others []v1alpha1.Import) ownership.Evidence {
	e := ownership.Evidence{Object: s.object, Remote: s.remote, Others: others}
	if s.desired != nil {
		e.ExternalID, _ = s.desired.Document["externalId"].(string)
		e.Changed = s.specChanged()
	}
	return e
}

// requireVerifiedCredential refuses to take a missing import for a deleted one, and to create,
// where the token may be of another account: there, every import would be missing.
func (s *scope) requireVerifiedCredential() error {
	switch {
	case !s.session.Unverified:
		return nil
	case !s.session.Scanned:
		return problem.Waitingf(v1alpha1.ReasonAccountNotReady, "the Account has a new token: the first scan with it shows whether it is of the same account")
	default:
		return problem.Terminalf(v1alpha1.ReasonAccountChanged, "the Account has a new token, and none of its managed imports is found with it: put a token of the same account into the Secret, or delete this Import with deletionPolicy Orphan to leave its import alone")
	}
}

// specChanged reports whether what is declared is not what was compared last. After a restore
// without status nobody knows: then it counts as changed, unless drift is only to be reported. A
// new clone, and an import that Override takes over, are always brought to the definition.
func (s *scope) specChanged() bool {
	known := s.object.Status.DesiredHash
	if known == "" {
		adopt := s.object.Spec.Adopt
		return s.object.Spec.DriftPolicy != v1alpha1.DriftPolicyReport || ownership.IsNewClone(s.object, s.remote) ||
			adopt != nil && adopt.Mode == v1alpha1.AdoptionModeOverride
	}
	return known != s.desired.Hash
}

// declaredChanged reports whether what is declared changed since the last comparison. Another
// version of a Secret may only have been touched: it counts when the remote import differs where
// its values go, or cannot be compared there.
func (s *scope) declaredChanged(found []drift.Difference, released []string) bool {
	if !s.specChanged() || !definition.OnlyVersionsChanged(s.object.Status.DesiredHash, s.desired.Hash) {
		return s.specChanged()
	}
	secrets := s.desired.Secrets
	return s.valuesAreMasked() ||
		slices.ContainsFunc(found, func(d drift.Difference) bool { return drift.Touches(d.Path, secrets) }) ||
		slices.ContainsFunc(released, func(path string) bool { return drift.Touches(path, secrets) })
}

// needsRewrite reports whether what is declared has to be written although no comparison can show
// it: it changed, and it has fields that the API masks.
func (s *scope) needsRewrite() bool {
	if definition.OnlyVersionsChanged(s.object.Status.DesiredHash, s.desired.Hash) {
		return s.specChanged() && s.valuesAreMasked()
	}
	return s.specChanged() && s.declaresWriteOnly()
}

// valuesAreMasked reports whether a value of spec.valuesFrom goes where the API masks it.
func (s *scope) valuesAreMasked() bool {
	return slices.ContainsFunc(s.desired.Secrets, func(path string) bool { return drift.Touches(path, drift.WriteOnly) })
}

func (s *scope) declaresWriteOnly() bool {
	return slices.ContainsFunc(drift.WriteOnly, func(path string) bool { return drift.Has(s.desired.Document, path) })
}

// compare lists what differs between the desired document and a remote one, with the values of
// spec.valuesFrom redacted: whatever is shown of a difference begins here.
func (s *scope) compare(remote map[string]any) []drift.Difference {
	ignore := append(slices.Clone(drift.WriteOnly), s.ignored()...)
	found := drift.Compare(s.desired.Document, remote, ignore)
	return drift.Redact(found, s.desired.Document, s.desired.Secrets)
}

// ignored are the fields that the user wants left alone. Name and externalId of a new clone are
// not among them: the operator made the one, and the other is the original's.
func (s *scope) ignored() []string {
	ignore := s.object.Spec.IgnoreDifferences
	if !ownership.IsNewClone(s.object, s.remote) {
		return ignore
	}
	return slices.DeleteFunc(slices.Clone(ignore), func(path string) bool { return path == "/name" || path == "/externalId" })
}

// differencesHash is a hash of what differs. Where a value is not shown, only the version of the
// remote import shows whether it is still the same.
func (s *scope) differencesHash(found []drift.Difference) string {
	hash := definition.DifferencesHash(found)
	if !slices.ContainsFunc(found, func(d drift.Difference) bool { return d.Declared == drift.Redacted || d.Remote == drift.Redacted }) {
		return hash
	}
	sum := sha256.Sum256([]byte(hash + "\n" + s.remote.LastModified))
	return hex.EncodeToString(sum[:16])
}

// settleMarker decides whether an adopted import has to carry the marker. An externalId of its own
// stays; where it has none, Match does not ask for a write because of the marker alone. It
// reports whether the marker is left out of the comparison, and goes along with a write.
func (s *scope) settleMarker() (lazy bool) {
	adopt, marker := s.object.Spec.Adopt, s.remote.ExternalID
	if adopt == nil || !s.desired.Marked || marker == ownership.Marker(s.object) {
		return false
	}
	if marker != "" && !ownership.IsMarker(marker) || ownership.Observes(s.object) || marker == "" && adopt.Mode != v1alpha1.AdoptionModeOverride {
		s.desired = s.desired.WithoutMarker()
		return marker == ""
	}
	return false
}

// failed is the problem that an error of the API makes.
func (s *scope) failed(err error, what string) error { return problem.Wrap(s.redact(err), what) }

// redact takes the API's words, which could repeat a value, out of the error of an Import that has
// values from elsewhere. Codes and names of fields stay.
func (s *scope) redact(err error) error {
	if len(s.object.Spec.ValuesFrom) == 0 {
		return err
	}
	return problem.Redact(err, true)
}

// requestedAt is the value of the annotation that asks for a look, as status answers it.
func requestedAt(object *v1alpha1.Import) string {
	return drift.Cut(object.Annotations[v1alpha1.AnnotationReconcileRequestedAt], 256)
}

// requested reports whether somebody asks for a look that was not answered yet.
func (s *scope) requested() bool {
	return requestedAt(s.object) != s.before.Status.LastHandledReconcileAt
}

func (s *scope) dryRun() bool { return s.object.Annotations[v1alpha1.AnnotationDryRun] == "true" }

// mayCall reports whether calls that write may be made. In a dry run they go to the plan.
func (s *scope) mayCall(calls ...string) bool {
	if !s.dryRun() {
		return true
	}
	s.calls = append(s.calls, calls...)
	return false
}

// planned ends the reconcile of a dry run.
func (s *scope) planned() error {
	what := "call " + strings.Join(s.calls, ", ")
	if len(s.calls) == 0 {
		what = "take the import over, and write nothing to it"
	}
	return problem.Waitingf(v1alpha1.ReasonDryRun, "dry run: would %s; see status.plan, and remove the annotation %s to have it done", what, v1alpha1.AnnotationDryRun)
}

// released reports whether the finalizer is off an object that is being deleted: there is no
// status to write any more.
func (s *scope) released() bool {
	return !s.object.DeletionTimestamp.IsZero() && !ownership.HasFinalizer(s.object)
}
