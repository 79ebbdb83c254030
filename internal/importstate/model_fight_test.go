// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/modelcheck"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// The model of two clusters with one owner id that declare different values for one remote import: each
// corrects what the other writes. Time goes on by half of CorrectionsWindow.

const fightsForEver = "two clusters undo each other's corrections without end"

// fightWorld is one state.
type fightWorld struct {
	// declared is the cluster whose value the remote import has, version is of its lastModified.
	declared, version uint8
	clusters          [2]fightCluster
}

// fightCluster is what a process remembers of its corrections.
type fightCluster struct {
	// made are those of now, and of half a window ago.
	made [2]uint8
	// version is the one that it corrected last.
	version uint8
}

// fightVersions are enough that none comes again before everybody has forgotten it.
const fightVersions = 4

// fightModel is one search.
type fightModel struct {
	// secrets are the paths whose values are not shown.
	secrets []string
	// of tells one drift from another.
	of func(Comparison) string
	modelcheck.Search[fightWorld]
}

func (m *fightModel) check() {
	m.Next, m.Rests, m.Stuck = m.steps, func(fightWorld) bool { return true }, neverRests
	m.Inspect = func(w fightWorld, violated func(string)) {
		for _, cluster := range w.clusters {
			if cluster.made[0]+cluster.made[1] > MaxCorrections {
				violated(fightsForEver)
			}
		}
	}
	m.StopAt = fightsForEver
	m.Run(fightWorld{})
}

// steps lists what can come next: a cluster reconciles, or half a window goes by.
func (m *fightModel) steps(w fightWorld) (all []modelcheck.Step[fightWorld]) {
	later := w
	for i := range later.clusters {
		later.clusters[i].made = [2]uint8{0, later.clusters[i].made[0]}
	}
	all = append(all, modelcheck.Step[fightWorld]{To: later})
	for i := range w.clusters {
		if next, corrected := m.correct(w, uint8(i)); corrected {
			all = append(all, modelcheck.Step[fightWorld]{To: next})
		}
	}
	return all
}

// correct has a cluster compare, and write if it may.
func (m *fightModel) correct(w fightWorld, i uint8) (fightWorld, bool) {
	if w.declared == i {
		return w, false
	}
	uid := types.UID(fmt.Sprintf("import-%d", i))
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{UID: uid, Namespace: "ns", Name: "prices"}}
	object.Status.DesiredHash = "compared"
	corrections := &Corrections{}
	for age, count := range w.clusters[i].made {
		for range count {
			corrections.Note(uid, m.of(m.compare(object, i, w.clusters[i].version)), modelStart.Add(-time.Duration(age)*CorrectionsWindow/2))
		}
	}
	found := m.of(m.compare(object, i, w.version))
	if !corrections.Permit(uid, found, modelStart) {
		return w, false
	}
	w.clusters[i].made[0]++
	w.clusters[i].version = w.version
	w.declared, w.version = i, (w.version+1)%fightVersions
	return w, true
}

// compare compares what a cluster declares with what the other has written.
func (m *fightModel) compare(object *v1alpha1.Import, i, version uint8) Comparison {
	owner := ownership.Owner{ID: "prod"}
	desired := &definition.Desired{
		Document: map[string]any{"description": fmt.Sprintf("cluster %d", i), "externalId": owner.Marker(object)},
		Marked:   true, Hash: "compared", Secrets: m.secrets,
	}
	c, err := Compare(owner, object, desired, integrator.Import{
		ExternalID: owner.Marker(object), LastModified: fmt.Sprintf("version %d", version),
		Raw: fmt.Appendf(nil, `{"description": "cluster %d", "externalId": %q}`, i^1, owner.Marker(object)),
	}, drift.Foreign{})
	if err != nil {
		panic(err)
	}
	return c
}

func TestModelOfTwoClusters(t *testing.T) {
	for name, secrets := range map[string][]string{"a value that is shown": nil, "a value that is not shown": {"/description"}} {
		t.Run(name, func(t *testing.T) {
			m := &fightModel{secrets: secrets, of: func(c Comparison) string { return c.Drift }}
			m.check()
			m.Sound(t)
		})
	}
}

func TestModelOfTwoClustersFinds(t *testing.T) {
	t.Run("each version is another drift", func(t *testing.T) {
		m := &fightModel{secrets: []string{"/description"}, of: func(c Comparison) string { return c.Hash }}
		m.check()
		m.Finds(t, fightsForEver)
	})
}
