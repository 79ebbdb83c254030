// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package serving_test

import (
	"crypto/sha256"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"

	"github.com/integrator-operator/integrator-operator/internal/serving"
)

// ownMetric is one that every manager serves.
const ownMetric = "rest_client_requests_total"

// forged is a token that no cluster gave.
const forged = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."

// startTime limits the start of a manager, and what it does on its own.
const startTime = 3 * time.Minute

// TestMetricsEndpoint asks the manager, as config/default starts it, for its metrics.
func TestMetricsEndpoint(t *testing.T) {
	c := newCluster(t)
	reader := c.serviceAccount(t, "reader", readerRole)

	t.Run("who gets them", func(t *testing.T) {
		if served, named := c.metricsPorts(); served == "" || served != named {
			t.Errorf("the Deployment serves metrics at port %q and calls port %q so", served, named)
		}
		manager := c.manager(t)
		for _, test := range []struct {
			name, token string
			want        int
		}{
			{"with the role", reader, http.StatusOK},
			{"without the role", c.serviceAccount(t, "outsider"), http.StatusForbidden},
			{"with another role", c.serviceAccount(t, "viewer", "view"), http.StatusForbidden},
			{"the manager itself", c.token(t, systemNamespace, managerAccount), http.StatusForbidden},
			{"nobody", "", http.StatusUnauthorized},
			// The library takes a token that the cluster refuses for a failure of its own.
			{"no token of this cluster", forged, http.StatusInternalServerError},
		} {
			t.Run(test.name, func(t *testing.T) {
				status, body := get(t, manager.url("/metrics"), test.token)
				if status != test.want {
					t.Errorf("status %d, want %d: %.200s", status, test.want, body)
				}
				if strings.Contains(body, ownMetric) != (test.want == http.StatusOK) {
					t.Errorf("status %d, and this body: %.200s", status, body)
				}
			})
		}
		if status, body, err := ask(t, "http://"+manager.metrics+"/metrics", reader); err == nil && (status != http.StatusBadRequest || strings.Contains(body, ownMetric)) {
			t.Errorf("without TLS: status %d: %.200s", status, body)
		}
		for _, token := range []string{reader, forged} {
			if strings.Contains(manager.log.String(), token) {
				t.Error("the manager logs a token")
			}
		}
		if strings.Contains(manager.log.String(), "is forbidden") {
			t.Error("the manager lacks a right")
		}
	})

	t.Run("nothing else is served", func(t *testing.T) {
		manager := c.manager(t)
		administrator := c.serviceAccount(t, "administrator", "cluster-admin")
		if status, _ := get(t, manager.url("/metrics"), administrator); status != http.StatusOK {
			t.Fatalf("metrics for the administrator: status %d", status)
		}
		for _, path := range []string{"/", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile", "/debug/vars", "/metrics/"} {
			for _, address := range []string{manager.url(path), "http://" + manager.probes + path} {
				if status, body := get(t, address, administrator); status != http.StatusNotFound {
					t.Errorf("%s: status %d: %.200s", address, status, body)
				}
			}
		}
	})

	t.Run("TLS", func(t *testing.T) {
		plain, http2 := c.manager(t), c.manager(t, "--enable-http2")
		for _, test := range []struct {
			name     string
			manager  *running
			client   *tls.Config
			protocol string
			refused  string // the alert
		}{
			{"1.3", plain, &tls.Config{MinVersion: tls.VersionTLS13}, "", ""},
			{"1.2", plain, upTo(tls.VersionTLS12), "", ""},
			{"1.1", plain, upTo(tls.VersionTLS11), "", "protocol version not supported"},
			{"1.0", plain, upTo(tls.VersionTLS10), "", "protocol version not supported"},
			{"HTTP/2 or 1.1", plain, &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, "http/1.1", ""},
			{"HTTP/2 only", plain, &tls.Config{NextProtos: []string{"h2"}}, "", "no application protocol"},
			{"HTTP/2 with the flag", http2, &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, "h2", ""},
		} {
			t.Run(test.name, func(t *testing.T) {
				if test.client.MinVersion == 0 {
					test.client.MinVersion = tls.VersionTLS10
				}
				state, err := test.manager.handshake(t, test.client)
				switch {
				case test.refused != "" && (err == nil || !strings.Contains(err.Error(), "remote error: tls: "+test.refused)):
					t.Errorf("error %v, want the alert %q", err, test.refused)
				case test.refused == "" && err != nil:
					t.Error(err)
				case state.NegotiatedProtocol != test.protocol:
					t.Errorf("negotiated %q, want %q", state.NegotiatedProtocol, test.protocol)
				}
			})
		}
	})

	t.Run("a certificate that is renewed", func(t *testing.T) {
		g := NewWithT(t)
		mounted := newMount(t)
		first := mounted.renew(t)
		manager := c.manager(t, "--metrics-cert-path="+mounted.dir)
		served := func() string {
			state, err := manager.handshake(t, &tls.Config{MinVersion: tls.VersionTLS12})
			if err != nil {
				return err.Error()
			}
			return fingerprint(state.PeerCertificates[0].Raw)
		}
		g.Expect(served()).To(Equal(first))
		second := mounted.renew(t)
		g.Eventually(served, startTime, 100*time.Millisecond).Should(Equal(second))
	})

	// This is the last check: from here on the manager cannot authenticate clients.
	t.Run("nobody gets them when nobody can be looked up", func(t *testing.T) {
		manager := c.manager(t)
		g := NewWithT(t)
		g.Expect(c.clients.RbacV1().ClusterRoleBindings().Delete(t.Context(), authBinding, metav1.DeleteOptions{})).To(Succeed())
		// A token that was not seen before: an answer is remembered for a minute.
		unseen := c.token(t, "default", "reader")
		g.Eventually(func() int {
			status, _ := get(t, manager.url("/metrics"), unseen)
			return status
		}, startTime, 100*time.Millisecond).Should(Equal(http.StatusInternalServerError))
	})
}

// url is where the manager serves with TLS.
func (m *running) url(path string) string { return "https://" + m.metrics + path }

// scraper does not verify: the certificate is of the manager's own making.
var scraper = &http.Client{Transport: &http.Transport{
	DisableKeepAlives: true,
	TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, //nolint:gosec // see above
}}

func ask(t *testing.T, url, token string) (status int, body string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	must(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := scraper.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close() //nolint:errcheck // it is read to its end
	content, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(content), err
}

// get asks until the server is there.
func get(t *testing.T, url, token string) (status int, body string) {
	t.Helper()
	NewWithT(t).Eventually(func() (err error) {
		status, body, err = ask(t, url, token)
		return err
	}, startTime, 50*time.Millisecond).Should(Succeed())
	return status, body
}

// upTo returns a client that supports no later version of TLS.
func upTo(version uint16) *tls.Config {
	return &tls.Config{MaxVersion: version}
}

// handshake waits until the server accepts connections, and returns what was negotiated.
func (m *running) handshake(t *testing.T, config *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	get(t, m.url("/"), "")
	config.InsecureSkipVerify = true // the certificate is of the manager's own making
	connection, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", m.metrics)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer connection.Close() //nolint:errcheck // nothing was written
	return connection.(*tls.Conn).ConnectionState(), nil
}

// mount is a directory with a certificate as the kubelet mounts a Secret: another link puts
// another version in place, of both files at once.
type mount struct{ dir string }

func newMount(t *testing.T) *mount {
	t.Helper()
	m := &mount{dir: t.TempDir()}
	for _, name := range []string{"tls.crt", "tls.key"} {
		must(t, os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)))
	}
	return m
}

// renew puts a new certificate in place, and gives its fingerprint.
func (m *mount) renew(t *testing.T) string {
	t.Helper()
	certificate, key, err := cert.GenerateSelfSignedCertKey("metrics.example", nil, nil)
	must(t, err)
	version, err := os.MkdirTemp(m.dir, "..version")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(version, "tls.crt"), certificate, 0o600))
	must(t, os.WriteFile(filepath.Join(version, "tls.key"), key, 0o600))
	data, link := filepath.Join(m.dir, "..data"), filepath.Join(m.dir, "..data_tmp")
	former, _ := filepath.EvalSymlinks(data) // "": this is the first
	must(t, os.Symlink(filepath.Base(version), link))
	must(t, os.Rename(link, data))
	must(t, os.RemoveAll(former))
	pair, err := tls.X509KeyPair(certificate, key)
	must(t, err)
	return fingerprint(pair.Certificate[0])
}

func fingerprint(der []byte) string { return fmt.Sprintf("%x", sha256.Sum256(der)) }

func TestMetricsOptions(t *testing.T) {
	mounted := newMount(t)
	mounted.renew(t)
	for _, test := range []struct {
		name            string
		args            []string
		secure, filters bool
		fails           string
	}{
		{"by default", nil, true, true, ""},
		{"plain when asked for", []string{"--metrics-secure=false"}, false, false, ""},
		{"a certificate", []string{"--metrics-cert-path=" + mounted.dir}, true, true, ""},
		{"no certificate where one should be", []string{"--metrics-cert-path=" + t.TempDir()}, true, true, "the certificate of --metrics-cert-path: open "},
		{"a file of another name", []string{"--metrics-cert-path=" + mounted.dir, "--metrics-cert-name=ca.crt"}, true, true, "ca.crt: no such file"},
		{"the wrong key", []string{"--metrics-cert-path=" + mounted.dir, "--metrics-cert-key=tls.crt"}, true, true, "the certificate of --metrics-cert-path: tls: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			var metrics serving.Metrics
			set := flag.NewFlagSet("manager", flag.ContinueOnError)
			metrics.Register(set)
			must(t, set.Parse(test.args))
			options, err := metrics.Options()
			if test.fails == "" && err != nil || test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
				t.Errorf("error %v, want %q", err, test.fails)
			}
			if options.SecureServing != test.secure || (options.FilterProvider != nil) != test.filters {
				t.Errorf("secure: %t, filters: %t", options.SecureServing, options.FilterProvider != nil)
			}
			if options.BindAddress != "0" {
				t.Errorf("served at %s without being asked for", options.BindAddress)
			}
		})
	}
}
