// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import "syscall"

// processAttributes put a program into a process group of its own, so that a Ctrl-C at
// the terminal reaches the demo alone, and have the kernel end it when the demo dies
// without having had the time to.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
