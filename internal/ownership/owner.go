// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// Owner is this operator as the owner of remote imports: it decides what the ownership marker of an
// Import says. The marker is the externalId by which an import that was created for the Import is
// found again, after a crash or, with an ID, by another cluster.
type Owner struct {
	// ID is the owner id. With it the marker is k8s/<owner id>/<namespace>/<name>, and a cluster
	// that is built again with the same id finds its imports. Without it the marker is k8s/<uid>,
	// and only this very object finds its import.
	ID string
	// Former are owner ids whose markers count as this operator's own, and are replaced.
	Former []string
}

// ownerID is what an owner id may be: it goes into a path.
var ownerID = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// Validate refuses owner ids that cannot stand in a marker.
func (o Owner) Validate() error {
	for _, id := range append(slices.Clone(o.Former), o.ID) {
		if id != "" && !ownerID.MatchString(id) {
			return fmt.Errorf("the owner id %q has to be 1 to 63 letters, digits, '.', '_' or '-', and has to begin and end with a letter or digit", id)
		}
	}
	return nil
}

// Marker is the ownership marker of the Import.
func (o Owner) Marker(object *v1alpha1.Import) string {
	if o.ID == "" {
		return uidMarker(object)
	}
	return namedMarker(o.ID, object)
}

// Markers are all texts that count as the ownership marker of the Import, the one that is written
// first.
func (o Owner) Markers(object *v1alpha1.Import) []string {
	all := []string{o.Marker(object), uidMarker(object)}
	for _, id := range o.Former {
		all = append(all, namedMarker(id, object))
	}
	return slices.Compact(all)
}

// Marks reports whether a text is an ownership marker of this very Import.
func (o Owner) Marks(object *v1alpha1.Import, text string) bool {
	return IsMarker(text) && slices.Contains(o.Markers(object), text)
}

// IsNewClone reports whether the remote import is a clone that was made for the Import and not
// updated yet. The API takes only a name for a clone, so until then its name is the marker.
func (o Owner) IsNewClone(object *v1alpha1.Import, remote integrator.Import) bool {
	return o.Marks(object, strings.TrimSpace(remote.Name))
}

func uidMarker(object *v1alpha1.Import) string { return v1alpha1.MarkerPrefix + string(object.UID) }

func namedMarker(id string, object *v1alpha1.Import) string {
	return v1alpha1.MarkerPrefix + id + "/" + object.Namespace + "/" + object.Name
}

// IsMarker reports whether a text is the ownership marker of any Import, here or in another cluster.
func IsMarker(text string) bool { return strings.HasPrefix(text, v1alpha1.MarkerPrefix) }

// ParseMarker returns whose marker a text is: the uid of an Import, or its namespace and name.
func ParseMarker(text string) (uid types.UID, key types.NamespacedName) {
	rest, ok := strings.CutPrefix(text, v1alpha1.MarkerPrefix)
	parts := strings.Split(rest, "/")
	switch {
	case ok && len(parts) == 1:
		return types.UID(rest), key
	case ok && len(parts) == 3:
		return "", types.NamespacedName{Namespace: parts[1], Name: parts[2]}
	default:
		return "", key
	}
}

// MarkerOwner is the owner id in a marker, "" when the text is no marker or one of a uid.
func MarkerOwner(text string) string {
	if _, key := ParseMarker(text); key.Name == "" {
		return ""
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(text, v1alpha1.MarkerPrefix), "/")
	return id
}

// markedBy is the owner id in a marker that names the Import, "" when the marker has none.
func markedBy(text string, object *v1alpha1.Import) string {
	id, ok := strings.CutSuffix(strings.TrimPrefix(text, v1alpha1.MarkerPrefix), "/"+object.Namespace+"/"+object.Name)
	if !ok || !ownerID.MatchString(id) {
		return ""
	}
	return id
}
