// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package podsecurity judges the manifests by the rules of the Pod Security admission.
package podsecurity

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const manifests = "../../../config/default"

var restricted = api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}

// rendered is what of config/default is judged.
func rendered(t *testing.T) (deployments []appsv1.Deployment, namespaces []corev1.Namespace) {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), manifests)
	if err != nil {
		t.Fatal(err)
	}
	for _, resource := range resources.Resources() {
		document, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		switch kind := resource.GetKind(); kind {
		case "Deployment":
			deployments = append(deployments, decode[appsv1.Deployment](t, document))
		case "Namespace":
			namespaces = append(namespaces, decode[corev1.Namespace](t, document))
		case "Pod", "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController", "Job", "CronJob":
			t.Errorf("the %s %s has pods that this test does not look at", kind, resource.GetName())
		}
	}
	return deployments, namespaces
}

func decode[T any](t *testing.T, document []byte) (object T) {
	t.Helper()
	if err := yaml.UnmarshalStrict(document, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// judge gives what the level forbids of a pod.
func judge(t *testing.T, template *corev1.PodTemplateSpec) policy.AggregateCheckResult {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec))
}

func TestRestricted(t *testing.T) {
	deployments, namespaces := rendered(t)
	if len(deployments) != 1 || len(namespaces) != 1 {
		t.Fatalf("%d Deployments and %d Namespaces are rendered, want one of each", len(deployments), len(namespaces))
	}
	template := &deployments[0].Spec.Template
	if verdict := judge(t, template); !verdict.Allowed {
		t.Errorf("%s: %s", deployments[0].Name, verdict.ForbiddenDetail())
	}

	// The cluster judges by the label of the namespace that the pods are in.
	if deployments[0].Namespace != namespaces[0].Name {
		t.Errorf("the Deployment is in namespace %q, not in %q", deployments[0].Namespace, namespaces[0].Name)
	}
	enforced, errs := api.PolicyToEvaluate(namespaces[0].Labels, api.Policy{
		Enforce: api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()},
	})
	if len(errs) > 0 || enforced.Enforce != restricted {
		t.Errorf("the namespace enforces %s (%v), want %s", enforced.Enforce.String(), errs, restricted.String())
	}

	// Beyond the level.
	for _, container := range template.Spec.Containers {
		if readOnly := container.SecurityContext.ReadOnlyRootFilesystem; readOnly == nil || !*readOnly {
			t.Errorf("the container %s can write to its root file system", container.Name)
		}
	}
	if len(template.Spec.Volumes) > 0 || len(template.Spec.InitContainers) > 0 {
		t.Error("the pod has volumes or init containers, which it needs none of")
	}
}

// TestRestrictedJudges takes from the manager's pod what the level asks for, one at a time.
func TestRestrictedJudges(t *testing.T) {
	for name, spoil := range map[string]func(*corev1.PodSpec){
		"runs as root":         func(pod *corev1.PodSpec) { pod.SecurityContext.RunAsNonRoot = nil },
		"no seccomp profile":   func(pod *corev1.PodSpec) { pod.SecurityContext.SeccompProfile = nil },
		"privilege escalation": func(pod *corev1.PodSpec) { pod.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil },
		"capabilities":         func(pod *corev1.PodSpec) { pod.Containers[0].SecurityContext.Capabilities = nil },
		"host network":         func(pod *corev1.PodSpec) { pod.HostNetwork = true },
		"host path": func(pod *corev1.PodSpec) {
			pod.Volumes = []corev1.Volume{{Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
		},
	} {
		deployments, _ := rendered(t)
		template := &deployments[0].Spec.Template
		spoil(&template.Spec)
		if judge(t, template).Allowed {
			t.Errorf("%s: allowed", name)
		}
	}
}
