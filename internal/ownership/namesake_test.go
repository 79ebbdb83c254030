// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"testing"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestResembles(t *testing.T) {
	object := &v1alpha1.Import{}
	object.Namespace, object.Name, object.UID = "ns", "orders", "u1"
	o := Owner{ID: "prod", Former: []string{"old"}}
	cases := map[string]struct {
		reason   string
		declared string
		remote   integrator.Import
		want     Resemblance
	}{
		"AnotherName":      {"names are the evidence", "erp", integrator.Import{Name: "prices", ExternalID: "erp"}, Distinct},
		"NameAlone":        {"names are not unique, and people make imports of the same name", "erp", integrator.Import{Name: "orders"}, Distinct},
		"AnotherID":        {"somebody says that it is another", "erp", integrator.Import{Name: "orders", ExternalID: "shop"}, Distinct},
		"SameID":           {"it was made from the same definition", "erp", integrator.Import{Name: " orders ", ExternalID: "erp"}, SameExternalID},
		"CloneOfTheSame":   {"whoever cloned it, the account would have two", "erp", integrator.Import{Name: "orders", ExternalID: "erp", SourceID: "64b0000000000000000000c1"}, SameExternalID},
		"NothingDeclared":  {"none is not the same externalId as none", "", integrator.Import{Name: "orders"}, Distinct},
		"AnotherCase":      {"the API compares nothing, and the definition says another one", "ERP", integrator.Import{Name: "orders", ExternalID: "erp"}, Distinct},
		"AnotherMarker":    {"another cluster created it", "erp", integrator.Import{Name: "orders", ExternalID: "k8s/u2"}, SameNameMarked},
		"AnotherOwner":     {"a cluster with another owner id created it", "k8s/prod/ns/orders", integrator.Import{Name: "orders", ExternalID: "k8s/test/ns/orders"}, SameNameMarked},
		"AnotherNamespace": {"an Import of the same name elsewhere created it", "k8s/prod/ns/orders", integrator.Import{Name: "orders", ExternalID: "k8s/prod/other/orders"}, SameNameMarked},
		"OwnMarker":        {"the search finds it: it is this Import's", "k8s/prod/ns/orders", integrator.Import{Name: "orders", ExternalID: "k8s/prod/ns/orders"}, Distinct},
		"FormerMarker":     {"so it does by a former owner id", "k8s/prod/ns/orders", integrator.Import{Name: "orders", ExternalID: "k8s/old/ns/orders"}, Distinct},
		"MarkerOfTheUID":   {"and by the uid", "k8s/prod/ns/orders", integrator.Import{Name: "orders", ExternalID: "k8s/u1"}, Distinct},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := o.Resembles(object, "orders", tc.declared, tc.remote); got != tc.want {
				t.Errorf("%s: got %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}

// An Import has the metadata of another, as after a restore into a new cluster.
func TestResemblesWithCopiedMetadata(t *testing.T) {
	intended := Intent{Token: "t1", UID: "u0", ExternalID: "k8s/u0", Name: "orders"}
	named := intended
	named.ExternalID = "k8s/prod/ns/orders"
	for name, tc := range map[string]struct {
		reason string
		intent Intent
		remote integrator.Import
		want   Resemblance
	}{
		"AnotherName":  {"it was created for the Import of before, which was renamed since", intended, integrator.Import{Name: "sales", ExternalID: "k8s/u0"}, SameOrigin},
		"SameName":     {"and whether or not it was", intended, integrator.Import{Name: "orders", ExternalID: "k8s/u0"}, SameOrigin},
		"AnotherMark":  {"it is of neither", intended, integrator.Import{Name: "sales", ExternalID: "k8s/u9"}, Distinct},
		"OwnMarker":    {"with an owner id, the marker of before is that of today", named, integrator.Import{Name: "orders", ExternalID: "k8s/prod/ns/orders"}, Distinct},
		"NoExternalID": {"nothing identifies it", intended, integrator.Import{Name: "sales"}, Distinct},
	} {
		t.Run(name, func(t *testing.T) {
			object := declared("u1", intends(tc.intent))
			object.Namespace, object.Name = "ns", "orders"
			if got := (Owner{ID: "prod"}).Resembles(object, "orders", "erp", tc.remote); got != tc.want {
				t.Errorf("%s: got %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}
