// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package measurement lists what the benchmark measures. Each measurement is a file in one of the packages below.
// None of them fails for a time: machines differ, and what else they do.
package measurement

import (
	"slices"

	"github.com/integrator-operator/integrator-operator/hack/bench/measurement/cost"
	"github.com/integrator-operator/integrator-operator/hack/bench/measurement/latency"
	"github.com/integrator-operator/integrator-operator/hack/bench/measurement/standing"
	"github.com/integrator-operator/integrator-operator/hack/bench/measurement/throughput"
)

// All are the measurements in their order.
var All = slices.Concat(cost.All, throughput.All, standing.All, latency.All)
