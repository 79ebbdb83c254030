// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestIsCandidate(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{UID: "uid", CreationTimestamp: metav1.NewTime(noon)}}
	intent := Intent{ExternalID: "erp-17", Name: "prices", Time: noon}
	at := func(offset time.Duration) string { return noon.Add(offset).Format(time.RFC3339) }
	for name, test := range map[string]struct {
		document integrator.Import
		want     bool
	}{
		"our marker":                    {integrator.Import{Name: "renamed", ExternalID: "k8s/uid"}, true},
		"our clone":                     {integrator.Import{Name: "k8s/uid", ExternalID: "k8s/other"}, true},
		"our marker, from before us":    {integrator.Import{Name: "renamed", ExternalID: "k8s/uid", CreatedAt: at(-time.Hour)}, false},
		"a clone of ours in the UI":     {integrator.Import{Name: "Clone - prices", ExternalID: "k8s/uid", SourceID: "5f0000000000000000000001", CreatedAt: at(time.Second)}, false},
		"a clone with my externalId":    {integrator.Import{Name: "prices", ExternalID: "erp-17", SourceID: "5f0000000000000000000001", CreatedAt: at(time.Second)}, false},
		"another's marker":              {integrator.Import{Name: "prices", ExternalID: "k8s/other"}, false},
		"another's clone of ours":       {integrator.Import{Name: "k8s/other", ExternalID: "k8s/uid"}, false},
		"my externalId":                 {integrator.Import{Name: " prices ", ExternalID: "erp-17", CreatedAt: at(time.Second)}, true},
		"my externalId, a slow clock":   {integrator.Import{Name: "prices", ExternalID: "erp-17", CreatedAt: at(-time.Minute)}, true},
		"my externalId, no clock":       {integrator.Import{Name: "prices", ExternalID: "erp-17", CreatedAt: "today"}, true},
		"my externalId, from before":    {integrator.Import{Name: "prices", ExternalID: "erp-17", CreatedAt: at(-time.Hour)}, false},
		"my externalId, another's name": {integrator.Import{Name: "orders", ExternalID: "erp-17", CreatedAt: at(time.Second)}, false},
		"my name alone":                 {integrator.Import{Name: "prices", CreatedAt: at(time.Second)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (Owner{}).IsCandidate(object, intent, test.document); got != test.want {
				t.Errorf("%t, want %t", got, test.want)
			}
		})
	}
}

// What status.copies lists is left alone: also when the Import's own import was deleted with a lost
// answer, so that the next read does not find it.
func TestIsCandidateForDeletion(t *testing.T) {
	noon := metav1.NewTime(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{UID: "uid", CreationTimestamp: noon}}
	object.Status.Copies = []string{"restored"}
	deleted := object.DeepCopy()
	deleted.DeletionTimestamp = &noon
	for _, test := range []struct {
		object *v1alpha1.Import
		id     string
		want   bool
	}{
		{object, "restored", true},
		{deleted, "restored", false},
		{deleted, "created", true},
	} {
		if got := (Owner{}).IsCandidate(test.object, Intent{}, integrator.Import{ID: test.id, ExternalID: "k8s/uid"}); got != test.want {
			t.Errorf("deleted %v: %s: %t, want %t", test.object.DeletionTimestamp, test.id, got, test.want)
		}
	}
}
