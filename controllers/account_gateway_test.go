// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/controllers"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// gatewayWithTLS forwards to the simulator, and has a certificate of an authority that is in no
// system: roots and file have it.
func gatewayWithTLS() (gateway *httptest.Server, roots *x509.CertPool, file string) {
	GinkgoHelper()
	target, err := url.Parse(simURL)
	Expect(err).NotTo(HaveOccurred())
	gateway = httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	gateway.Config.ErrorLog = log.New(io.Discard, "", 0)
	gateway.StartTLS()
	DeferCleanup(gateway.Close)
	roots = x509.NewCertPool()
	roots.AddCert(gateway.Certificate())
	file = filepath.Join(GinkgoT().TempDir(), "ca.pem")
	Expect(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: gateway.Certificate().Raw}), 0o600)).To(Succeed())
	return gateway, roots, file
}

// proxyTo is a proxy that connects to one server, whatever is asked for, and says what was.
func proxyTo(server string) (proxy *url.URL, asked func() []string) {
	GinkgoHelper()
	var mu sync.Mutex
	var lines []string
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		lines = append(lines, r.Method+" "+r.Host)
		mu.Unlock()
		to, err := net.Dial("tcp", server)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = to.Close() }()
		w.WriteHeader(http.StatusOK)
		from, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = from.Close() }()
		go func() { _, _ = io.Copy(to, buffered) }()
		_, _ = io.Copy(from, to)
	}))
	DeferCleanup(listening.Close)
	proxy, err := url.Parse(listening.URL)
	Expect(err).NotTo(HaveOccurred())
	return proxy, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(lines)
	}
}

var _ = Describe("I put a gateway before the API", func() {
	It("and links that name the server behind it are followed through it", func(ctx context.Context) {
		chosen(func(c *simulator.Choices) { c.MaxPageSize, c.LinkURL = 1, "https://backend.internal:8443/api/imports" })
		w := newWorld(ctx)
		w.seed("first")
		w.seed("second")
		w.synced(ctx, w.httpImport("third"))
		Eventually(func() *int32 { return get(ctx, w, &v1alpha1.Account{}, "default").Status.Imports }).Should(HaveValue(BeEquivalentTo(3)))
		stdout, stderr, code := w.export(ctx)
		Expect(code).To(BeZero(), stderr)
		Expect(manifests(stdout)).To(HaveLen(3))
	})

	It("at a path of its own, and everything is called there", func(ctx context.Context) {
		chosen(func(c *simulator.Choices) { c.MaxPageSize, c.BasePath = 1, "/celigo/eu" })
		w := newEmptyWorld(ctx)
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		account := w.accountObject("default")
		account.Spec.BaseURL += "/celigo/eu/"
		Expect(k8s.Create(ctx, account)).To(Succeed())
		w.seed("other")
		object := w.synced(ctx, w.httpImport("orders"))
		Eventually(func() *int32 { return get(ctx, w, account, "default").Status.Imports }).Should(HaveValue(BeEquivalentTo(2)))
		w.eventuallyReady(ctx, account, "default")
		_, stderr, code := w.export(ctx)
		Expect(code).To(BeZero(), stderr)
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
	})

	It("and must not add what the operator adds", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		account := w.accountObject("default")
		for _, path := range []string{"/v1", "/v1/", "/celigo/v1"} {
			account.Spec.BaseURL = simURL + path
			Expect(k8s.Create(ctx, account)).To(MatchError(ContainSubstring("remove /v1 from the end of baseURL: the operator adds it")))
		}
	})

	It("that refuses large answers, and my export comes in smaller pages", func(ctx context.Context) {
		w := newWorld(ctx)
		for range 12 {
			w.seed("large", `{"description": "`+strings.Repeat("x", 5000)+`"}`)
		}
		chosen(func(c *simulator.Choices) { c.MaxPageBytes = 20_000 })
		stdout, stderr, code := w.export(ctx)
		Expect(code).To(BeZero(), stderr)
		Expect(manifests(stdout)).To(HaveLen(12))

		By("naming an import that is too large alone")
		id := w.seed("larger", `{"description": "`+strings.Repeat("x", 10_000)+`", "preSave": {"text": "`+strings.Repeat("x", 10_000)+`"}}`)
		_, stderr, code = w.export(ctx)
		Expect(code).NotTo(BeZero())
		Expect(stderr).To(ContainSubstring("error: cannot list the imports: the import " + id + ` ("larger") alone is too large; make it smaller on the platform`))
	})

	It("with a certificate of my own authority", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		gateway, roots, file := gatewayWithTLS()
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		account := w.accountObject("default")
		account.Spec.BaseURL = gateway.URL
		Expect(k8s.Create(ctx, account)).To(Succeed())
		operate, _ := w.operators()
		allow := func(options *controllers.Options) {
			options.AllowedHosts = append(options.AllowedHosts, gateway.Listener.Addr().String())
		}
		withOptions(allow)
		operate(ownership.Owner{})
		w.eventually(ctx, account, "default", "InProgress False/Unreachable")
		Expect(message(account)).To(ContainSubstring("the server's certificate is not trusted: if it is of an authority of your own, start the operator with --ca-file"))

		withOptions(func(options *controllers.Options) { allow(options); options.RootCAs = roots })
		operate(ownership.Owner{})
		w.eventuallyReady(ctx, account, "default")
		w.synced(ctx, w.httpImport("orders"))

		By("exporting with it")
		hosts := []string{"--allowed-api-hosts", gateway.Listener.Addr().String()}
		_, stderr, code := w.export(ctx, hosts...)
		Expect(code).NotTo(BeZero())
		Expect(stderr).To(ContainSubstring("the server's certificate is not trusted"))
		stdout, stderr, code := w.export(ctx, append(hosts, "--ca-file", file)...)
		Expect(code).To(BeZero(), stderr)
		Expect(manifests(stdout)).To(HaveLen(1))
	})

	It("that only a proxy reaches", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		gateway, roots, file := gatewayWithTLS()
		proxy, asked := proxyTo(gateway.Listener.Addr().String())
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		account := w.accountObject("default")
		account.Spec.BaseURL = "https://example.com" // as in the certificate
		Expect(k8s.Create(ctx, account)).To(Succeed())
		operate, _ := w.operators()
		withOptions(func(options *controllers.Options) {
			options.AllowHTTP = false
			options.AllowedHosts, options.RootCAs, options.Proxy = []string{"example.com"}, roots, proxy
		})
		operate(ownership.Owner{})
		w.eventuallyReady(ctx, account, "default")
		w.synced(ctx, w.httpImport("orders"))
		stdout, stderr, code := w.export(ctx, "--allow-http=false", "--allowed-api-hosts", "example.com", "--ca-file", file, "--https-proxy", proxy.String())
		Expect(code).To(BeZero(), stderr)
		Expect(manifests(stdout)).To(HaveLen(1))
		Expect(asked()).To(And(Not(BeEmpty()), HaveEach("CONNECT example.com:443")))
	})

	It("and a link that leads nowhere is named", func(ctx context.Context) {
		w := newWorld(ctx)
		object := w.synced(ctx, w.httpImport("calm"))
		chosen(func(c *simulator.Choices) {
			c.MaxPageSize, c.LinkURL = 1, "https://backend.internal/imports?limit=1&skip=0#"
		})
		w.seed("second")
		account := &v1alpha1.Account{}
		w.eventually(ctx, account, "default", "InProgress False/UnexpectedResponse")
		Expect(message(account)).To(Equal("cannot list the account's imports: the link to the next page (https://backend.internal/imports) leads back to an earlier page; " +
			"check what is between the operator and the API; it will be retried"))
		_, stderr, code := w.export(ctx)
		Expect(code).NotTo(BeZero())
		Expect(stderr).To(ContainSubstring("the link to the next page (https://backend.internal/imports) leads back to an earlier page"))
		Expect(state(get(ctx, w, object, "calm"))).To(Equal("Current True/Synced"))
	})
})
