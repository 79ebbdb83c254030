// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package deployment checks that the manifests fit each other, in every overlay.
package deployment

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const root = "../../.."

// copied is a copy of config/ that a test may change.
func copied(t *testing.T) (directory string) {
	t.Helper()
	// kustomize compares paths without their links.
	directory, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(directory, "config"), os.DirFS(filepath.Join(root, "config"))); err != nil {
		t.Fatal(err)
	}
	return directory
}

// overlay adds a kustomization beside config/ and returns its directory.
func overlay(t *testing.T, directory, kustomization string) string {
	t.Helper()
	made := filepath.Join(directory, "overlay")
	if err := os.MkdirAll(made, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(made, "kustomization.yaml"), []byte(kustomization), 0o600); err != nil {
		t.Fatal(err)
	}
	return made
}

func rendered(t *testing.T, directory string) resmap.ResMap {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), directory)
	if err != nil {
		t.Fatalf("%s: %v", directory, err)
	}
	return resources
}

// all decodes the objects of a kind.
func all[T any](t *testing.T, resources resmap.ResMap, kind string) (objects []T) {
	t.Helper()
	for _, resource := range resources.Resources() {
		if resource.GetKind() != kind {
			continue
		}
		document, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		var object T
		if err := yaml.UnmarshalStrict(document, &object); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

// TestOneImage sets the image as "make deploy" does, and renders every kustomization there is: one
// that rendered another image would replace the deployed one when it is applied.
func TestOneImage(t *testing.T) {
	directory := copied(t)
	const image = "registry.example.com:5000/integrator-operator:v1.2.3"
	// The tool's module is here, and what it edits is where it runs.
	tool := filepath.Join(t.TempDir(), "kustomize")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", tool, "sigs.k8s.io/kustomize/kustomize/v5").CombinedOutput(); err != nil {
		t.Fatalf("build kustomize: %v: %s", err, output)
	}
	edit := exec.CommandContext(t.Context(), tool, "edit", "set", "image", "controller="+image)
	edit.Dir = filepath.Join(directory, "config", "manager")
	if output, err := edit.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	kustomizations, err := filepath.Glob(filepath.Join(directory, "config", "*", "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	deployments := 0
	for _, kustomization := range kustomizations {
		for _, deployment := range all[appsv1.Deployment](t, rendered(t, filepath.Dir(kustomization)), "Deployment") {
			deployments++
			if got := deployment.Spec.Template.Spec.Containers[0].Image; got != image {
				t.Errorf("%s renders the image %s, want %s", kustomization, got, image)
			}
		}
	}
	if deployments < 3 { // manager, default, certmanager
		t.Errorf("only %d Deployments are rendered", deployments)
	}
}

// hostPorts are the ports that a manager with these arguments calls an allowed host at.
func hostPorts(t *testing.T, arguments []string) (ports []string) {
	t.Helper()
	hosts := ""
	for _, argument := range arguments {
		if list, found := strings.CutPrefix(argument, "--allowed-api-hosts="); found {
			hosts = list
		}
		if argument == "--allow-private-addresses" || argument == "--allow-http" {
			t.Fatalf("this test does not know where %s leads", argument)
		}
	}
	if hosts == "" {
		// The default of the flag, which names no port.
		hosts = defaultHosts(t)
	}
	for host := range strings.SplitSeq(hosts, ",") {
		port := "443"
		if _, named, err := net.SplitHostPort(host); err == nil {
			port = named
		}
		if !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	return ports
}

// defaultHosts is the default of --allowed-api-hosts.
func defaultHosts(t *testing.T) string {
	t.Helper()
	code, err := os.ReadFile(filepath.Join(root, "internal", "command", "hosts.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(code), `"allowed-api-hosts", "`)
	hosts, _, found := strings.Cut(after, `"`)
	if !found || hosts == "" {
		t.Fatal("internal/command/hosts.go has another form than expected")
	}
	return hosts
}

// permittedPorts are those that a policy permits to public addresses, and to no others.
func permittedPorts(t *testing.T, policy *networkingv1.NetworkPolicy) (ports []string) {
	t.Helper()
	for _, rule := range policy.Spec.Egress {
		if !slices.ContainsFunc(rule.To, func(peer networkingv1.NetworkPolicyPeer) bool {
			return peer.IPBlock != nil && peer.IPBlock.CIDR == "0.0.0.0/0" && slices.Contains(peer.IPBlock.Except, "169.254.0.0/16")
		}) {
			continue
		}
		for _, port := range rule.Ports {
			ports = append(ports, port.Port.String())
		}
	}
	slices.Sort(ports)
	return ports
}

// TestNetworkPolicyFitsTheHosts: the policy permits exactly the ports at which an Account may name a
// host. That of a manager that may call another port has to be changed along.
func TestNetworkPolicyFitsTheHosts(t *testing.T) {
	const another = `
- target: {kind: Deployment}
  patch: '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--allowed-api-hosts=api.integrator.io,gateway.example.com:8443"}]'
`
	const along = `
- target: {kind: NetworkPolicy}
  patch: '[{"op": "add", "path": "/spec/egress/1/ports/-", "value": {"port": 8443, "protocol": "TCP"}}]'
`
	for name, tc := range map[string]struct {
		patches           string
		called, permitted []string
	}{
		"as it is shipped":       {"", []string{"443"}, []string{"443"}},
		"with another port":      {another + along, []string{"443", "8443"}, []string{"443", "8443"}},
		"with one that it lacks": {another, []string{"443", "8443"}, []string{"443"}},
	} {
		t.Run(name, func(t *testing.T) {
			patches := "[]"
			if tc.patches != "" {
				patches = tc.patches
			}
			resources := rendered(t, overlay(t, copied(t), fmt.Sprintf("resources: [../config/default, ../config/network-policy]\npatches: %s\n", patches)))
			deployments := all[appsv1.Deployment](t, resources, "Deployment")
			policies := all[networkingv1.NetworkPolicy](t, resources, "NetworkPolicy")
			if len(deployments) != 1 || len(policies) != 1 {
				t.Fatalf("%d Deployments and %d NetworkPolicies", len(deployments), len(policies))
			}
			pod := deployments[0].Spec.Template
			if diff := cmp.Diff(tc.called, hostPorts(t, pod.Spec.Containers[0].Args)); diff != "" {
				t.Errorf("ports that are called (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tc.permitted, permittedPorts(t, &policies[0])); diff != "" {
				t.Errorf("ports that are permitted (-want +got)\n%s", diff)
			}
			for label, value := range policies[0].Spec.PodSelector.MatchLabels {
				if pod.Labels[label] != value {
					t.Errorf("the policy selects %s=%s, which the pod has not", label, value)
				}
			}
		})
	}
}

// TestHighAvailability: with the component, config/default and what is made of it have two replicas
// that elect a leader, and a budget and a spread that select their pods.
func TestHighAvailability(t *testing.T) {
	for _, base := range []string{"default", "certmanager", "namespaced"} {
		resources := rendered(t, overlay(t, copied(t), fmt.Sprintf("resources: [../config/%s]\ncomponents: [../config/high-availability]\n", base)))
		deployments := all[appsv1.Deployment](t, resources, "Deployment")
		budgets := all[policyv1.PodDisruptionBudget](t, resources, "PodDisruptionBudget")
		if len(deployments) != 1 || len(budgets) != 1 {
			t.Fatalf("%s: %d Deployments and %d PodDisruptionBudgets", base, len(deployments), len(budgets))
		}
		deployment, pod := deployments[0], deployments[0].Spec.Template
		if *deployment.Spec.Replicas != 2 || !slices.Contains(pod.Spec.Containers[0].Args, "--leader-elect") {
			t.Errorf("%s: %d replicas with %v", base, *deployment.Spec.Replicas, pod.Spec.Containers[0].Args)
		}
		if budgets[0].Namespace != deployment.Namespace || budgets[0].Spec.MaxUnavailable.IntValue() != 1 {
			t.Errorf("%s: the budget of %s permits %s unavailable pods", base, budgets[0].Namespace, budgets[0].Spec.MaxUnavailable)
		}
		spread := pod.Spec.TopologySpreadConstraints
		if len(spread) != 1 {
			t.Fatalf("%s: spread by %v", base, spread)
		}
		for what, selected := range map[string]map[string]string{"budget": budgets[0].Spec.Selector.MatchLabels, "spread": spread[0].LabelSelector.MatchLabels} {
			if len(selected) == 0 {
				t.Errorf("%s: the %s selects everything", base, what)
			}
			for label, value := range selected {
				if pod.Labels[label] != value {
					t.Errorf("%s: the %s selects %s=%s, which the pod has not", base, what, label, value)
				}
			}
		}
	}
}
