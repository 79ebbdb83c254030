// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// policyDelay is how long the API server may take to compile policies and to apply them: a moment, or half a
// minute beside other work.
const policyDelay = 2 * time.Minute

// installPolicies applies config/admission for the length of a story, in its namespace: the API server
// forgets a policy a moment after it is deleted, when another story has begun.
func (w *world) installPolicies(ctx context.Context) {
	GinkgoHelper()
	files, err := filepath.Glob(filepath.Join("..", "config", "admission", "*_secret*.yaml"))
	Expect(err).NotTo(HaveOccurred())
	Expect(files).To(HaveLen(3))
	for _, file := range files {
		w.createPolicies(ctx, file)
	}
}

// createPolicies creates the policy of a file and its binding, for the length of a story, in its namespace.
func (w *world) createPolicies(ctx context.Context, file string) {
	GinkgoHelper()
	stream, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	documents := strings.Split(string(stream), "\n---\n")
	Expect(documents).To(HaveLen(2), "a policy and its binding")
	for _, document := range documents {
		object := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal([]byte(document), &object.Object)).To(Succeed())
		w.createPolicy(ctx, object)
	}
}

// createPolicy creates an admission policy or its binding for the length of a story, in its namespace.
func (w *world) createPolicy(ctx context.Context, object *unstructured.Unstructured) {
	GinkgoHelper()
	object.SetName(w.namespace + "." + object.GetName())
	if object.GetKind() == "ValidatingAdmissionPolicyBinding" {
		Expect(unstructured.SetNestedField(object.Object, object.GetName(), "spec", "policyName")).To(Succeed())
		Expect(unstructured.SetNestedStringMap(object.Object, map[string]string{"kubernetes.io/metadata.name": w.namespace},
			"spec", "matchResources", "namespaceSelector", "matchLabels")).To(Succeed())
	}
	Expect(k8s.Create(ctx, object)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(k8s.Delete(ctx, object)).To(Succeed()) })
}

// user is a client of somebody who may edit the three kinds in the story's namespace, and get
// the named Secrets of it: "*" is every one.
func (w *world) user(ctx context.Context, name string, secrets ...string) client.Client {
	GinkgoHelper()
	role := &rbacv1.Role{ObjectMeta: w.meta(name), Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{v1alpha1.GroupVersion.Group},
		Resources: []string{"accounts", "imports", "importruns"},
		Verbs:     []string{"create", "get", "update"},
	}}}
	if len(secrets) > 0 {
		rule := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}, ResourceNames: secrets}
		if secrets[0] == "*" {
			rule.ResourceNames = nil
		}
		role.Rules = append(role.Rules, rule)
	}
	Expect(k8s.Create(ctx, role)).To(Succeed())
	Expect(k8s.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: w.meta(name),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: w.namespace + "-" + name}},
	})).To(Succeed())
	config := rest.CopyConfig(restConfig)
	config.Impersonate.UserName = w.namespace + "-" + name
	impersonated, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return impersonated
}

// beSecretDenied matches the answer of the policies, and not the one of RBAC, which is
// Forbidden too.
func beSecretDenied(secrets string) OmegaMatcher {
	return And(
		WithTransform(apierrors.IsForbidden, BeTrue()),
		MatchError(And(ContainSubstring("ValidatingAdmissionPolicy"), ContainSubstring("right to get "+secrets))),
	)
}

// secretValue is a value of the Secret's key, laid over the field of an Import.
func secretValue(field, secret, key string) v1alpha1.ValueSource {
	return v1alpha1.ValueSource{Path: "/http/_mock/" + field, SecretKeyRef: &v1alpha1.KeyReference{Name: secret, Key: key}}
}

var _ = Describe("I install the policies for Secrets", func() {
	var (
		w              *world
		without, owner client.Client // may not get the Secret "token", may
	)
	// objects refer to the Secret "token", which need not be there.
	objects := func() map[string]client.Object {
		account := w.accountObject("new")
		account.Spec.Suspend = true
		values := w.httpImport("new")
		values.Spec.Suspend = true
		values.Spec.ValuesFrom = []v1alpha1.ValueSource{secretValue("a", "token", "a"), secretValue("b", "token", "b")}
		run := w.run("new", "new")
		run.Spec.Suspend = true
		run.Spec.DataFrom = []v1alpha1.DataSource{{SecretKeyRef: &v1alpha1.KeyReference{Name: "token", Key: "a"}}}
		return map[string]client.Object{"Account": account, "Import": values, "ImportRun": run}
	}

	BeforeEach(func(ctx context.Context) {
		w = newEmptyWorld(ctx)
		without, owner = w.user(ctx, "without"), w.user(ctx, "owner", "token")
		// RBAC lets both in: what is denied later the policies deny.
		for _, object := range objects() {
			for _, someone := range []client.Client{without, owner} {
				Eventually(func() error {
					return client.NewDryRunClient(someone).Create(ctx, object.DeepCopyObject().(client.Object))
				}).Should(Succeed())
			}
		}
		w.installPolicies(ctx)
		for _, object := range objects() {
			Eventually(func() error {
				return client.NewDryRunClient(without).Create(ctx, object.DeepCopyObject().(client.Object))
			}).WithTimeout(policyDelay).Should(beSecretDenied("the Secret"))
		}
	})

	// trusting is an Account that trusts what an object has.
	trusting := func(kind v1alpha1.CABundleKind, name string) *v1alpha1.Account {
		object := objects()["Account"].(*v1alpha1.Account)
		object.Spec.CABundleRef = &v1alpha1.CABundleReference{Kind: kind, Name: name}
		return object
	}

	It("and a Secret with certificates is one like any other", func(ctx context.Context) {
		refused := beSecretDenied("the Secret ca")
		Expect(owner.Create(ctx, trusting("Secret", "ca"))).To(refused)
		Expect(owner.Create(ctx, trusting("Secret", "token"))).To(Succeed())
		stored := objects()["Account"].(*v1alpha1.Account)
		attempt := func(somebody client.Client, edit func(*v1alpha1.AccountSpec)) func() error {
			return func() error {
				if err := somebody.Get(ctx, client.ObjectKeyFromObject(stored), stored); err != nil {
					return err
				}
				edit(&stored.Spec)
				return somebody.Update(ctx, stored)
			}
		}
		Eventually(attempt(owner, func(spec *v1alpha1.AccountSpec) { spec.CABundleRef.Name = "ca" })).Should(refused)
		Eventually(attempt(without, func(spec *v1alpha1.AccountSpec) { spec.RequestsPerSecond = 7 })).Should(Succeed())
		Eventually(attempt(owner, func(spec *v1alpha1.AccountSpec) { spec.CABundleRef.Kind, spec.CABundleRef.Name = "ConfigMap", "ca" })).Should(Succeed())
		Eventually(attempt(owner, func(spec *v1alpha1.AccountSpec) { spec.CABundleRef.Kind = "Secret" })).Should(refused)
	})

	DescribeTable("only who may get the Secret may refer to it", func(ctx context.Context, kind string) {
		object := objects()[kind]
		Expect(without.Create(ctx, object)).To(beSecretDenied("the Secret"))
		Expect(owner.Create(ctx, object)).To(Succeed())
	},
		Entry(nil, "Account"), Entry(nil, "Import"), Entry(nil, "ImportRun"))

	// edited makes an object as its owner, and is its change by who may not read the Secret.
	edited := func(ctx context.Context, kind string, edit func(client.Object)) func() error {
		GinkgoHelper()
		object := objects()[kind]
		Expect(owner.Create(ctx, object)).To(Succeed())
		return func() error {
			if err := without.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
				return err
			}
			edit(object)
			return without.Update(ctx, object)
		}
	}

	DescribeTable("anybody may change what is not about the Secret", func(ctx context.Context, kind string, edit func(client.Object)) {
		Eventually(edited(ctx, kind, edit)).Should(Succeed())
	},
		Entry("the rate of an Account", "Account", func(object client.Object) { object.(*v1alpha1.Account).Spec.RequestsPerSecond = 7 }),
		Entry("the suspension of an ImportRun", "ImportRun", func(object client.Object) { object.(*v1alpha1.ImportRun).Spec.Cancel = true }),
		Entry("the definition of an Import", "Import", func(object client.Object) {
			object.(*v1alpha1.Import).Spec.Definition = w.httpImport("new", `{"name": "other"}`).Spec.Definition
		}),
		Entry("an Import's value, away", "Import", func(object client.Object) {
			spec := &object.(*v1alpha1.Import).Spec
			spec.ValuesFrom = spec.ValuesFrom[1:]
		}),
		Entry("a value from a ConfigMap", "Import", func(object client.Object) {
			spec := &object.(*v1alpha1.Import).Spec
			spec.ValuesFrom = append(spec.ValuesFrom, v1alpha1.ValueSource{
				Path: "/http/_mock/c", ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "c", Key: "c"},
			})
		}),
	)

	DescribeTable("nobody without the right may change what is about the Secret", func(ctx context.Context, kind string, edit func(client.Object)) {
		Eventually(edited(ctx, kind, edit)).Should(beSecretDenied("the Secret"))
	},
		Entry("the Secret of an Account", "Account", func(object client.Object) { object.(*v1alpha1.Account).Spec.TokenSecretRef.Name = "other" }),
		Entry("its key", "Account", func(object client.Object) { object.(*v1alpha1.Account).Spec.TokenSecretRef.Key = "other" }),
		Entry("where its token goes", "Account", func(object client.Object) {
			object.(*v1alpha1.Account).Spec.BaseURL = "https://api.eu.integrator.io"
		}),
		Entry("whose certificates are trusted there", "Account", func(object client.Object) {
			object.(*v1alpha1.Account).Spec.CABundleRef = &v1alpha1.CABundleReference{Name: "ca"}
		}),
		Entry("the Secret of an Import's value", "Import", func(object client.Object) {
			object.(*v1alpha1.Import).Spec.ValuesFrom[0].SecretKeyRef.Name = "other"
		}),
		Entry("where an Import's value goes", "Import", func(object client.Object) {
			object.(*v1alpha1.Import).Spec.ValuesFrom[0].Path = "/http/_mock/elsewhere"
		}),
		Entry("another value", "Import", func(object client.Object) {
			spec := &object.(*v1alpha1.Import).Spec
			spec.ValuesFrom = append(spec.ValuesFrom, secretValue("c", "token", "c"))
		}),
	)

	It("asks about each of many Secrets, within what the API server lets be asked", func(ctx context.Context) {
		names := make([]string, 9)
		for i := range names {
			names[i] = fmt.Sprintf("s%d", i)
		}
		with := func(secrets ...string) *v1alpha1.Import {
			object := w.httpImport("many")
			object.Spec.Suspend = true
			for i := range 64 {
				object.Spec.ValuesFrom = append(object.Spec.ValuesFrom, secretValue(fmt.Sprintf("f%d", i), secrets[i%len(secrets)], "k"))
			}
			return object
		}
		eight, everything := client.NewDryRunClient(w.user(ctx, "eight", names[:8]...)), client.NewDryRunClient(w.user(ctx, "all", "*"))
		Eventually(func() error { return eight.Create(ctx, with(names[0])) }).Should(Succeed())
		Eventually(func() error { return everything.Create(ctx, with(names[0])) }).Should(Succeed())
		Expect(eight.Create(ctx, with(names[:8]...))).To(Succeed())
		for last := range 8 {
			secrets := append([]string(nil), names[:last+1]...)
			secrets[last] = "forbidden"
			Expect(eight.Create(ctx, with(secrets...))).To(beSecretDenied("the Secrets "), "number %d", last)
		}
		Expect(eight.Create(ctx, with(names...))).To(beSecretDenied("every Secret"))
		Expect(everything.Create(ctx, with(names...))).To(Succeed())

		run := w.run("many", "many")
		for i := range 32 {
			run.Spec.DataFrom = append(run.Spec.DataFrom, v1alpha1.DataSource{SecretKeyRef: &v1alpha1.KeyReference{Name: names[i%8], Key: "k"}})
		}
		Expect(eight.Create(ctx, run.DeepCopy())).To(Succeed())
		run.Spec.DataFrom[31].SecretKeyRef.Name = names[8]
		Expect(eight.Create(ctx, run)).To(beSecretDenied("every Secret"))
	})
})
