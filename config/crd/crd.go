// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crd has the CustomResourceDefinitions as the cluster gets them.
package crd

import "embed"

// Bases has a file in bases/ for each kind.
//
//go:embed bases/*.yaml
var Bases embed.FS
