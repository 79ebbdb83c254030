// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

func TestAccountInATree(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		status v1alpha1.AccountStatus
		want   string
	}{
		"scanned": {
			reason: "the counts are those of the last scan",
			status: v1alpha1.AccountStatus{Imports: ptr.To[int32](12), Managed: ptr.To[int32](4)},
			want:   "Account shop/default: https://api.integrator.io, 4 of 12 imports managed\n",
		},
		"not scanned": {
			reason: "before the first scan there are no counts",
			want:   "Account shop/default: https://api.integrator.io, not scanned yet\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			account := &v1alpha1.Account{Spec: v1alpha1.AccountSpec{BaseURL: "https://api.integrator.io"}, Status: tc.status}
			account.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}}
			var out strings.Builder
			healthy := (&tree{namespace: "shop", name: "default", account: account}).write(&textWriter{out: &out}, palette{}, false)
			if diff := cmp.Diff(tc.want, out.String()); diff != "" || !healthy {
				t.Errorf("%s: healthy %t; -want, +got\n%s", tc.reason, healthy, diff)
			}
		})
	}
}
