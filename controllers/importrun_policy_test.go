// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers
