// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package local runs programs on this machine, among them a Kubernetes control plane, for the demo,
// the chaos campaign and the benchmark. The programs end with the process that started them.
package local
