// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package local

import "syscall"

// processAttributes puts a program into its own process group, so that a Ctrl-C at the terminal
// reaches only this process.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
