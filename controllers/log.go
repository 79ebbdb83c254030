// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// maxLogLevel is the most verbose level that a reconcile logs at. From 8 on the Kubernetes
// client writes all that it sends and is answered to the logger of the call, the Secrets that
// are read too; from 6 on its requests.
const maxLogLevel = 5

// boundedSink logs up to maxLogLevel, whatever level was asked for.
type boundedSink struct{ logr.LogSink }

func (s boundedSink) Enabled(level int) bool {
	return level <= maxLogLevel && s.LogSink.Enabled(level)
}

func (s boundedSink) WithValues(keysAndValues ...any) logr.LogSink {
	return boundedSink{s.LogSink.WithValues(keysAndValues...)}
}

func (s boundedSink) WithName(name string) logr.LogSink {
	return boundedSink{s.LogSink.WithName(name)}
}

// BoundedLog is the logger without what is more verbose than 5, however it is configured: from
// 6 on the Kubernetes client writes what it asks, and from 8 on what it is answered, the
// content of Secrets too. A program that runs the controllers logs through it.
func BoundedLog(logger logr.Logger) logr.Logger {
	return logger.WithSink(boundedSink{logger.GetSink()})
}

// logConstructor makes the loggers of the reconciles of a kind.
func logConstructor(logger logr.Logger, kind string) func(*reconcile.Request) logr.Logger {
	logger = BoundedLog(logger).WithValues("controller", strings.ToLower(kind), "controllerKind", kind)
	return func(req *ctrl.Request) logr.Logger {
		if req == nil {
			return logger
		}
		return logger.WithValues(kind, req.NamespacedName, "namespace", req.Namespace, "name", req.Name)
	}
}
