// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
)

func TestAdd(t *testing.T) {
	key := Key{Table: "operations", Row: "200 creations", System: "operator", Name: "Ready after", Objects: 200, Unit: "s"}
	tests := []struct {
		reason string
		values []Value
		want   Summary
	}{
		{
			reason: "the ratio is the median of the ratios, and not the ratio of the medians",
			values: []Value{{Key: key, Value: 2, Bound: 1}, {Key: key, Value: 3, Bound: 3}, {Key: key, Value: 5, Bound: 2}},
			want:   Summary{Median: 3, Min: 2, Max: 5, Bound: ptr.To(2.0), Ratio: ptr.To(2.0)},
		},
		{
			reason: "of two values, the median is between them, and a target for the ratio is held against the ratio",
			values: []Value{{Key: key, Value: 2, Bound: 2, Target: RatioAtMost(1.3)}, {Key: key, Value: 4, Bound: 4, Target: RatioAtMost(1.3)}},
			want:   Summary{Median: 3, Min: 2, Max: 4, Bound: ptr.To(3.0), Ratio: ptr.To(1.0), Met: ptr.To(true)},
		},
		{
			reason: "a target that is missed",
			values: []Value{{Key: key, Value: 94, Target: AtLeast(95)}},
			want:   Summary{Median: 94, Min: 94, Max: 94, Met: ptr.To(false)},
		},
		{
			reason: "0 is a value that can be reached",
			values: []Value{{Key: key, Value: 0, Target: AtMost(0)}},
			want:   Summary{Met: ptr.To(true)},
		},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			var r Record
			r.Add(tt.values...)
			if len(r.Figures) != 1 {
				t.Fatalf("%d figures", len(r.Figures))
			}
			if diff := cmp.Diff(tt.want, r.Figures[0].Summary); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRenew: of what a later run has measured, only its figures are left, where the earlier ones were.
func TestRenew(t *testing.T) {
	measured := func(commit string, rows ...string) *Record {
		r := &Record{Run: Run{Versions: Versions{Commit: commit}}}
		for i, row := range rows {
			r.Add(Value{Key: Key{Table: row[:1], Row: row, Name: "after"}, Value: float64(len(commit)*10 + i)})
		}
		return r
	}
	r := measured("a", "a1", "b1", "b2", "c1")
	r.Renew(measured("bb", "b1", "b3"))
	r.Renew(measured("ccc", "d1"))
	r.Renew(measured("dddd", "d1"))
	r.Renew(measured("eeeee"))
	var got []string
	for _, f := range r.Figures {
		got = append(got, fmt.Sprint(f.Row, " ", f.Values))
	}
	if diff := cmp.Diff([]string{"a1 [10]", "b1 [20]", "b3 [21]", "b2 [12]", "c1 [13]", "d1 [40]"}, got); diff != "" {
		t.Error(diff)
	}
	later := []Later{{Run{Versions: Versions{Commit: "bb"}}, []string{"b"}}, {Run{Versions: Versions{Commit: "dddd"}}, []string{"d"}}}
	if diff := cmp.Diff(later, r.Later); diff != "" || r.Versions.Commit != "a" {
		t.Errorf("of the commit %s: %s", r.Versions.Commit, diff)
	}
}

func TestQuantile(t *testing.T) {
	var values []float64
	for i := range 100 {
		values = append(values, float64(100-i))
	}
	for share, want := range map[float64]float64{0.5: 50, 0.99: 99, 1: 100} {
		if got := Quantile(values, share); got != want {
			t.Errorf("%v: %v, want %v", share, got, want)
		}
	}
}

func TestPrint(t *testing.T) {
	var r Record
	r.Add(Value{Key: Key{Row: "200 creations", System: "operator", Name: "Ready after", Unit: "s"}, Value: 3, Bound: 2, Target: RatioAtMost(1.3)})
	var out bytes.Buffer
	r.Print(&out)
	for _, want := range []string{"200 creations", "3 s", "2 s", "1.50", "ratio ≤ 1.30: missed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}
