// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// receiver is a collector of OTLP over HTTP.
type receiver struct {
	server *httptest.Server

	mu    sync.Mutex
	raw   []byte
	spans []*spans.Span
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		var sent collector.ExportTraceServiceRequest
		if err != nil || request.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
			t.Errorf("%s %s with %d bytes: %v", request.Method, request.URL.Path, len(body), err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.raw = append(r.raw, body...)
		for _, resource := range sent.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				r.spans = append(r.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(r.server.Close)
	return r
}

// What no trace may have.
const (
	token   = "t0ken-of-the-account"
	id      = "5c9d0b6ee8a1f70016a4d1b3"
	payload = "a value of the payload"
	words   = "words of the API"
)

// reconcileOnce has one Import reconciled, with a read and a write of which the second fails.
func reconcileOnce(t *testing.T) {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"errors":[{"code":"invalid","message":"`+words+`"}]}`)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `[{"_id":"`+id+`"}]`)
	}))
	t.Cleanup(api.Close)
	client, err := integrator.New(integrator.Config{BaseURL: api.URL, Token: token, AllowHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	traced := Reconciler("Import", reconcile.Func(func(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
		for _, err := range client.ListImports(ctx, integrator.ListOptions{Include: []string{"lastModified"}}) {
			if err != nil {
				t.Error(err)
			}
		}
		_, err := client.PutImport(ctx, id, []byte(`{"name":"`+payload+`"}`))
		Reason(ctx, "Rejected")
		return reconcile.Result{}, err
	}))
	if _, err := traced.Reconcile(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "shop", Name: "orders"}}); err == nil {
		t.Error("the error of the reconcile is lost")
	}
}

// TestTraces: a collector gets a span of the reconcile and of each of its calls, and nothing that is
// confidential or has too many values.
func TestTraces(t *testing.T) {
	reconcileOnce(t) // before Setup: nothing may come of it
	r := newReceiver(t)
	stop, err := Setup(t.Context(), r.server.URL, logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	reconcileOnce(t)
	if err := stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	type span struct {
		Name, Parent string
		Kind         spans.Span_SpanKind
		Status       spans.Status_StatusCode
		Message      string
		Attributes   map[string]string
		Events       int
	}
	names := map[string]string{}
	for _, s := range r.spans {
		names[string(s.GetSpanId())] = s.GetName()
	}
	var got []span
	for _, s := range r.spans {
		attributes := map[string]string{}
		for _, a := range s.GetAttributes() {
			attributes[a.GetKey()] = strings.TrimSpace(a.GetValue().String())
		}
		got = append(got, span{
			Name: s.GetName(), Parent: names[string(s.GetParentSpanId())], Kind: s.GetKind(),
			Status: s.GetStatus().GetCode(), Message: s.GetStatus().GetMessage(), Attributes: attributes, Events: len(s.GetEvents()),
		})
	}
	const reconcile = "reconcile Import"
	want := []span{
		{
			Name: "GET /v1/imports", Parent: reconcile, Kind: spans.Span_SPAN_KIND_CLIENT,
			Attributes: map[string]string{"http.request.method": `string_value:"GET"`, "http.route": `string_value:"/v1/imports"`, "http.response.status_code": "int_value:200"},
		},
		{
			Name: "PUT /v1/imports/{id}", Parent: reconcile, Kind: spans.Span_SPAN_KIND_CLIENT, Status: spans.Status_STATUS_CODE_ERROR,
			Attributes: map[string]string{"http.request.method": `string_value:"PUT"`, "http.route": `string_value:"/v1/imports/{id}"`, "http.response.status_code": "int_value:422"},
		},
		{
			Name: reconcile, Kind: spans.Span_SPAN_KIND_INTERNAL, Status: spans.Status_STATUS_CODE_ERROR,
			Attributes: map[string]string{
				"k8s.kind": `string_value:"Import"`, "k8s.namespace.name": `string_value:"shop"`, "k8s.object.name": `string_value:"orders"`,
				"integrator.reason": `string_value:"Rejected"`,
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	for _, secret := range []string{token, id, payload, words, "include=", "127.0.0.1"} {
		if strings.Contains(string(r.raw), secret) {
			t.Errorf("the traces contain %q", secret)
		}
	}
}

// TestWithoutEndpoint: by default there are no traces, and a reconcile makes no span.
func TestWithoutEndpoint(t *testing.T) {
	stop, err := Setup(t.Context(), "", logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
	if trace.SpanFromContext(t.Context()).IsRecording() {
		t.Error("a span is recorded")
	}
}

func TestEndpoint(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, endpoint, fails string
	}{
		"HTTP":     {"a collector in the cluster", "http://collector.monitoring:4318", ""},
		"HTTPS":    {"one outside", "https://traces.example.com/otlp/v1/traces", ""},
		"NoScheme": {"a host alone says not whether to use TLS", "collector:4318", "http://"},
		"GRPC":     {"the protocol is HTTP", "grpc://collector:4317", "http://"},
		"NoHost":   {"somebody has to receive them", "http://", "http://"},
		"Password": {"flags are no place for a password", "https://me:s3cret@traces.example.com", "without a user name"},
		"Query":    {"nor is a query for a key", "https://traces.example.com/?key=s3cret", "without a user name"},
		"Not":      {"this is nothing", "http://a b", "not a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			err := validate(tc.endpoint)
			if tc.fails == "" && err != nil || tc.fails != "" && (err == nil || !strings.Contains(err.Error(), tc.fails)) {
				t.Errorf("%s: %v, want %q", tc.reason, err, tc.fails)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error repeats the password: %v", err)
			}
		})
	}
}
