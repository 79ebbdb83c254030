// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

func TestDifferences(t *testing.T) {
	var many []drift.Difference
	for i := range 20 {
		many = append(many, drift.Difference{Path: fmt.Sprintf("/f%d", i), Declared: strings.Repeat("x", 1000)})
	}
	shown := ShownDifferences(many)
	if len(shown) != 16 || len(shown[0].Declared) > 256 || shown[0].Remote != "" {
		t.Errorf("status shows %d differences, the first is %+v", len(shown), shown[0])
	}
	want := "/a (declared 1, remote none); and 4 more"
	if diff := cmp.Diff(want, Describe([]v1alpha1.Difference{{Path: "/a", Declared: "1"}}, 5)); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
	changed := append([]drift.Difference(nil), many...)
	changed[19].Remote = "y"
	if DifferencesHash(changed) == DifferencesHash(many) {
		t.Error("a difference that status does not show leaves the hash as it was")
	}
	one, other := []drift.Difference{{Path: "/a", Remote: "\xed\xa0\xbd"}}, []drift.Difference{{Path: "/a", Remote: "\xed\xa0\xbe"}}
	if DifferencesHash(one) == DifferencesHash(other) {
		t.Error("another unpaired surrogate leaves the hash as it was")
	}
	shown = ShownDifferences([]drift.Difference{{Path: "/a\xed\xa0\xbd", Remote: "\xed\xa0\xbd\xff\xff"}})
	if diff := cmp.Diff([]v1alpha1.Difference{{Path: `/a\ud83d`, Remote: "\"\\ud83d\uFFFD\""}}, shown); diff != "" {
		t.Errorf("a text that is not Unicode: -want, +got:\n%s", diff)
	}
}
