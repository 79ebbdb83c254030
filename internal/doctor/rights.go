// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"context"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// right is what somebody has to be permitted.
type right struct {
	group, resource string
	verbs           []string
	// for whom it is, for rights of the user: the commands that need it.
	commands string
}

func (r right) String() string {
	name := r.resource
	if r.group != "" {
		name += "." + r.group
	}
	return strings.Join(r.verbs, ", ") + " " + name
}

// yours are the rights of a user, and the commands that need them.
var yours = []right{
	{v1alpha1.GroupVersion.Group, "accounts", []string{"get", "list"}, "every command"},
	{v1alpha1.GroupVersion.Group, "imports", []string{"get", "list"}, "every command"},
	{v1alpha1.GroupVersion.Group, "importruns", []string{"get", "list"}, "status, report and run"},
	{"", "secrets", []string{"get"}, "plan, diff, history, adopt, export and report, which read the token"},
	{"events.k8s.io", "events", []string{"list"}, "report"},
	{v1alpha1.GroupVersion.Group, "imports", []string{"patch"}, "reconcile, suspend, resume and takeover"},
	{v1alpha1.GroupVersion.Group, "importruns", []string{"create"}, "run"},
}

// operators are the rights of the operator in a namespace that it looks after: those of
// controllers/rbac.go.
var operators = []right{
	{"", "configmaps", []string{"create", "get", "list", "patch", "watch"}, ""},
	{"", "secrets", []string{"create", "get", "list", "patch", "watch"}, ""},
	{"", "namespaces", []string{"get"}, ""},
	{"events.k8s.io", "events", []string{"create"}, ""},
	{v1alpha1.GroupVersion.Group, "accounts", []string{"get", "list", "patch", "watch"}, ""},
	{v1alpha1.GroupVersion.Group, "accounts/status", []string{"patch"}, ""},
	{v1alpha1.GroupVersion.Group, "imports", []string{"get", "list", "patch", "watch"}, ""},
	{v1alpha1.GroupVersion.Group, "imports/status", []string{"patch"}, ""},
	{v1alpha1.GroupVersion.Group, "importruns", []string{"delete", "get", "list", "patch", "watch"}, ""},
	{v1alpha1.GroupVersion.Group, "importruns/status", []string{"patch"}, ""},
}

// elections are the rights of the operator in its own namespace, if it elects a leader.
var elections = []right{{"coordination.k8s.io", "leases", []string{"create", "get", "update"}, ""}}

// maxNamespaces is in how many namespaces the rights of the operator are checked.
const maxNamespaces = 20

func attributes(namespace string, r right, verb string) *authorizationv1.ResourceAttributes {
	resource, subresource, _ := strings.Cut(r.resource, "/")
	made := &authorizationv1.ResourceAttributes{Namespace: namespace, Group: r.group, Resource: resource, Subresource: subresource, Verb: verb}
	if resource == "namespaces" {
		made.Name = namespace
	}
	return made
}

// yourRights asks what the user may do. Everybody may ask that.
func (d *doctor) yourRights(ctx context.Context) {
	missing := 0
	for _, r := range yours {
		var refused []string
		for _, verb := range r.verbs {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes(d.Namespace, r, verb)}}
			if err := d.Cluster.Create(ctx, review); err != nil {
				d.unread(nameYours, "", "ask for your rights", err)
				return
			}
			if !review.Status.Allowed {
				refused = append(refused, verb)
			}
		}
		if len(refused) > 0 {
			missing++
			lacks := right{group: r.group, resource: r.resource, verbs: refused}
			d.add(nameYours, d.in(), Warning, "ask an administrator for the right, if you need the command", "you may not %s; needed by %s", lacks, r.commands)
		}
	}
	if missing == 0 {
		d.add(nameYours, d.in(), OK, "", "you may use every command")
	}
}

func (d *doctor) in() string { return cmp.Or(d.Namespace, "all namespaces") }

// operatorRights asks what the ServiceAccount of the operator may do in the namespaces that are checked.
func (d *doctor) operatorRights(ctx context.Context) {
	if d.operator == nil {
		d.add(nameOperators, "", Skipped, "", "the operator was not found, so its ServiceAccount is not known")
		return
	}
	namespaces := []string{d.Namespace}
	if d.Namespace == "" {
		namespaces = nil
		for i := range d.accounts {
			if d.operator.watches(d.accounts[i].Namespace) {
				namespaces = append(namespaces, d.accounts[i].Namespace)
			}
		}
		slices.Sort(namespaces)
		namespaces = slices.Compact(namespaces)
	}
	for _, namespace := range namespaces[:min(len(namespaces), maxNamespaces)] {
		if !d.mayIn(ctx, namespace, operators, "apply the roles of the operator's version, see docs/install.md") {
			return
		}
	}
	if len(namespaces) > maxNamespaces {
		d.add(nameOperators, "", Skipped, "", "only %d of %d namespaces were checked; name another with --namespace", maxNamespaces, len(namespaces))
	}
	if d.operator.elects {
		d.mayIn(ctx, d.operator.namespace, elections, "apply the role for the lease, see docs/install.md")
	}
}

// mayIn checks rights of the operator in a namespace, and reports whether such questions are permitted.
func (d *doctor) mayIn(ctx context.Context, namespace string, rights []right, advice string) bool {
	account := "system:serviceaccount:" + d.operator.namespace + ":" + cmp.Or(d.operator.serviceAccount, "default")
	groups := []string{"system:serviceaccounts", "system:serviceaccounts:" + d.operator.namespace, "system:authenticated"}
	var missing []string
	for _, r := range rights {
		var refused []string
		for _, verb := range r.verbs {
			review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: account, Groups: groups, ResourceAttributes: attributes(namespace, r, verb)}}
			if err := d.Cluster.Create(ctx, review); client.IgnoreNotFound(err) != nil {
				d.unread(nameOperators, "namespace "+namespace, "ask for the rights of others (create subjectaccessreviews.authorization.k8s.io)", err)
				return false
			}
			if !review.Status.Allowed {
				refused = append(refused, verb)
			}
		}
		if len(refused) > 0 {
			missing = append(missing, right{group: r.group, resource: r.resource, verbs: refused}.String())
		}
	}
	if len(missing) > 0 {
		d.add(nameOperators, "namespace "+namespace, Failed, advice, "%s may not %s", account, strings.Join(missing, "; "))
		return true
	}
	d.add(nameOperators, "namespace "+namespace, OK, "", "%s may do all that it has to", account)
	return true
}
