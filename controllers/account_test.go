// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/controllers"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

var _ = Describe("I give the operator an account", func() {
	It("says whose token it is and how many imports there are", func(ctx context.Context) {
		w := newWorld(ctx)
		for range 7 {
			_, err := sim.SeedImport(w.account, map[string]any{
				"name": "not managed", "_connectionId": shopConnection, "adaptorType": "HTTPImport",
				"http": map[string]any{"method": []any{"POST"}, "relativeURI": []any{"/"}, "body": []any{nil}},
			})
			Expect(err).NotTo(HaveOccurred())
		}
		w.synced(ctx, w.httpImport("managed"))

		account := &v1alpha1.Account{}
		Eventually(func(g Gomega) {
			get(ctx, w, account, "default")
			g.Expect(account.Status.Imports).To(HaveValue(BeEquivalentTo(8)))
			g.Expect(account.Status.Managed).To(HaveValue(BeEquivalentTo(1)))
		}).Should(Succeed())
		Expect(account.Status.UserID).NotTo(BeEmpty())
		Expect(sim.Ledger(simulator.Filter{Account: w.account, Route: "/v1/tokenInfo"})).To(HaveLen(1), "the token is checked once")
	})

	It("waits for the Secret, and continues when it is created", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		account := w.accountObject("default")
		Expect(k8s.Create(ctx, account)).To(Succeed())
		Expect(k8s.Create(ctx, w.httpImport("early"))).To(Succeed())
		w.eventually(ctx, account, "default", "Failed False/SecretNotFound")
		Expect(message(account)).To(ContainSubstring(`create it with the API token under key "token"`))
		early := &v1alpha1.Import{}
		w.eventually(ctx, early, "early", "Failed False/AccountNotReady")

		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		w.eventuallyReady(ctx, account, "default")
		w.eventuallyReady(ctx, early, "early")
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))
	})

	DescribeTable("blames the Secret for what cannot be a token", func(ctx context.Context, content, want string) {
		w := newEmptyWorld(ctx)
		secret := w.secret("token", content)
		Expect(k8s.Create(ctx, secret)).To(Succeed())
		account := w.accountObject("default")
		Expect(k8s.Create(ctx, account)).To(Succeed())
		w.eventually(ctx, account, "default", "Failed False/InvalidToken")
		Expect(message(account)).To(Equal(`Secret "token", key "token": ` + want))
		_, stderr, code := w.export(ctx)
		Expect(code).NotTo(BeZero())
		Expect(stderr).To(Equal("error: " + message(account) + "\n"))
		Expect(sim.Ledger(simulator.Filter{Account: w.account})).To(BeEmpty())

		change(ctx, secret, func(secret *corev1.Secret) { secret.Data["token"] = []byte(w.token + "\n") })
		w.eventuallyReady(ctx, account, "default")
	},
		Entry("a header", "Bearer s3cret", `begins with "Bearer ": put the token alone`),
		Entry("a quoted text", `"s3cret"`, `has a quotation mark: put the token alone`),
		Entry("two words", "s3cret\ts3cret", `has white space inside: put the token alone`),
		Entry("a terminal's output", "\x1b[1ms3cret", `has a control character: put the token alone`),
	)

	It("picks a rotated token up at once", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("rotating"))

		Expect(sim.RevokeToken(w.account, w.token)).To(Succeed())
		account := &v1alpha1.Account{}
		w.eventually(ctx, account, "default", "Failed False/TokenRejected")
		Expect(message(account)).To(Equal(`the API rejects the token (401): put a valid one into Secret "token", key "token"`))
		w.eventually(ctx, object, "rotating", "Failed False/AccountNotReady")

		Expect(sim.AddToken(w.account, simulator.Token{Token: "second-" + w.token})).To(Succeed())
		secret := w.secret("token", "")
		change(ctx, secret, func(secret *corev1.Secret) { secret.Data["token"] = []byte("second-" + w.token + "\n") })
		w.eventuallyReady(ctx, account, "default")
		w.eventuallyReady(ctx, object, "rotating")
		Expect(w.calls()).NotTo(Or(HaveKey(put), HaveKeyWithValue(post, 2)))
	})

	It("does not create everything again when I put in a token of another account", func(ctx context.Context) {
		w, other := newWorld(ctx), newEmptyWorld(ctx)
		object := w.synced(ctx, w.httpImport("here"))
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		version := account.Status.CredentialVersion

		secret := w.secret("token", "")
		change(ctx, secret, func(secret *corev1.Secret) { secret.Data["token"] = []byte(other.token) })
		w.eventually(ctx, object, "here", "Failed False/AccountChanged")
		Expect(k8s.Create(ctx, w.httpImport("new"))).To(Succeed())
		w.eventually(ctx, &v1alpha1.Import{}, "new", "Failed False/AccountChanged")
		Expect(sim.Imports(other.account)).To(BeEmpty())
		Expect(get(ctx, w, account, "default").Status.CredentialVersion).To(Equal(version))

		change(ctx, secret, func(secret *corev1.Secret) { secret.Data["token"] = []byte(w.token) })
		w.eventuallyReady(ctx, object, "here")
		w.eventuallyReady(ctx, &v1alpha1.Import{}, "new")
		Expect(sim.Imports(other.account)).To(BeEmpty())
		Expect(w.calls()).To(HaveKeyWithValue(post, 2))
	})

	It("says that the new token is of another account, until it is not", func(ctx context.Context) {
		w, other := newWorld(ctx), newEmptyWorld(ctx)
		objects := []*v1alpha1.Import{w.synced(ctx, w.httpImport("one")), w.synced(ctx, w.httpImport("two"))}
		account := &v1alpha1.Account{}
		counted := func(managed int) {
			GinkgoHelper()
			Eventually(func() *int32 { return get(ctx, w, account, "default").Status.Managed }).Should(HaveValue(BeEquivalentTo(managed)))
		}
		counted(2)
		changeToken := func(token string) {
			GinkgoHelper()
			change(ctx, w.secret("token", ""), func(secret *corev1.Secret) { secret.Data["token"] = []byte(token) })
		}

		changeToken(other.token)
		w.eventually(ctx, account, "default", "Failed False/AccountChanged")
		Expect(message(account)).To(Equal(`the Account has a new token or baseURL, and none of its managed imports is found with it: ` +
			`put a token of the same account into Secret "token", key "token", or delete the Account's Imports with deletionPolicy Orphan to leave their imports alone`))
		Expect(conditionsOf(account)).To(HaveLen(2), "Ready and Stalled")
		counted(0)
		Eventually(func() []string { return w.events(ctx, "default") }).Should(ContainElement(HavePrefix("AccountChanged: ")))

		By("saying the same while a scan fails")
		rule, err := sim.AddRule(simulator.Rule{Account: other.account, Route: "/v1/imports", Method: "GET", Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 503}})
		Expect(err).NotTo(HaveOccurred())
		version := get(ctx, w, account, "default").ResourceVersion
		other.begunScans(2)
		Expect(sim.RemoveRule(rule)).To(Succeed())
		other.begunScans(2)
		Expect(get(ctx, w, account, "default").ResourceVersion).To(Equal(version))

		By("getting a token of the same account")
		changeToken(w.token)
		w.eventuallyReady(ctx, account, "default")
		counted(2)

		By("moving to the other account")
		changeToken(other.token)
		w.eventually(ctx, account, "default", "Failed False/AccountChanged")
		for _, object := range objects {
			change(ctx, object, func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
			Expect(k8s.Delete(ctx, object)).To(Succeed())
			w.eventuallyGone(ctx, object)
		}
		w.eventuallyReady(ctx, account, "default")
		Expect(sim.Imports(w.account)).To(HaveLen(2))
		Expect(w.writes()).To(Equal(map[string]int{post: 2}))
		Expect(other.writes()).To(BeEmpty())
	})

	It("counts as managed what an Import manages and the account has", func(ctx context.Context) {
		w := newWorld(ctx)
		managed := w.synced(ctx, w.httpImport("managed"))

		By("not counting an import that is only observed")
		observing := adopting(w.httpImport("observed"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(w.seed("observed"))})
		observing.Spec.ManagementPolicy = v1alpha1.ManagementPolicyObserve
		w.synced(ctx, observing)
		w.synced(ctx, adopting(w.httpImport("adopted"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(w.seed("adopted"))}))

		By("not counting an import for a second Import that wants it")
		second := adopting(w.httpImport("second"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(managed.Status.ID)})
		Expect(k8s.Create(ctx, second)).To(Succeed())
		w.eventually(ctx, second, "second", "Failed False/OwnershipConflict")
		copied := w.httpImport("copied")
		copied.Annotations = map[string]string{v1alpha1.AnnotationID: managed.Status.ID}
		Expect(k8s.Create(ctx, copied)).To(Succeed())
		w.eventually(ctx, copied, "copied", "Failed False/OwnershipConflict")

		By("not counting an import that another cluster has taken over")
		taken := w.synced(ctx, w.httpImport("taken"))
		Expect(sim.EditAs(jane, w.account, taken.Status.ID, func(document simulator.Document) {
			document["externalId"] = "k8s/00000000-0000-0000-0000-000000000000"
		})).To(Succeed())
		w.eventually(ctx, taken, "taken", "Failed False/OwnershipConflict")

		By("not counting an import that is not in the account any more")
		lost := w.synced(ctx, w.httpImport("lost"))
		change(ctx, lost, func(lost *v1alpha1.Import) { lost.Spec.Suspend = true })
		Eventually(func() int64 { return get(ctx, w, lost, "lost").Status.ObservedGeneration }).Should(Equal(lost.Generation))
		account := &v1alpha1.Account{}
		counts := func(imports, managed int) {
			GinkgoHelper()
			Eventually(func(g Gomega) {
				get(ctx, w, account, "default")
				g.Expect(account.Status.Imports).To(HaveValue(BeEquivalentTo(imports)))
				g.Expect(account.Status.Managed).To(HaveValue(BeEquivalentTo(managed)))
			}).Should(Succeed())
		}
		counts(5, 3)
		Expect(sim.DeleteAs(jane, w.account, lost.Status.ID)).To(Succeed())
		counts(4, 2)
	})

	It("does not loop when calls are rejected and the token's check is not", func(ctx context.Context) {
		w := newWorld(ctx)
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Route: "/v1/imports", Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 401}})
		Expect(err).NotTo(HaveOccurred())
		w.eventually(ctx, &v1alpha1.Account{}, "default", "Failed False/TokenRejected")
		before := len(sim.Ledger(simulator.Filter{Account: w.account}))
		// The pauses are 1 s, 2 s, 4 s: a check and a scan each.
		Consistently(func() int { return len(sim.Ledger(simulator.Filter{Account: w.account})) - before }, "3s").Should(BeNumerically("<=", 8))
	})

	It("does not create everything again when I name another key of the Secret", func(ctx context.Context) {
		w, other := newEmptyWorld(ctx), newEmptyWorld(ctx)
		secret := w.secret("token", w.token)
		secret.StringData["staging"] = other.token
		Expect(k8s.Create(ctx, secret)).To(Succeed())
		account := w.accountObject("default")
		Expect(k8s.Create(ctx, account)).To(Succeed())
		object := w.synced(ctx, w.httpImport("here", `{"externalId": "erp-21"}`))

		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.TokenSecretRef.Key = "staging" })
		w.eventually(ctx, object, "here", "Failed False/AccountChanged")
		Expect(sim.Imports(other.account)).To(BeEmpty())
		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.TokenSecretRef.Key = "token" })
		w.eventuallyReady(ctx, object, "here")
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})

	It("takes a token of another user of the same account", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("handed-over"))
		Expect(sim.AddToken(w.account, simulator.Token{Token: "jane-of-" + w.token, User: simulator.User{ID: "5fb00000000000000000000a", Email: jane.Email}})).To(Succeed())
		secret := w.secret("token", "")
		change(ctx, secret, func(secret *corev1.Secret) { secret.Data["token"] = []byte("jane-of-" + w.token) })
		Eventually(func() string { return get(ctx, w, &v1alpha1.Account{}, "default").Status.UserID }).Should(Equal("5fb00000000000000000000a"))

		Expect(sim.DeleteAs(jane, w.account, object.Status.ID)).To(Succeed())
		Eventually(func() int { return w.calls()[post] }).Should(Equal(2))
	})

	It("makes no call while I suspend it", func(ctx context.Context) {
		w := newWorld(ctx)
		account := &v1alpha1.Account{ObjectMeta: w.meta("default")}
		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.Suspend = true })
		w.eventually(ctx, account, "default", "Current True/Suspended")
		Expect(conditionsOf(account)).To(ContainElement(HaveField("Type", "Suspended")))
		before := len(sim.Ledger(simulator.Filter{Account: w.account}))

		object := w.httpImport("later")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "later", "InProgress False/AccountNotReady")
		Consistently(func() int { return len(sim.Ledger(simulator.Filter{Account: w.account})) }).Should(Equal(before))

		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.Suspend = false })
		w.eventuallyReady(ctx, object, "later")
	})

	It("says so when there is none", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		object := w.httpImport("orphan")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "orphan", "Failed False/AccountNotFound")
		Expect(message(object)).To(Equal(`there is no Account "default" in namespace "` + w.namespace + `": create it, or correct spec.accountRef`))
	})

	DescribeTable("refuses a base URL that it was not started to allow",
		func(ctx context.Context, baseURL, want string) {
			w := newEmptyWorld(ctx)
			Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
			account := w.accountObject("default")
			account.Spec.BaseURL = baseURL
			Expect(k8s.Create(ctx, account)).To(Succeed())
			w.eventually(ctx, account, "default", "Failed False/HostNotAllowed")
			Expect(message(account)).To(ContainSubstring(want))
			Expect(sim.Ledger(simulator.Filter{Account: w.account})).To(BeEmpty())
		},
		Entry("another host", "https://evil.example.com", "evil.example.com, is not allowed; use one of"),
		Entry("another port of the same host", "https://127.0.0.1:1", "127.0.0.1:1, is not allowed"),
		Entry("a port that was not named", "https://api.integrator.io:8443", "api.integrator.io:8443, is not allowed"),
		Entry("a longer host", "https://api.integrator.io.example.com", "is not allowed"),
	)

	DescribeTable("takes a base URL, or says what to do with it",
		func(ctx context.Context, baseURL, says string) {
			w := newEmptyWorld(ctx)
			account := w.accountObject("default")
			account.Spec.BaseURL = baseURL
			err := client.NewDryRunClient(k8s).Create(ctx, account)
			if says == "" {
				Expect(err).NotTo(HaveOccurred())
				return
			}
			Expect(err).To(MatchError(ContainSubstring(says)))
		},
		Entry("a slash at its end", "https://api.integrator.io/", ""),
		Entry("a host in upper case", "https://API.integrator.io", ""),
		Entry("a host of another script in ASCII", "https://xn--bcher-kva.example", ""),
		Entry("this machine, by IPv4", "http://127.0.0.2:8080", ""),
		Entry("this machine, by IPv6", "http://[::1]:8080/celigo", ""),
		Entry("IPv6 with TLS", "https://[2600:1f18::1]:8443", ""),
		Entry("a scheme in upper case", "HTTPS://api.integrator.io", "begin baseURL with https:// in lower case"),
		Entry("no scheme", "api.integrator.io", "begin baseURL with https:// in lower case"),
		Entry("a user name", "https://u@api.integrator.io", "remove the user name and the password from baseURL"),
		Entry("a password", "https://u:p@api.integrator.io/celigo", "remove the user name and the password from baseURL"),
		Entry("a query", "https://api.integrator.io/?a=b", "remove the query and the fragment, from '?' or '#' on, from baseURL"),
		Entry("a fragment", "https://api.integrator.io#a", "remove the query and the fragment, from '?' or '#' on, from baseURL"),
		Entry("another script", "https://b\u00fccher.example", "a host in another script has an ASCII form, which begins with xn--"),
		Entry("white space", " https://api.integrator.io", "write baseURL in ASCII and without white space"),
		Entry("a path of the API", "https://api.integrator.io/v1", "remove /v1 from the end of baseURL"),
		Entry("an address without brackets", "https://2600:1f18::1", "spec.baseURL"),
	)

	It("tells a dead network from a bad token", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		rule, err := sim.AddRule(simulator.Rule{Account: w.account, Route: "/v1/tokenInfo", Phase: simulator.PhaseBefore, Count: 1,
			Action: simulator.Action{Kind: simulator.ActionReset}})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(sim.RemoveRule, rule)
		account := w.accountObject("default")
		Expect(k8s.Create(ctx, account)).To(Succeed())
		w.eventually(ctx, account, "default", "InProgress False/Unreachable")
		w.eventuallyReady(ctx, account, "default")
	})

	It("says that no scan reaches its end, and what that means for the Imports", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("calm"))
		operate, _ := w.operators()
		withOptions(func(options *controllers.Options) { options.ScanPatience = time.Second })
		rule, err := sim.AddRule(simulator.Rule{Account: w.account, Route: "/v1/imports", Method: "GET", Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 503, HTML: true}})
		Expect(err).NotTo(HaveOccurred())
		late := w.httpImport("late")
		Expect(k8s.Create(ctx, late)).To(Succeed())
		operate(ownership.Owner{})
		Eventually(func() string { return message(get(ctx, w, late, "late")) }).Should(Equal("the account is scanned once before an import is created: it may have the import already; " +
			"the scan fails: ServerError: cannot list the account's imports: the API failed (503); it will be retried"))
		Expect(state(late)).To(Equal("InProgress False/Progressing"))

		account := &v1alpha1.Account{}
		w.eventually(ctx, account, "default", "InProgress False/ScanFailing")
		Expect(message(account)).To(Equal("no scan has reached its end for more than 3s, so drift is not being watched: " +
			"ServerError: cannot list the account's imports: the API failed (503); it will be retried"))
		Eventually(func() string { return message(get(ctx, w, object, "calm")) }).Should(Equal("the remote import is as declared; " +
			`drift is not being watched: no scan of Account "default" has reached its end for more than 3s`))
		Expect(state(object)).To(Equal("Current True/Synced"))

		Expect(sim.RemoveRule(rule)).To(Succeed())
		w.eventuallyReady(ctx, account, "default")
		w.eventuallyReady(ctx, late, "late")
		Eventually(func() string { return message(get(ctx, w, object, "calm")) }).Should(Equal("the remote import is as declared"))
		Expect(w.writes()).To(Equal(map[string]int{post: 2}))
	})

	It("reports what stops its scans, and leaves the Imports as they were", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("calm"))
		rule, err := sim.AddRule(simulator.Rule{Account: w.account, Route: "/v1/imports", Method: "GET", Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 503, HTML: true}})
		Expect(err).NotTo(HaveOccurred())
		account := &v1alpha1.Account{}
		w.eventually(ctx, account, "default", "InProgress False/ServerError")
		version := get(ctx, w, object, "calm").ResourceVersion
		Expect(state(object)).To(Equal("Current True/Synced"))

		Expect(sim.RemoveRule(rule)).To(Succeed())
		w.eventuallyReady(ctx, account, "default")
		Expect(get(ctx, w, object, "calm").ResourceVersion).To(Equal(version))
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))
	})
})
