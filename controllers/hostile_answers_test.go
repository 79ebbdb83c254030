// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// inHostile stands in every hostile answer, and may be told nowhere.
const inHostile = "c4n4ryHostileFe3"

// hostileAnswers are those that no API should give, but for a drip without end.
func hostileAnswers(redirectTo string) map[string]simulator.Action {
	const ok = http.StatusOK
	return map[string]simulator.Action{
		"50 MB":                   {Kind: simulator.ActionOversize, Bytes: 50_000_000},
		"10,001 deep":             {Kind: simulator.ActionAnswer, Status: ok, Body: `{"` + inHostile + `":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`},
		"a web page with 200":     {Kind: simulator.ActionAnswer, Status: ok, HTML: true, Body: "<html><body>" + inHostile + "</body></html>"},
		"no UTF-8, and NUL":       {Kind: simulator.ActionAnswer, Status: ok, Body: "{\"_id\":\"\xff\x00" + inHostile + "\"}"},
		"a string":                {Kind: simulator.ActionAnswer, Status: ok, Body: `"` + inHostile + `"`},
		"an object for a list":    {Kind: simulator.ActionAnswer, Status: ok, Body: `{"` + inHostile + `":{"_id":7},"_id":1e999999999,"_id":[]}`},
		"an _id that is a number": {Kind: simulator.ActionAnswer, Status: ok, Body: `{"_id":123456789012345678901234,"name":"` + inHostile + `"}`},
		"an _id that is a path":   {Kind: simulator.ActionAnswer, Status: ok, Body: `{"_id":"../../` + inHostile + `"}`},
		"many values":             {Kind: simulator.ActionAnswer, Status: ok, Body: `{"_id":"64a0000000000000000000ff","` + inHostile + `":[` + strings.Repeat("{},", 400_000) + `1]}`},
		"307 to another server":   {Kind: simulator.ActionRedirect, Status: 307, Location: redirectTo + inHostile, Body: inHostile},
		"302 to link-local":       {Kind: simulator.ActionRedirect, Status: 302, Location: "http://169.254.169.254/" + inHostile, Body: inHostile},
	}
}

// elsewhereServer counts the requests of whoever follows a redirect.
func elsewhereServer() (url string, followed *atomic.Int64) {
	followed = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	DeferCleanup(server.Close)
	return server.URL + "/", followed
}

// hostileCall is a call that is answered so, in a story of its own for each answer.
type hostileCall struct {
	method, route string
	// until makes the world in which the call comes next, and its object.
	until func(ctx context.Context, w *world) client.Object
	// then has it made.
	then func(ctx context.Context, w *world, object client.Object)
	// stands checks that the answer has had its effect.
	stands func(g Gomega, w *world, object client.Object)
	// recovers checks that all is well, once the API answers as it should.
	recovers func(g Gomega, w *world, object client.Object)
	// writes are all the calls that were to write.
	writes map[string]int
}

func troubled(g Gomega, _ *world, object client.Object) {
	g.Expect(state(object)).To(Equal("InProgress False/UnexpectedResponse"), message(object))
}

func unconfirmedThere(g Gomega, _ *world, object client.Object) {
	g.Expect(state(object)).To(Or(Equal("InProgress False/CreateUnconfirmed"), Equal("Current True/Synced")), message(object))
}

func inSync(g Gomega, _ *world, object client.Object) {
	g.Expect(state(object)).To(Equal("Current True/Synced"), message(object))
}

func struck(g Gomega, w *world, _ client.Object) { g.Expect(w.unfired()).To(BeEmpty()) }

func deleted(g Gomega, w *world, object client.Object) {
	g.Expect(object.GetUID()).To(BeEmpty(), "the object is still there")
	g.Expect(sim.Imports(w.account)).To(BeEmpty())
}

func declared(ctx context.Context, w *world) client.Object {
	return w.synced(ctx, w.httpImport("kept", `{"description": "declared"}`))
}

func deletes(ctx context.Context, _ *world, object client.Object) {
	Expect(k8s.Delete(ctx, object)).To(Succeed())
}

// describes has an update made.
func describes(document string) func(context.Context, *world, client.Object) {
	return func(ctx context.Context, _ *world, object client.Object) {
		change(ctx, object.(*v1alpha1.Import), func(object *v1alpha1.Import) {
			object.Spec.Definition.Raw = overlaid(string(object.Spec.Definition.Raw), document)
		})
	}
}

var hostileCalls = map[string]hostileCall{
	"the check of the token": {
		method: http.MethodGet, route: "/v1/tokenInfo", stands: troubled,
		until: func(_ context.Context, w *world) client.Object { return w.accountObject("second") },
		then: func(ctx context.Context, _ *world, object client.Object) {
			Expect(k8s.Create(ctx, object)).To(Succeed())
		},
		recovers: func(g Gomega, _ *world, object client.Object) {
			g.Expect(state(object)).To(Equal("Current True/TokenAccepted"), message(object))
		},
	},
	"a page of the list": {
		method: http.MethodGet, route: "/v1/imports", stands: troubled,
		until: func(ctx context.Context, w *world) client.Object {
			declared(ctx, w)
			return get(ctx, w, &v1alpha1.Account{}, "default")
		},
		then: func(context.Context, *world, client.Object) {},
		recovers: func(g Gomega, _ *world, object client.Object) {
			g.Expect(state(object)).To(Equal("Current True/TokenAccepted"), message(object))
		},
		writes: map[string]int{post: 1},
	},
	"the creation": {
		method: http.MethodPost, route: "/v1/imports", stands: unconfirmedThere, recovers: inSync,
		until: func(_ context.Context, w *world) client.Object { return w.httpImport("made") },
		then: func(ctx context.Context, _ *world, object client.Object) {
			Expect(k8s.Create(ctx, object)).To(Succeed())
		},
		writes: map[string]int{post: 1},
	},
	"the copy": {
		method: http.MethodPost, route: "/v1/imports/{id}/clone", stands: unconfirmedThere, recovers: inSync,
		until: func(_ context.Context, w *world) client.Object {
			object := w.httpImport("copied")
			object.Spec.CloneFrom = &v1alpha1.CloneSpec{ID: v1alpha1.ID(w.seed("original"))}
			return object
		},
		then: func(ctx context.Context, _ *world, object client.Object) {
			Expect(k8s.Create(ctx, object)).To(Succeed())
		},
		writes: map[string]int{cloneOf: 1, put: 1},
	},
	"the read": {
		method: http.MethodGet, route: "/v1/imports/{id}", until: declared, stands: troubled, recovers: inSync,
		then: func(ctx context.Context, _ *world, object client.Object) {
			change(ctx, object.(*v1alpha1.Import), func(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now" })
		},
		writes: map[string]int{post: 1},
	},
	"the update": {
		method: http.MethodPut, route: "/v1/imports/{id}", until: declared, stands: struck, recovers: inSync,
		then: describes(`{"description": "another"}`), writes: map[string]int{post: 1, put: 1},
	},
	"the move to another connection": {
		method: http.MethodPut, route: "/v1/imports/{id}/replaceConnection", until: declared, stands: struck, recovers: inSync,
		then: describes(`{"_connectionId": "@ftp"}`), writes: map[string]int{post: 1, reconnect: 1},
	},
	"the patch": {
		method: http.MethodPatch, route: "/v1/imports/{id}", until: declared, stands: struck, recovers: inSync,
		then: func(ctx context.Context, _ *world, object client.Object) {
			until := metav1.NewTime(time.Now().Add(30 * time.Minute).Truncate(time.Second))
			change(ctx, object.(*v1alpha1.Import), func(object *v1alpha1.Import) { object.Spec.DebugUntil = &until })
		},
		writes: map[string]int{post: 1, patch: 1},
	},
	"the audit log": {
		method: http.MethodGet, route: "/v1/imports/{id}/audit", until: declared, stands: struck, recovers: inSync,
		then: func(_ context.Context, w *world, object client.Object) {
			Expect(sim.EditAs(jane, w.account, object.(*v1alpha1.Import).Status.ID, func(document simulator.Document) {
				document["description"] = "by hand"
			})).To(Succeed())
		},
		writes: map[string]int{post: 1, put: 1},
	},
	"what uses the import": {
		method: http.MethodGet, route: "/v1/imports/{id}/dependencies", until: declared, then: deletes, recovers: deleted,
		stands: func(g Gomega, w *world, object client.Object) {
			ready := conditionsOf(object)
			g.Expect(ready).To(ContainElement(And(HaveField("Type", "Ready"), HaveField("Reason", "UnexpectedResponse"))))
			g.Expect(w.calls()).NotTo(HaveKey(remove))
		},
		writes: map[string]int{post: 1, remove: 1},
	},
	"the deletion": {
		method: http.MethodDelete, route: "/v1/imports/{id}", until: declared, then: deletes, stands: struck, recovers: deleted,
		writes: map[string]int{post: 1, remove: 1},
	},
}

var _ = Describe("The API answers as no API should", func() {
	for _, name := range slices.Sorted(maps.Keys(hostileCalls)) {
		call := hostileCalls[name]
		It("says so, does nothing twice, and continues automatically: "+name, func(ctx context.Context) {
			redirectTo, followed := elsewhereServer()
			answers := hostileAnswers(redirectTo)
			worlds, objects, rules := map[string]*world{}, map[string]client.Object{}, map[string]string{}
			for answer, action := range answers {
				w := newWorld(ctx)
				worlds[answer], objects[answer] = w, call.until(ctx, w)
				id, err := sim.AddRule(simulator.Rule{Account: w.account, Method: call.method, Route: call.route, Phase: simulator.PhaseAfter, Action: action})
				Expect(err).NotTo(HaveOccurred())
				rules[answer] = id
				call.then(ctx, w, objects[answer])
			}
			eventually := func(check func(Gomega, *world, client.Object)) {
				GinkgoHelper()
				for answer, w := range worlds {
					Eventually(func(g Gomega) {
						current := objects[answer].DeepCopyObject().(client.Object)
						err := k8s.Get(ctx, client.ObjectKeyFromObject(current), current)
						g.Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
						if err != nil {
							current.SetUID("")
						}
						check(g, w, current)
						g.Expect(shownOf(current)).NotTo(ContainSubstring(inHostile))
					}, 90*time.Second).Should(Succeed(), "%s is answered with %s", name, answer)
				}
			}
			eventually(struck)
			eventually(call.stands)
			for _, id := range rules {
				Expect(sim.RemoveRule(id)).To(Succeed())
			}
			eventually(call.recovers)
			for answer, w := range worlds {
				// An edit by hand leaves the object in sync until it is seen.
				Eventually(w.writes).Should(Or(Equal(call.writes), And(BeEmpty(), Satisfy(func(map[string]int) bool { return len(call.writes) == 0 }))), answer)
				Expect(strings.Join(w.events(ctx, objects[answer].GetName()), "\n")).NotTo(ContainSubstring(inHostile), answer)
			}
			Expect(followed.Load()).To(BeZero(), "requests to where a redirect leads")
			Expect(leaks(logged.String(), inHostile)).To(BeEmpty(), "log")
		}, SpecTimeout(10*time.Minute))
	}

	It("takes a run for unknown, sends nothing twice, and the next run succeeds", func(ctx context.Context) {
		redirectTo, followed := elsewhereServer()
		w := newWorld(ctx)
		target := w.synced(ctx, w.httpImport("orders"))
		answers := hostileAnswers(redirectTo)
		answers["blanks without end"] = simulator.Action{Kind: simulator.ActionEndless, DelayMillis: 20}
		n := 0
		for _, answer := range slices.Sorted(maps.Keys(answers)) {
			w.strike(http.MethodPost, "/v1/imports/{id}/invoke", simulator.PhaseAfter, answers[answer])
			run := w.run(fmt.Sprintf("run-%d", n), "orders", record("A-1"))
			run.Spec.ActiveDeadlineSeconds = seconds(3)
			Expect(k8s.Create(ctx, run)).To(Succeed())
			w.done(ctx, run, v1alpha1.RunUnknown)
			Expect(message(run)).To(ContainSubstring("its answer was lost"), answer)
			Expect(shownOf(run)).NotTo(ContainSubstring(inHostile))
			n++
			Expect(w.calls()).To(HaveKeyWithValue(invoke, n), answer)
			_, written := sim.Written(w.account, target.Status.ID)
			Expect(written).To(Equal(n), answer)
		}
		last := w.run("last", "orders", record("A-1"))
		Expect(k8s.Create(ctx, last)).To(Succeed())
		w.done(ctx, last, v1alpha1.RunSucceeded)
		Expect(w.calls()).To(HaveKeyWithValue(invoke, n+1))
		Expect(followed.Load()).To(BeZero(), "requests to where a redirect leads")
		Expect(leaks(logged.String(), inHostile)).To(BeEmpty(), "log")
	}, SpecTimeout(5*time.Minute))

	It("gives a creation up whose answer never ends, and finds what it made", func(ctx context.Context) {
		w := newWorld(ctx)
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionEndless, DelayMillis: 20})
		w.synced(ctx, w.httpImport("slow"))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))
	})

	It("believes no answer about another import", func(ctx context.Context) {
		w := newWorld(ctx)
		const other = "64a0000000000000000000ff"
		otherID := simulator.Action{Kind: simulator.ActionOtherID, ID: other}
		By("creating: the import that was named is not there, the one that was made is")
		w.strike(http.MethodPost, "/v1/imports", simulator.PhaseAfter, otherID)
		object := w.synced(ctx, w.httpImport("mine"))
		Eventually(func() string { return get(ctx, w, object, "mine").Status.ID }).ShouldNot(Equal(other))
		w.eventuallyReady(ctx, object, "mine")
		Expect(w.remote(object.Status.ID)).To(HaveKeyWithValue("externalId", "k8s/"+string(object.UID)))
		Expect(w.writes()).To(Equal(map[string]int{post: 1}))

		By("updating: it was applied, and is not sent again")
		w.strike(http.MethodPut, "/v1/imports/{id}", simulator.PhaseAfter, otherID)
		describes(`{"description": "another"}`)(ctx, w, object)
		w.eventuallyReady(ctx, object, "mine")
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))

		By("listing: an import that the list does not have is read before it counts as deleted")
		w.strike(http.MethodGet, "/v1/imports", simulator.PhaseAfter, otherID)
		w.scans(2)
		w.eventuallyReady(ctx, object, "mine")
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))
	})

	It("takes fields of the wrong type for what they are: not as declared", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("odd", `{"description": "declared"}`))
		w.strike(http.MethodGet, "/v1/imports/{id}", simulator.PhaseAfter, simulator.Action{Kind: simulator.ActionFields, Body: `{
			"name": 7, "externalId": ["k8s/1"], "_connectionId": null, "lastModified": {}, "createdAt": 1e999999999, "adaptorType": [],
			"description": {"a\nb": 123456789012345678901234567890}, "http": "none", "apiIdentifier": true, "debugUntil": {}}`})
		change(ctx, object, func(object *v1alpha1.Import) { object.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now" })
		Eventually(func() string { return get(ctx, w, object, "odd").Status.LastHandledReconcileAt }).Should(Equal("now"))
		w.eventuallyReady(ctx, object, "odd")
		Expect(w.remote(object.Status.ID)).To(And(HaveKeyWithValue("name", "odd"), HaveKeyWithValue("description", "declared"),
			HaveKeyWithValue("externalId", "k8s/"+string(object.UID)), HaveKeyWithValue("_connectionId", shopConnection)))
		w.scans(2)
		Expect(w.writes()).To(Equal(map[string]int{post: 1, put: 1}))
	})
})
