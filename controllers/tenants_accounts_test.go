// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

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
		attacker, victim := bad.editor(ctx, "attacker"), good.editor(ctx, "victim")
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
		tenant := w.editor(ctx, "tenant")
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

var _ = Describe("Tenants name a base URL that some parser may read as another host", func() {
	It("and each is refused, by admission or by the list of hosts, before anything is sent", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		tenant := w.editor(ctx, "tenant")
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		listening, err := url.Parse(simURL)
		Expect(err).NotTo(HaveOccurred())
		port := ":" + listening.Port()
		admitted := map[string]string{}
		for n, baseURL := range []string{
			// The simulator listens there; only 127.0.0.1 with its port is allowed.
			"http://localhost" + port, "http://127.1" + port, "http://127.0.1" + port, "http://2130706433" + port, "http://0x7f000001" + port,
			"http://0177.0.0.1" + port, "http://127.0.0.01" + port, "http://127.0.0.1." + port, "http://0" + port, "http://0.0.0.0" + port,
			"http://[::1]" + port, "http://[::ffff:127.0.0.1]" + port, "http://[fe80::1%25lo]" + port, "http://127.0.0.1",
			"https://127.0.0.1:443", "http://127.0.0.1:0" + listening.Port(), "HTTP://127.0.0.1" + port,
			"http://127.0.0.1@localhost" + port, "http://token:x@127.0.0.1" + port, "http://127.0.0.1%00" + port, "http://127.0.0.1\t" + port,
			"http://127.0.0.1" + port + "/../x", "http://127.0.0.1" + port + "?a=b", "http://127.0.0.1" + port + "#a", "http://127.0.0.1" + port + "//",
			"http://\uff11\uff12\uff17.0.0.1" + port, "http://127\u30020\u30020\u30021" + port,
			"http://127.0.0.1" + port + "/..", "http://127.0.0.1" + port + "/celigo/../x", "http://127.0.0.1" + port + "/celigo/..",
			"http://127.0.0.1" + port + "/%2e%2e/x", "http://127.0.0.1" + port + "/celigo%2f..%2fx", "http://127.0.0.1" + port + "/celigo%5c..",
			"http://127.0.0.1" + port + "/celigo//x", "http://127.0.0.1" + port + "/celigo;x", "http://127.0.0.1" + port + "/celigo?a=b",
			"http://127.0.0.1" + port + "/celigo#a", "http://127.0.0.1" + port + `/celigo\..`, "http://127.0.0.1" + port + "/celigo@localhost",
			"http://127.0.0.1" + port + "/v1", "http://127.0.0.1" + port + "/celigo/v1/", "http://localhost" + port + "/celigo",
			"http://127.0.0.1@localhost" + port + "/celigo", "https://example.com/api.integrator.io",
			// Names that are like an allowed one.
			"https://api.integrator.io.", "https://api.integrator.io.:443", "https://api..integrator.io", "https://.api.integrator.io",
			"https://api.integrator.io.example.com", "https://api-integrator.io", "https://api.integrator.io@example.com",
			"https://example.com#@api.integrator.io", "https://example.com?api.integrator.io", `https://example.com\@api.integrator.io`,
			"https://\u0430pi.integrator.io", "https://API.INTEGRATOR.IO:8443", "http://api.integrator.io", "https://api.integrator.io:00443",
			"https://api.integrator.io:", "https://api.integrator.io:65536", "https://api.integrator.io/v1", "//api.integrator.io",
			"https://api.integrator.io\n", " https://api.integrator.io", "https:api.integrator.io", "https:///api.integrator.io",
			"file://api.integrator.io/etc/passwd", "gopher://api.integrator.io", "https://169.254.169.254", "https://kubernetes.default.svc",
		} {
			object := w.accountObject(fmt.Sprintf("spelt-%d", n))
			object.Spec.BaseURL = baseURL
			if err := tenant.Create(ctx, object); err != nil {
				Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%q: %v", baseURL, err)
				continue
			}
			admitted[object.Name] = baseURL
		}
		Expect(len(admitted)).To(BeNumerically(">", 10), "the list of hosts is not asked")
		for name, baseURL := range admitted {
			account := &v1alpha1.Account{}
			Eventually(func(g Gomega) {
				get(ctx, w, account, name)
				g.Expect(state(account)).To(Or(Equal("Failed False/HostNotAllowed"), Equal("Failed False/InvalidSpec")), "%q: %s", baseURL, message(account))
			}).Should(Succeed())
		}
		Expect(sim.Ledger(simulator.Filter{Account: w.account})).To(BeEmpty())
	})
})
