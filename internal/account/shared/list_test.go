// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shared

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestList(t *testing.T) {
	orders, copied, prices := integrator.Import{ID: "2", Name: "orders ", ExternalID: "e"}, integrator.Import{ID: "3", Name: " orders", ExternalID: "e", SourceID: "2"},
		integrator.Import{ID: "1", Name: "prices", ExternalID: "p"}
	list := NewList(map[string]string{"1": "t", "2": "t", "3": "t", "4": "t"}, prices, orders, copied)
	for name, want := range map[string][]integrator.Import{
		"orders": {orders, copied}, " prices": {prices}, "order": nil, "zeros": nil,
	} {
		if diff := cmp.Diff(want, list.Namesakes(name)); diff != "" {
			t.Errorf("of the name %q: -want, +got:\n%s", name, diff)
		}
	}
	find := list.Finder()
	for _, want := range []integrator.Import{orders, copied, prices, {ID: "4"}} {
		if diff := cmp.Diff(want, find(want.ID)); diff != "" {
			t.Errorf("of the id %s: -want, +got:\n%s", want.ID, diff)
		}
	}
	if diff := cmp.Diff(map[string]string{"3": "2"}, list.Sources()); diff != "" {
		t.Errorf("clones: -want, +got:\n%s", diff)
	}
	if got := (List{}).Namesakes("orders"); got != nil {
		t.Errorf("no list has %v", got)
	}
}
