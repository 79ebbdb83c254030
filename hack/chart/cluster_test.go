// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/action"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/cli"
	"helm.sh/helm/v4/pkg/kube"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/scheme"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// connection is the one that NOTES.txt names.
const connection = "5e8c41d29a7f3b0012ab77e1"

// cluster is a control plane without nodes, the simulator, and the manager as a process: it starts as
// the Deployment in the cluster says.
type cluster struct {
	plane     *local.ControlPlane
	processes *local.Processes
	objects   client.Client
	sim       *simulator.Server
	// api is the URL of the simulator.
	api string

	running  *local.Process
	managers int
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run make test, which builds a control plane")
	}
	// Short: it has the socket of etcd.
	dir, err := os.MkdirTemp("", "chart-")
	must(t, err)
	c := &cluster{processes: &local.Processes{Dir: dir, Ended: func(err error) { t.Error(err) }}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the last manager's log:\n%s", c.processes.Tail(c.managerName(), 20))
		}
		c.processes.Stop(10 * time.Second)
		must(t, os.RemoveAll(dir))
	})
	c.plane = &local.ControlPlane{Assets: assets, Dir: dir, Processes: c.processes}
	must(t, c.plane.Start(t.Context()))
	c.objects, err = client.New(c.plane.Config, client.Options{Scheme: scheme.All()})
	must(t, err)

	c.sim = simulator.New(simulator.Options{})
	var stop func() error
	c.api, stop, err = c.sim.Start("127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { c.sim.Close(); must(t, stop()) })
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// kubectl runs the real kubectl as the cluster's administrator.
func (c *cluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	output, err := c.plane.Kubectl(t.Context(), args...)
	must(t, err)
	return output
}

// shell runs commands of the documentation.
func (c *cluster) shell(t *testing.T, namespace, commands string) string {
	t.Helper()
	config := filepath.Join(c.plane.Dir, namespace+".kubeconfig")
	content, err := os.ReadFile(c.plane.Kubeconfig)
	must(t, err)
	must(t, os.WriteFile(config, content, 0o600))
	env := append(os.Environ(), "KUBECONFIG="+config, "KUBERC=off", "KUBECACHEDIR="+filepath.Join(c.plane.Dir, "kubectl-cache"),
		"PATH="+c.plane.Assets+string(filepath.ListSeparator)+os.Getenv("PATH"))
	output, err := local.Run(t.Context(), "/bin/sh", env, "-euc", "kubectl config set-context --current --namespace="+namespace+"\n"+commands)
	if err != nil {
		objects, _ := c.plane.Kubectl(t.Context(), "get", "accounts,imports", "--output=yaml", "--namespace="+namespace) // for the message
		t.Fatalf("%v in\n%s\n%s\n%s", err, commands, output, objects)
	}
	return output
}

// helm is helm's configuration for this cluster.
func (c *cluster) helm(t *testing.T) *action.Configuration {
	t.Helper()
	settings := cli.New()
	settings.KubeConfig = c.plane.Kubeconfig
	settings.SetNamespace(releaseNamespace)
	configuration := action.NewConfiguration(action.ConfigurationSetLogger(quiet()))
	must(t, configuration.Init(settings.RESTClientGetter(), releaseNamespace, "secret"))
	return configuration
}

// installs are the values with which the manager can call the simulator. The warnings are left out: a busy
// API server needs longer to compile them than a request may take, and the stories of the controllers have
// those of config/, which are the same.
func (c *cluster) installs() values {
	return together(at("admissionPolicies.definitionWarnings", false), at("api.allowedHosts", []any{strings.TrimPrefix(c.api, "http://")}), at("extraArgs", []any{"--allow-http"}), at("log.format", "console"))
}

func (c *cluster) install(t *testing.T, chart *chartv2.Chart, with values, takeOwnership bool) *releasev1.Release {
	t.Helper()
	install := action.NewInstall(c.helm(t))
	install.ReleaseName, install.Namespace, install.CreateNamespace = releaseName, releaseNamespace, true
	install.TakeOwnership = takeOwnership
	// With TakeOwnership, fields are of who applied them before.
	install.ForceConflicts = takeOwnership
	install.WaitStrategy, install.Timeout = kube.HookOnlyStrategy, time.Minute
	made, err := install.Run(chart, together(c.installs(), with))
	must(t, err)
	// Without the CRDs the manager ends, and a kubelet would start it again.
	c.kubectl(t, "wait", "--for=condition=Established", "crd", "--all", "--timeout=2m")
	return made.(*releasev1.Release) //nolint:forcetypeassert // of a chart of v2
}

func (c *cluster) upgrade(t *testing.T, chart *chartv2.Chart, with values) {
	t.Helper()
	upgrade := action.NewUpgrade(c.helm(t))
	upgrade.Namespace = releaseNamespace
	upgrade.WaitStrategy, upgrade.Timeout = kube.HookOnlyStrategy, time.Minute
	_, err := upgrade.Run(releaseName, chart, together(c.installs(), with))
	must(t, err)
}

func (c *cluster) uninstall(t *testing.T) string {
	t.Helper()
	uninstall := action.NewUninstall(c.helm(t))
	uninstall.WaitStrategy, uninstall.Timeout = kube.HookOnlyStrategy, time.Minute
	response, err := uninstall.Run(releaseName)
	must(t, err)
	return response.Info
}

// deployed is the Deployment in the cluster.
func (c *cluster) deployed(t *testing.T) *appsv1.Deployment {
	t.Helper()
	deployment := &appsv1.Deployment{}
	must(t, c.objects.Get(t.Context(), client.ObjectKey{Namespace: releaseNamespace, Name: local.OperatorServiceAccount}, deployment))
	return deployment
}

// runManager starts the manager, and waits until it is ready.
func (c *cluster) runManager(t *testing.T, more ...string) {
	t.Helper()
	ready := c.startManager(t, more...)
	must(t, local.Await(t.Context(), local.Patience, "the manager to be ready", ready))
}

// startManager starts the manager of the Deployment, and returns its readiness probe.
func (c *cluster) startManager(t *testing.T, more ...string) (ready func(context.Context) error) {
	t.Helper()
	deployment := c.deployed(t)
	if account := deployment.Spec.Template.Spec.ServiceAccountName; account != local.OperatorServiceAccount {
		t.Fatalf("the pod has the ServiceAccount %s", account)
	}
	c.managers++
	started, ready, err := c.plane.StartDeployed(t.Context(), c.managerName(), managerProgram(t), deployment, nil, more)
	must(t, err)
	c.running = started
	return ready
}

func (c *cluster) managerName() string { return fmt.Sprintf("manager-%d", c.managers) }

// checkRights checks that the manager had all the rights that it asked for.
func (c *cluster) checkRights(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(c.processes.Log(c.managerName())) {
		if strings.Contains(line, "is forbidden") {
			t.Errorf("the manager lacks a right: %s", line)
		}
	}
}

// stopManager ends the manager, as a kubelet would when the pod is deleted.
func (c *cluster) stopManager(t *testing.T) {
	t.Helper()
	c.running.Kill()
	// The next one does not wait until the lease has expired.
	must(t, c.plane.Clients.CoordinationV1().Leases(releaseNamespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
}

// writes are the methods and ids of the calls that changed something at the API since a number of the ledger.
func (c *cluster) writes(after int64) (all []string) {
	applied := true
	for _, entry := range c.sim.Ledger(simulator.Filter{Applied: &applied, AfterSeq: after}) {
		all = append(all, entry.Method+" "+entry.AppliedID)
	}
	return all
}

// now is the number of the last call.
func (c *cluster) now() (last int64) {
	for _, entry := range c.sim.Ledger(simulator.Filter{}) {
		last = max(last, entry.Seq)
	}
	return last
}

// reconciled has the manager reconcile an Import, and waits until it has done so and the Import is Ready.
func (c *cluster) reconciled(t *testing.T, namespace, name string) *v1alpha1.Import {
	t.Helper()
	request := fmt.Sprint(time.Now().UnixNano())
	c.kubectl(t, "annotate", "import", name, "--namespace="+namespace, "--overwrite", v1alpha1.AnnotationReconcileRequestedAt+"="+request)
	object := &v1alpha1.Import{}
	must(t, local.Await(t.Context(), local.Patience, "Import "+name+" to be reconciled", func(ctx context.Context) error {
		if err := c.objects.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
			return err
		}
		ready := slices.IndexFunc(object.Status.Conditions, func(condition metav1.Condition) bool { return condition.Type == "Ready" })
		if object.Status.LastHandledReconcileAt != request || ready < 0 || object.Status.Conditions[ready].Status != metav1.ConditionTrue {
			return fmt.Errorf("status %+v\n%s", object.Status.Conditions, c.processes.Tail(c.managerName(), 3))
		}
		return nil
	}))
	return object
}
