// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/plan"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

const dependencies = "/v1/imports/{id}/dependencies"

// askedFor are the imports of which was asked what uses them, since the ledger had this many entries.
func (r *reality) askedFor(after int64) map[string]int {
	found := map[string]int{}
	for _, entry := range r.sim.Ledger(simulator.Filter{Account: "shop", Route: dependencies, AfterSeq: after}) {
		found[strings.TrimSuffix(strings.TrimPrefix(entry.Path, "/v1/imports/"), "/dependencies")]++
	}
	return found
}

// seed puts an import into the account, as somebody made it in the UI.
func (r *reality) seed(name, externalID string) string {
	r.Helper()
	id, err := r.sim.SeedImport("shop", simulator.Document{
		"name": name, "adaptorType": "HTTPImport", "_connectionId": connection, "externalId": externalID, "description": "by hand",
		"http": map[string]any{"relativeURI": []any{"/items"}, "method": []any{"POST"}},
	})
	if err != nil {
		r.Fatal(err)
	}
	return id
}

func TestWhatUsesAnImport(t *testing.T) {
	users := []v1alpha1.ResourceUse{{Kind: "flow", ID: "64b0000000000000000000f1", Name: "Hourly"}}
	const put, deletion = "PUT /v1/imports/{id}", "DELETE /v1/imports/{id}"
	for name, tc := range map[string]struct {
		reason string
		// fault is what the API answers who asks.
		fault *simulator.Action
		// alone: no cluster is read.
		alone bool
		want  []plan.Item
		asked []string
	}{
		"with a cluster": {
			reason: "it is asked for each import that would be written to or deleted, and for no other",
			want: []plan.Item{
				{Name: "same", Action: plan.None},
				{Name: "changed", Action: plan.Update, Calls: []string{put}, UsedBy: users},
				{Name: "taken", Action: plan.Adopt},
				{Name: "overridden", Action: plan.Adopt, Calls: []string{put}, UsedBy: users},
				{Name: "named", Action: plan.Adopt, Calls: []string{put}, UsedBy: users},
				{Name: "heir", Action: plan.Adopt, Calls: []string{put}, UsedBy: users},
				{Name: "free", Action: plan.Delete, Calls: []string{deletion}},
				{Name: "old", Action: plan.Release},
				{Name: "used", Action: plan.Fail, Reason: v1alpha1.ReasonDeletionBlocked, UsedBy: users,
					Message: `the import would not be deleted: the import is in use by flow "Hourly": remove it there, or set spec.deletionPolicy to Orphan`},
			},
			asked: []string{"changed", "overridden", "named", "heir", "free", "used"},
		},
		"without a cluster": {
			reason: "the token of the account is enough to ask",
			alone:  true,
			want: []plan.Item{
				{Name: "same", Action: plan.Fail, Reason: v1alpha1.ReasonOwnershipConflict, Message: "…"},
				{Name: "changed", Action: plan.Fail, Reason: v1alpha1.ReasonOwnershipConflict, Message: "…"},
				{Name: "taken", Action: plan.Adopt},
				{Name: "overridden", Action: plan.Adopt, Calls: []string{put}, UsedBy: users},
				{Name: "named", Action: plan.Adopt, Calls: []string{put}, UsedBy: users},
				{Name: "heir", Action: plan.Adopt, Calls: []string{put}, UsedBy: users},
			},
			asked: []string{"overridden", "named", "heir"},
		},
		"refused": {
			reason: "a change is planned as before, and says so; a deletion fails, as the operator does not make it then",
			fault:  &simulator.Action{Kind: simulator.ActionAnswer, Status: 403},
			want: []plan.Item{
				{Name: "same", Action: plan.None},
				{Name: "changed", Action: plan.Update, Calls: []string{put}, UsedByUnknown: "…"},
				{Name: "taken", Action: plan.Adopt},
				{Name: "overridden", Action: plan.Adopt, Calls: []string{put}, UsedByUnknown: "…"},
				{Name: "named", Action: plan.Adopt, Calls: []string{put}, UsedByUnknown: "…"},
				{Name: "heir", Action: plan.Adopt, Calls: []string{put}, UsedByUnknown: "…"},
				{Name: "free", Action: plan.Fail, Reason: v1alpha1.ReasonForbidden, Message: "…"},
				{Name: "old", Action: plan.Release},
				{Name: "used", Action: plan.Fail, Reason: v1alpha1.ReasonForbidden, Message: "…"},
			},
			asked: []string{"changed", "overridden", "named", "heir", "free", "used"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReality(t)
			ids := map[string]string{"taken": r.seed("taken", ""), "overridden": r.seed("overridden", ""), "named": r.seed("named", "erp-1")}
			first := []string{httpImport("same", ""), httpImport("changed", ""), httpImport("free", ""), httpImport("old", ""), httpImport("used", "")}
			r.stage("before", manifests(t, strings.Join(first, "\n---\n")), false)
			for name, id := range r.ids() {
				ids[name] = id
			}
			ids["heir"] = ids["old"]
			if err := r.sim.AddFlow("shop", simulator.Flow{ID: users[0].ID, Name: users[0].Name, Imports: []string{
				ids["same"], ids["changed"], ids["taken"], ids["overridden"], ids["named"], ids["old"], ids["used"],
			}}); err != nil {
				t.Fatal(err)
			}
			if tc.fault != nil {
				if _, err := r.sim.AddRule(simulator.Rule{Account: "shop", Route: dependencies, Phase: simulator.PhaseBefore, Action: *tc.fault}); err != nil {
					t.Fatal(err)
				}
			}
			declared := manifests(t, strings.Join([]string{
				httpImport("same", ""),
				strings.Replace(httpImport("changed", ""), "name: changed, adaptor", "name: changed, description: new, adaptor", 1),
				httpImport("taken", "  adopt: {id: "+ids["taken"]+"}\n"),
				httpImport("overridden", "  adopt: {id: "+strings.ToUpper(ids["overridden"])+", mode: Override}\n"),
				strings.Replace(httpImport("named", "  adopt: {externalId: erp-1, mode: Override}\n"), "name: named, adaptor", "name: renamed, adaptor", 1),
				httpImport("heir", "  adopt: {id: "+ids["heir"]+", mode: Override}\n"),
			}, "\n---\n"))
			options := r.options
			if !tc.alone {
				options.Cluster, options.Prune = r.cluster, true
			}
			before := r.lastCall()
			made, err := plan.Make(t.Context(), declared, options)
			if err != nil {
				t.Fatal(err)
			}
			ignored := cmpopts.IgnoreFields(plan.Item{}, "Kind", "Namespace", "Source", "ID", "Differences")
			some := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Message" || p.Last().String() == ".UsedByUnknown" },
				cmp.Comparer(func(a, b string) bool { return a == b || a == "…" && b != "" || b == "…" && a != "" }))
			if diff := cmp.Diff(tc.want, made.Items, ignored, some, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			asked := map[string]int{}
			for _, name := range tc.asked {
				asked[ids[name]] = 1
			}
			if diff := cmp.Diff(asked, r.askedFor(before)); diff != "" {
				t.Errorf("%s: what was asked for (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(map[string][]string{}, r.calls(before)); diff != "" {
				t.Errorf("the plan wrote (-want +got):\n%s", diff)
			}
			if tc.fault == nil && !tc.alone {
				r.stage("after", declared, true)
			}
		})
	}
}

// TestNobodySaysWhatUsesAnImport: a platform that does not answer costs the plan its time, and not the plan.
func TestNobodySaysWhatUsesAnImport(t *testing.T) {
	r := newReality(t)
	id := r.seed("overridden", "")
	if _, err := r.sim.AddRule(simulator.Rule{Account: "shop", Route: dependencies, Phase: simulator.PhaseBefore,
		Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: time.Hour.Milliseconds()}}); err != nil {
		t.Fatal(err)
	}
	options := r.options
	options.Timeout = 3 * time.Second
	made, err := plan.Make(t.Context(), manifests(t, httpImport("overridden", "  adopt: {id: "+id+", mode: Override}\n")), options)
	if err != nil {
		t.Fatal(err)
	}
	want := []plan.Item{{Name: "overridden", Action: plan.Adopt, ID: id, Calls: []string{"PUT /v1/imports/{id}"}, UsedByUnknown: "there was no answer within 3s"}}
	if diff := cmp.Diff(want, made.Items, cmpopts.IgnoreFields(plan.Item{}, "Kind", "Namespace", "Source", "Differences")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
