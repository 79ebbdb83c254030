// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/client-go/util/cert"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/simulator/admin"
)

// The hosts of the API, which lead to the simulator here.
var apiHosts = []string{"api.integrator.io", "api.eu.integrator.io"}

// remote is the simulator. Programs that go through its proxy, and trust its certificate, find it at the
// addresses of the real API, so that the pages' manifests and commands are run as they are.
type remote struct {
	simulator *simulator.Server
	seed      simulator.AccountSpec

	api, admin, proxy string
	// certificates is the file of the certificate to trust.
	certificates string
}

const headerTimeout = 10 * time.Second

// newRemote starts the simulator. seed is the file whose first account is what each page's account begins
// as.
func newRemote(ctx context.Context, dir, seed string) (*remote, error) {
	file, err := os.Open(seed)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was read
	accounts, err := simulator.ReadSeed(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", seed, err)
	}
	r := &remote{simulator: simulator.New(simulator.Options{}), seed: accounts.Accounts[0], certificates: filepath.Join(dir, "platform.crt")}
	certificate, key, err := cert.GenerateSelfSignedCertKey(apiHosts[0], nil, apiHosts[1:])
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(r.certificates, certificate, 0o600); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	if r.api, err = serve(ctx, r.simulator.Handler()); err != nil {
		return nil, err
	}
	if r.admin, err = serve(ctx, admin.Handler(r.simulator)); err != nil {
		return nil, err
	}
	back, err := url.Parse(r.api)
	if err != nil {
		return nil, err
	}
	through := httputil.NewSingleHostReverseProxy(back)
	// A call that the simulator cuts off is cut off for the caller too.
	through.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	r.proxy, err = serve(ctx, &proxy{
		config: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		back:   through,
	})
	return r, err
}

// serve serves at a free port of this machine until ctx ends, and returns the URL.
func serve(ctx context.Context, handler http.Handler) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := newServer(handler)
	go func() { _ = server.Serve(listener) }() // it ends when it is closed
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return "http://" + listener.Addr().String(), nil
}

// newServer does not log connections that programs cut off when they are stopped.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, ErrorLog: log.New(io.Discard, "", 0)}
}

// pageDigits are the last digits of the ids of a page's imports.
const pageDigits = 6

// account adds an account with this name and token to the simulator. Ids are unique among all accounts of the
// platform, so the last digits of those of the seed are replaced.
func (r *remote) account(name, token, digits string) error {
	spec := r.seed
	spec.Name, spec.Tokens = name, []simulator.Token{{Token: token, User: r.seed.Tokens[0].User}}
	spec.Imports, spec.Flows = nil, nil
	ids := map[string]string{}
	for _, document := range r.seed.Imports {
		var identified struct {
			ID string `json:"_id"`
		}
		if err := json.Unmarshal(document, &identified); err != nil {
			return err
		}
		ids[identified.ID] = identified.ID[:len(identified.ID)-pageDigits] + digits
		spec.Imports = append(spec.Imports, bytes.ReplaceAll(document, []byte(identified.ID), []byte(ids[identified.ID])))
	}
	for _, flow := range r.seed.Flows {
		flow.Imports = slices.Clone(flow.Imports)
		for i, id := range flow.Imports {
			flow.Imports[i] = ids[id]
		}
		spec.Flows = append(spec.Flows, flow)
	}
	return r.simulator.AddAccount(spec)
}

// proxy answers CONNECT for the hosts of the API, and is itself what it connects to.
type proxy struct {
	config *tls.Config
	back   http.Handler
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, port, _ := net.SplitHostPort(r.Host)
	known := port == "443" && (host == apiHosts[0] || host == apiHosts[1])
	if r.Method != http.MethodConnect || !known {
		http.Error(w, "this proxy leads to "+apiHosts[0]+" alone", http.StatusForbidden)
		return
	}
	connection, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // there is nobody to answer
	}
	if _, err := connection.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		_ = connection.Close() // the client has gone
		return
	}
	_ = newServer(p.back).Serve(&single{connection: tls.Server(&readFirst{connection, buffered.Reader}, p.config)}) // it ends with the connection
}

// readFirst is a connection of which a part was read already.
type readFirst struct {
	net.Conn
	reader *bufio.Reader
}

func (c *readFirst) Read(into []byte) (int, error) { return c.reader.Read(into) }

// single is a listener for one connection.
type single struct{ connection net.Conn }

func (l *single) Accept() (net.Conn, error) {
	if l.connection == nil {
		return nil, net.ErrClosed // the server goes on with the connection that it has
	}
	connection := l.connection
	l.connection = nil
	return connection, nil
}

func (l *single) Close() error   { return nil }
func (l *single) Addr() net.Addr { return &net.TCPAddr{} }
