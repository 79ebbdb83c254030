// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package takeover finds the Imports that may not have their remote imports, because these have the
// ownership marker of a cluster that is lost, and takes them over. What another owner may still manage, as
// far as that can be known, is passed over.
package takeover

import (
	"fmt"
	"slices"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/plan"
)

// Candidate is an Import that another owner's marker keeps from its remote import.
type Candidate struct {
	Object *v1alpha1.Import
	// ID is the remote import, and ExternalID what it has: the ownership marker.
	ID, ExternalID string
	// Passed is why the Import is passed over, "" if its import is taken over.
	Passed string
	// Item is what the operator would do then.
	Item *plan.Item
}

// Name is the Import in a line of text.
func (c *Candidate) Name() string { return c.Object.Namespace + "/" + c.Object.Name }

// EmptiesStatus reports whether the status has to be emptied: it was restored, and says that this Import
// had the import before. Override works only once.
func (c *Candidate) EmptiesStatus() bool { return len(c.Object.Status.OwnedFields) > 0 }

// refused reports whether an Import waits for a person because of another owner.
func refused(object *v1alpha1.Import) bool {
	ready := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonOwnershipConflict && apimeta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ConditionStalled)
}

// impossible says why an Import cannot take over what it is refused, whatever that is; "" if it can.
func impossible(object *v1alpha1.Import) string {
	adopt := object.Spec.Adopt
	switch {
	case !object.DeletionTimestamp.IsZero():
		return "it is being deleted: set spec.deletionPolicy to Orphan, and it goes without its import"
	case object.Spec.CloneFrom != nil:
		return "it has spec.cloneFrom: create it again with spec.adopt instead"
	case adopt != nil && adopt.Mode != v1alpha1.AdoptionModeOverride:
		return "it has spec.adopt with another mode, which cannot be changed: correct it in Git to Override, delete the Import with deletionPolicy Orphan and create it again"
	default:
		return ""
	}
}

// knowledge is what is known of other owners.
type knowledge struct {
	owner ownership.Owner
	// lost are the owner ids of clusters that are gone.
	lost []string
	// imports are the Imports of this cluster, as far as they can be listed.
	imports []v1alpha1.Import
	// now, and for how long nobody may have written to the import; 0 does not ask.
	now  time.Time
	idle time.Duration
}

// judge says why a remote import is not taken over, "" if it is. namesake: it was found by what it has
// in common with the definition, and the Import remembers no id. log is its audit log.
func (k *knowledge) judge(object *v1alpha1.Import, remote integrator.Import, namesake bool, log []integrator.AuditEntry) string {
	marker := remote.ExternalID
	wanting := object.DeepCopy()
	wanting.Spec.Adopt = &v1alpha1.AdoptSpec{ID: v1alpha1.ID(remote.ID), Mode: v1alpha1.AdoptionModeOverride}
	wanting.Status = v1alpha1.ImportStatus{}
	evidence := ownership.Evidence{Owner: k.owner, Object: wanting, Remote: remote, Others: k.others(object, remote.ID), ExternalID: k.owner.Marker(object), Changed: true}
	decision := ownership.Decide(ownership.UseAdopt, evidence)
	id := ownership.MarkerOwner(marker)
	switch {
	case decision.Verdict == ownership.IntegrationApp:
		return "an integration app owns it"
	case decision.Verdict == ownership.OtherImport:
		return fmt.Sprintf("Import %s/%s of this cluster manages it", decision.By.Namespace, decision.By.Name)
	case k.owner.Marks(object, marker):
		return "it has the ownership marker of this very Import, so that of no other cluster is in the way: see the message of the Import"
	case !ownership.IsMarker(marker) && !namesake:
		return "it has no ownership marker, and nothing on the platform shows that it was created for this Import: see the message of the Import"
	case k.marked(marker) != nil:
		other := k.marked(marker)
		return fmt.Sprintf("it has the ownership marker of Import %s/%s, which exists in this cluster", other.Namespace, other.Name)
	case id != "" && !slices.Contains(k.lost, id):
		return fmt.Sprintf("its ownership marker has the owner id %q, of an operator that may still work: if that one is gone, name it with --from-owner-id=%s", id, id)
	default:
		return k.busy(log)
	}
}

// others are the other Imports that remember or claim a remote import.
func (k *knowledge) others(object *v1alpha1.Import, id string) (found []v1alpha1.Import) {
	for i := range k.imports {
		if other := &k.imports[i]; other.UID != object.UID && slices.Contains(ownership.NamedIDs(other), id) {
			found = append(found, *other)
		}
	}
	return found
}

// marked is the Import of this cluster that a marker names, nil if there is none. One of another owner id
// names an Import of another cluster, which may have the same name.
func (k *knowledge) marked(marker string) *v1alpha1.Import {
	uid, key := ownership.ParseMarker(marker)
	id := ownership.MarkerOwner(marker)
	ours := id != "" && (id == k.owner.ID || slices.Contains(k.owner.Former, id))
	for i := range k.imports {
		object := &k.imports[i]
		if uid != "" && object.UID == uid || ours && client.ObjectKeyFromObject(object) == key {
			return object
		}
	}
	return nil
}

// busy says that somebody wrote to the import through the API a short time ago, as an operator does.
func (k *knowledge) busy(log []integrator.AuditEntry) string {
	if k.idle <= 0 {
		return ""
	}
	for _, entry := range log {
		if entry.Source == "api" && k.now.Sub(entry.At()) < k.idle {
			return fmt.Sprintf("somebody wrote to it through the API at %s, as an operator does: if that one is gone, use a shorter --idle than %s", drift.Cut(entry.Time, 64), k.idle)
		}
	}
	return ""
}

// key of the Import, as a name of the cluster.
func (c *Candidate) key() types.NamespacedName { return client.ObjectKeyFromObject(c.Object) }

// passTwins passes over the Imports that would take over the same import.
func passTwins(candidates []*Candidate) {
	wanting := map[string][]*Candidate{}
	for _, c := range candidates {
		if c.Passed == "" {
			wanting[c.ID] = append(wanting[c.ID], c)
		}
	}
	for _, twins := range wanting {
		if len(twins) < 2 {
			continue
		}
		for i, c := range twins {
			c.Passed = fmt.Sprintf("Import %s would take over the same import: delete one of them with deletionPolicy Orphan", twins[(i+1)%len(twins)].Name())
		}
	}
}
