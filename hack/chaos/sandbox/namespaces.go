// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// sandboxLabel is on what users create in a sandbox of two namespaces: its value is the first. No
// request of Kubernetes is for two namespaces, so there the manager sees what has the label.
const sandboxLabel = "chaos.example.com/sandbox"

func (s *Sandbox) newNamespace(ctx context.Context) (string, error) {
	created := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "chaos-"}}
	err := s.Objects.Create(ctx, created)
	return created.Name, err
}

// Namespaces are the one or two of the sandbox.
func (s *Sandbox) Namespaces() []string {
	if s.TwoNamespaces {
		return []string{s.Namespace, s.Other}
	}
	return []string{s.Namespace}
}

// Within has what users create in the sandbox listed, or watched.
func (s *Sandbox) Within() []client.ListOption {
	if s.TwoNamespaces {
		return []client.ListOption{client.MatchingLabels{sandboxLabel: s.Namespace}}
	}
	return []client.ListOption{client.InNamespace(s.Namespace)}
}

// selector is what the manager sees, "" for all of one namespace.
func (s *Sandbox) selector() string {
	if s.TwoNamespaces {
		return sandboxLabel + "=" + s.Namespace
	}
	return ""
}

// mark gives an object the label of the sandbox.
func (s *Sandbox) mark(object client.Object) {
	if s.TwoNamespaces {
		object.SetLabels(map[string]string{sandboxLabel: s.Namespace})
	}
}
