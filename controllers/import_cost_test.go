// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// requestLog has what the suite's managers ask of Kubernetes about Accounts and Imports, without
// watches.
type requestLog struct {
	mu   sync.Mutex
	sent []string
}

var requests requestLog

func (l *requestLog) record(next http.RoundTripper) http.RoundTripper {
	return sender(func(request *http.Request) (*http.Response, error) {
		path, ok := strings.CutPrefix(request.URL.Path, "/apis/"+v1alpha1.GroupVersion.String()+"/")
		if ok && request.URL.Query().Get("watch") == "" {
			if selector := request.URL.Query().Get("labelSelector"); selector != "" {
				path += "?" + selector
			}
			l.mu.Lock()
			l.sent = append(l.sent, request.Method+" "+path)
			l.mu.Unlock()
		}
		return next.RoundTrip(request)
	})
}

// about are the requests that have this text.
func (l *requestLog) about(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.sent), func(request string) bool { return !strings.Contains(request, text) })
}

var _ = Describe("I adopt thousands of imports", func() {
	It("costs four requests to Kubernetes and three to the API for each, however many there are", func(ctx context.Context) {
		w := newWorld(ctx)
		id := w.seed("prices")
		w.scans(1)
		before := w.calls()
		object := adopting(w.httpImport("prices"), v1alpha1.AdoptSpec{ID: v1alpha1.ID(id)})
		w.synced(ctx, object)

		path := "namespaces/" + w.namespace + "/imports/prices"
		rivals := requests.about(id)
		Expect(rivals).To(HaveLen(1))
		Expect(rivals[0]).To(HavePrefix("GET imports?" + v1alpha1.LabelRemoteImport + " in ("))
		Expect(requests.about(path)).To(Equal([]string{"PATCH " + path, "PATCH " + path, "PATCH " + path + "/status"}))

		calls := w.calls()
		for call, count := range before {
			calls[call] -= count
		}
		Expect(calls).To(Equal(map[string]int{getOne: 1, dependants: 1, audit: 1}))
	})
})
