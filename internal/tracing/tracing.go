// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package tracing sends traces of reconciles and of their calls with OpenTelemetry, if it is set up. A span
// has the kind, the namespace and the name of an object, a reason, and of a call the route's template and
// the status: never a payload, a token, a query or an id of the API.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// name is that of the service, and of the tracer.
const name = "integrator-operator"

// tracer does nothing until Setup.
var tracer = otel.Tracer(name)

// Setup sends traces to an endpoint of OTLP over HTTP, such as http://collector:4318, in the background.
// stop sends what is left. Without an endpoint, there are no traces.
func Setup(ctx context.Context, endpoint string, log logr.Logger) (stop func(context.Context) error, err error) {
	if endpoint == "" {
		return func(context.Context) error { return nil }, nil
	}
	if err := validate(endpoint); err != nil {
		return nil, fmt.Errorf("the endpoint of traces: %w", err)
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, err
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", name))),
	)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Info("Traces cannot be sent", "error", err.Error()) }))
	otel.SetTracerProvider(provider)
	return provider.Shutdown, nil
}

// validate accepts a URL of a server. What is wrong with one is said without repeating it.
func validate(endpoint string) error {
	parsed, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return errors.New("it is not a URL")
	case parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Host == "":
		return errors.New("it must be a URL that begins with http:// or https://")
	case parsed.User != nil, parsed.RawQuery != "", parsed.Fragment != "":
		return errors.New("it must be a URL without a user name, a query or a fragment; headers can be set with OTEL_EXPORTER_OTLP_HEADERS")
	default:
		return nil
	}
}

// Reconciler makes a span of each reconcile of a kind.
func Reconciler(kind string, traced reconcile.Reconciler) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		ctx, span := tracer.Start(ctx, "reconcile "+kind)
		defer span.End()
		if !span.IsRecording() {
			return traced.Reconcile(ctx, req)
		}
		span.SetAttributes(attribute.String("k8s.kind", kind), attribute.String("k8s.namespace.name", req.Namespace), attribute.String("k8s.object.name", req.Name))
		result, err := traced.Reconcile(ctx, req)
		if err != nil {
			// The text may repeat what the API answered.
			span.SetStatus(codes.Error, "")
		}
		return result, err
	})
}

// Reason adds to the span of a reconcile why it ended.
func Reason(ctx context.Context, reason string) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(attribute.String("integrator.reason", reason))
	}
}
