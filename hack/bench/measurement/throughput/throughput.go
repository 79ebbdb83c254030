// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package throughput measures how fast the manager gets through many objects, beside what the API, Kubernetes and
// this machine permit.
package throughput

import (
	"context"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/bench/bench"
	"github.com/integrator-operator/integrator-operator/hack/bench/environment"
)

// All are the measurements of this package.
var All = []bench.Measurement{
	{Name: "operations", About: "how long many creations, updates, deletions, adoptions and runs take, beside their bounds", Run: measureOperations},
	{Name: "knee", About: "up to how many objects creations keep to their bound", Run: measureKnee},
	{Name: "storm", About: "what the manager makes of the tenth of the bucket that others leave", Run: measureStorm},
}

// target is how much longer than the bound something may take.
const target = 1.3

// operation is something that is done with many objects.
type operation struct {
	name string
	// needs are the requests to Kubernetes, and calls those to the API, that the operator has to make for one object.
	// docs/performance.md says what each of them is for.
	needs needs
	calls int
	// users are the user's own writes of one object, without its creation: the API server counts them together with
	// those of the operator.
	users int
	// minimal has plain clients make the requests to Kubernetes for n objects, and those of the user.
	minimal func(ctx context.Context, e *environment.Environment, m *environment.Minimal, n int) (time.Duration, error)
}

var (
	creation = operation{"creations", needs{writes: 2, events: 1}, 1, 0, minimalCreation}
	update   = operation{"updates", needs{writes: 1, events: 1}, 2, 1, minimalUpdate}
	deletion = operation{"deletions", needs{writes: 1, reads: 1, events: 1}, 3, 1, minimalDeletion}
	// The lists of adoptions are shared, so that each needs a small part of one.
	adoption = operation{"adoptions", needs{writes: 3, events: 1}, 3, 0, minimalAdoption}
	run      = operation{"runs", needs{writes: 3, events: 1}, 1, 0, minimalRun}
)
