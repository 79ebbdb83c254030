// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// controlPlane is a Kubernetes control plane without nodes: etcd, kube-apiserver with
// RBAC, and as much of kube-controller-manager as people miss when it is not there.
type controlPlane struct {
	// assets is the directory of the programs, dir of their data.
	assets, dir string
	processes   *processes

	// server is the URL of the API server, ca its certificates in PEM.
	server string
	ca     []byte
	// kubeconfig is the file by which a cluster's administrator gets in.
	kubeconfig string
	config     *rest.Config
	clients    *kubernetes.Clientset
}

const (
	serverStart = 2 * time.Minute
	// The controllers that clean up (a deleted namespace, what a deleted owner leaves),
	// make the account "default" of a namespace, and let the roles view, edit and admin
	// take in the operator's.
	controllers = "namespace-controller,garbage-collector-controller,serviceaccount-controller," +
		"root-ca-certificate-publisher-controller,clusterrole-aggregation-controller"
)

// start starts the control plane and waits until its API server is ready.
func (c *controlPlane) start(ctx context.Context) error {
	port, release, err := reservePort()
	if err != nil {
		return err
	}
	// The API server shares the reserved port: nobody else can take it meanwhile.
	defer release()
	c.server = "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if err := c.writeCredentials(); err != nil {
		return err
	}
	if err := c.startEtcd(); err != nil {
		return err
	}
	if err := c.startServer(port); err != nil {
		return err
	}
	if err := await(ctx, serverStart, "kube-apiserver to be ready", c.ready); err != nil {
		return err
	}
	return c.startControllers()
}

// writeCredentials makes the server's certificate, the key that signs the tokens of
// ServiceAccounts, and the administrator's token.
func (c *controlPlane) writeCredentials() error {
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", nil, []string{"localhost"})
	if err != nil {
		return err
	}
	signingKey, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return err
	}
	token := rand.Text()
	for name, content := range map[string][]byte{
		"tls.crt": certificate, "tls.key": key, "service-accounts.key": signingKey,
		"tokens.csv": fmt.Appendf(nil, "%s,admin,admin,system:masters\n", token),
	} {
		if err := os.WriteFile(c.file(name), content, 0o600); err != nil {
			return err
		}
	}
	// The certificate comes with the one that signed it.
	c.ca = bytes.Clone(certificate)
	if c.kubeconfig, err = c.writeKubeconfig("kubeconfig", "admin", token); err != nil {
		return err
	}
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.kubeconfig); err != nil {
		return err
	}
	c.config.QPS = -1 // it is nobody else's server: no limit
	c.clients, err = kubernetes.NewForConfig(c.config)
	return err
}

// writeKubeconfig writes a kubeconfig for the user of a token and returns its path.
func (c *controlPlane) writeKubeconfig(name, user, token string) (string, error) {
	config := clientcmdapi.NewConfig()
	config.Clusters["demo"] = &clientcmdapi.Cluster{Server: c.server, CertificateAuthorityData: c.ca}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["demo"] = &clientcmdapi.Context{Cluster: "demo", AuthInfo: user, Namespace: namespace}
	config.CurrentContext = "demo"
	return c.file(name), clientcmd.WriteToFile(*config, c.file(name))
}

// startEtcd serves clients at a socket in the data directory, which nobody else can
// enter, and lets the system choose the port for its peers, which it has not. What it
// stores ends with the demo, so it need not be safe from a crash.
func (c *controlPlane) startEtcd() error {
	socket := "unix://" + c.file("etcd.sock")
	_, err := c.processes.start("etcd", filepath.Join(c.assets, "etcd"), os.Environ(),
		"--data-dir="+c.file("etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+socket, "--advertise-client-urls="+socket,
		"--listen-peer-urls=http://127.0.0.1:0")
	return err
}

func (c *controlPlane) startServer(port int) error {
	_, err := c.processes.start("kube-apiserver", filepath.Join(c.assets, "kube-apiserver"), os.Environ(),
		"--etcd-servers=unix://"+c.file("etcd.sock"),
		"--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(port), "--permit-port-sharing",
		"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.0.0.0/24",
		"--tls-cert-file="+c.file("tls.crt"), "--tls-private-key-file="+c.file("tls.key"),
		"--token-auth-file="+c.file("tokens.csv"), "--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.file("service-accounts.key"),
		"--service-account-signing-key-file="+c.file("service-accounts.key"))
	return err
}

func (c *controlPlane) ready(ctx context.Context) error {
	_, err := c.clients.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
	return err
}

func (c *controlPlane) startControllers() error {
	_, err := c.processes.start("kube-controller-manager", filepath.Join(c.assets, "kube-controller-manager"), os.Environ(),
		"--kubeconfig="+c.kubeconfig, "--controllers="+controllers, "--leader-elect=false", "--secure-port=0",
		"--root-ca-file="+c.file("tls.crt"), "--service-account-private-key-file="+c.file("service-accounts.key"))
	return err
}

func (c *controlPlane) file(name string) string { return filepath.Join(c.dir, name) }

// reservePort binds a free TCP port of the loopback interface without listening there.
// Until release only a program that asks for sharing can have it.
func reservePort() (port int, release func(), err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return 0, nil, fmt.Errorf("reserve a port: %w", err)
	}
	unix.CloseOnExec(fd)
	release = func() { _ = unix.Close(fd) } // nothing was written to it
	address, err := bindShared(fd)
	if err != nil {
		release()
		return 0, nil, fmt.Errorf("reserve a port: %w", err)
	}
	return address.Port, release, nil
}

func bindShared(fd int) (*unix.SockaddrInet4, error) {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, err
	}
	address, err := unix.Getsockname(fd)
	if err != nil {
		return nil, err
	}
	bound, ok := address.(*unix.SockaddrInet4)
	if !ok {
		return nil, fmt.Errorf("the system bound %T", address)
	}
	return bound, nil
}
