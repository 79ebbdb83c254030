// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

// All permissions of the operator. "make manifests" makes config/rbac/role.yaml of these markers.
// TestManagerRights in hack/tools/rights lists them once more, so that none is added unnoticed.

// The operator's own kinds:
//
// +kubebuilder:rbac:groups=integrator.io,resources=accounts,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=integrator.io,resources=accounts/status,verbs=patch
// +kubebuilder:rbac:groups=integrator.io,resources=imports,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=integrator.io,resources=imports/status,verbs=patch
// +kubebuilder:rbac:groups=integrator.io,resources=importruns,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=integrator.io,resources=importruns/status,verbs=patch

// Tokens, values and records are read, and their metadata is watched:
//
// +kubebuilder:rbac:groups="",resources=configmaps;secrets,verbs=get;list;watch

// Results and idempotency keys of ImportRuns are written to ConfigMaps and Secrets:
//
// +kubebuilder:rbac:groups="",resources=configmaps;secrets,verbs=create;patch

// A namespace that is being deleted does not wait for its remote imports:
//
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get

// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create
