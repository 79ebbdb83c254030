// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// tokenChecks is how often the token of the story's account was checked.
func (w *world) tokenChecks() int {
	return len(sim.Ledger(simulator.Filter{Account: w.account, Method: http.MethodGet, Route: "/v1/tokenInfo"}))
}

// rejectTokens has every check of the story's token answered with 401 until it is called.
func (w *world) rejectTokens() (accept func()) {
	GinkgoHelper()
	rule, err := sim.AddRule(simulator.Rule{Account: w.account, Route: "/v1/tokenInfo", Phase: simulator.PhaseBefore,
		Action: simulator.Action{Kind: simulator.ActionAnswer, Status: http.StatusUnauthorized}})
	Expect(err).NotTo(HaveOccurred())
	return func() { Expect(sim.RemoveRule(rule)).To(Succeed()) }
}

var _ = Describe("Tenants create Accounts whose tokens are rejected", func() {
	const (
		crowd = 120
		// What the operator grants a namespace at once, and then.
		atOnce = 10
		each   = 500 * time.Millisecond
	)

	It("and neither keep the API busy nor the Account of another tenant waiting", func(ctx context.Context) {
		bad, good := newEmptyWorld(ctx), newEmptyWorld(ctx)
		bad.rejectTokens()
		attacker, victim := bad.tenant(ctx, "attacker"), good.tenant(ctx, "victim")
		Expect(k8s.Create(ctx, bad.secret("token", bad.token))).To(Succeed())
		Expect(k8s.Create(ctx, good.secret("token", good.token))).To(Succeed())
		begin := time.Now()
		for n := range crowd {
			Expect(attacker.Create(ctx, bad.accountObject(fmt.Sprintf("bad-%d", n)))).To(Succeed())
		}
		own := good.accountObject("default")
		Expect(victim.Create(ctx, own)).To(Succeed())
		good.eventuallyReady(ctx, own, "default")
		// The first Account of each may be checked before most of the crowd was: so all of them have had
		// time for more than one check.
		Expect(bad.tokenChecks()).To(BeNumerically("<", crowd), "the other tenant's Account waited for all of them")

		good.scans(5)
		granted := atOnce + int(time.Since(begin)/each) + 1
		Expect(bad.tokenChecks()).To(BeNumerically("<=", granted))
		Expect(bad.tokenChecks()).To(BeNumerically(">", atOnce), "nothing is checked any more")
	})

	It("and a token that is put right is checked at once, after however many rejections", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		accept := w.rejectTokens()
		tenant := w.tenant(ctx, "tenant")
		secret := w.secret("token", w.token)
		Expect(k8s.Create(ctx, secret)).To(Succeed())
		object := w.accountObject("default")
		Expect(tenant.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "default", "Failed False/TokenRejected")
		// Four seconds after the third: by then an Account that was checked each second would be at seven.
		Eventually(w.tokenChecks).Should(BeNumerically(">=", 4))
		checked := w.tokenChecks()
		accept()

		By("touching the Secret, while the pause lasts")
		change(ctx, secret, func(secret *corev1.Secret) { secret.Data["touched"] = []byte("yes") })
		w.eventuallyReady(ctx, object, "default")
		Expect(w.tokenChecks()).To(BeNumerically("<=", checked+2))
	})

	It("and a changed spec is checked at once too", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		accept := w.rejectTokens()
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		object := w.accountObject("default")
		object.Spec.ScanInterval = "1h"
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "default", "Failed False/TokenRejected")
		Expect(w.tokenChecks()).To(Equal(1))
		accept()
		// The pause is five minutes, which the story does not wait.
		change(ctx, object, func(object *v1alpha1.Account) { object.Spec.RequestsPerSecond = 7 })
		w.eventuallyReady(ctx, object, "default")
		Expect(w.tokenChecks()).To(Equal(2))
	})
})
