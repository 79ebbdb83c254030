// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory is what a process has in memory, in bytes: now, and at most since it began.
type Memory struct{ Resident, Peak int64 }

// ReadMemory reads it from the kernel.
func ReadMemory(pid int) (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, fmt.Errorf("read the memory of a process, which only Linux has in a file: %w", err)
	}
	return parseStatus(string(status))
}

// parseStatus reads VmRSS and VmHWM, which are in KiB.
func parseStatus(status string) (m Memory, err error) {
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		into := map[string]*int64{"VmRSS": &m.Resident, "VmHWM": &m.Peak}[name]
		if into == nil {
			continue
		}
		kibibytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
		if err != nil {
			return m, fmt.Errorf("the process's status: %w", err)
		}
		*into = kibibytes << 10
	}
	if m.Resident == 0 || m.Peak == 0 {
		return m, fmt.Errorf("the process's status has no VmRSS and VmHWM: %q", status)
	}
	return m, nil
}
