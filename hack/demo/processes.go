// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The kernel ends a program with the thread that started it (see processAttributes). So
// they are all started by the main goroutine, which stays on the main thread: that one
// lives as long as the demo.
func init() { runtime.LockOSThread() }

// processes are the programs that run beside the demo, each with a log in dir.
type processes struct {
	dir string
	// ended is told when a program ends that nobody told to.
	ended func(error)

	mu      sync.Mutex
	running []*process
	stopped bool
}

// process is one of them.
type process struct {
	name string
	cmd  *exec.Cmd
	// done is closed when it has ended.
	done chan struct{}
}

var errStopped = errors.New("the demo is being stopped")

// start starts a program. Only the main goroutine may call it.
func (p *processes) start(name, path string, env []string, args ...string) (*process, error) {
	log, err := os.OpenFile(p.logPath(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the program has its own
	started := &process{name: name, cmd: exec.Command(path, args...), done: make(chan struct{})}
	started.cmd.Env = env
	started.cmd.Stdout, started.cmd.Stderr = log, log
	started.cmd.SysProcAttr = processAttributes()

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return nil, errStopped
	}
	if err := started.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.running = append(p.running, started)
	go p.wait(started)
	return started, nil
}

func (p *processes) wait(started *process) {
	err := started.cmd.Wait()
	close(started.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	how := "exit status 0"
	if err != nil {
		how = err.Error()
	}
	p.ended(&endedError{started.name, how})
}

// endedError tells that a program ended that nobody told to.
type endedError struct{ name, how string }

func (e *endedError) Error() string { return fmt.Sprintf("%s ended by itself: %s", e.name, e.how) }

// stop asks all programs to end, waits up to grace, and kills what is left. Afterwards
// none is there any more, and none can be started.
func (p *processes) stop(grace time.Duration) {
	p.signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	for _, started := range p.running {
		select {
		case <-started.done:
		case <-timer.C:
			p.signal(syscall.SIGKILL)
			<-started.done
		}
	}
}

// signal sends a signal to every program's process group. From now on none is started.
func (p *processes) signal(signal syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	for _, started := range p.running {
		select {
		case <-started.done:
			// Its id may be another's by now.
		default:
			_ = syscall.Kill(-started.cmd.Process.Pid, signal) // it may end this moment
		}
	}
}

// run runs a program to its end and returns what it printed. Only the main goroutine may
// call it.
func run(ctx context.Context, path string, env []string, args ...string) (string, error) {
	var output bytes.Buffer
	err := runInto(ctx, &output, &output, path, env, args...)
	return output.String(), err
}

// runApart is run for a program whose standard error is something else.
func runApart(ctx context.Context, path string, env []string, args ...string) (stdout, stderr string, err error) {
	var out, notes bytes.Buffer
	err = runInto(ctx, &out, &notes, path, env, args...)
	return out.String(), notes.String(), err
}

func runInto(ctx context.Context, stdout, stderr io.Writer, path string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = processAttributes()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (p *processes) logPath(name string) string { return filepath.Join(p.dir, name+".log") }

// log returns what a program has printed so far: nothing, if it was not started.
func (p *processes) log(name string) string {
	content, err := os.ReadFile(p.logPath(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	return string(content)
}

// tail returns the last lines of a program's log.
func (p *processes) tail(name string, lines int) string {
	all := strings.Split(strings.TrimRight(p.log(name), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
