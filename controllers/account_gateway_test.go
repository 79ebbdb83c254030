// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
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
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

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

// certificateOfMine makes a certificate of this machine that no system trusts, and the PEM that does.
func certificateOfMine() (certificate tls.Certificate, trust string) {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Expect(err).NotTo(HaveOccurred())
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// gatewayWithCertificates is as gatewayWithTLS, with the certificate that was presented last. Another one
// ends all connections.
func gatewayWithCertificates() (gateway *httptest.Server, present func(tls.Certificate)) {
	GinkgoHelper()
	target, err := url.Parse(simURL)
	Expect(err).NotTo(HaveOccurred())
	var current atomic.Pointer[tls.Config]
	gateway = httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	gateway.Config.ErrorLog = log.New(io.Discard, "", 0)
	gateway.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return current.Load(), nil }}
	gateway.StartTLS()
	DeferCleanup(gateway.Close)
	return gateway, func(certificate tls.Certificate) {
		current.Store(&tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}})
		gateway.CloseClientConnections()
	}
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
		Expect(message(account)).To(ContainSubstring("the server's certificate is not trusted: if it is of an authority of your own, put that into what spec.caBundleRef of the Account names, or, without spec.caBundleRef, start the operator with --ca-file"))

		withOptions(func(options *controllers.Options) { allow(options); options.Network.RootCAs = roots })
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

	It("with a certificate that one Account alone trusts", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		gateway, present := gatewayWithCertificates()
		first, firstPEM := certificateOfMine()
		second, secondPEM := certificateOfMine()
		present(first)
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		operate, _ := w.operators()
		withOptions(func(options *controllers.Options) {
			options.AllowedHosts = append(options.AllowedHosts, gateway.Listener.Addr().String())
		})
		operate(ownership.Owner{})
		account, other := w.accountObject("default"), w.accountObject("other")
		account.Spec.BaseURL, other.Spec.BaseURL = gateway.URL, gateway.URL
		account.Spec.CABundleRef = &v1alpha1.CABundleReference{Name: "ca"}
		Expect(k8s.Create(ctx, account)).To(Succeed())
		w.eventually(ctx, account, "default", "Failed False/CABundleNotFound")
		Expect(message(account)).To(Equal(`spec.caBundleRef: there is no ConfigMap "ca" in namespace "` + w.namespace + `": create it with certificates in PEM under key "ca.crt"`))

		bundle := &corev1.ConfigMap{ObjectMeta: w.meta("ca"), Data: map[string]string{"ca.crt": firstPEM}}
		Expect(k8s.Create(ctx, bundle)).To(Succeed())
		w.eventually(ctx, account, "default", "Current True/TokenAccepted")
		object := w.synced(ctx, w.httpImport("orders"))

		By("which does not help the Account beside it")
		Expect(k8s.Create(ctx, other)).To(Succeed())
		w.eventually(ctx, other, "other", "InProgress False/Unreachable")
		Expect(message(other)).To(ContainSubstring("the server's certificate is not trusted"))

		By("replacing it, without a restart")
		present(second)
		change(ctx, bundle, func(bundle *corev1.ConfigMap) { bundle.Data["ca.crt"] = secondPEM })
		change(ctx, object, func(object *v1alpha1.Import) {
			object.Spec.Definition = w.httpImport("orders", `{"description": "second"}`).Spec.Definition
		})
		Eventually(func() any { return w.remote(object.Status.ID)["description"] }).Should(Equal("second"))
		w.eventually(ctx, account, "default", "Current True/TokenAccepted")

		By("exporting with it, without a flag")
		hosts := []string{"--allowed-api-hosts", gateway.Listener.Addr().String()}
		stdout, stderr, code := w.export(ctx, hosts...)
		Expect(code).To(BeZero(), stderr)
		Expect(manifests(stdout)).To(HaveLen(1))

		By("putting something else there")
		change(ctx, bundle, func(bundle *corev1.ConfigMap) {
			bundle.Data["ca.crt"] = "-----BEGIN EC PRIVATE KEY-----\nczNjcmV0\n-----END EC PRIVATE KEY-----\n"
		})
		w.eventually(ctx, account, "default", "Failed False/InvalidCABundle")
		Expect(message(account)).To(Equal(`spec.caBundleRef: ConfigMap "ca", key "ca.crt": has a private key, as block 1: put certificates there alone`))

		By("having it in a Secret")
		Expect(k8s.Create(ctx, &corev1.Secret{ObjectMeta: w.meta("ca"), StringData: map[string]string{"ca.crt": secondPEM}})).To(Succeed())
		change(ctx, account, func(account *v1alpha1.Account) { account.Spec.CABundleRef.Kind = v1alpha1.CABundleKindSecret })
		w.eventually(ctx, account, "default", "Current True/TokenAccepted")

		By("deleting it with all else, which still lets the import be deleted")
		Expect(k8s.Delete(ctx, account)).To(Succeed())
		Expect(k8s.Delete(ctx, &corev1.Secret{ObjectMeta: w.meta("ca")})).To(Succeed())
		w.eventually(ctx, account, "default", "Terminating False/CABundleNotFound")
		Expect(message(account)).To(ContainSubstring(`there is no Secret "ca"`))
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		w.eventuallyGone(ctx, object)
		_, there := sim.Import(w.account, object.Status.ID)
		Expect(there).To(BeFalse())
	})

	It("on this machine, at its IPv6 address", func(ctx context.Context) {
		target, err := url.Parse(simURL)
		Expect(err).NotTo(HaveOccurred())
		listener, err := net.Listen("tcp", "[::1]:0")
		if err != nil {
			Skip("this machine has no IPv6: " + err.Error())
		}
		gateway := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
		Expect(gateway.Listener.Close()).To(Succeed())
		gateway.Listener = listener
		gateway.Start()
		DeferCleanup(gateway.Close)
		w := newEmptyWorld(ctx)
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		account := w.accountObject("default")
		account.Spec.BaseURL = gateway.URL
		Expect(account.Spec.BaseURL).To(HavePrefix("http://[::1]:"))
		Expect(k8s.Create(ctx, account)).To(Succeed())
		operate, _ := w.operators()
		withOptions(func(options *controllers.Options) { options.AllowedHosts = []string{listener.Addr().String()} })
		operate(ownership.Owner{})
		w.eventuallyReady(ctx, account, "default")
	})

	It("that is called without the proxy of the network", func(ctx context.Context) {
		w := newEmptyWorld(ctx)
		proxy, asked := proxyTo("127.0.0.1:1")
		Expect(k8s.Create(ctx, w.secret("token", w.token))).To(Succeed())
		account := w.accountObject("default")
		account.Spec.BaseURL = "https://gateway.invalid" // which no name server has
		Expect(k8s.Create(ctx, account)).To(Succeed())
		operate, _ := w.operators()
		withOptions(func(options *controllers.Options) {
			options.AllowedHosts, options.Network.Proxy, options.Network.NoProxy = []string{"gateway.invalid"}, proxy, ".invalid"
		})
		operate(ownership.Owner{})
		w.eventually(ctx, account, "default", "InProgress False/Unreachable")
		Expect(message(account)).To(ContainSubstring("the host name is not known"))
		flags := []string{"--allowed-api-hosts", "gateway.invalid", "--https-proxy", proxy.String()}
		_, stderr, code := w.export(ctx, append(flags, "--no-proxy", "gateway.invalid")...)
		Expect(code).NotTo(BeZero())
		Expect(stderr).To(ContainSubstring("the host name is not known"))
		Expect(asked()).To(BeEmpty())
		_, stderr, code = w.export(ctx, flags...)
		Expect(code).NotTo(BeZero())
		Expect(stderr).To(ContainSubstring("the proxy refuses to connect to the API (502)"))
		Expect(asked()).To(Equal([]string{"CONNECT gateway.invalid:443"}))
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
			options.Network.AllowHTTP = false
			options.AllowedHosts, options.Network.RootCAs, options.Network.Proxy = []string{"example.com"}, roots, proxy
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
