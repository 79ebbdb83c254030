// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"errors"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
)

func TestLimitMemory(t *testing.T) {
	const container = 1000 << 20
	for name, tc := range map[string]struct {
		reason      string
		environment map[string]string
		container   memlimit.Provider
		percent     int
		limit       int64
	}{
		"Container":  {"nine tenths of the limit", nil, memlimit.Limit(container), garbage, container * 9 / 10},
		"Unlimited":  {"a container without a limit", nil, func() (uint64, error) { return 0, memlimit.ErrNoLimit }, garbage, math.MaxInt64},
		"NoCgroup":   {"a process outside of a container", nil, func() (uint64, error) { return 0, memlimit.ErrNoCgroup }, garbage, math.MaxInt64},
		"Unreadable": {"a limit that cannot be read stops nothing", nil, func() (uint64, error) { return 0, errors.New("cannot read it") }, garbage, math.MaxInt64},
		"GOMEMLIMIT": {"what the user sets goes before", map[string]string{"GOMEMLIMIT": "700MiB"}, memlimit.Limit(container), garbage, math.MaxInt64},
		"GOGC":       {"what the user sets goes before", map[string]string{"GOGC": "80"}, memlimit.Limit(container), 100, container * 9 / 10},
		"Off":        {"Go decides alone", map[string]string{"AUTOMEMLIMIT": "off"}, memlimit.Limit(container), 100, math.MaxInt64},
		"Half":       {"another part of the limit", map[string]string{"AUTOMEMLIMIT": "0.5"}, memlimit.Limit(container), garbage, container / 2},
	} {
		t.Run(name, func(t *testing.T) {
			percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
			t.Cleanup(func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) })
			for _, variable := range []string{"GOMEMLIMIT", "GOGC", "AUTOMEMLIMIT"} {
				t.Setenv(variable, "") // it is put back at the end
				value, set := tc.environment[variable]
				if !set {
					_ = os.Unsetenv(variable)
					continue
				}
				t.Setenv(variable, value)
			}
			limitMemory(t.Context(), logr.Discard(), tc.container)
			got := []int64{int64(debug.SetGCPercent(100)), debug.SetMemoryLimit(-1)}
			if diff := cmp.Diff([]int64{int64(tc.percent), tc.limit}, got); diff != "" {
				t.Errorf("%s: percent and limit: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	const mebibyte = 1 << 20
	for name, tc := range map[string]struct {
		reason      string
		before, now usage
		want        bool
	}{
		"AfterABurst": {"much is spare, and little happens", usage{1000 * mebibyte, 0}, usage{1010 * mebibyte, 50 * mebibyte}, true},
		"Busy":        {"what is spare is needed again at once", usage{1000 * mebibyte, 0}, usage{1500 * mebibyte, 50 * mebibyte}, false},
		"Little":      {"it is not worth a collection", usage{1000 * mebibyte, 0}, usage{1010 * mebibyte, 5 * mebibyte}, false},
	} {
		if got := tc.now.wastes(tc.before); got != tc.want {
			t.Errorf("%s, %s: got %t", name, tc.reason, got)
		}
	}
	if got := readUsage(); got.allocated == 0 {
		t.Errorf("the runtime has not these metrics: %+v", got)
	}
	large := make([]byte, 64*mebibyte)
	runtime.KeepAlive(large)
	debug.FreeOSMemory()
	if freed := readUsage(); freed.spare > 32*mebibyte || freed.allocated < 64*mebibyte {
		t.Errorf("what was given back is spare no longer: %+v", freed)
	}
}
