// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/plan"
)

func TestWritePlan(t *testing.T) {
	drift := []v1alpha1.Difference{{Path: "/description", Declared: `"declared"`, Remote: `"by hand"`}}
	users := []v1alpha1.ResourceUse{{Kind: "flow", ID: "1", Name: "Hourly"}}
	for name, tc := range map[string]struct {
		reason         string
		item           plan.Item
		text, markdown string
	}{
		"unchanged": {
			reason:   "what is as declared is only counted",
			item:     plan.Item{Action: plan.None, ID: "64b0"},
			text:     "Plan: 1 unchanged.\n",
			markdown: "### Plan: 1 unchanged\n\n| | Object | Action | |\n|---|---|---|---|\n",
		},
		"unchanged with a warning": {
			reason: "a probable mistake is shown, though nothing would change",
			item:   plan.Item{Action: plan.None, ID: "64b0", Warnings: []string{"/nam: it is misspelt"}},
			text:   "  Import shop/orders (64b0): unchanged\n    warning: spec.definition/nam: it is misspelt\nPlan: 1 unchanged.\n",
			markdown: "### Plan: 1 unchanged\n\n| | Object | Action | |\n|---|---|---|---|\n\n<details><summary>Import shop/orders (64b0)</summary>\n\n```diff\n" +
				"warning: spec.definition/nam: it is misspelt\n```\n</details>\n",
		},
		"reported drift": {
			reason: "nothing would change, and it is not as declared",
			item:   plan.Item{Action: plan.None, ID: "64b0", Drift: drift},
			text: "* Import shop/orders (64b0): differs\n    differs, and is left so: /description (declared \"declared\", remote \"by hand\")\n" +
				"Plan: 1 differing, and left so.\n",
			markdown: "### Plan: 1 differing, and left so\n\n| | Object | Action | |\n|---|---|---|---|\n| `*` | Import shop/orders | differs |  |\n\n" +
				"<details><summary>Import shop/orders (64b0)</summary>\n\n```diff\ndiffers, and is left so: /description (declared \"declared\", remote \"by hand\")\n```\n</details>\n",
		},
		"used": {
			reason: "who approves a change sees what it is for",
			item:   plan.Item{Action: plan.Update, ID: "64b0", Calls: []string{"PUT /v1/imports/{id}"}, UsedBy: users},
			text:   "~ Import shop/orders (64b0): update\n    PUT /v1/imports/{id}\n    used by flow \"Hourly\"\nPlan: 1 to update.\n",
			markdown: "### Plan: 1 to update\n\n| | Object | Action | |\n|---|---|---|---|\n| `~` | Import shop/orders | update |  |\n\n" +
				"<details><summary>Import shop/orders (64b0)</summary>\n\n```diff\nPUT /v1/imports/{id}\nused by flow \"Hourly\"\n```\n</details>\n",
		},
		"not known what uses it": {
			reason: "that it could not be read is not that nothing uses it",
			item:   plan.Item{Action: plan.Update, ID: "64b0", Calls: []string{"PUT /v1/imports/{id}"}, UsedByUnknown: "read what uses the import: 403"},
			text:   "~ Import shop/orders (64b0): update\n    PUT /v1/imports/{id}\n    used by: it could not be read: read what uses the import: 403\nPlan: 1 to update.\n",
			markdown: "### Plan: 1 to update\n\n| | Object | Action | |\n|---|---|---|---|\n| `~` | Import shop/orders | update |  |\n\n" +
				"<details><summary>Import shop/orders (64b0)</summary>\n\n```diff\nPUT /v1/imports/{id}\nused by: it could not be read: read what uses the import: 403\n```\n</details>\n",
		},
		"blocked deletion": {
			reason: "a deletion that would be blocked says so",
			item:   plan.Item{Action: plan.Fail, ID: "64b0", Reason: v1alpha1.ReasonDeletionBlocked, Message: "the import would not be deleted: it is in use", UsedBy: users},
			text:   "x Import shop/orders (64b0): fail\n    DeletionBlocked: the import would not be deleted: it is in use\n    used by flow \"Hourly\"\nPlan: 1 failing.\n",
			markdown: "### Plan: 1 failing\n\n| | Object | Action | |\n|---|---|---|---|\n| `x` | Import shop/orders | fail | DeletionBlocked: the import would not be deleted: it is in use |\n\n" +
				"<details><summary>Import shop/orders (64b0)</summary>\n\n```diff\nDeletionBlocked: the import would not be deleted: it is in use\nused by flow \"Hourly\"\n```\n</details>\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.item.Kind, tc.item.Namespace, tc.item.Name = "Import", "shop", "orders"
			made := &plan.Plan{Items: []plan.Item{tc.item}}
			var text, markdown strings.Builder
			if err := writeText(&text, made, palette{}); err != nil {
				t.Fatal(err)
			}
			if err := writeMarkdown(&markdown, made, palette{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tc.text, tc.markdown}, []string{text.String(), markdown.String()}); diff != "" {
				t.Errorf("%s: -want, +got\n%s", tc.reason, diff)
			}
		})
	}
}
