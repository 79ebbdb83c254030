// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// asParent makes the test program start another program, as the demo does, and wait.
const asParent = "TEST_AS_PARENT_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asParent); dir != "" {
		p := &Processes{Dir: dir, Ended: func(error) {}}
		started, err := p.Start("sleep", "/bin/sh", nil, "-c", "exec sleep 1000")
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(started.cmd.Process.Pid)
		<-started.done
	}
	os.Exit(m.Run())
}

// stubborn is a program that ignores SIGTERM and has a child, whose id it prints.
var stubborn = []string{"-c", "trap '' TERM; sleep 1000 & echo $!; while :; do wait; done"}

func newProcesses(t *testing.T) *Processes {
	t.Helper()
	return &Processes{Dir: t.TempDir(), Ended: func(err error) { t.Errorf("ended unexpectedly: %v", err) }}
}

// printed waits for the number that a program prints, and returns it.
func printed(t *testing.T, read func() string) int {
	t.Helper()
	var number int
	if err := Await(t.Context(), Patience, "a number to be printed", func(context.Context) (err error) {
		number, err = strconv.Atoi(strings.TrimSpace(read()))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return number
}

// expectEnded fails the test if a program keeps running.
func expectEnded(t *testing.T, id int) {
	t.Helper()
	if err := Await(t.Context(), Patience, fmt.Sprintf("process %d to end", id), func(context.Context) error {
		if errors.Is(syscall.Kill(id, 0), syscall.ESRCH) {
			return nil
		}
		// Where no process reaps orphans, a dead one remains as a zombie.
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id)); err == nil && strings.Contains(string(stat), ") Z ") {
			return nil
		}
		return errors.New("it is there")
	}); err != nil {
		t.Error(err)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	p := newProcesses(t)
	first, err := p.Start("stubborn", "/bin/sh", nil, stubborn...)
	if err != nil {
		t.Fatal(err)
	}
	second, err := p.Start("obedient", "/bin/sh", nil, "-c", "exec sleep 1000")
	if err != nil {
		t.Fatal(err)
	}
	child := printed(t, func() string { return p.Log("stubborn") })

	p.Stop(10 * time.Millisecond)
	for _, id := range []int{first.cmd.Process.Pid, second.cmd.Process.Pid, child} {
		expectEnded(t, id)
	}
	if _, err := p.Start("late", "/bin/sh", nil, "-c", "exec sleep 1000"); !errors.Is(err, errStopped) {
		t.Errorf("start after stop: %v, want %v", err, errStopped)
	}
}

func TestSecondSignalNeedsNoGrace(t *testing.T) {
	p := newProcesses(t)
	started, err := p.Start("stubborn", "/bin/sh", nil, stubborn...)
	if err != nil {
		t.Fatal(err)
	}
	child := printed(t, func() string { return p.Log("stubborn") })
	p.Signal(syscall.SIGTERM)
	p.Signal(syscall.SIGKILL)
	p.Stop(time.Hour)
	expectEnded(t, started.cmd.Process.Pid)
	expectEnded(t, child)
}

func TestUnexpectedEnd(t *testing.T) {
	ended := make(chan error, 1)
	p := &Processes{Dir: t.TempDir(), Ended: func(err error) { ended <- err }}
	if _, err := p.Start("brittle", "/bin/sh", nil, "-c", "echo no such flag; exit 3"); err != nil {
		t.Fatal(err)
	}
	if err, want := <-ended, "brittle ended unexpectedly: exit status 3"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if diff := cmp.Diff("no such flag", p.Tail("brittle", 1)); diff != "" {
		t.Error(diff)
	}
	p.Stop(time.Hour)
}

func TestRunApart(t *testing.T) {
	stdout, stderr, err := RunApart(t.Context(), "/bin/sh", nil, "-c", "echo manifest; echo note >&2; exit 3")
	if stdout != "manifest\n" || stderr != "note\n" || err == nil || err.Error() != "exit status 3" {
		t.Errorf("stdout %q, stderr %q, error %v", stdout, stderr, err)
	}
	if output, err := Run(t.Context(), "/bin/sh", nil, "-c", "echo one; echo two >&2"); output != "one\ntwo\n" || err != nil {
		t.Errorf("output %q, error %v", output, err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	file := t.TempDir() + "/child"
	ended := make(chan error, 1)
	go func() {
		_, err := Run(ctx, "/bin/sh", nil, "-c", "trap '' TERM; sleep 1000 & echo $! >"+file+"; while :; do wait; done")
		ended <- err
	}()
	child := printed(t, func() string {
		content, _ := os.ReadFile(file) // it does not exist at first
		return string(content)
	})
	cancel(cause)
	if err := <-ended; !errors.Is(err, cause) {
		t.Errorf("error %v, want %v", err, cause)
	}
	expectEnded(t, child)
}
