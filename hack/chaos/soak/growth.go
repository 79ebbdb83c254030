// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// sample is what the process uses at one time: heap in bytes.
type sample struct{ heap, goroutines float64 }

// measure takes a sample of the process by its metrics.
func (s *soak) measure(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.metrics+"/metrics", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return err
	}
	gauge := func(name string) float64 {
		if family := families[name]; family != nil && len(family.Metric) > 0 {
			return family.Metric[0].GetGauge().GetValue()
		}
		return 0
	}
	s.samples = append(s.samples, sample{gauge("go_memstats_heap_alloc_bytes"), gauge("go_goroutines")})
	return nil
}

// quarters are the least heap, which is what is left after a collection, and the most goroutines
// of each quarter of the time.
func (s *soak) quarters() (out []sample) {
	n := max(1, (len(s.samples)+3)/4)
	for part := range slices.Chunk(s.samples, n) {
		q := part[0]
		for _, other := range part[1:] {
			q.heap, q.goroutines = min(q.heap, other.heap), max(q.goroutines, other.goroutines)
		}
		out = append(out, q)
	}
	return out
}

// growth returns an error when the process grows: from the second quarter on it has allocated all
// that it needs.
func (s *soak) growth() (violations []string) {
	q := s.quarters()
	if len(q) < 4 {
		return []string{"the soak was too short to measure whether the process grows"}
	}
	if first, last := q[1].heap, q[3].heap; last > 1.25*first+2<<20 {
		violations = append(violations, fmt.Sprintf("the heap grew from %.1f to %.1f MiB", first/(1<<20), last/(1<<20)))
	}
	if first, last := q[1].goroutines, q[3].goroutines; last > first+20 {
		violations = append(violations, fmt.Sprintf("goroutines grew from %.0f to %.0f", first, last))
	}
	return violations
}
