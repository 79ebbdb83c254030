// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package podsecurity judges the manifests by the rules of the Pod Security admission.
package podsecurity

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	manifests = "../../../config/default"
	// certified is the same with a certificate for the metrics.
	certified = "../../../config/certmanager"
)

var restricted = api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}

// rendered is what of the manifests is judged.
func rendered(t *testing.T, manifests string) (deployments []appsv1.Deployment, namespaces []corev1.Namespace) {
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
	deployments, namespaces := rendered(t, manifests)
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

// TestRestrictedWithCertificate: the one volume that there may be is the certificate, in the
// place where the manager is told to look for it.
func TestRestrictedWithCertificate(t *testing.T) {
	deployments, _ := rendered(t, certified)
	template := &deployments[0].Spec.Template
	if verdict := judge(t, template); !verdict.Allowed {
		t.Errorf("%s: %s", deployments[0].Name, verdict.ForbiddenDetail())
	}
	volumes, container := template.Spec.Volumes, template.Spec.Containers[0]
	if len(volumes) != 1 || len(container.VolumeMounts) != 1 {
		t.Fatalf("%d volumes and %d mounts, want one of each", len(volumes), len(container.VolumeMounts))
	}
	if secret := volumes[0].Secret; secret == nil || secret.SecretName != "integrator-operator-metrics-cert" {
		t.Errorf("the volume is not of the certificate's Secret: %v", volumes[0])
	}
	mount := container.VolumeMounts[0]
	if !mount.ReadOnly || !slices.Contains(container.Args, "--metrics-cert-path="+mount.MountPath) {
		t.Errorf("mounted at %s (read-only: %t), started with %q", mount.MountPath, mount.ReadOnly, container.Args)
	}
	if plain, _ := rendered(t, manifests); len(container.Args) != len(plain[0].Spec.Template.Spec.Containers[0].Args)+1 {
		t.Errorf("started with %q, beyond the certificate", container.Args)
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
		deployments, _ := rendered(t, manifests)
		template := &deployments[0].Spec.Template
		spoil(&template.Spec)
		if judge(t, template).Allowed {
			t.Errorf("%s: allowed", name)
		}
	}
}
