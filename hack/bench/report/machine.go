// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Machine is where the figures were measured.
type Machine struct {
	CPU       string  `json:"cpu"`
	Cores     int     `json:"cores"`
	MemoryGiB float64 `json:"memoryGiB"`
	System    string  `json:"system"`
	// Load is how many processes wanted to run in the minute before the beginning.
	Load string `json:"load"`
}

// Versions are those of what was measured.
type Versions struct {
	Go         string `json:"go"`
	Kubernetes string `json:"kubernetes"`
	Commit     string `json:"commit"`
	// Poller is that of crossplane-runtime, "" if it was not measured.
	Poller string `json:"poller,omitempty"`
}

// ThisMachine reads what the kernel says of this machine. What it does not say is left empty.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH}
	m.CPU = field("/proc/cpuinfo", "model name")
	var kibibytes float64
	if _, err := fmt.Sscanf(field("/proc/meminfo", "MemTotal"), "%f", &kibibytes); err == nil {
		m.MemoryGiB = float64(int(kibibytes/(1<<20)*10)) / 10
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(load), " ")
	}
	return m
}

func field(file, name string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Commit is that of the checkout, with "+" if files differ from it.
func Commit(ctx context.Context) string {
	head, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	commit := strings.TrimSpace(string(head))
	if changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output(); err == nil && len(changed) > 0 {
		commit += "+"
	}
	return commit
}

func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s GiB, %s, load %s at the beginning", m.CPU, m.Cores, Number(m.MemoryGiB), m.System, m.Load)
}

func (v Versions) String() string {
	s := fmt.Sprintf("commit %s, %s, Kubernetes %s", v.Commit, v.Go, v.Kubernetes)
	if v.Poller != "" {
		s += ", poller with crossplane-runtime " + v.Poller
	}
	return s
}
