// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/controllers"
)

// annotate writes annotations of a run as the tenant.
func annotate(ctx context.Context, as client.Client, run *v1alpha1.ImportRun, edit func(*v1alpha1.ImportRun)) {
	GinkgoHelper()
	Eventually(func() error {
		if err := as.Get(ctx, client.ObjectKeyFromObject(run), run); err != nil {
			return err
		}
		if run.Annotations == nil {
			run.Annotations = map[string]string{}
		}
		edit(run)
		return as.Update(ctx, run)
	}).Should(Succeed())
}

// forge writes a claim for the run as the tenant, with the run's uid in the place of UID.
func forge(ctx context.Context, as client.Client, run *v1alpha1.ImportRun, claim string) {
	GinkgoHelper()
	annotate(ctx, as, run, func(run *v1alpha1.ImportRun) {
		run.Annotations[v1alpha1.AnnotationClaim] = strings.ReplaceAll(claim, "UID", string(run.UID))
	})
}

var _ = Describe("Tenants forge the claim of a run", func() {
	It("has no batch sent past the ledger of idempotency keys", func(ctx context.Context) {
		w := newWorld(ctx)
		tenant := w.editor(ctx, "tenant")
		w.synced(ctx, w.httpImport("orders"))
		keyed := func(name string) *v1alpha1.ImportRun {
			run := w.batched(name, 4, 2)
			run.Spec.IdempotencyKey = "march"
			return run
		}
		first, honest, forged, informed := keyed("first"), keyed("honest"), keyed("forged"), keyed("informed")
		Expect(tenant.Create(ctx, first)).To(Succeed())
		w.done(ctx, first, v1alpha1.RunSucceeded)
		Expect(tenant.Create(ctx, honest)).To(Succeed())
		w.done(ctx, honest, v1alpha1.RunSucceeded)
		Expect(state(honest)).To(Equal("Current True/AlreadySucceeded"))

		forged.Annotations = map[string]string{v1alpha1.AnnotationClaim: `{"batch":1,"batches":2}`}
		Expect(tenant.Create(ctx, forged)).To(Succeed())
		w.done(ctx, forged, v1alpha1.RunUnknown)
		Expect(message(forged)).To(ContainSubstring("it is not a claim of this object"))

		informed.Spec.Suspend = true
		Expect(tenant.Create(ctx, informed)).To(Succeed())
		w.eventually(ctx, informed, "informed", "InProgress False/Suspended")
		annotate(ctx, tenant, informed, func(run *v1alpha1.ImportRun) {
			run.Annotations[v1alpha1.AnnotationClaim] = fmt.Sprintf(`{"run":%q,"batch":1,"batches":2}`, run.UID)
			run.Spec.Suspend = false
		})
		w.done(ctx, informed, v1alpha1.RunUnknown)
		Expect(message(informed)).To(ContainSubstring("it counts batches as answered that the status does not"))
		Expect(w.sizes()).To(Equal([]int{2, 2}), "what the first run has sent")
	})

	DescribeTable("has no batch sent twice", func(ctx context.Context, claim string) {
		w := newWorld(ctx)
		tenant := w.editor(ctx, "tenant")
		target := w.synced(ctx, w.httpImport("orders"))
		release := w.holdInvoke(1)
		run := w.batched("going", 4, 2)
		Expect(tenant.Create(ctx, run)).To(Succeed())
		Eventually(w.sizes).Should(Equal([]int{2}))
		forge(ctx, tenant, run, claim)
		release()
		w.done(ctx, run, v1alpha1.RunUnknown)
		Expect(w.sizes()).To(Equal([]int{2}))
		Expect(w.written(target.Status.ID)).To(Equal(numbered(2)))
	},
		Entry("by a claim that permits the batch again", `{"run":"UID","batch":0,"batches":2}`),
		Entry("by one that skips it", `{"run":"UID","batch":1}`),
		Entry("by one of another call", `{"run":"UID","batch":0,"token":"t","holder":"h","time":"2020-01-01T00:00:00Z"}`),
	)

	// Each of these would have the run wait for years, fail at every write of its status, or send.
	DescribeTable("ends the run at once, and sends nothing", func(ctx context.Context, claim string) {
		w := newWorld(ctx)
		tenant := w.editor(ctx, "tenant")
		run := w.run("forged", "orders", record("A-1"))
		run.Spec.Suspend = true
		Expect(tenant.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "forged", "InProgress False/Suspended")
		annotate(ctx, tenant, run, func(run *v1alpha1.ImportRun) {
			run.Annotations[v1alpha1.AnnotationClaim] = strings.ReplaceAll(claim, "UID", string(run.UID))
			run.Spec.Suspend = false
		})
		w.synced(ctx, w.httpImport("orders"))
		w.done(ctx, run, v1alpha1.RunUnknown)
		Expect(run.Status.Records).To(HaveValue(Equal(v1alpha1.RecordCounts{})))
		Expect(w.calls()).NotTo(HaveKey(invoke))
	},
		Entry("a pause of years", `{"run":"UID","batch":0,"notBefore":"2999-01-01T00:00:00Z"}`),
		Entry("a call of years", `{"run":"UID","batch":0,"token":"t","deadline":"2999-01-01T00:00:00Z"}`),
		Entry("a beginning in years", `{"run":"UID","batch":0,"started":"2999-01-01T00:00:00Z"}`),
		Entry("numbers that no status can have", `{"run":"UID","batch":9223372036854775807,"batches":9223372036854775807}`),
		Entry("counts that nobody has counted", `{"run":"UID","batch":1,"records":{"total":-5,"sent":99}}`),
		Entry("a reason that no condition can have", `{"run":"UID","batch":0,"notBefore":"2999-01-01T00:00:00Z","reason":"\n"}`),
		Entry("nothing", `{}`),
		Entry("what is no JSON", `{"batch":`),
		Entry("much of nothing", strings.Repeat(" ", 200_000)+`{`),
	)
})

var _ = Describe("Tenants have many large runs", func() {
	It("keeps nothing of them in memory that their author can make large", func(ctx context.Context) {
		w := newWorld(ctx)
		tenant := w.editor(ctx, "tenant")
		target := w.synced(ctx, w.httpImport("orders"))
		run := w.batched("large", 3, 2)
		run.Spec.Suspend = true
		run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(`{"a": "` + strings.Repeat("b", 100_000) + `"}`)}
		run.Labels = map[string]string{"example.com/label": "x"}
		run.Annotations = map[string]string{"example.com/annotation": strings.Repeat("x", 100_000)}
		run.Finalizers = []string{"example.com/finalizer"}
		Expect(tenant.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "large", "InProgress False/Suspended")

		options := controllers.CacheOptions(nil)
		options.Scheme, options.DefaultNamespaces = k8s.Scheme(), map[string]cache.Config{w.namespace: {}}
		cached, err := cache.New(restConfig, options)
		Expect(err).NotTo(HaveOccurred())
		limited, stop := context.WithCancel(context.Background())
		DeferCleanup(stop)
		_, err = cached.GetInformer(ctx, &v1alpha1.ImportRun{}, cache.BlockUntilSynced(false))
		Expect(err).NotTo(HaveOccurred())
		go func() { _ = cached.Start(limited) }()
		Expect(cached.WaitForCacheSync(ctx)).To(BeTrue())
		kept := &v1alpha1.ImportRun{}
		Expect(cached.Get(ctx, client.ObjectKeyFromObject(run), kept)).To(Succeed())
		Expect(kept.Spec.Data).To(BeNil())
		Expect(kept.Spec.Settings).To(BeNil())
		Expect(kept.Annotations).To(BeEmpty())
		Expect(kept.Labels).To(BeEmpty())
		Expect(kept.Finalizers).To(BeEmpty())
		Expect(kept.ManagedFields).To(BeEmpty())
		Expect(kept.Spec.Suspend).To(BeTrue(), "what is decided from stays")

		annotate(ctx, tenant, run, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = false })
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(w.written(target.Status.ID)).To(Equal(numbered(3)), "what is sent is read when it is sent")
		get(ctx, w, run, "large")
		Expect(run.Spec.Data).To(HaveLen(3), "and no write of the operator has removed it")
		Expect(run.Labels).To(HaveKey("example.com/label"))
		Expect(run.Annotations).To(HaveKey("example.com/annotation"))
		annotate(ctx, tenant, run, func(run *v1alpha1.ImportRun) { run.Finalizers = nil })
	})

	It("lets the namespace have as many as its quota says", func(ctx context.Context) {
		w := newWorld(ctx)
		tenant := w.editor(ctx, "tenant")
		content, err := os.ReadFile(filepath.Join("..", "config", "samples", "resourcequota.yaml"))
		Expect(err).NotTo(HaveOccurred())
		quota := &corev1.ResourceQuota{}
		Expect(yaml.UnmarshalStrict(content, quota)).To(Succeed())
		const runs = "count/importruns.integrator.io"
		Expect(quota.Spec.Hard).To(HaveKey(corev1.ResourceName(runs)))
		quota.Namespace = w.namespace
		Expect(k8s.Create(ctx, quota)).To(Succeed())
		create := func(name string, how ...client.CreateOption) error {
			run := w.run(name, "orders", record("A-1"))
			run.Spec.Suspend = true
			return tenant.Create(ctx, run, how...)
		}
		use(ctx, quota, quota.Spec.Hard.DeepCopy())
		// The API server may admit by what it knew of the namespace before there was a quota.
		Eventually(func() error { return create("probe", client.DryRunAll) }).
			Should(MatchError(ContainSubstring("exceeded quota")))

		allButOne := quota.Spec.Hard.DeepCopy()
		one := allButOne[runs]
		one.Sub(resource.MustParse("1"))
		allButOne[runs] = one
		use(ctx, quota, allButOne)
		Eventually(func() error { return create("within") }).Should(Succeed())
		Expect(create("beyond")).To(MatchError(ContainSubstring("exceeded quota")))
	})

	It("waits for room in a quota, which no event says, and goes on soon after there is some", func(ctx context.Context) {
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		quota := &corev1.ResourceQuota{ObjectMeta: w.meta("quota")}
		quota.Spec.Hard = corev1.ResourceList{corev1.ResourceConfigMaps: resource.MustParse("1")}
		Expect(k8s.Create(ctx, quota)).To(Succeed())
		use(ctx, quota, quota.Spec.Hard.DeepCopy())
		Eventually(func() error { return k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: w.meta("probe")}, client.DryRunAll) }).
			Should(MatchError(ContainSubstring("exceeded quota")))

		run := w.run("keyed", "orders", record("A-1"))
		run.Spec.IdempotencyKey = "key"
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.eventually(ctx, run, "keyed", "InProgress False/Forbidden")
		Expect(message(run)).To(ContainSubstring("the namespace's quota"))
		Expect(w.written(target.Status.ID)).To(BeEmpty())

		Expect(k8s.Delete(ctx, quota)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		Expect(w.written(target.Status.ID)).To(HaveLen(1))
	})
})

// use has a quota say how much of it is taken: this control plane has no controller that counts what exists.
func use(ctx context.Context, quota *corev1.ResourceQuota, used corev1.ResourceList) {
	GinkgoHelper()
	quota.Status.Hard, quota.Status.Used = quota.Spec.Hard, used
	Expect(k8s.Status().Update(ctx, quota)).To(Succeed())
}

var _ = Describe("Tenants name a Secret that they may not read for the answers of a run", func() {
	It("leaves it as it is, and sends nothing", func(ctx context.Context) {
		w := newWorld(ctx)
		tenant := w.editor(ctx, "tenant")
		w.synced(ctx, w.httpImport("orders"))
		before := get(ctx, w, &corev1.Secret{}, "token")
		for i, name := range []string{"token", "former"} {
			if name == "former" {
				// That of a run which has ended, and still exists.
				former := w.run("former", "orders", record("A-1"))
				former.Spec.ResponseSecretName = name
				Expect(tenant.Create(ctx, former)).To(Succeed())
				w.done(ctx, former, v1alpha1.RunSucceeded)
				before = get(ctx, w, &corev1.Secret{}, name)
			}
			calls := w.calls()[invoke]
			run := w.run(fmt.Sprintf("taking-%d", i), "orders", record("A-2"))
			run.Spec.ResponseSecretName = name
			Expect(tenant.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunFailed)
			Expect(state(run)).To(Equal("Failed False/ResponseSecretConflict"))
			Expect(w.calls()[invoke]).To(Equal(calls))
			Expect(tenant.Delete(ctx, run)).To(Succeed())
			Expect(get(ctx, w, &corev1.Secret{}, name)).To(Equal(before))
		}
	})
})

var _ = Describe("Tenants share an account of the platform", func() {
	It("tells a run nothing about the namespace that declares its import", func(ctx context.Context) {
		victim, w := newWorld(ctx), newEmptyWorld(ctx)
		const secretValue = "value-of-the-neighbour"
		Expect(k8s.Create(ctx, &corev1.Secret{ObjectMeta: victim.meta("values"), StringData: map[string]string{"a": secretValue}})).To(Succeed())
		declared := victim.httpImport("confidential-orders")
		declared.Spec.ValuesFrom = []v1alpha1.ValueSource{{Path: "/http/_mock/a", SecretKeyRef: &v1alpha1.KeyReference{Name: "values", Key: "a"}}}
		victim.synced(ctx, declared)

		w.account, w.token = victim.account, victim.token
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		tenant := w.editor(ctx, "tenant")
		Expect(tenant.Create(ctx, w.accountObject("default"))).To(Succeed())
		w.eventuallyReady(ctx, &v1alpha1.Account{}, "default")
		run := w.runByID("prying", declared.Status.ID, record("A-1", fmt.Sprintf(`"_simulate": {"statusCode": 422, "message": %q}`, secretValue)))
		Expect(tenant.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunFailed)
		content, err := yaml.Marshal(run.Status)
		Expect(err).NotTo(HaveOccurred())
		shown := string(content) + strings.Join(w.events(ctx, run.Name), "\n")
		Expect(shown).NotTo(Or(ContainSubstring(victim.namespace+`"`), ContainSubstring("confidential-orders"), ContainSubstring(secretValue)))
	})
})

var _ = Describe("Tenants restore a run", func() {
	It("sends no later batch again of a run with a key, whatever its status says", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.batched("backup", 6, 2)
		run.Spec.IdempotencyKey = "march"
		release := w.holdInvoke(2)
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.reached(ctx, run, "1/3")
		// Between two batches, as a backup has it.
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = true })
		release()
		w.eventually(ctx, run, "backup", "InProgress False/Suspended")
		backup := run.DeepCopy()
		change(ctx, run, func(run *v1alpha1.ImportRun) { run.Spec.Suspend = false })
		w.done(ctx, run, v1alpha1.RunSucceeded)
		sent := w.sizes()
		Expect(sent).To(Equal([]int{2, 2, 2}))

		By("restoring it as a new object, with its status")
		Expect(k8s.Delete(ctx, run)).To(Succeed())
		w.eventuallyGone(ctx, run)
		again := &v1alpha1.ImportRun{ObjectMeta: w.meta("backup"), Spec: backup.Spec}
		again.Annotations = backup.Annotations
		again.Spec.Suspend = true
		Expect(k8s.Create(ctx, again)).To(Succeed())
		Eventually(func() error {
			get(ctx, w, again, "backup")
			again.Status = backup.Status
			return k8s.Status().Update(ctx, again)
		}).Should(Or(Succeed(), WithTransform(apierrors.IsConflict, BeTrue())))
		w.done(ctx, again, v1alpha1.RunUnknown)
		Expect(w.sizes()).To(Equal(sent))
	})

	It("sends no later batch again of a run with a key that was set back in its place", func(ctx context.Context) {
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		run := w.batched("backup", 6, 2)
		run.Spec.IdempotencyKey = "march"
		Expect(k8s.Create(ctx, run)).To(Succeed())
		w.done(ctx, run, v1alpha1.RunSucceeded)
		stop, start := replaceManager()
		DeferCleanup(start)
		stop()
		annotate(ctx, k8s, run, func(run *v1alpha1.ImportRun) {
			run.Annotations[v1alpha1.AnnotationClaim] = fmt.Sprintf(`{"run":%q,"batch":1,"batches":3,"started":%q}`, run.UID, time.Now().UTC().Format(time.RFC3339))
		})
		run.Status.Phase, run.Status.CompletionTime = v1alpha1.RunWaiting, nil
		run.Status.Batches = &v1alpha1.BatchCounts{Total: 3, Done: 1}
		Expect(k8s.Status().Update(ctx, run)).To(Succeed())
		// The ledger as it is while the last batch of three is under way.
		entry := w.keyEntry(ctx)
		entry.Data["entry"] = strings.Replace(entry.Data["entry"], `"phase":"Succeeded"`, `"phase":"Running"`, 1)
		Expect(entry.Data["entry"]).To(ContainSubstring(`"batch":2`))
		Expect(k8s.Update(ctx, entry)).To(Succeed())
		start()
		w.done(ctx, run, v1alpha1.RunUnknown)
		Expect(message(run)).To(ContainSubstring("the ledger of idempotencyKey has seen more of this run than its status"))
		Expect(slices.Max(w.sizes())).To(Equal(2))
		Expect(w.sizes()).To(HaveLen(3))
	})
})
