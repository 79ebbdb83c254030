// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// asServiceAccount is a client with a token of a ServiceAccount, as its pods have one.
func asServiceAccount(ctx context.Context, namespace, name string) client.Client {
	GinkgoHelper()
	request := &authenticationv1.TokenRequest{}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	Expect(k8s.SubResource("token").Create(ctx, account, request)).To(Succeed())
	config := rest.AnonymousClientConfig(restConfig)
	config.BearerToken = request.Status.Token
	made, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return made
}

// shippedRole reads a role of config/rbac.
func shippedRole(file string) *rbacv1.ClusterRole {
	GinkgoHelper()
	document, err := os.ReadFile(filepath.Join("..", "config", "rbac", file))
	Expect(err).NotTo(HaveOccurred())
	role := &rbacv1.ClusterRole{}
	Expect(yaml.UnmarshalStrict(document, role)).To(Succeed())
	return role
}

// editor is a client with a token of a ServiceAccount in the story's namespace with the editor's roles of the
// three kinds, as they are shipped, and with more rules.
func (w *world) editor(ctx context.Context, name string, more ...rbacv1.PolicyRule) client.Client {
	GinkgoHelper()
	Expect(k8s.Create(ctx, &corev1.ServiceAccount{ObjectMeta: w.meta(name)})).To(Succeed())
	role := &rbacv1.Role{ObjectMeta: w.meta(name), Rules: more}
	for _, kind := range []string{"account", "import", "importrun"} {
		role.Rules = append(role.Rules, shippedRole(kind+"_editor_role.yaml").Rules...)
	}
	Expect(k8s.Create(ctx, role)).To(Succeed())
	Expect(k8s.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: w.meta(name),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.namespace, Name: name}},
	})).To(Succeed())
	tenant := asServiceAccount(ctx, w.namespace, name)
	Eventually(func() error { return tenant.List(ctx, &v1alpha1.ImportRunList{}, client.InNamespace(w.namespace)) }).Should(Succeed())
	return tenant
}

func secretRule(verb string, names ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{verb}, ResourceNames: names}
}

// kustomized renders a directory of manifests.
func kustomized(ctx context.Context, directory string) (objects []*unstructured.Unstructured) {
	GinkgoHelper()
	output, err := kubectl(ctx, "", "kustomize", directory)
	Expect(err).NotTo(HaveOccurred(), output)
	for document := range strings.SplitSeq(output, "\n---\n") {
		object := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal([]byte(document), &object.Object)).To(Succeed())
		objects = append(objects, object)
	}
	return objects
}

// overlaidConfig is a directory that has config/default in another namespace and with another prefix.
func overlaidConfig(namespace, prefix string) string {
	GinkgoHelper()
	directory, err := filepath.EvalSymlinks(GinkgoT().TempDir())
	Expect(err).NotTo(HaveOccurred())
	shipped, err := filepath.Abs(filepath.Join("..", "config", "default"))
	Expect(err).NotTo(HaveOccurred())
	relative, err := filepath.Rel(directory, shipped)
	Expect(err).NotTo(HaveOccurred())
	kustomization := fmt.Sprintf("resources: [%q]\nnamespace: %s\nnamePrefix: %s\n", relative, namespace, prefix)
	Expect(os.WriteFile(filepath.Join(directory, "kustomization.yaml"), []byte(kustomization), 0o600)).To(Succeed())
	return directory
}

// installRendered applies what a directory renders until the story ends, without the CRDs, which are
// there, and returns the manager's ServiceAccount.
func installRendered(ctx context.Context, directory string) (account client.ObjectKey) {
	GinkgoHelper()
	var stream strings.Builder
	for _, object := range kustomized(ctx, directory) {
		switch object.GetKind() {
		case "CustomResourceDefinition":
			continue
		case "ServiceAccount":
			account = client.ObjectKeyFromObject(object)
		}
		document, err := yaml.Marshal(object.Object)
		Expect(err).NotTo(HaveOccurred())
		stream.WriteString("---\n" + string(document))
		// The namespace stays: nothing here would end it, and the next installation needs it.
		if object.GetKind() != "Namespace" {
			DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, object))).To(Succeed()) })
		}
	}
	output, err := kubectl(ctx, stream.String(), "apply", "--server-side", "--validate=strict", "-f", "-")
	Expect(err).NotTo(HaveOccurred(), output)
	return account
}

// bePolicyDenied matches the answer of an admission policy, and not that of RBAC.
func bePolicyDenied(says string) OmegaMatcher {
	return And(WithTransform(apierrors.IsForbidden, BeTrue()), MatchError(And(ContainSubstring("ValidatingAdmissionPolicy"), ContainSubstring(says))))
}

// ofRun is an empty Secret as the operator creates it for the responses of a run.
func ofRun(w *world, name string) *corev1.Secret {
	return &corev1.Secret{Type: corev1.SecretTypeOpaque, ObjectMeta: metav1.ObjectMeta{
		Namespace: w.namespace, Name: name, Labels: map[string]string{"app.kubernetes.io/managed-by": "integrator-operator"},
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: "ImportRun", Name: "first", UID: "5e8c41d2-9a7f-4b00-92ab-77e100000001", Controller: new(true),
		}},
	}}
}

// ledgerEntry is a ConfigMap as the operator creates it for an idempotency key.
func ledgerEntry(w *world) *corev1.ConfigMap {
	return &corev1.ConfigMap{Data: map[string]string{"entry": "{}"}, ObjectMeta: metav1.ObjectMeta{
		Namespace: w.namespace, Name: "importrun-key-0123456789abcdef01234567",
		Labels: map[string]string{"app.kubernetes.io/managed-by": "integrator-operator", "integrator.io/idempotency-key": "true"},
	}}
}

var _ = Describe("Tenants get hold of the manager's token", func() {
	var (
		w       *world
		manager client.Client
	)
	install := func(ctx context.Context, directory string) {
		GinkgoHelper()
		w = newEmptyWorld(ctx)
		account := installRendered(ctx, directory)
		manager = asServiceAccount(ctx, account.Namespace, account.Name)
		Eventually(func() error {
			return client.NewDryRunClient(manager).Create(ctx, ofRun(w, "responses"))
		}).Should(Succeed())
		Eventually(func() error {
			return client.NewDryRunClient(manager).Create(ctx, &corev1.Secret{ObjectMeta: w.meta("of-nobody")})
		}).WithTimeout(policyDelay).Should(bePolicyDenied("an ImportRun owns"))
		Eventually(func() error {
			return client.NewDryRunClient(manager).Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("of-nobody")})
		}).WithTimeout(policyDelay).Should(bePolicyDenied("importrun-key-"))
	}

	DescribeTable("and make no token of another ServiceAccount with it, wherever the operator is installed",
		func(ctx context.Context, directory func() string) {
			install(ctx, directory())
			const victim = "default"
			for _, namespace := range []string{"kube-system", w.namespace} {
				Eventually(func() error {
					return client.IgnoreAlreadyExists(k8s.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: victim}}))
				}).Should(Succeed())
				forged := ofRun(w, "stolen")
				forged.Namespace, forged.Type = namespace, corev1.SecretTypeServiceAccountToken
				forged.Annotations = map[string]string{corev1.ServiceAccountNameKey: victim}
				Expect(manager.Create(ctx, forged)).To(bePolicyDenied("type Opaque"))
			}
			// The administrator is not restricted.
			Expect(client.NewDryRunClient(k8s).Create(ctx, &corev1.Secret{ObjectMeta: w.meta("of-nobody")})).To(Succeed())
		},
		Entry("as it is shipped", func() string { return filepath.Join("..", "config", "default") }),
		Entry("with a certificate", func() string { return certifiedConfig() }),
		Entry("in another namespace and with another prefix", func() string { return overlaidConfig("tenants-operator", "acme-") }),
	)

	It("write no Secret with it but those of responses, and those as the operator does", func(ctx context.Context) {
		install(ctx, filepath.Join("..", "config", "default"))
		tryCreate := func(says string, edit func(*corev1.Secret)) {
			GinkgoHelper()
			secret := ofRun(w, "responses")
			edit(secret)
			Expect(manager.Create(ctx, secret)).To(bePolicyDenied(says))
		}
		tryCreate("an ImportRun owns", func(secret *corev1.Secret) { secret.OwnerReferences[0].Kind = "Deployment" })
		tryCreate("an ImportRun owns", func(secret *corev1.Secret) { secret.OwnerReferences[0].APIVersion = "example.org/v1" })
		tryCreate("an ImportRun owns", func(secret *corev1.Secret) { secret.OwnerReferences[0].Controller = nil })
		tryCreate("an ImportRun owns", func(secret *corev1.Secret) {
			secret.OwnerReferences = append(secret.OwnerReferences, metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "a", UID: "b"})
		})
		tryCreate("without content", func(secret *corev1.Secret) { secret.StringData = map[string]string{"token": "forged"} })
		tryCreate("without content", func(secret *corev1.Secret) { secret.Annotations = map[string]string{"a": "b"} })

		By("patching Secrets of others")
		for _, victim := range []*corev1.Secret{w.secret("mine", "kept"), {ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: w.namespace}}} {
			Expect(k8s.Create(ctx, victim)).To(Succeed())
			Expect(manager.Patch(ctx, victim.DeepCopy(), mergePatch(`{"data":{"token":"Zm9yZ2Vk"}}`))).To(bePolicyDenied("an ImportRun owns"))
			Expect(manager.Patch(ctx, victim.DeepCopy(), mergePatch(`{"metadata":{"ownerReferences":[{"apiVersion":"integrator.io/v1alpha1","kind":"ImportRun","name":"a","uid":"b","controller":true}]}}`))).
				To(bePolicyDenied("an ImportRun owns"))
		}

		By("writing that of a run")
		own := ofRun(w, "responses")
		Expect(manager.Create(ctx, own)).To(Succeed())
		Expect(manager.Patch(ctx, own, mergePatch(`{"data":{"batch-00001.json":"e30=","batch-00001.json.gz":null,"note":"YQ=="}}`))).To(Succeed())
		change(ctx, own, func(secret *corev1.Secret) { secret.Data["of-a-user"] = []byte("kept") })
		Expect(manager.Patch(ctx, own, mergePatch(`{"data":{"batch-00001.json":null,"batch-00002.json.cut":"e30="}}`))).To(Succeed())
		Expect(manager.Patch(ctx, own, mergePatch(`{"data":{"of-a-user":null}}`))).To(bePolicyDenied("batch-"))
		Expect(manager.Patch(ctx, own, mergePatch(`{"data":{"of-a-user":"Zm9yZ2Vk"}}`))).To(bePolicyDenied("batch-"))
		Expect(manager.Patch(ctx, own, mergePatch(`{"data":{"token":"Zm9yZ2Vk"}}`))).To(bePolicyDenied("batch-"))
		for _, metadata := range []string{`{"ownerReferences":null}`, `{"labels":{"a":"b"}}`, `{"annotations":{"a":"b"}}`, `{"finalizers":["a.b/c"]}`} {
			Expect(manager.Patch(ctx, own, mergePatch(`{"metadata":`+metadata+`}`))).To(bePolicyDenied("nothing but the content"))
		}
		Expect(manager.Patch(ctx, own, mergePatch(`{"immutable":true}`))).To(bePolicyDenied("nothing but the content"))
	})

	It("fill a Secret with as many responses as it takes", func(ctx context.Context) {
		install(ctx, filepath.Join("..", "config", "default"))
		own := ofRun(w, "responses")
		Expect(manager.Create(ctx, own)).To(Succeed())
		var data strings.Builder
		for n := range 20_000 {
			fmt.Fprintf(&data, `"batch-%05d.json":"e30=",`, n+1)
		}
		Expect(manager.Patch(ctx, own, mergePatch(`{"data":{`+strings.TrimSuffix(data.String(), ",")+`}}`))).To(Succeed())
		Expect(manager.Patch(ctx, own, mergePatch(`{"data":{"note":"YQ=="}}`))).To(Succeed())
	})

	It("write no ConfigMap with it but the ledger", func(ctx context.Context) {
		install(ctx, filepath.Join("..", "config", "default"))
		tryCreate := func(says string, edit func(*corev1.ConfigMap)) {
			GinkgoHelper()
			object := ledgerEntry(w)
			edit(object)
			Expect(manager.Create(ctx, object)).To(bePolicyDenied(says))
		}
		tryCreate("importrun-key-", func(object *corev1.ConfigMap) { object.Name = "kube-root-ca.crt" })
		tryCreate("importrun-key-", func(object *corev1.ConfigMap) { object.Name = "importrun-key-of-mine" })
		tryCreate("the labels of the ledger", func(object *corev1.ConfigMap) { object.Labels = nil })
		tryCreate("the labels of the ledger", func(object *corev1.ConfigMap) { object.Annotations = map[string]string{"a": "b"} })
		tryCreate("the key entry", func(object *corev1.ConfigMap) { object.Data["more"] = "forged" })
		tryCreate("the key entry", func(object *corev1.ConfigMap) { object.BinaryData = map[string][]byte{"more": {1}} })

		By("patching ConfigMaps of others")
		for _, namespace := range []string{"kube-system", w.namespace} {
			victim := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "of-" + w.namespace}, Data: map[string]string{"entry": "kept"}}
			Expect(k8s.Create(ctx, victim)).To(Succeed())
			Expect(manager.Patch(ctx, victim, mergePatch(`{"data":{"entry":"forged"}}`))).To(bePolicyDenied("importrun-key-"))
		}

		By("writing an entry of the ledger")
		own := ledgerEntry(w)
		Expect(manager.Create(ctx, own)).To(Succeed())
		Expect(manager.Patch(ctx, own, mergePatch(`{"data":{"entry":"{\"phase\":\"Succeeded\"}"}}`))).To(Succeed())
		Expect(manager.Patch(ctx, own, mergePatch(`{"data":{"more":"forged"}}`))).To(bePolicyDenied("the key entry"))
		Expect(manager.Patch(ctx, own, mergePatch(`{"metadata":{"labels":{"a":"b"}}}`))).To(bePolicyDenied("nothing but the content"))
	})
})

func mergePatch(patch string) client.Patch {
	return client.RawPatch("application/merge-patch+json", []byte(patch))
}

// certifiedConfig renders config/certmanager without the objects of cert-manager, whose kinds are
// not installed here.
func certifiedConfig() string {
	GinkgoHelper()
	directory := overlaidConfig("certified-operator", "certified-")
	file := filepath.Join(directory, "kustomization.yaml")
	kustomization, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	text := strings.Replace(string(kustomization), "config/default", "config/certmanager", 1) + `patches:
- {target: {kind: Certificate}, patch: "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: any}, $patch: delete}"}
- {target: {kind: Issuer}, patch: "{apiVersion: cert-manager.io/v1, kind: Issuer, metadata: {name: any}, $patch: delete}"}
`
	Expect(os.WriteFile(file, []byte(text), 0o600)).To(Succeed())
	return directory
}

var _ = Describe("Tenants who may not read Secrets", func() {
	It("occupy no name of a Secret through a run", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		reader := w.editor(ctx, "reader", secretRule("get"))
		other := w.editor(ctx, "other", secretRule("create", "other"))
		creator := w.editor(ctx, "creator", secretRule("create"))
		run := func(name string) *v1alpha1.ImportRun {
			run := w.run("answers", "nothing", `{}`)
			run.GenerateName, run.Name = "answers-", ""
			run.Spec.Suspend, run.Spec.ResponseSecretName = true, name
			return run
		}
		// RBAC alone lets everybody in.
		Eventually(func() error { return client.NewDryRunClient(reader).Create(ctx, run("token")) }).Should(Succeed())
		w.installPolicies(ctx)
		Eventually(func() error { return client.NewDryRunClient(reader).Create(ctx, run("token")) }).
			WithTimeout(policyDelay).Should(bePolicyDenied("requires the right to create the Secret token"))
		Expect(other.Create(ctx, run("token"))).To(bePolicyDenied("the right to create the Secret token"))
		Expect(other.Create(ctx, run("other"))).To(Succeed())
		Expect(reader.Create(ctx, run(""))).To(Succeed())
		own := run("token")
		Expect(creator.Create(ctx, own)).To(Succeed())

		By("changing another field of a run that somebody else made")
		Eventually(func() error {
			if err := reader.Get(ctx, client.ObjectKeyFromObject(own), own); err != nil {
				return err
			}
			own.Spec.Cancel = true
			return reader.Update(ctx, own)
		}).Should(Succeed())
	})

	DescribeTable("name no Secret in another field either", func(ctx context.Context, object func(*world) client.Object) {
		w := newEmptyWorld(ctx)
		tenant := w.editor(ctx, "tenant")
		Eventually(func() error { return client.NewDryRunClient(tenant).Create(ctx, object(w)) }).Should(Succeed())
		w.installPolicies(ctx)
		Eventually(func() error { return client.NewDryRunClient(tenant).Create(ctx, object(w)) }).
			WithTimeout(policyDelay).Should(beSecretDenied("the Secret"))
	},
		Entry("the token of an Account", func(w *world) client.Object { return w.accountObject("stolen") }),
		Entry("a value of an Import", func(w *world) client.Object {
			object := w.httpImport("stolen")
			object.Spec.ValuesFrom = []v1alpha1.ValueSource{secretValue("a", "token", "token")}
			return object
		}),
		Entry("the records of a run", func(w *world) client.Object {
			run := w.run("stolen", "nothing")
			run.Spec.DataFrom = []v1alpha1.DataSource{{SecretKeyRef: &v1alpha1.KeyReference{Name: "token", Key: "token"}}}
			return run
		}),
	)
})

var _ = Describe("Tenants forge a status", func() {
	It("and RBAC refuses it for each kind, with each verb", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		tenant := w.editor(ctx, "tenant")
		account := w.accountObject("own")
		account.Spec.Suspend = true
		object := w.httpImport("own")
		object.Spec.Suspend = true
		run := w.run("own", "own", `{}`)
		run.Spec.Suspend = true
		for kind, own := range map[string]client.Object{"accounts": account, "imports": object, "importruns": run} {
			forbidden := And(WithTransform(apierrors.IsForbidden, BeTrue()), MatchError(ContainSubstring(`cannot`)), MatchError(ContainSubstring(kind+"/status")))
			Expect(tenant.Create(ctx, own)).To(Succeed())
			Expect(tenant.Status().Patch(ctx, own.DeepCopyObject().(client.Object), mergePatch(`{"status":{"observedGeneration":7}}`))).To(forbidden)
			Expect(tenant.Status().Update(ctx, own.DeepCopyObject().(client.Object))).To(forbidden)
		}

		By("sending a status along with the object")
		forged := w.httpImport("forged")
		forged.Spec.Suspend = true
		forged.Status = v1alpha1.ImportStatus{ID: "64a0000000000000000000f1", Management: v1alpha1.ManagementStateManaged}
		Expect(client.NewDryRunClient(tenant).Create(ctx, forged)).To(Succeed())
		Expect(forged.Status.ID).To(BeEmpty())
		Expect(forged.Status.Management).To(BeEmpty())
	})
})

var _ = Describe("I remove the operator", func() {
	It("leaves no policy behind that refuses what I do next, and all of my objects", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		installRendered(ctx, filepath.Join("..", "config", "default"))
		installRendered(ctx, filepath.Join("..", "config", "admission"))
		object := w.httpImport("kept")
		object.Spec.Suspend = true
		Expect(k8s.Create(ctx, object)).To(Succeed())
		label := client.MatchingLabels{"app.kubernetes.io/name": "integrator-operator"}
		left := func(kind string) int {
			GinkgoHelper()
			list := &unstructured.UnstructuredList{}
			list.SetAPIVersion(map[bool]string{true: "admissionregistration.k8s.io/v1", false: "rbac.authorization.k8s.io/v1"}[strings.HasPrefix(kind, "Validating")])
			list.SetKind(kind + "List")
			Expect(k8s.List(ctx, list, label)).To(Succeed())
			return len(list.Items)
		}
		kinds := []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ClusterRole", "ClusterRoleBinding"}
		for _, kind := range kinds {
			Expect(left(kind)).To(BeNumerically(">", 0), kind)
		}

		// Only a namespace controller ends a namespace.
		startNamespaceController()
		file := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
		Expect(os.WriteFile(file, kubeconfig, 0o600)).To(Succeed())
		command := exec.CommandContext(ctx, "make", "-C", "..", "undeploy")
		command.Env = append(os.Environ(), "KUBECONFIG="+file, "KUBECTL="+filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"))
		output, err := command.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(output))
		for _, kind := range kinds {
			Expect(left(kind)).To(BeZero(), kind)
		}
		get(ctx, w, object, "kept")
	})
})
