// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// strike has the simulator treat the account's next call of a route as told, once.
func (w *world) strike(method, route string, phase simulator.Phase, action simulator.Action) {
	GinkgoHelper()
	_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: method, Route: route, Phase: phase, Count: 1, Action: action})
	Expect(err).NotTo(HaveOccurred())
}

// refusing has the simulator answer every call of a route so until stop is called. Unlike strike, it does
// not depend on which of several Imports calls first.
func (w *world) refusing(method, route string, action simulator.Action) (stop func()) {
	GinkgoHelper()
	rule, err := sim.AddRule(simulator.Rule{Account: w.account, Method: method, Route: route, Phase: simulator.PhaseBefore, Action: action})
	Expect(err).NotTo(HaveOccurred())
	return func() {
		GinkgoHelper()
		Expect(sim.RemoveRule(rule)).To(Succeed())
	}
}

// notFound has the simulator answer 404 to every call of a route until found is called.
func (w *world) notFound(method, route string) (found func()) {
	GinkgoHelper()
	return w.refusing(method, route, simulator.Action{Kind: simulator.ActionAnswer, Status: 404, Body: `{"errors":[{"code":"not_found"}]}`})
}

var _ = Describe("The answer to the creation is lost", func() {
	DescribeTable("finds the import that the call created, and creates no other",
		func(ctx context.Context, action simulator.Action) {
			w := newWorld(ctx)
			w.strike(http.MethodPost, "/v1/imports", simulator.PhaseAfter, action)
			object := w.synced(ctx, w.httpImport("once"))
			Expect(w.calls()).To(HaveKeyWithValue(post, 1))
			Expect(sim.Imports(w.account)).To(HaveLen(1))
			Eventually(func() []string { return w.events(ctx, "once") }).Should(ContainElement(HavePrefix("Recovered: ")))
			Expect(object.Annotations).NotTo(HaveKey("integrator.io/create-pending"))
		},
		Entry("connection reset", simulator.Action{Kind: simulator.ActionReset}),
		Entry("a web page with 502", simulator.Action{Kind: simulator.ActionAnswer, Status: 502, HTML: true}),
		Entry("half an answer", simulator.Action{Kind: simulator.ActionTruncate, Bytes: 20}),
		Entry("garbage with 200", simulator.Action{Kind: simulator.ActionGarbage}),
	)

	It("finds it also with its metadata removed meanwhile, and without a scan", func(ctx context.Context) {
		w := newWorld(ctx)
		account := get(ctx, w, &v1alpha1.Account{}, "default")
		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.ScanInterval = "1h" })
		w.eventuallyReady(ctx, account, "default")
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionHang})
		object := w.httpImport("bare")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(func() []simulator.Document { return sim.Imports(w.account) }).Should(HaveLen(1))
		change(ctx, object, func(object *v1alpha1.Import) { object.Annotations, object.Finalizers = nil, nil })
		w.eventuallyReady(ctx, object, "bare")
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
		Expect(sim.Imports(w.account)).To(HaveLen(1))
	})

	It("finds it by my own externalId too", func(ctx context.Context) {
		w := newWorld(ctx)
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		w.synced(ctx, w.httpImport("mine", `{"externalId": "erp-17"}`))
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
		Expect(sim.Imports(w.account)).To(ConsistOf(HaveKeyWithValue("externalId", "erp-17")))
	})

	It("creates again when the call created nothing, after the timeout", func(ctx context.Context) {
		w := newWorld(ctx)
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionReset})
		w.synced(ctx, w.httpImport("again"))
		Expect(w.calls()).To(HaveKeyWithValue(post, 2))
		Expect(sim.Imports(w.account)).To(HaveLen(1))
	})

	It("finds it when I declare an externalId meanwhile", func(ctx context.Context) {
		w := newWorld(ctx)
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		w.strike(http.MethodGet, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 503})
		object := w.httpImport("renamed")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(func() int { return w.calls()[post] }).Should(Equal(1))
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = w.httpImport("renamed", `{"externalId": "erp-19"}`).Spec.Definition.Raw
		})
		w.eventuallyReady(ctx, object, "renamed")
		Expect(sim.Imports(w.account)).To(ConsistOf(HaveKeyWithValue("externalId", "erp-19")))
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})

	It("removes what the call had set and I no longer declare", func(ctx context.Context) {
		w := newWorld(ctx)
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		w.strike(http.MethodGet, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 503})
		object := w.httpImport("shorter", `{"description": "mine"}`)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		Eventually(func() int { return w.calls()[post] }).Should(Equal(1))
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = w.httpImport("shorter").Spec.Definition.Raw
		})
		w.eventuallyReady(ctx, object, "shorter")
		Expect(sim.Imports(w.account)).To(ConsistOf(Not(HaveKey("description"))))
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})

	It("begins the timeout anew when the intent is damaged", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.httpImport("damaged")
		object.Annotations = map[string]string{"integrator.io/create-pending": "{"}
		w.synced(ctx, object)
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})

	It("stops when it cannot know which import it created", func(ctx context.Context) {
		w := newWorld(ctx)
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		_, err := sim.SeedImport(w.account, map[string]any{
			"name": "which", "externalId": "erp-18", "_connectionId": shopConnection, "adaptorType": "HTTPImport",
			"http": map[string]any{"method": []any{"POST"}, "relativeURI": []any{"/"}, "body": []any{nil}},
		})
		Expect(err).NotTo(HaveOccurred())
		object := w.httpImport("which", `{"externalId": "erp-18"}`)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "which", "Failed False/AmbiguousCreate")
		for _, document := range sim.Imports(w.account) {
			Expect(message(object)).To(ContainSubstring(document["_id"].(string)))
		}
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})
})

// lowerCase has the API store a field in lower case for the length of the story.
func lowerCase(path string) {
	GinkgoHelper()
	before := sim.Choices().AlsoLowerCased
	Expect(sim.SetChoices(func(c *simulator.Choices) { c.AlsoLowerCased = append(c.AlsoLowerCased, path) })).To(Succeed())
	DeferCleanup(func() {
		Expect(sim.SetChoices(func(c *simulator.Choices) { c.AlsoLowerCased = before })).To(Succeed())
	})
}

var _ = Describe("The API does not take what I declare", func() {
	It("shows the fields, and does not write the same again", func(ctx context.Context) {
		w := newWorld(ctx)
		lowerCase("file.fileName")
		object := w.httpImport("loud", `{"file": {"fileName": "JSON"}, "http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "loud", "Failed False/NotAccepted")
		Expect(object.Status.NotAccepted).To(Equal([]v1alpha1.Difference{{Path: "/file/fileName", Declared: `"JSON"`, Remote: `"json"`, Hint: "they differ only in letter case"}}))
		w.scans(2)
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))

		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations["integrator.io/reconcile-requested-at"] = "1"
		})
		Eventually(func() string { return get(ctx, w, object, "loud").Status.LastHandledReconcileAt }).Should(Equal("1"))
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, dependants: 1, audit: 1}))

		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = w.httpImport("loud", `{"file": {"fileName": "json"}, "http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`).Spec.Definition.Raw
		})
		w.eventuallyReady(ctx, object, "loud")
		Expect(w.calls()).NotTo(HaveKey(put), "what the API answers needs no write")
	})

	DescribeTable("gives each kind of error its own reason and says what to do",
		func(ctx context.Context, action simulator.Action, want, says string) {
			w := newWorld(ctx)
			_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPost, Route: "/v1/imports", Phase: simulator.PhaseBefore, Action: action})
			Expect(err).NotTo(HaveOccurred())
			object := w.httpImport("refused")
			Expect(k8s.Create(ctx, object)).To(Succeed())
			Eventually(func() string { return state(get(ctx, w, object, "refused")) }).Should(Equal(want))
			Expect(message(object)).To(ContainSubstring(says))
			Expect(message(object)).NotTo(ContainSubstring(w.token))
		},
		Entry("403", simulator.Action{Kind: simulator.ActionAnswer, Status: 403}, "Failed False/Forbidden", "give it the permission"),
		Entry("404", simulator.Action{Kind: simulator.ActionAnswer, Status: 404}, "Failed False/NotFound", "check the ids in the spec"),
		Entry("422", simulator.Action{Kind: simulator.ActionAnswer, Status: 422,
			Body: `{"errors":[{"code":"missing_required_field","field":"http","message":"http subschema not defined"}]}`},
			"Failed False/Rejected", "field http: http subschema not defined [missing_required_field]"),
		Entry("429", simulator.Action{Kind: simulator.ActionAnswer, Status: 429, RetryAfter: "2"}, "InProgress False/RateLimited", "it will be retried when the API permits"),
		Entry("413", simulator.Action{Kind: simulator.ActionAnswer, Status: 413}, "Failed False/TooLarge", "make it smaller"),
		Entry("307", simulator.Action{Kind: simulator.ActionRedirect, Location: "http://169.254.169.254/"}, "InProgress False/CreateUnconfirmed", "searched for it before another is created"),
		Entry("503", simulator.Action{Kind: simulator.ActionAnswer, Status: 503}, "InProgress False/CreateUnconfirmed", "searched for it before another is created"),
	)

	It("writes once what a PUT does not take", func(ctx context.Context) {
		w := newWorld(ctx)
		lowerCase("file.fileName")
		file := func(kind string) string {
			return `{"file": {"fileName": "` + kind + `"}, "http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`
		}
		object := w.synced(ctx, w.httpImport("quiet", file("csv")))
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = w.httpImport("quiet", file("XML")).Spec.Definition.Raw
		})
		w.eventually(ctx, object, "quiet", "Failed False/NotAccepted")
		Expect(message(object)).To(ContainSubstring(`/file/fileName (declared "XML", remote "xml": they differ only in letter case)`))
		w.scans(2)
		Expect(w.calls()).To(HaveKeyWithValue(put, 1))

		// Somebody's change of another field is a reason to read, and none to write.
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["sampleData"] = "by hand"
		})).To(Succeed())
		remote := w.remote(object.Status.ID)
		Eventually(func() string { return get(ctx, w, object, "quiet").Status.LastModified }).Should(Equal(remote["lastModified"]))
		Expect(state(object)).To(Equal("Failed False/NotAccepted"))
		Expect(w.calls()).To(HaveKeyWithValue(put, 1))
	})

	DescribeTable("says what prevents a read",
		func(ctx context.Context, action simulator.Action, want, says string) {
			w := newWorld(ctx)
			object := w.synced(ctx, w.httpImport("unread"))
			// A read changes nothing, so its answer can be spoilt after it.
			_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodGet, Route: "/v1/imports/{id}", Phase: simulator.PhaseAfter, Action: action})
			Expect(err).NotTo(HaveOccurred())
			change(ctx, object, func(object *v1alpha1.Import) { object.Annotations["integrator.io/reconcile-requested-at"] = "now" })
			Eventually(func() string { return state(get(ctx, w, object, "unread")) }).Should(Equal(want))
			Expect(message(object)).To(ContainSubstring(says))
		},
		Entry("403", simulator.Action{Kind: simulator.ActionAnswer, Status: 403}, "Failed False/Forbidden", "give it the permission"),
		Entry("422", simulator.Action{Kind: simulator.ActionAnswer, Status: 422}, "Failed False/Rejected", "correct the spec"),
		Entry("429", simulator.Action{Kind: simulator.ActionAnswer, Status: 429, RetryAfter: "30"}, "InProgress False/RateLimited", "it will be retried when the API permits"),
		Entry("500", simulator.Action{Kind: simulator.ActionAnswer, Status: 500, HTML: true}, "InProgress False/ServerError", "it will be retried"),
		Entry("a dead network", simulator.Action{Kind: simulator.ActionReset}, "InProgress False/Unreachable", "the connection broke; check the Account's baseURL and the network"),
		Entry("garbage", simulator.Action{Kind: simulator.ActionGarbage}, "InProgress False/UnexpectedResponse", "not one that the API documents"),
		Entry("another import", simulator.Action{Kind: simulator.ActionOtherID, ID: "64a0000000000000000000ff"}, "InProgress False/UnexpectedResponse", "not one that the API documents"),
	)

	DescribeTable("removes what a write had set whose answer was lost and I no longer declare", func(ctx context.Context, policy v1alpha1.DriftPolicy) {
		w := newWorld(ctx)
		object := w.httpImport("regretted")
		object.Spec.DriftPolicy = policy
		w.synced(ctx, object)
		before := object.Spec.Definition.Raw
		w.strike(http.MethodPut, "/v1/imports/{id}", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionReset})
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(before), `{"description": "too much"}`)
		})
		Eventually(func() int { return w.calls()[put] }).Should(Equal(1))
		unreadable, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodGet, Route: "/v1/imports/{id}", Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 503}})
		Expect(err).NotTo(HaveOccurred())
		w.eventually(ctx, object, "regretted", "InProgress False/ServerError")
		Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("description", "too much"))
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Definition.Raw = before })
		Expect(sim.RemoveRule(unreadable)).To(Succeed())
		w.eventuallyReady(ctx, object, "regretted")
		Expect(w.remote(object.Status.ID)).NotTo(HaveKey("description"))
	},
		Entry("and drift is corrected", v1alpha1.DriftPolicyCorrect),
		Entry("and drift is only reported", v1alpha1.DriftPolicyReport),
	)

	It("leaves what was there before a write that was not applied and I no longer declare", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("janes"))
		before := object.Spec.Definition.Raw
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["description"] = "Jane's" })).To(Succeed())
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPut, Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionReset}})
		Expect(err).NotTo(HaveOccurred())
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(before), `{"description": "mine"}`)
		})
		w.eventually(ctx, object, "janes", "InProgress False/Unreachable")
		change(ctx, object, func(object *v1alpha1.Import) { object.Spec.Definition.Raw = before })
		w.eventuallyReady(ctx, object, "janes")
		w.scans(2)
		Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("description", "Jane's"))
	})

	It("does not repeat a write that the API refuses", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("stuck", `{"description": "declared"}`))
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPut, Phase: simulator.PhaseBefore,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 422}})
		Expect(err).NotTo(HaveOccurred())
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["description"] = "by hand"
		})).To(Succeed())
		w.eventually(ctx, object, "stuck", "Failed False/Rejected")
		w.scans(3)
		Expect(w.calls()).To(Equal(map[string]int{post: 1, getOne: 1, audit: 1, put: 1}))
	})

	It("reports a drift once, however often it takes to correct it", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("told", `{"description": "declared"}`))
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Method: http.MethodPut, Phase: simulator.PhaseBefore, Count: 2,
			Action: simulator.Action{Kind: simulator.ActionAnswer, Status: 503}})
		Expect(err).NotTo(HaveOccurred())
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["description"] = "by hand"
		})).To(Succeed())
		Eventually(func() []string { return w.events(ctx, "told") }).Should(ContainElement(HavePrefix("DriftCorrected: ")))
		told := 0
		for _, note := range w.events(ctx, "told") {
			if strings.HasPrefix(note, "DriftDetected: ") {
				told++
			}
		}
		Expect(told).To(Equal(1))
		Expect(w.calls()).To(HaveKeyWithValue(put, 3))
	})

	It("continues after a failing read", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("shaky", `{"description": "declared"}`))
		w.strike(http.MethodGet, "/v1/imports/{id}", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: 500})
		Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) {
			document["description"] = "by hand"
		})).To(Succeed())
		Eventually(func() simulator.Document { return w.remote(object.Status.ID) }).Should(HaveKeyWithValue("description", "declared"))
		w.eventuallyReady(ctx, object, "shaky")
	})

	It("reports a 401 of any call at the Account", func(ctx context.Context) {
		w := newWorld(ctx)
		Expect(sim.RevokeToken(w.account, w.token)).To(Succeed())
		object := w.httpImport("locked")
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "locked", "Failed False/AccountNotReady")
		Expect(message(object)).To(ContainSubstring("TokenRejected"))
		w.eventually(ctx, &v1alpha1.Account{}, "default", "Failed False/TokenRejected")
	})

	It("names an alias that the Account does not have, and continues when it has", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.httpImport("alias", `{"_connectionId": "@erp"}`)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "alias", "Failed False/UnknownAlias")
		Expect(message(object)).To(Equal(`definition/_connectionId: Account "default" has no alias "erp" in spec.aliases; it has ftp, shop`))

		change(ctx, &v1alpha1.Account{ObjectMeta: w.meta("default")}, func(account *v1alpha1.Account) {
			account.Spec.Aliases["erp"] = shopConnection
		})
		w.eventuallyReady(ctx, object, "alias")
	})

	It("does not touch an import that has the ownership marker of another cluster", func(ctx context.Context) {
		w := newWorld(ctx)
		id, err := sim.SeedImport(w.account, map[string]any{
			"name": "theirs", "externalId": "k8s/00000000-0000-0000-0000-000000000000", "_connectionId": shopConnection, "adaptorType": "HTTPImport",
			"http": map[string]any{"method": []any{"POST"}, "relativeURI": []any{"/"}, "body": []any{nil}},
		})
		Expect(err).NotTo(HaveOccurred())
		object := w.httpImport("restored")
		object.Annotations = map[string]string{"integrator.io/id": id}
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "restored", "Failed False/OwnershipConflict")
		Expect(w.calls()).To(Equal(map[string]int{getOne: 1}))
	})

	It("stays as it is until something of it changes", func(ctx context.Context) {
		w := newWorld(ctx)
		lowerCase("file.fileName")
		object := w.httpImport("loud", `{"file": {"fileName": "JSON"}, "http": {"type": "file", "method": ["POST"], "relativeURI": ["/"], "body": [null]}}`)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "loud", "Failed False/NotAccepted")
		version := object.ResourceVersion
		change(ctx, &v1alpha1.Account{ObjectMeta: w.meta("default")}, func(account *v1alpha1.Account) {
			account.Spec.Aliases["unrelated"] = ftpConnection
		})
		w.scans(2)
		Expect(get(ctx, w, object, "loud").ResourceVersion).To(Equal(version))
		Expect(w.calls()).To(Equal(map[string]int{post: 1}))
	})

	DescribeTable("does not take over an import by a copied annotation",
		func(ctx context.Context, copied func(w *world) *v1alpha1.Import) {
			w := newWorld(ctx)
			first := w.synced(ctx, w.httpImport("first", `{"externalId": "erp-20", "description": "mine"}`))
			second := copied(w)
			second.Annotations = map[string]string{"integrator.io/id": first.Status.ID}
			Expect(k8s.Create(ctx, second)).To(Succeed())
			w.eventually(ctx, second, "second", "Failed False/OwnershipConflict")
			Expect(k8s.Delete(ctx, second)).To(Succeed())
			Eventually(func() string { return state(get(ctx, w, second, "second")) }).Should(HavePrefix("Terminating"))
			w.scans(1)
			Expect(w.remote(first.Status.ID)).To(HaveKeyWithValue("description", "mine"))
			Expect(w.calls()).NotTo(Or(HaveKey(put), HaveKey(remove)))
			change(ctx, second, func(second *v1alpha1.Import) { second.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
			w.eventuallyGone(ctx, second)
		},
		Entry("of a copy", func(w *world) *v1alpha1.Import { return w.httpImport("second", `{"externalId": "erp-20"}`) }),
		Entry("of another import", func(w *world) *v1alpha1.Import { return w.httpImport("second") }),
	)

	DescribeTable("finds its import when the annotation leads astray", func(ctx context.Context, more string) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("astray", more))
		id := object.Status.ID
		change(ctx, object, func(object *v1alpha1.Import) { object.Annotations["integrator.io/id"] = "64a0000000000000000000ff" })
		Eventually(func() string { return get(ctx, w, object, "astray").Annotations["integrator.io/id"] }).Should(Equal(id))
		w.eventuallyReady(ctx, object, "astray")
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))

		change(ctx, object, func(object *v1alpha1.Import) {
			object.Annotations["integrator.io/id"] = "64a0000000000000000000ff"
		})
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		Expect(sim.Imports(w.account)).To(BeEmpty())
	},
		Entry("with its marker", "{}"),
		Entry("with an externalId of mine", `{"externalId": "erp-22"}`),
	)

	It("puts back what somebody takes out of its metadata", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("bare"))
		id := object.Status.ID
		for _, take := range []func(*v1alpha1.Import){
			func(object *v1alpha1.Import) { object.Finalizers, object.Annotations = nil, nil },
			func(object *v1alpha1.Import) { object.Annotations = nil },
			func(object *v1alpha1.Import) { object.Finalizers = nil },
		} {
			change(ctx, object, take)
			Eventually(func(g Gomega) {
				get(ctx, w, object, "bare")
				g.Expect(object.Finalizers).To(ConsistOf("integrator.io/import"))
				g.Expect(object.Annotations).To(HaveKeyWithValue("integrator.io/id", id))
			}).Should(Succeed())
		}
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})

	It("finds its import again after a restore that dropped the status", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("backup"))
		id := object.Status.ID
		object.Status = v1alpha1.ImportStatus{ObservedGeneration: -1}
		Expect(k8s.Status().Update(ctx, object)).To(Succeed())
		change(ctx, object, func(object *v1alpha1.Import) { object.Annotations["integrator.io/reconcile-requested-at"] = "restored" })
		Eventually(func() string { return get(ctx, w, object, "backup").Status.LastHandledReconcileAt }).Should(Equal("restored"))
		Expect(object.Status.ID).To(Equal(id))
		// One read for the status that was removed, one that was requested, or one for both.
		calls := w.calls()
		Expect(calls[getOne]).To(BeNumerically("<=", 2))
		delete(calls, getOne)
		Expect(calls).To(Equal(map[string]int{post: 1, dependants: 1, audit: 1}))
	})
})
