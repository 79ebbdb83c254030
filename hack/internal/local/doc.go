// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package local runs programs on this machine that end with the program that started them,
// a Kubernetes control plane among them: what the demo and the chaos campaign stand on.
package local
