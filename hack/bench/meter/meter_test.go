// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseStat(t *testing.T) {
	tests := []struct {
		name, stat string
		want       time.Duration
		fails      bool
	}{
		{"a process", "7 (manager) S 1 7 7 0 -1 4194560 900 0 3 0 120 34 0 0 20 0 9 0 5000", 1540 * time.Millisecond, false},
		{"a name with spaces and brackets", "7 (a (b) c) S 1 7 7 0 -1 4194560 900 0 3 0 1 2 0 0 20 0 9 0 5000", 30 * time.Millisecond, false},
		{"too short", "7 (manager) S 1 7", 0, true},
		{"no number", "7 (manager) S 1 7 7 0 -1 4194560 900 0 3 0 x 34 0", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseStat(tt.stat)
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("%s, %v; want %s, an error: %t", got, err, tt.want, tt.fails)
			}
		})
	}
}

func TestParseMetrics(t *testing.T) {
	got, err := parseMetrics([]byte(`# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="integrator.io",resource="imports",scope="resource",subresource="status",verb="PATCH",version="v1alpha1"} 3
apiserver_request_total{code="409",component="apiserver",dry_run="",group="integrator.io",resource="imports",scope="resource",subresource="",verb="PATCH",version="v1alpha1"} 2
apiserver_request_total{code="200",component="apiserver",dry_run="",group="integrator.io",resource="imports",scope="cluster",subresource="",verb="LIST",version="v1alpha1"} 1
apiserver_request_total{code="200",component="apiserver",dry_run="",group="integrator.io",resource="imports",scope="cluster",subresource="",verb="WATCH",version="v1alpha1"} 50
apiserver_request_total{code="201",component="apiserver",dry_run="",group="integrator.io",resource="imports",scope="resource",subresource="",verb="POST",version="v1alpha1"} 60
apiserver_request_total{code="200",component="apiserver",dry_run="",group="integrator.io",resource="accounts",scope="resource",subresource="status",verb="PATCH",version="v1alpha1"} 4
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="GET",version="v1"} 1
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="namespaces",scope="resource",subresource="",verb="GET",version="v1"} 70
apiserver_request_total{code="201",component="apiserver",dry_run="",group="events.k8s.io",resource="events",scope="resource",subresource="",verb="POST",version="v1"} 8
apiserver_request_total{code="200",component="apiserver",dry_run="",group="poller.integrator.io",resource="polledimports",scope="resource",subresource="status",verb="PUT",version="v1alpha1"} 7
apiserver_request_duration_seconds_count{group="integrator.io",resource="imports",verb="PATCH"} 90
`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Kubernetes{Imports: Requests{Reads: 1, Writes: 5}, Accounts: Requests{Writes: 4}, Secrets: Requests{Reads: 1}, Polled: Requests{Writes: 7}, Events: 8}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := parseMetrics([]byte(`apiserver_request_total{verb="GET"} many`)); err == nil {
		t.Error("no error for a count that is no number")
	}
}

func TestParseStatus(t *testing.T) {
	tests := []struct {
		name, status string
		want         Memory
		fails        bool
	}{
		{"a process", "Name:\tmanager\nVmPeak:\t 1300000 kB\nVmHWM:\t   71680 kB\nVmRSS:\t   61440 kB\nThreads:\t9\n", Memory{Resident: 60 << 20, Peak: 70 << 20}, false},
		{"one that ended", "Name:\tmanager\nState:\tZ (zombie)\n", Memory{}, true},
		{"no number", "VmHWM:\t   many kB\n", Memory{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseStatus(tt.status)
			if (err != nil) != tt.fails {
				t.Fatalf("%v; want an error: %t", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
