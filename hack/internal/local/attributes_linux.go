// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import "syscall"

// processAttributes puts a program into its own process group, so that a Ctrl-C at the terminal
// reaches only this process, and lets the kernel kill the program if this process dies without
// stopping it.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
