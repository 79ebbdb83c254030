// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// collection is the path of all Secrets or ConfigMaps, of a namespace or of the cluster; what
// is asked for one by its name has another.
var collection = regexp.MustCompile(`^/api/v1/(?:namespaces/[^/]+/)?(secrets|configmaps)$`)

// bulkReads are the lists and watches of Secrets and ConfigMaps by the suite's managers.
type bulkReads struct {
	mu sync.Mutex
	// metadata counts those that asked for metadata, by resource; bodies are the others.
	metadata map[string]int
	bodies   []string
}

var bulk = &bulkReads{metadata: map[string]int{}}

// record notes what is sent by a client.
func (b *bulkReads) record(next http.RoundTripper) http.RoundTripper {
	return sender(func(request *http.Request) (*http.Response, error) {
		if match := collection.FindStringSubmatch(request.URL.Path); match != nil && request.Method == http.MethodGet {
			b.note(match[1], request)
		}
		return next.RoundTrip(request)
	})
}

func (b *bulkReads) note(resource string, request *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// The server answers in the first form that it knows, and it knows this one.
	accept := request.Header.Get("Accept")
	first, _, _ := strings.Cut(accept, ",")
	if strings.Contains(first, ";as=PartialObjectMetadata") && strings.Contains(first, ";g=meta.k8s.io;v=v1") {
		b.metadata[resource]++
		return
	}
	b.bodies = append(b.bodies, fmt.Sprintf("%s, Accept: %s", request.URL, accept))
}

func (b *bulkReads) seen(resource string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.metadata[resource]
}

// ofBodies are those that got the content of all Secrets or ConfigMaps.
func (b *bulkReads) ofBodies() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bodies
}

// sender is a function as a transport.
type sender func(*http.Request) (*http.Response, error)

func (s sender) RoundTrip(request *http.Request) (*http.Response, error) { return s(request) }

var _ = Describe("I have Secrets that the operator has nothing to do with", func() {
	// The suite asks once more at its end, for what other stories made the operator read.
	It("reads only those that an object names; of all others it sees the metadata", func(ctx context.Context) {
		w := newWorld(ctx)
		Expect(k8s.Create(ctx, w.httpImport("orders"))).To(Succeed())
		w.eventuallyReady(ctx, &v1alpha1.Import{}, "orders")
		for _, resource := range []string{"secrets", "configmaps"} {
			Eventually(bulk.seen).WithArguments(resource).Should(BeNumerically(">", 0), "watches of %s", resource)
		}
		Expect(bulk.ofBodies()).To(BeEmpty())
	})
})
