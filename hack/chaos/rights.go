// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

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
)

// Every plan runs with the rights of the manager's ServiceAccount, and nothing may be denied:
// so they are enough. That none is too much is shown here: each right is taken away alone,
// and the scenarios have to miss it.

const managerRole = "integrator-operator-manager-role"

// right is one verb on one resource.
type right struct{ group, resource, verb string }

func (r right) String() string {
	if r.group == "" {
		return r.verb + " " + r.resource
	}
	return r.verb + " " + r.resource + "." + r.group
}

// rightsOf are all that a role gives.
func rightsOf(role *rbacv1.ClusterRole) (all []right) {
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, right{group, resource, verb})
				}
			}
		}
	}
	return all
}

// without are rules that give all but one right.
func without(all []right, missing right) (rules []rbacv1.PolicyRule) {
	for _, r := range all {
		if r != missing {
			rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{r.group}, Resources: []string{r.resource}, Verbs: []string{r.verb}})
		}
	}
	return rules
}

// rights takes each right away and prints which scenario missed it.
func (c *campaign) rights(ctx context.Context) error {
	role := &rbacv1.ClusterRole{}
	if err := c.cluster.objects.Get(ctx, client.ObjectKey{Name: managerRole}, role); err != nil {
		return err
	}
	all := rightsOf(role)
	missedBy := make([]string, len(all))
	inLanes(ctx, c.lanes, len(all), func(i int) { missedBy[i] = c.miss(ctx, all, i) })
	table := tabwriter.NewWriter(c.report.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "right taken away\tmissed by\t\n")
	idle := 0
	for i, by := range missedBy {
		if by == "" {
			idle++
			by = "NOBODY"
		}
		fmt.Fprintf(table, "%s\t%s\t\n", all[i], by)
	}
	_ = table.Flush() // to a terminal or a file that is there or not
	fmt.Fprintf(c.report.out, "\n%d of %d rights were missed when they were taken away\n", len(all)-idle, len(all))
	if idle > 0 || len(all) == 0 {
		return errors.New("a right is not needed, or no scenario needs it")
	}
	return context.Cause(ctx)
}

// miss plays scenarios as somebody who lacks a right until one is denied something, and
// returns its name.
func (c *campaign) miss(ctx context.Context, all []right, i int) string {
	user := fmt.Sprintf("lacks-%d", i)
	cut := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: user}, Rules: without(all, all[i])}
	if err := c.cluster.objects.Create(ctx, cut); err != nil {
		return ""
	}
	for _, name := range demanding {
		p, err := parsePlan(name)
		if err != nil {
			return ""
		}
		p.user = user
		if c.denied(ctx, p, all[i]) {
			return name
		}
	}
	return ""
}

// demanding are plans that need all the rights there are: some only where an answer is lost.
var demanding = []string{"keyed", "drift", "expired", "secret-gone", "create/POST.imports.1/lost", "run/patch.importruns.first.1/lost"}

// denied plays a plan as its user, and tells whether Kubernetes denied it anything.
func (c *campaign) denied(ctx context.Context, p plan, missing right) (denied bool) {
	ctx, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	c.performOn(ctx, c.cluster, p, nil, func(s *stage) {
		if missing.verb == "list" {
			// As with an API server that does not stream lists.
			s.weather.record()
		}
		binding := &rbacv1.RoleBinding{ObjectMeta: s.meta(p.user),
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: p.user},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: p.user}}}
		s.fail(s.objects.Create(ctx, binding))
		watching.Go(func() {
			for ctx.Err() == nil {
				if denied = len(s.trace.refusals()) > 0; denied {
					stop()
				}
				pause(ctx, 100*time.Millisecond)
			}
		})
	})
	stop()
	watching.Wait()
	return denied
}
