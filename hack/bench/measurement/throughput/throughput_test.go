// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package throughput

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/hack/bench/report"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

func TestBounds(t *testing.T) {
	tests := []struct {
		reason string
		least  bounds
		op     operation
		want   time.Duration
		of     string
	}{
		{"Kubernetes takes longer", bounds{kubernetes: 800 * time.Millisecond, api: 300 * time.Millisecond}, creation, 800 * time.Millisecond, "Kubernetes, 2 writes, 1 event each"},
		{"Kubernetes takes longer, and is read", bounds{kubernetes: 800 * time.Millisecond, api: 300 * time.Millisecond}, deletion, 800 * time.Millisecond, "Kubernetes, 1 read, 1 write, 1 event each"},
		{"the API takes longer", bounds{kubernetes: 400 * time.Millisecond, api: 600 * time.Millisecond}, update, 600 * time.Millisecond, "API, 2 requests each"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			got, of := tt.least.of(tt.op)
			if diff := cmp.Diff([]any{tt.want, tt.of}, []any{got, of}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestShare: what others were refused is left, and what they were given is not.
func TestShare(t *testing.T) {
	s := share{took: 10 * time.Second}
	for source, statuses := range map[string]map[int]int{
		"ui":  {http.StatusNotFound: 2600, http.StatusTooManyRequests: 100},
		"api": {http.StatusOK: 380, http.StatusTooManyRequests: 20},
	} {
		for status, n := range statuses {
			for range n {
				s.count(simulator.Entry{Source: source, Status: status})
			}
		}
	}
	var got []float64
	var r report.Record
	r.Add(s.values([]share{s, {took: time.Second, admitted: 240}, {took: time.Second, admitted: 270}})...)
	for _, f := range r.Figures {
		got = append(got, f.Summary.Median)
	}
	// 3,000 were possible, 2,600 went to others: 380 of 400 were used, and 20 of 400 requests were refused. In the
	// window in which least was used, 240 of 300 were.
	if diff := cmp.Diff([]float64{95, 80, 5}, got); diff != "" {
		t.Error(diff)
	}
}
