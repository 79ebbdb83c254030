// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package logging makes loggers that keep the content of Secrets out of the log.
package logging

import (
	"strings"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// maxLevel is the most verbose level that is logged. The Kubernetes client writes to the logger of
// the call: its requests from level 6 on, and from level 8 on all that it sends and receives, which
// includes Secrets.
const maxLevel = 5

// boundedSink logs up to maxLevel, whatever level was asked for.
type boundedSink struct{ logr.LogSink }

func (s boundedSink) Enabled(level int) bool {
	return level <= maxLevel && s.LogSink.Enabled(level)
}

func (s boundedSink) WithValues(keysAndValues ...any) logr.LogSink {
	return boundedSink{s.LogSink.WithValues(keysAndValues...)}
}

func (s boundedSink) WithName(name string) logr.LogSink {
	return boundedSink{s.LogSink.WithName(name)}
}

// Bounded returns the logger without anything more verbose than level 5, however it is configured.
// A program that runs the controllers logs through it: at higher levels the Kubernetes client logs
// what it sends and receives, the content of Secrets included.
func Bounded(logger logr.Logger) logr.Logger {
	return logger.WithSink(boundedSink{logger.GetSink()})
}

// Constructor makes the loggers of the reconciles of a kind, each bounded as by [Bounded].
func Constructor(logger logr.Logger, kind string) func(*reconcile.Request) logr.Logger {
	logger = Bounded(logger).WithValues("controller", strings.ToLower(kind), "controllerKind", kind)
	return func(request *reconcile.Request) logr.Logger {
		if request == nil {
			return logger
		}
		return logger.WithValues(kind, request.NamespacedName, "namespace", request.Namespace, "name", request.Name)
	}
}
