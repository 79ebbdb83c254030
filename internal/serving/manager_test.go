// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package serving_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	systemNamespace = "integrator-operator-system"
	deployment      = "integrator-operator-controller-manager"
	managerAccount  = "integrator-operator-controller-manager"
	readerRole      = "integrator-operator-metrics-reader"
	authBinding     = "integrator-operator-metrics-auth-rolebinding"
)

// cluster is a kube-apiserver with RBAC, on which config/default is installed, and the
// program of the manager.
type cluster struct {
	environment *envtest.Environment
	clients     *kubernetes.Clientset
	program     string
	deployed    *appsv1.Deployment
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run make test, which builds a control plane")
	}
	c := &cluster{environment: &envtest.Environment{}, program: filepath.Join(t.TempDir(), "manager")}
	// With the flags of "make build", which the demo uses as well: the cache has its packages.
	//nolint:gosec // the program under test
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", c.program, "../..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	command(t, build)

	t.Cleanup(func() {
		if err := c.environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	config, err := c.environment.Start()
	must(t, err)
	c.clients, err = kubernetes.NewForConfig(config)
	must(t, err)

	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, os.WriteFile(kubeconfig, c.environment.KubeConfig, 0o600))
	kubectl := func(args ...string) {
		//nolint:gosec // the program of the control plane under test
		command(t, exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), append([]string{"--kubeconfig", kubeconfig}, args...)...))
	}
	kubectl("apply", "--server-side", "-k", filepath.Join("..", "..", "config", "default"))
	kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=5m")
	c.deployed, err = c.clients.AppsV1().Deployments(systemNamespace).Get(t.Context(), deployment, metav1.GetOptions{})
	must(t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, output)
	}
}

// serviceAccount makes a ServiceAccount with the named ClusterRoles, and gives its token.
func (c *cluster) serviceAccount(t *testing.T, name string, clusterRoles ...string) string {
	t.Helper()
	_, err := c.clients.CoreV1().ServiceAccounts("default").Create(t.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	must(t, err)
	for _, role := range clusterRoles {
		_, err := c.clients.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name + "-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: name}},
		}, metav1.CreateOptions{})
		must(t, err)
	}
	return c.token(t, "default", name)
}

func (c *cluster) token(t *testing.T, namespace, name string) string {
	t.Helper()
	granted, err := c.clients.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	must(t, err)
	return granted.Status.Token
}

// running is a manager as a process.
type running struct {
	metrics, probes string // addresses
	log             *output
}

// manager starts the manager with the arguments that its Deployment gives it, and with the
// rights of its ServiceAccount, but at addresses of the test's own. It ends with the test.
func (c *cluster) manager(t *testing.T, more ...string) *running {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: c.environment.Config.Host, CertificateAuthorityData: c.environment.Config.CAData}
	config.AuthInfos["manager"] = &clientcmdapi.AuthInfo{Token: c.token(t, systemNamespace, managerAccount)}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "manager"}
	config.CurrentContext = "test"
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, clientcmd.WriteToFile(*config, kubeconfig))

	m := &running{metrics: freeAddress(t), probes: freeAddress(t), log: &output{}}
	args := slices.Concat(c.deployed.Spec.Template.Spec.Containers[0].Args, []string{
		"--metrics-bind-address=" + m.metrics, "--health-probe-bind-address=" + m.probes,
		"--leader-election-namespace=" + systemNamespace,
	}, more)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, c.program, args...) //nolint:gosec // the program under test
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	cmd.Stdout, cmd.Stderr = m.log, m.log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	must(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was asked to end
		if t.Failed() {
			t.Logf("the manager's log:\n%s", m.log)
		}
	})
	return m
}

// freeAddress is an address where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	must(t, listener.Close())
	return listener.Addr().String()
}

// output is a text that a process writes while a test reads it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// metricsPorts are the port that the Deployment has metrics served at, and the one that its
// container calls so.
func (c *cluster) metricsPorts() (served, named string) {
	container := c.deployed.Spec.Template.Spec.Containers[0]
	for _, arg := range container.Args {
		if port, found := strings.CutPrefix(arg, "--metrics-bind-address=:"); found {
			served = port
		}
	}
	for _, port := range container.Ports {
		if port.Name == "metrics" {
			named = fmt.Sprint(port.ContainerPort)
		}
	}
	return served, named
}
