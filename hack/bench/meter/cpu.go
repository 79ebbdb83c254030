// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package meter reads what the manager costs: the time of processors, requests to Kubernetes, and
// requests to the API.
package meter

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc: user space always sees 100 of them a second.
const tick = 10 * time.Millisecond

// CPU is how long processors have worked for a process so far, in its own code and in the kernel.
func CPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read the time of a process, which only Linux tells: %w", err)
	}
	return parseStat(string(stat))
}

// parseStat reads utime and stime, the fields 14 and 15. The name before them may have spaces.
func parseStat(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("the process's stat has %d fields: %q", len(fields), stat)
	}
	var sum time.Duration
	for _, field := range []string{fields[utime], fields[stime]} {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("the process's stat: %w", err)
		}
		sum += time.Duration(ticks) * tick
	}
	return sum, nil
}
