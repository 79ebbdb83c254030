// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"bufio"
	"os"
	"os/exec"
	"testing"
)

// A demo that is killed cannot clean up, so the kernel does.
func TestProgramsEndWithAKilledDemo(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	demo := exec.Command(self)
	demo.Env = append(os.Environ(), asParent+"="+t.TempDir())
	output, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	id := printed(t, func() string { return line })
	if err := demo.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := demo.Wait(); err == nil {
		t.Error("the demo ended before it was killed")
	}
	expectEnded(t, id)
}
