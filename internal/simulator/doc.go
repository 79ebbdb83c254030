// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package simulator is a stand-in for the integrator.io API.
package simulator
