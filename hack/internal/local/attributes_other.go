// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package local

import "syscall"

// processAttributes put a program into a process group of its own, so that a Ctrl-C at
// the terminal reaches the demo alone.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
