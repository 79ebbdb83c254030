// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

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

// ControlPlane is a Kubernetes control plane without nodes: etcd, kube-apiserver with
// RBAC, and those controllers of kube-controller-manager that users rely on.
type ControlPlane struct {
	// Assets is the directory of the programs, Dir that of their data.
	Assets, Dir string
	Processes   *Processes

	// Server is the URL of the API server, ca its certificate in PEM.
	Server string
	ca     []byte
	// Kubeconfig is the file of the cluster's administrator.
	Kubeconfig string
	Config     *rest.Config
	Clients    *kubernetes.Clientset

	port         int
	etcd, server *Process
}

const (
	serverStart = 2 * time.Minute
	// The controllers that clean up (deleted namespaces, the dependents of deleted owners),
	// that create the ServiceAccount "default" of a namespace, and that aggregate the operator's
	// roles into view, edit and admin.
	controllers = "namespace-controller,garbage-collector-controller,serviceaccount-controller," +
		"root-ca-certificate-publisher-controller,clusterrole-aggregation-controller"
)

// Start starts etcd and the API server, and waits until the API server is ready.
func (c *ControlPlane) Start(ctx context.Context) (err error) {
	// The API server shares the reserved port. It stays reserved until this process ends, so
	// that the server can use it again after a restart.
	if c.port, _, err = reservePort(); err != nil {
		return err
	}
	c.Server = "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port))
	if err := c.writeCredentials(); err != nil {
		return err
	}
	if err := c.StartEtcd(); err != nil {
		return err
	}
	return c.StartServer(ctx)
}

// writeCredentials creates the server's certificate, the key that signs the tokens of
// ServiceAccounts, and the administrator's token.
func (c *ControlPlane) writeCredentials() error {
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
	// The file holds the certificate and the one that signed it.
	c.ca = bytes.Clone(certificate)
	if c.Kubeconfig, err = c.WriteKubeconfig("kubeconfig", "admin", token); err != nil {
		return err
	}
	if c.Config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig); err != nil {
		return err
	}
	c.Config.QPS = -1 // nobody else uses this server: no limit
	c.Clients, err = kubernetes.NewForConfig(c.Config)
	return err
}

// WriteKubeconfig writes a kubeconfig for the user of a token and returns its path.
func (c *ControlPlane) WriteKubeconfig(name, user, token string) (string, error) {
	config := clientcmdapi.NewConfig()
	config.Clusters["local"] = &clientcmdapi.Cluster{Server: c.Server, CertificateAuthorityData: c.ca}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["local"] = &clientcmdapi.Context{Cluster: "local", AuthInfo: user}
	config.CurrentContext = "local"
	return c.file(name), clientcmd.WriteToFile(*config, c.file(name))
}

// StartEtcd starts etcd. It serves clients at a socket in the data directory, which only this user
// can enter. There are no peers; the system chooses the port for them. The data is thrown away
// at the end, so it need not survive a crash of the machine.
func (c *ControlPlane) StartEtcd() (err error) {
	socket := "unix://" + c.file("etcd.sock")
	c.etcd, err = c.Processes.Start("etcd", filepath.Join(c.Assets, "etcd"), os.Environ(),
		"--data-dir="+c.EtcdData(), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+socket, "--advertise-client-urls="+socket,
		"--listen-peer-urls=http://127.0.0.1:0")
	return err
}

// KillEtcd kills etcd.
func (c *ControlPlane) KillEtcd() { c.etcd.Kill() }

// EtcdData returns the directory of etcd's data.
func (c *ControlPlane) EtcdData() string { return c.file("etcd") }

// StartServer starts the API server and waits until it is ready.
func (c *ControlPlane) StartServer(ctx context.Context) (err error) {
	c.server, err = c.Processes.Start("kube-apiserver", filepath.Join(c.Assets, "kube-apiserver"), os.Environ(),
		"--etcd-servers=unix://"+c.file("etcd.sock"),
		"--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(c.port), "--permit-port-sharing",
		"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.0.0.0/24",
		"--tls-cert-file="+c.file("tls.crt"), "--tls-private-key-file="+c.file("tls.key"),
		"--token-auth-file="+c.file("tokens.csv"), "--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.file("service-accounts.key"),
		"--service-account-signing-key-file="+c.file("service-accounts.key"))
	if err != nil {
		return err
	}
	return Await(ctx, serverStart, "kube-apiserver to be ready", c.ready)
}

// ServerPID is the process id of the API server.
func (c *ControlPlane) ServerPID() int { return c.server.PID() }

// KillServer kills the API server.
func (c *ControlPlane) KillServer() { c.server.Kill() }

func (c *ControlPlane) ready(ctx context.Context) error {
	_, err := c.Clients.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
	return err
}

// StartControllers starts the kube-controller-manager.
func (c *ControlPlane) StartControllers() error {
	_, err := c.Processes.Start("kube-controller-manager", filepath.Join(c.Assets, "kube-controller-manager"), os.Environ(),
		"--kubeconfig="+c.Kubeconfig, "--controllers="+controllers, "--leader-elect=false", "--secure-port=0",
		"--root-ca-file="+c.file("tls.crt"), "--service-account-private-key-file="+c.file("service-accounts.key"))
	return err
}

func (c *ControlPlane) file(name string) string { return filepath.Join(c.Dir, name) }

// reservePort binds a free TCP port of the loopback interface without listening. Until release is
// called, only a program that asks to share the port can bind it.
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
