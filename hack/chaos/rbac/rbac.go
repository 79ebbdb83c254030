// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rbac shows that the manager's role has no permission too many. Every plan of the campaign
// runs with the permissions of the manager's ServiceAccount, and nothing may be denied: so they are
// enough. Here each permission is removed alone, and some plan has to be denied something. The
// admission policies on the manager's ServiceAccount bind these users too, and must not be what denies.
package rbac

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"text/tabwriter"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/chaos/campaign"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

const managerRole = "integrator-operator-manager-role"

// plans need all the permissions there are: some are needed only where an answer is lost.
var plans = []string{"keyed", "drift", "expired", "secret-gone", "create/POST.imports.1/lost", "run/patch.importruns.first.1/lost"}

// permission is one verb on one resource.
type permission struct{ group, resource, verb string }

func (p permission) String() string {
	if p.group == "" {
		return p.verb + " " + p.resource
	}
	return p.verb + " " + p.resource + "." + p.group
}

// permissionsOf are all that a role gives.
func permissionsOf(role *rbacv1.ClusterRole) (all []permission) {
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, permission{group, resource, verb})
				}
			}
		}
	}
	return all
}

// rulesWithout are rules that give all permissions except one.
func rulesWithout(all []permission, removed permission) (rules []rbacv1.PolicyRule) {
	for _, p := range all {
		if p != removed {
			rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{p.group}, Resources: []string{p.resource}, Verbs: []string{p.verb}})
		}
	}
	return rules
}

// Run removes each permission and prints which plan was denied something.
func Run(ctx context.Context, c *campaign.Campaign) error {
	role := &rbacv1.ClusterRole{}
	if err := c.Cluster.Objects.Get(ctx, client.ObjectKey{Name: managerRole}, role); err != nil {
		return err
	}
	all := permissionsOf(role)
	needed, failures := make([]string, len(all)), make([]error, len(all))
	campaign.InParallel(ctx, c.Parallel, len(all), func(i int) { needed[i], failures[i] = neededBy(ctx, c, all, i) })
	if err := errors.Join(failures...); err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.Report.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "permission removed\tneeded by\t\n")
	unused := 0
	for i, by := range needed {
		if by == "" {
			unused++
			by = "NO PLAN"
		}
		fmt.Fprintf(table, "%s\t%s\t\n", all[i], by)
	}
	_ = table.Flush() // nothing can be done if the output is closed
	fmt.Fprintf(c.Report.Out, "\n%d of %d permissions are needed\n", len(all)-unused, len(all))
	if unused > 0 || len(all) == 0 {
		return errors.New("a permission is not needed, or no plan needs it")
	}
	return context.Cause(ctx)
}

// neededBy plays plans as a user who lacks a permission until one is denied something, and returns
// its name.
func neededBy(ctx context.Context, c *campaign.Campaign, all []permission, i int) (plan string, err error) {
	account := fmt.Sprintf("lacks-%d", i)
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: account}, Rules: rulesWithout(all, all[i])}
	if err := c.Cluster.Objects.Create(ctx, role); err != nil {
		return "", err
	}
	if err := restrict(ctx, c.Cluster.Objects, account); err != nil {
		return "", err
	}
	for _, name := range plans {
		p, err := campaign.ParsePlan(name)
		if err != nil {
			return "", err
		}
		if denied, err := denied(ctx, c, p, account, all[i]); denied || err != nil {
			return name, err
		}
	}
	return "", nil
}

// denied plays a plan as a ServiceAccount, and reports whether its role denied it anything.
func denied(ctx context.Context, c *campaign.Campaign, p campaign.Plan, account string, removed permission) (denied bool, err error) {
	ctx, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	user := userOf(account)
	c.Execute(ctx, p, campaign.Setup{User: user, Started: func(x *scenario.Execution) {
		if removed.verb == "list" {
			// As with an API server that does not stream lists.
			x.Noise.RecordLists()
		}
		binding := &rbacv1.RoleBinding{ObjectMeta: x.Meta(account),
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: account},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}}
		x.Fail(x.Objects.Create(ctx, binding))
		if removed != (permission{"", "secrets", "create"}) {
			if err = restricted(ctx, c, x.Namespace, user); err != nil {
				stop()
				return
			}
		}
		watching.Go(func() {
			for ctx.Err() == nil {
				if byRole, byPolicy := refusals(x.Recorder().Refusals()); len(byRole)+len(byPolicy) > 0 {
					denied = len(byRole) > 0
					if len(byPolicy) > 0 {
						err = fmt.Errorf("%s: a policy denies %q", p.Scenario, byPolicy)
					}
					stop()
				}
				sandbox.Pause(ctx, 100*time.Millisecond)
			}
		})
	}})
	stop()
	watching.Wait()
	return denied, err
}
