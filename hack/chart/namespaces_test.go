// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// TestWatchNamespaces is an operator that watches some namespaces, by config/namespaced and then by the
// chart: it does all of its work there with the rights that it has, and none elsewhere.
func TestWatchNamespaces(t *testing.T) {
	c := newCluster(t)
	steps := firstSteps(t, mustRender(t, load(t, directory), nil).Info.Notes)
	for _, name := range []string{"team-a", "team-b", "team-c"} {
		c.kubectl(t, "create", "namespace", name)
	}
	c.kubectl(t, "apply", "--server-side", "--validate=strict", "--filename="+c.overlay(t, "namespaced/administrator"))
	c.kubectl(t, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")

	c.kubectl(t, "apply", "--server-side", "--validate=strict", "--filename="+c.overlay(t, "namespaced"))
	// Nobody waits for what is not watched.
	elsewhere := func(namespace string) {
		c.shell(t, namespace, withoutWaits(c.firstObjects(t, namespace, steps)))
	}
	elsewhere("team-b")
	elsewhere("team-c")
	c.runManager(t)
	c.worksIn(t, "team-a", steps)
	c.hasRights(t, "team-a")
	c.untouched(t, "team-b")
	c.untouched(t, "team-c")
	c.checkRights(t)
	c.stopManager(t)

	// The chart, for one namespace more.
	before, since := c.get(t, "team-a"), c.now()
	c.kubectl(t, "delete", "deployment", local.OperatorServiceAccount, "--namespace="+releaseNamespace)
	c.install(t, load(t, directory), together(inNamespaces(t), at("watchNamespaces", []any{"team-a", "team-b"})), true)
	c.runManager(t)
	applied := true
	if after := c.reconciled(t, "team-a", "orders-to-shop"); after.UID != before.UID || after.Status.ID != before.Status.ID ||
		len(c.sim.Ledger(simulator.Filter{Account: "team-a", Applied: &applied, AfterSeq: since})) > 0 {
		t.Errorf("the chart has changed team-a: the import was %s, and is %s", before.Status.ID, after.Status.ID)
	}
	c.reconciled(t, "team-b", "orders-to-shop")
	c.adopts(t, "team-b")
	c.hasRights(t, "team-a", "team-b")
	c.untouched(t, "team-c")
	c.checkRights(t)

	var leases []string
	list, err := c.plane.Clients.CoordinationV1().Leases(releaseNamespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	for i := range list.Items {
		leases = append(leases, list.Items[i].Name)
	}
	if want := []string{releaseName + "." + releaseNamespace}; !slices.Equal(leases, want) {
		t.Errorf("the leases are %v, want %v", leases, want)
	}
	c.stopManager(t)

	// One namespace more than it has rights in.
	ready := c.startManager(t, "--watch-namespaces=team-c")
	must(t, local.Await(t.Context(), local.Patience, "the manager to say where it may not list", func(context.Context) error {
		const says = `cannot list resource \"imports\" in API group \"integrator.io\" in the namespace \"team-c\"`
		if log := strings.ReplaceAll(c.processes.Log(c.managerName()), `\\"`, `\"`); !strings.Contains(log, says) {
			return fmt.Errorf("it says %s", c.processes.Tail(c.managerName(), 3))
		}
		return nil
	}))
	if ready(t.Context()) == nil {
		t.Error("the manager is ready, although it may not list in a namespace")
	}
	c.untouched(t, "team-c")
}

func withoutWaits(commands string) string {
	return strings.ReplaceAll(commands, "kubectl wait ", ": ")
}

// worksIn has the operator do in a namespace what needs its rights: it creates an import and adopts one, and a
// run is done, with a key in the ledger and its responses in a Secret. An Import is deleted.
func (c *cluster) worksIn(t *testing.T, namespace, steps string) {
	t.Helper()
	c.shell(t, namespace, strings.ReplaceAll(c.firstObjects(t, namespace, steps), "kubectl wait ", "kubectl wait --timeout=2m "))
	c.adopts(t, namespace)
	c.shell(t, namespace, `kubectl apply -f - <<'YAML'
apiVersion: integrator.io/v1alpha1
kind: ImportRun
metadata: {name: first}
spec:
  importRef: {name: orders-to-shop}
  idempotencyKey: first
  responseSecretName: first-responses
  data: [{id: 1}]
YAML
kubectl wait --timeout=2m --for=condition=Succeeded importrun/first
kubectl get secret first-responses
kubectl get configmaps --selector=integrator.io/idempotency-key=true --output=name | grep importrun-key-
kubectl delete import adopted --timeout=2m
`)
}

// adopts has an Import adopt an import of the account: the Imports that may have it are listed past the
// cache, of every namespace that is watched.
func (c *cluster) adopts(t *testing.T, namespace string) {
	t.Helper()
	id, err := c.sim.SeedImport(namespace, map[string]any{
		"name": "Adopted", "_connectionId": connection, "adaptorType": "HTTPImport",
		"http": map[string]any{"method": []any{"POST"}, "relativeURI": []any{"/items"}, "body": []any{nil}},
	})
	must(t, err)
	c.shell(t, namespace, `kubectl apply -f - <<'YAML'
apiVersion: integrator.io/v1alpha1
kind: Import
metadata: {name: adopted}
spec:
  adopt: {id: `+id+`}
  definition: {name: Adopted, adaptorType: HTTPImport, _connectionId: `+connection+`}
YAML
kubectl wait --timeout=2m --for=condition=Ready import/adopted
`)
}

// untouched checks that the operator has done nothing about a namespace, nor called its account.
func (c *cluster) untouched(t *testing.T, namespace string) {
	t.Helper()
	object, account := c.get(t, namespace), &v1alpha1.Account{}
	must(t, c.objects.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "default"}, account))
	for _, one := range []client.Object{object, account} {
		if len(one.GetFinalizers()) > 0 || one.GetGeneration() != 1 {
			t.Errorf("the operator has changed %T of %s", one, namespace)
		}
	}
	if len(object.Status.Conditions)+len(account.Status.Conditions) > 0 {
		t.Errorf("the operator has written a status in %s", namespace)
	}
	if calls := c.sim.Ledger(simulator.Filter{Account: namespace}); len(calls) > 0 {
		t.Errorf("%d calls were made with the token of %s", len(calls), namespace)
	}
}

// hasRights checks that the manager's ServiceAccount may do something in these namespaces, and in others and
// in the cluster nothing but what everybody may. It asks the API server, and tries.
func (c *cluster) hasRights(t *testing.T, watched ...string) {
	t.Helper()
	operator, anybody := c.as(t, releaseNamespace, local.OperatorServiceAccount), c.as(t, "team-c", "anybody")
	for _, namespace := range append([]string{"default", "kube-system", "team-c"}, watched...) {
		is := slices.Contains(watched, namespace)
		if same := slices.Equal(rulesIn(t, operator, namespace), rulesIn(t, anybody, namespace)); same == is {
			t.Errorf("%s is watched: %t; the rights there: %v", namespace, is, rulesIn(t, operator, namespace))
		}
		err := operator.List(t.Context(), &v1alpha1.ImportList{}, client.InNamespace(namespace))
		if is && err != nil || !is && !apierrors.IsForbidden(err) {
			t.Errorf("%s is watched: %t; a list there: %v", namespace, is, err)
		}
		// A right of the Role in the namespace, although namespaces are of the cluster.
		err = operator.Get(t.Context(), client.ObjectKey{Name: namespace}, &corev1.Namespace{})
		if is && err != nil || !is && !apierrors.IsForbidden(err) {
			t.Errorf("%s is watched: %t; reading the namespace: %v", namespace, is, err)
		}
	}
	for _, list := range []client.ObjectList{&v1alpha1.AccountList{}, &v1alpha1.ImportList{}, &v1alpha1.ImportRunList{}, &corev1.SecretList{}, &corev1.NamespaceList{}} {
		if err := operator.List(t.Context(), list); !apierrors.IsForbidden(err) {
			t.Errorf("a list of all %T: %v", list, err)
		}
	}
	var bindings rbacv1.ClusterRoleBindingList
	must(t, c.objects.List(t.Context(), &bindings))
	for i := range bindings.Items {
		for _, subject := range bindings.Items[i].Subjects {
			if subject.Namespace == releaseNamespace {
				t.Errorf("%s gives %s rights in the cluster", bindings.Items[i].Name, subject.Name)
			}
		}
	}
}

// as is a client with the rights of a ServiceAccount, which is made if it does not exist.
func (c *cluster) as(t *testing.T, namespace, name string) client.Client {
	t.Helper()
	accounts := c.plane.Clients.CoreV1().ServiceAccounts(namespace)
	_, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	must(t, client.IgnoreAlreadyExists(err))
	granted, err := accounts.CreateToken(t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	must(t, err)
	config := rest.AnonymousClientConfig(c.plane.Config)
	config.BearerToken = granted.Status.Token
	objects, err := client.New(config, client.Options{Scheme: scheme.All()})
	must(t, err)
	return objects
}

// rulesIn are the rules that somebody has in a namespace, sorted.
func rulesIn(t *testing.T, who client.Client, namespace string) (rules []string) {
	t.Helper()
	review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}
	must(t, who.Create(t.Context(), review))
	if review.Status.Incomplete {
		t.Fatalf("the rules are incomplete: %s", review.Status.EvaluationError)
	}
	for _, rule := range review.Status.ResourceRules {
		rules = append(rules, fmt.Sprint(rule))
	}
	slices.Sort(rules)
	return rules
}
