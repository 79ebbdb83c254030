// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package chart tests the Helm chart: what it renders, and what helm does with it on a control plane
// of Kubernetes, with the manager running as the chart says.
package chart
