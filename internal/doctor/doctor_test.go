// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/config/crd"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// situation is a cluster that is checked. Its zero value is one where all is well.
type situation struct {
	kinds      func(name string, definition *unstructured.Unstructured) bool // false leaves it out
	deployment func(*appsv1.Deployment)
	account    func(*v1alpha1.Account)
	imports    []*v1alpha1.Import
	more       []client.Object
	// without names objects that are left out.
	without []string
	// refused says which reads are forbidden, and denied which rights somebody lacks.
	refused func(what string) bool
	denied  func(user, verb, resource string) bool
	// status and user are what the API answers to the check of a token.
	status int
	user   string
	// hosts are those of the command.
	hosts []string
	named string
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "shop", Name: name, Generation: 1, CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))}
}

func condition(kind string, status metav1.ConditionStatus, reason, message string, age time.Duration) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(now.Add(-age))}
}

func importOf(name string, edits ...func(*v1alpha1.Import)) *v1alpha1.Import {
	object := &v1alpha1.Import{ObjectMeta: meta(name)}
	object.Status = v1alpha1.ImportStatus{ObservedGeneration: 1, Conditions: []metav1.Condition{condition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSynced, "as declared", time.Hour)}}
	for _, edit := range edits {
		edit(object)
	}
	return object
}

func (s situation) objects(t *testing.T, url string) []client.Object {
	t.Helper()
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: usualNamespace, Name: "controller-manager", Labels: installed},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](1), Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{ServiceAccountName: "manager", Containers: []corev1.Container{
			{Name: "manager", Image: "registry.example.com:5000/operator:v0.1.0", Args: []string{"--leader-elect", "--allow-http", "--allowed-api-hosts", strings.TrimPrefix(url, "http://")}}}}}},
		Status: appsv1.DeploymentStatus{ReadyReplicas: 1}}
	account := &v1alpha1.Account{ObjectMeta: meta("default"), Spec: v1alpha1.AccountSpec{BaseURL: url, ScanInterval: "60s", TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token", Key: "token"}},
		Status: v1alpha1.AccountStatus{ObservedGeneration: 1, UserID: "u1", Imports: ptr.To[int32](7), Conditions: []metav1.Condition{condition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonTokenAccepted, "accepted", time.Hour)}}}
	if s.deployment != nil {
		s.deployment(deployment)
	}
	if s.account != nil {
		s.account(account)
	}
	all := append([]client.Object{deployment, account, &corev1.Secret{ObjectMeta: meta("token"), Data: map[string][]byte{"token": []byte("the-token")}}}, s.more...)
	for _, object := range s.imports {
		all = append(all, object)
	}
	files, _ := fs.Glob(crd.Bases, "bases/*.yaml")
	for _, file := range files {
		content, _ := crd.Bases.ReadFile(file)
		definition := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(content, &definition.Object); err != nil {
			t.Fatal(err)
		}
		definition.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Established", "status": "True"}}}
		if s.kinds == nil || s.kinds(definition.GetName(), definition) {
			all = append(all, definition)
		}
	}
	return slices.DeleteFunc(all, func(object client.Object) bool { return slices.Contains(s.without, object.GetName()) })
}

// checks makes the checks of a situation.
func (s situation) checks(t *testing.T) []Check {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if s.status != 0 {
			w.WriteHeader(s.status)
		}
		user := s.user
		if user == "" {
			user = "u1"
		}
		_, _ = fmt.Fprintf(w, `{"_userId": %q}`, user)
	}))
	defer server.Close()
	refuses := func(what string) error {
		if s.refused != nil && s.refused(what) {
			return apierrors.NewForbidden(schema.GroupResource{Resource: what}, "", nil)
		}
		return nil
	}
	mapper := apimeta.NewDefaultRESTMapper(nil)
	for _, kind := range []string{"Account", "Import", "ImportRun"} {
		mapper.Add(v1alpha1.GroupVersion.WithKind(kind), apimeta.RESTScopeNamespace)
	}
	cluster := interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme.All()).WithRESTMapper(mapper).WithObjects(s.objects(t, server.URL)...).Build(), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			if err := refuses(fmt.Sprintf("get %T", into)); err != nil {
				return err
			}
			return c.Get(ctx, key, into, options...)
		},
		List: func(ctx context.Context, c client.WithWatch, into client.ObjectList, options ...client.ListOption) error {
			all := client.ListOptions{}
			all.ApplyOptions(options)
			if err := refuses(fmt.Sprintf("list %T in %s", into, all.Namespace)); err != nil {
				return err
			}
			return c.List(ctx, into, options...)
		},
		Create: func(_ context.Context, _ client.WithWatch, object client.Object, _ ...client.CreateOption) error {
			if err := refuses(fmt.Sprintf("create %T", object)); err != nil {
				return err
			}
			allowed := func(user string, a *authorizationv1.ResourceAttributes) bool {
				return s.denied == nil || !s.denied(user, a.Verb, strings.TrimSuffix(a.Resource+"/"+a.Subresource, "/"))
			}
			switch review := object.(type) {
			case *authorizationv1.SelfSubjectAccessReview:
				review.Status.Allowed = allowed("you", review.Spec.ResourceAttributes)
			case *authorizationv1.SubjectAccessReview:
				review.Status.Allowed = allowed(review.Spec.User, review.Spec.ResourceAttributes)
			default:
				t.Errorf("a %T is created", object)
			}
			return nil
		},
		Patch: func(context.Context, client.WithWatch, client.Object, client.Patch, ...client.PatchOption) error {
			t.Error("something is patched")
			return nil
		},
	})
	hosts := s.hosts
	if hosts == nil {
		hosts = []string{strings.TrimPrefix(server.URL, "http://")}
	}
	return Run(t.Context(), Options{Cluster: cluster, Namespace: "shop", OperatorNamespace: s.named, Version: "v0.1.0", Hosts: hosts, AllowHTTP: true, Now: now,
		Connect: func(context.Context, types.NamespacedName) (*integrator.Client, *v1alpha1.Account, error) {
			remote, err := integrator.New(integrator.Config{BaseURL: server.URL, Token: "the-token", AllowHTTP: true, ReadOnly: true})
			return remote, nil, err
		}})
}

func TestRun(t *testing.T) {
	stalled := func(reason, message string) []metav1.Condition {
		return []metav1.Condition{condition(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message, time.Hour), condition(v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message, time.Hour)}
	}
	withValue := func(object *v1alpha1.Import) {
		object.Spec.ValuesFrom = []v1alpha1.ValueSource{{Path: "/a", SecretKeyRef: &v1alpha1.KeyReference{Name: "values", Key: "key"}}}
	}
	forbids := func(parts ...string) func(string) bool {
		return func(what string) bool {
			return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(what, part) })
		}
	}
	cases := map[string]struct {
		reason    string
		situation situation
		// want are the checks that are not ok: result, name, and a part of what is said.
		want [][3]string
	}{
		"AllWell":    {"nothing is wrong", situation{}, nil},
		"KindGone":   {"nothing else can be checked", situation{kinds: func(name string, _ *unstructured.Unstructured) bool { return !strings.HasPrefix(name, "imports.") }}, [][3]string{{"failed", "kinds", "does not have this kind"}}},
		"OldKind":    {"a field is missing", situation{kinds: older}, [][3]string{{"warning", "kinds", "its schema is not that of this program"}}},
		"OtherTexts": {"texts are no schema", situation{kinds: described}, nil},
		"NotServed": {"it is not established", situation{kinds: func(_ string, d *unstructured.Unstructured) bool { delete(d.Object, "status"); return true }},
			[][3]string{{"failed", "kinds", "does not serve"}, {"failed", "kinds", "does not serve"}, {"failed", "kinds", "does not serve"}}},
		"KindsUnread":    {"the API server offers them", situation{refused: forbids("get *unstructured")}, [][3]string{{"skipped", "kinds", "may not read"}, {"skipped", "kinds", "may not read"}, {"skipped", "kinds", "may not read"}}},
		"NoOperator":     {"nobody works", situation{without: []string{"controller-manager"}}, [][3]string{{"warning", "operator", "there is no Deployment"}, {"skipped", "rights of the operator", "not found"}, {"skipped", "scan", "cannot be said"}}},
		"OperatorUnread": {"the user may not look", situation{refused: forbids("DeploymentList")}, [][3]string{{"skipped", "operator", "you may not list the Deployments in namespace integrator-operator-system"}, {"skipped", "rights of the operator", ""}, {"skipped", "scan", ""}}},
		"OnlyItsOwn":     {"the usual namespace is enough", situation{refused: func(what string) bool { return what == "list *v1.DeploymentList in " }}, nil},
		"Elsewhere":      {"it is looked for where it is said to be", situation{named: "other"}, [][3]string{{"warning", "operator", "in namespace other"}, {"skipped", "rights of the operator", ""}, {"skipped", "scan", ""}}},
		"NotReady":       {"its pods do not start", situation{deployment: func(d *appsv1.Deployment) { d.Status.ReadyReplicas = 0 }}, [][3]string{{"failed", "operator", "none of 1 replicas"}, {"failed", "scan", "does not run"}}},
		"HalfReady":      {"one is missing", situation{deployment: func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To[int32](2) }}, [][3]string{{"warning", "operator", "1 of 2 replicas"}}},
		"ScaledDown":     {"somebody stopped it", situation{deployment: func(d *appsv1.Deployment) { d.Spec.Replicas, d.Status.ReadyReplicas = ptr.To[int32](0), 0 }}, [][3]string{{"failed", "operator", "scaled to 0"}, {"failed", "scan", ""}}},
		"OtherVersion":   {"the image says so", situation{deployment: func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "operator:v0.2.0" }}, [][3]string{{"warning", "operator", "version v0.2.0"}}},
		"Digest": {"the label says so", situation{deployment: func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Image = "operator@sha256:00"
			d.Labels = map[string]string{"app.kubernetes.io/version": "0.1.0"}
			for name, value := range installed {
				d.Labels[name] = value
			}
		}}, nil},
		"Latest":       {"nothing says which", situation{deployment: func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "operator:latest" }}, [][3]string{{"skipped", "operator", "cannot be compared"}}},
		"WatchesIt":    {"among others", situation{deployment: watching("other,shop")}, nil},
		"DoesNotWatch": {"nobody works there", situation{deployment: watching("other")}, [][3]string{{"failed", "operator", "it does not watch namespace shop"}}},
		"AnotherWatches": {"that one is asked", situation{deployment: watching("other"), more: []client.Object{second("another", watching("shop"))}},
			[][3]string{{"warning", "operator", "there are 2 of them; what follows is about the one in namespace another"}, {"failed", "base URL", "allows by default"}}},
		"Shared": {"together they select everything", situation{deployment: selecting("shard=a"), account: inShard, more: []client.Object{second("another", selecting("!shard"))},
			imports: []*v1alpha1.Import{importOf("orders")}}, [][3]string{{"failed", "base URL", "allows by default"}}},
		"SelectedByNone": {"nobody works on them", situation{deployment: selecting("shard=a"), account: inShard, imports: []*v1alpha1.Import{importOf("orders"), importOf("prices")}},
			[][3]string{{"warning", "operator", "selects Import shop/orders, Import shop/prices: nothing is done"}}},
		"SelectedByTwo": {"both work on it", situation{deployment: selecting("shard=a"), account: inShard, more: []client.Object{second("another", selecting("shard"))}},
			[][3]string{{"warning", "operator", "several operators select Account shop/default"}, {"failed", "base URL", "allows by default"}}},
		"YouLack": {"a command needs it", situation{denied: func(user, verb, resource string) bool {
			return user == "you" && verb == "create" && resource == "importruns"
		}}, [][3]string{{"warning", "your rights", "you may not create importruns.integrator.io; needed by run"}}},
		"ItLacks": {"it cannot work", situation{denied: func(user, verb, resource string) bool {
			return user != "you" && (verb == "patch" && resource == "imports/status" || resource == "leases")
		}},
			[][3]string{{"failed", "rights of the operator", "system:serviceaccount:integrator-operator-system:manager may not patch imports/status.integrator.io"}, {"failed", "rights of the operator", "create, get, update leases.coordination.k8s.io"}}},
		"MayNotAsk":      {"reviews are for administrators", situation{refused: forbids("create *v1.SubjectAccessReview")}, [][3]string{{"skipped", "rights of the operator", "you may not ask for the rights of others"}}},
		"Suspended":      {"it is not called", situation{account: func(a *v1alpha1.Account) { a.Spec.Suspend = true }}, [][3]string{{"warning", "account", "spec.suspend"}}},
		"HostNotAllowed": {"the operator refuses it", situation{account: func(a *v1alpha1.Account) { a.Spec.BaseURL = "https://evil.example.com" }}, [][3]string{{"failed", "base URL", "is not allowed"}}},
		"NoSecret":       {"the token is missing", situation{without: []string{"token"}}, [][3]string{{"failed", "token", `there is no Secret "token"`}}},
		"BadToken":       {"it is no token", situation{account: func(a *v1alpha1.Account) { a.Spec.TokenSecretRef.Key = "other" }}, [][3]string{{"failed", "token", "has nothing under key"}}},
		"NoBundle": {"the certificates are missing", situation{account: func(a *v1alpha1.Account) {
			a.Spec.CABundleRef = &v1alpha1.CABundleReference{Kind: "ConfigMap", Name: "ca", Key: "ca.crt"}
		}}, [][3]string{{"failed", "token", "spec.caBundleRef"}}},
		"SecretUnread": {"the user may not read Secrets", situation{refused: forbids("get *v1.Secret")}, [][3]string{{"skipped", "token", "you may not read the Secret"}}},
		"OtherHosts":   {"the token is not sent", situation{hosts: []string{"api.integrator.io"}}, [][3]string{{"skipped", "token", "was not sent from here"}}},
		"Rejected":     {"the token has expired", situation{status: http.StatusUnauthorized}, [][3]string{{"failed", "token", "the API rejects it"}}},
		"APIDown":      {"nobody can say", situation{status: http.StatusBadGateway}, [][3]string{{"warning", "token", "did not say whose it is"}}},
		"OtherUser":    {"the token was changed", situation{user: "u2"}, [][3]string{{"warning", "token", "it is of user u2"}}},
		"NotSeen":      {"the operator looks elsewhere", situation{account: func(a *v1alpha1.Account) { a.Generation = 2 }}, [][3]string{{"failed", "account", "has not looked at"}}},
		"AccountStalled": {"its message is repeated", situation{account: func(a *v1alpha1.Account) {
			a.Status.Conditions = stalled(v1alpha1.ReasonAccountChanged, "none of the imports is there")
		}}, [][3]string{{"failed", "account", "AccountChanged: none of the imports"}}},
		"AccountWaits": {"it may end", situation{account: func(a *v1alpha1.Account) {
			a.Status.Conditions = stalled(v1alpha1.ReasonProgressing, "checking")[:1]
		}}, [][3]string{{"warning", "account", "Progressing: checking"}}},
		"NeverScanned": {"it is new", situation{account: func(a *v1alpha1.Account) { a.Status.Imports = nil }}, [][3]string{{"warning", "scan", "no scan has reached its end"}}},
		"ScanFails": {"drift is not noticed", situation{account: func(a *v1alpha1.Account) {
			a.Status.Conditions = stalled(v1alpha1.ReasonScanFailing, "no scan for 5m")[:1]
		}}, [][3]string{{"failed", "scan", "no scan for 5m"}}},
		"ValueGone": {"the Secret is missing", situation{imports: []*v1alpha1.Import{importOf("orders", withValue)}}, [][3]string{{"failed", "Secrets and ConfigMaps", `Secret "values"`}}},
		"ValueUnread": {"the user may not read Secrets", situation{imports: []*v1alpha1.Import{importOf("orders", withValue)}, refused: forbids("get *v1.Secret")},
			[][3]string{{"skipped", "token", ""}, {"skipped", "Secrets and ConfigMaps", "1 of 1 Imports"}}},
		"ImportStalled": {"a person is needed", situation{imports: []*v1alpha1.Import{importOf("orders", func(o *v1alpha1.Import) {
			o.Status.Conditions = stalled(v1alpha1.ReasonUnknownAlias, "no alias shop")
		})}}, [][3]string{{"failed", "imports", "UnknownAlias: no alias shop"}}},
		"ImportWaits": {"it waits for an hour", situation{imports: []*v1alpha1.Import{importOf("orders", func(o *v1alpha1.Import) {
			o.Status.Conditions = stalled(v1alpha1.ReasonValueNotFound, "waiting")[:1]
		})}}, [][3]string{{"warning", "imports", "ValueNotFound for 60m: waiting"}}},
		"ImportWorks": {"it has only begun", situation{imports: []*v1alpha1.Import{importOf("orders", func(o *v1alpha1.Import) {
			o.Status.Conditions = []metav1.Condition{condition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonProgressing, "creating", time.Minute)}
		})}}, nil},
		"ImportSuspended": {"somebody wants it so", situation{imports: []*v1alpha1.Import{importOf("orders", func(o *v1alpha1.Import) {
			o.Status.Conditions = []metav1.Condition{condition(v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonSuspended, "spec.suspend is true", time.Hour)}
		})}}, [][3]string{{"warning", "imports", "spec.suspend is true"}}},
		"ImportNotSeen": {"nobody looks after it", situation{imports: []*v1alpha1.Import{importOf("orders", func(o *v1alpha1.Import) { o.Generation = 2 })}}, [][3]string{{"failed", "imports", "has not looked at"}}},
		"NothingAtAll": {"a user without any right", situation{refused: func(string) bool { return true }}, [][3]string{
			{"skipped", "kinds", ""}, {"skipped", "kinds", ""}, {"skipped", "kinds", ""}, {"skipped", "operator", ""}, {"skipped", "your rights", ""},
			{"skipped", "account", "you may not list the Accounts"}, {"skipped", "imports", "you may not list the Imports"}, {"skipped", "rights of the operator", ""}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			checks := tc.situation.checks(t)
			var got []Check
			failed := false
			for _, check := range checks {
				failed = failed || check.Result == Failed
				if check.Result == OK {
					continue
				}
				got = append(got, check)
				if needs := check.Result == Failed || check.Result == Warning; needs != (check.Advice != "") {
					t.Errorf("%s: %+v has an advice: %t", tc.reason, check, !needs)
				}
				if strings.Contains(check.Message+check.Advice, "the-token") || strings.Contains(check.Message, "\n") {
					t.Errorf("%s: the message is %q", tc.reason, check.Message)
				}
			}
			if Sound(checks) == failed {
				t.Errorf("%s: sound %t", tc.reason, Sound(checks))
			}
			if len(got) != len(tc.want) {
				t.Fatalf("%s: got %+v", tc.reason, got)
			}
			for i, want := range tc.want {
				if string(got[i].Result) != want[0] || got[i].Name != want[1] || !strings.Contains(got[i].Message, want[2]) {
					t.Errorf("%s: want %v, got %+v", tc.reason, want, got[i])
				}
			}
		})
	}
}

func watching(namespaces string) func(*appsv1.Deployment) {
	return func(deployment *appsv1.Deployment) {
		manager := &deployment.Spec.Template.Spec.Containers[0]
		manager.Args = append(manager.Args, "--watch-namespaces="+namespaces)
	}
}

func selecting(selector string) func(*appsv1.Deployment) {
	return func(deployment *appsv1.Deployment) {
		manager := &deployment.Spec.Template.Spec.Containers[0]
		manager.Args = append(manager.Args, "--watch-label-selector="+selector)
	}
}

func inShard(object *v1alpha1.Account) { object.Labels = map[string]string{"shard": "a"} }

// second is another operator, which allows the default hosts.
func second(namespace string, edit func(*appsv1.Deployment)) *appsv1.Deployment {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "second", Labels: installed}, Status: appsv1.DeploymentStatus{ReadyReplicas: 1}}
	deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "manager", Image: "operator:v0.1.0", Args: []string{"--allow-http"}}}
	edit(deployment)
	return deployment
}

// older takes a field out of the schema of one kind.
func older(name string, definition *unstructured.Unstructured) bool {
	if strings.HasPrefix(name, "accounts.") {
		versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
		unstructured.RemoveNestedField(versions[0].(map[string]any), "schema", "openAPIV3Schema", "properties", "spec", "properties", "suspend")
		_ = unstructured.SetNestedSlice(definition.Object, versions, "spec", "versions")
	}
	return true
}

// described changes a description.
func described(_ string, definition *unstructured.Unstructured) bool {
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	_ = unstructured.SetNestedField(versions[0].(map[string]any), "in other words", "schema", "openAPIV3Schema", "description")
	_ = unstructured.SetNestedSlice(definition.Object, versions, "spec", "versions")
	return true
}

// TestRightsOfTheOperator: the rights that are checked are those of config/rbac.
func TestRightsOfTheOperator(t *testing.T) {
	for file, rights := range map[string][]right{"role.yaml": operators, "leader_election_role.yaml": elections} {
		content, err := os.ReadFile("../../config/rbac/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if at := strings.LastIndex(string(content), "---\n"); at >= 0 {
			content = content[at:]
		}
		var role rbacv1.ClusterRole
		if err := yaml.Unmarshal(content, &role); err != nil {
			t.Fatal(err)
		}
		want, got := map[string][]string{}, map[string][]string{}
		for _, rule := range role.Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					if file == "role.yaml" || resource == "leases" {
						want[resource+"."+group] = rule.Verbs
					}
				}
			}
		}
		for _, r := range rights {
			got[r.resource+"."+r.group] = r.verbs
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-%s, +checked:\n%s", file, diff)
		}
	}
}

// TestReadsAlone: where most scans read single imports, it is said.
func TestReadsAlone(t *testing.T) {
	imports := []*v1alpha1.Import{
		importOf("orders", func(object *v1alpha1.Import) { object.Spec.AccountRef.Name, object.Status.ID = "default", "a" }),
		importOf("prices", func(object *v1alpha1.Import) { object.Spec.AccountRef.Name, object.Status.ID = "default", "b" }),
		importOf("other", func(object *v1alpha1.Import) { object.Spec.AccountRef.Name, object.Status.ID = "other", "c" }),
		importOf("new", func(object *v1alpha1.Import) { object.Spec.AccountRef.Name = "default" }),
	}
	for pages, want := range map[int32]string{0: "", 2: "", 3: "; most read the 2 imports that have an Import, not the 3 pages of the list"} {
		checks := situation{imports: imports, account: func(a *v1alpha1.Account) { a.Status.Pages = &pages }}.checks(t)
		i := slices.IndexFunc(checks, func(check Check) bool { return check.Name == nameScan })
		if i < 0 || !strings.HasSuffix(checks[i].Message, " ago"+want) {
			t.Errorf("%d pages: %+v, want %q", pages, checks, want)
		}
	}
}
