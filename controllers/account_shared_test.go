// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// lists are the scans of the story's account, those of other namespaces too.
func (w *world) lists() (scans []simulator.Entry) {
	for _, entry := range sim.Ledger(simulator.Filter{Account: w.account, Method: http.MethodGet, Route: "/v1/imports"}) {
		if strings.Contains(entry.Query, "lastModified") {
			scans = append(scans, entry)
		}
	}
	return scans
}

// edited has somebody change the import on the platform.
func (w *world) edited(object *v1alpha1.Import) {
	GinkgoHelper()
	Expect(sim.EditAs(jane, w.account, object.Status.ID, func(document simulator.Document) { document["name"] = "edited" })).To(Succeed())
}

// corrected waits until the operator has undone that.
func (w *world) corrected(object *v1alpha1.Import) {
	GinkgoHelper()
	Eventually(func() any { return w.remote(object.Status.ID)["name"] }).Should(Equal(object.Name))
}

// shown is everything that the namespace can read of what the operator says.
func (w *world) shown(ctx context.Context) string {
	GinkgoHelper()
	var accounts v1alpha1.AccountList
	var imports v1alpha1.ImportList
	Expect(k8s.List(ctx, &accounts, client.InNamespace(w.namespace))).To(Succeed())
	Expect(k8s.List(ctx, &imports, client.InNamespace(w.namespace))).To(Succeed())
	var text strings.Builder
	for i := range accounts.Items {
		status, err := json.Marshal(accounts.Items[i].Status)
		Expect(err).NotTo(HaveOccurred())
		fmt.Fprintln(&text, string(status), w.events(ctx, accounts.Items[i].Name))
	}
	for i := range imports.Items {
		status, err := json.Marshal(imports.Items[i].Status)
		Expect(err).NotTo(HaveOccurred())
		fmt.Fprintln(&text, string(status), w.events(ctx, imports.Items[i].Name))
	}
	return text.String()
}

// configure changes the spec of the story's Account, and waits until it holds.
func (w *world) configure(ctx context.Context, edit func(*v1alpha1.AccountSpec)) {
	GinkgoHelper()
	account := &v1alpha1.Account{ObjectMeta: w.meta("default")}
	change(ctx, account, func(account *v1alpha1.Account) { edit(&account.Spec) })
	Eventually(func() int64 { return get(ctx, w, account, "default").Status.ObservedGeneration }).Should(Equal(account.Generation))
}

var _ = Describe("Two namespaces have the same token", func() {
	It("is scanned once for both, and each sees what is changed in its own", func(ctx context.Context) {
		w := newWorld(ctx)
		other := w.neighbour(ctx)
		mine, theirs := w.synced(ctx, w.httpImport("of-the-first")), other.synced(ctx, other.httpImport("of-the-second"))
		// Each waited for a list that began after it came.
		before := len(w.lists())
		w.edited(mine)
		other.edited(theirs)
		w.corrected(mine)
		other.corrected(theirs)
		w.scans(1)
		scans := w.lists()[before-1:]
		for i := range scans[1:] {
			Expect(scans[i+1].Received.Sub(scans[i].Received)).To(BeNumerically(">=", time.Second), "two lists within an interval")
		}
		Expect(w.calls()).To(And(HaveKeyWithValue(post, 2), HaveKeyWithValue(put, 2)))

		for _, story := range []struct {
			of, about *world
			name      string
		}{{w, other, "of-the-second"}, {other, w, "of-the-first"}} {
			account := get(ctx, story.of, &v1alpha1.Account{}, "default")
			Expect(account.Status.Imports).To(HaveValue(BeEquivalentTo(2)), "the token lists both")
			Expect(account.Status.Managed).To(HaveValue(BeEquivalentTo(1)))
			Expect(story.of.shown(ctx)).NotTo(Or(ContainSubstring(story.name), ContainSubstring(`"`+story.about.namespace+`"`)))
		}
	})

	It("goes on for one while the other is suspended, and when it is deleted", func(ctx context.Context) {
		w := newWorld(ctx)
		other := w.neighbour(ctx)
		mine, theirs := w.synced(ctx, w.httpImport("of-the-first")), other.synced(ctx, other.httpImport("of-the-second"))
		w.configure(ctx, func(spec *v1alpha1.AccountSpec) { spec.Suspend = true })
		w.edited(mine)
		other.edited(theirs)
		other.corrected(theirs)
		other.scans(1)
		Expect(w.remote(mine.Status.ID)).To(HaveKeyWithValue("name", "edited"), "a suspended Account corrects nothing")
		Expect(state(get(ctx, other, &v1alpha1.Account{}, "default"))).To(Equal("Current True/TokenAccepted"))

		w.configure(ctx, func(spec *v1alpha1.AccountSpec) { spec.Suspend = false })
		w.corrected(mine)
		change(ctx, theirs, func(object *v1alpha1.Import) { object.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
		Expect(k8s.Delete(ctx, theirs)).To(Succeed())
		Expect(k8s.Delete(ctx, get(ctx, other, &v1alpha1.Account{}, "default"))).To(Succeed())
		other.eventuallyGone(ctx, other.accountObject("default"))
		w.edited(mine)
		w.corrected(mine)
	})

	It("waits for both after a 429, and one request goes first", func(ctx context.Context) {
		w := newWorld(ctx)
		other := w.neighbour(ctx)
		const delay = 300 * time.Millisecond
		w.strike(http.MethodGet, "/v1/imports", simulator.PhaseBefore, simulator.Action{Kind: simulator.ActionAnswer, Status: http.StatusTooManyRequests, RetryAfter: "1"})
		var rejected simulator.Entry
		Eventually(func() []simulator.Entry {
			entries := sim.Ledger(simulator.Filter{Account: w.account, Status: http.StatusTooManyRequests})
			if len(entries) > 0 {
				rejected = entries[0]
			}
			return entries
		}).Should(HaveLen(1))
		_, err := sim.AddRule(simulator.Rule{Account: w.account, Phase: simulator.PhaseBefore, Count: 1,
			Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: delay.Milliseconds()}})
		Expect(err).NotTo(HaveOccurred())
		objects := map[*v1alpha1.Import]*world{}
		for i := range 3 {
			for _, each := range []*world{w, other} {
				object := each.httpImport(fmt.Sprintf("waiting-%s-%d", each.namespace, i))
				Expect(k8s.Create(ctx, object)).To(Succeed())
				objects[object] = each
			}
		}
		for object, each := range objects {
			each.eventuallyReady(ctx, object, object.Name)
		}
		// The requests that had been sent when the 429 came are not meant.
		after := sim.Ledger(simulator.Filter{Account: w.account, AfterSeq: rejected.Seq})
		Expect(len(after)).To(BeNumerically(">", 6))
		for after[0].Received.Before(*rejected.Answered) {
			after = after[1:]
		}
		Expect(after[0].Received.Sub(*rejected.Answered)).To(BeNumerically(">=", time.Second), "a request during the pause")
		Expect(after[1].Received).NotTo(BeTemporally("<", after[0].Received.Add(delay)), "a second request before the first was answered")
	})

	It("takes one share of the rate for both", func(ctx context.Context) {
		const perSecond, each = 5, 6
		w := newWorld(ctx)
		other := w.neighbour(ctx)
		for _, world := range []*world{w, other} {
			world.configure(ctx, func(spec *v1alpha1.AccountSpec) { spec.RequestsPerSecond, spec.ScanInterval = perSecond, "1h" })
		}
		objects := map[*v1alpha1.Import]*world{}
		for i := range each {
			for _, world := range []*world{w, other} {
				object := world.httpImport(fmt.Sprintf("many-%s-%d", world.namespace, i))
				Expect(k8s.Create(ctx, object)).To(Succeed())
				objects[object] = world
			}
		}
		for object, world := range objects {
			world.eventuallyReady(ctx, object, object.Name)
		}
		posts := sim.Ledger(simulator.Filter{Account: w.account, Method: http.MethodPost})
		Expect(posts).To(HaveLen(2 * each))
		took := posts[len(posts)-1].Received.Sub(posts[0].Received)
		Expect(took).To(BeNumerically(">=", time.Duration(len(posts)-perSecond-1)*time.Second/perSecond))
	})

	It("is rejected for both when one of them notices, and each gets a token of its own", func(ctx context.Context) {
		w := newWorld(ctx)
		other := w.neighbour(ctx)
		mine := w.synced(ctx, w.httpImport("of-the-first"))
		for _, each := range []*world{w, other} {
			each.configure(ctx, func(spec *v1alpha1.AccountSpec) { spec.ScanInterval = "1h" })
		}
		Expect(sim.RevokeToken(w.account, w.token)).To(Succeed())
		change(ctx, mine, func(object *v1alpha1.Import) {
			object.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now"
		})
		for _, each := range []*world{w, other} {
			account := &v1alpha1.Account{}
			each.eventually(ctx, account, "default", "Failed False/TokenRejected")
			Expect(message(account)).To(Equal(`the API rejects the token (401): put a valid one into Secret "token", key "token"`))
		}
		Expect(sim.AddToken(w.account, simulator.Token{Token: "second-" + w.token})).To(Succeed())
		change(ctx, w.secret("token", ""), func(secret *corev1.Secret) { secret.Data["token"] = []byte("second-" + w.token) })
		w.eventuallyReady(ctx, &v1alpha1.Account{}, "default")
		w.eventuallyReady(ctx, mine, mine.Name)
		Expect(state(get(ctx, other, &v1alpha1.Account{}, "default"))).To(Equal("Failed False/TokenRejected"))
		Expect(w.calls()).To(HaveKeyWithValue(post, 1))
	})
})
