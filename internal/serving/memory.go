// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// memoryRatio is the part of the container's limit at which the garbage collector works harder. The rest is
	// for what Go does not count.
	memoryRatio = 0.9
	// memoryRefresh is how often the limit is read: that of a running container can be changed.
	memoryRefresh = time.Minute
	// garbage is how much garbage there may be, in percent of what is in use, before it is collected. The
	// manager is idle most of the time, and keeps much: memory is worth more than the processor.
	garbage = 50
)

// LimitMemory has the process keep to the limit of its container until ctx ends, if there is one, and give
// back what it does not need. The variables GOMEMLIMIT and GOGC of the environment go before, and
// AUTOMEMLIMIT=off leaves all of this to Go.
func LimitMemory(ctx context.Context, log logr.Logger) {
	limitMemory(ctx, log, memlimit.FromCgroup)
}

func limitMemory(ctx context.Context, log logr.Logger, container memlimit.Provider) {
	if os.Getenv("AUTOMEMLIMIT") == "off" {
		return
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	limit, err := memlimit.Set(memlimit.WithRatio(memoryRatio), memlimit.WithProvider(container), memlimit.WithRefreshInterval(ctx, memoryRefresh))
	go giveBack(ctx, giveBackEvery)
	switch {
	case errors.Is(err, memlimit.ErrCgroupsNotSupported), errors.Is(err, memlimit.ErrNoCgroup):
	case err != nil:
		log.Info("The limit of the container's memory is not known; set GOMEMLIMIT", "error", err.Error())
	default:
		log.V(1).Info("The garbage collector works harder near this limit", "bytes", limit)
	}
}

const (
	// giveBackEvery is how often the process looks whether there is memory to be given back.
	giveBackEvery = 15 * time.Second
	// worthGivingBack is how much free memory and garbage there is before it is given back to the kernel.
	worthGivingBack = 8 << 20
	// calm is how much is allocated between two looks at most while little happens.
	calm = 16 << 20
)

// Metrics of the runtime.
const (
	metricAllocated = "/gc/heap/allocs:bytes"
	metricObjects   = "/memory/classes/heap/objects:bytes"
	metricLive      = "/gc/heap/live:bytes"
	metricFree      = "/memory/classes/heap/free:bytes"
)

// usage is what the heap has, in bytes: all that was ever allocated, and what could be given back.
type usage struct{ allocated, spare uint64 }

func readUsage() usage {
	samples := []metrics.Sample{{Name: metricAllocated}, {Name: metricObjects}, {Name: metricLive}, {Name: metricFree}}
	metrics.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	return usage{allocated: value(0), spare: value(3) + value(1) - min(value(1), value(2))}
}

// wastes reports whether memory is worth giving back: much of it is spare, and little happens since before.
func (u usage) wastes(before usage) bool {
	return u.spare > worthGivingBack && u.allocated-before.allocated < calm
}

// giveBack gives memory back that a burst of work has left, until ctx ends. The runtime keeps more than half
// of what is in use for the next one, which may be days away.
func giveBack(ctx context.Context, every time.Duration) {
	before := readUsage()
	wait.UntilWithContext(ctx, func(context.Context) {
		now := readUsage()
		if now.wastes(before) {
			debug.FreeOSMemory()
		}
		before = now
	}, every)
}
