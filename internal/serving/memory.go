// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
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

// LimitMemory has the process keep to the limit of its container until ctx ends, if there is one. The
// variables GOMEMLIMIT and GOGC of the environment go before, and AUTOMEMLIMIT=off leaves both as Go has them.
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
	switch {
	case errors.Is(err, memlimit.ErrCgroupsNotSupported), errors.Is(err, memlimit.ErrNoCgroup):
	case err != nil:
		log.Info("The limit of the container's memory is not known; set GOMEMLIMIT", "error", err.Error())
	default:
		log.V(1).Info("The garbage collector works harder near this limit", "bytes", limit)
	}
}
