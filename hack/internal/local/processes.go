// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The kernel kills a program when the thread that started it ends (see processAttributes). So one
// goroutine starts all of them and keeps its thread for as long as this process lives.
var starts = make(chan func())

func init() {
	go func() {
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
}

// startBound starts a program that ends with this process.
func startBound(cmd *exec.Cmd) error {
	cmd.SysProcAttr = processAttributes()
	err := make(chan error)
	starts <- func() { err <- cmd.Start() }
	return <-err
}

// Processes are programs that run in the background, each with a log in Dir.
type Processes struct {
	Dir string
	// Ended is called when a program ends that was not asked to.
	Ended func(error)

	mu      sync.Mutex
	running []*Process
	stopped bool
}

// Process is one of them.
type Process struct {
	name string
	cmd  *exec.Cmd
	// done is closed when it has ended. asked is set before it is asked to end, or killed.
	done  chan struct{}
	asked atomic.Bool
}

var errStopped = errors.New("everything is being stopped")

// Start starts a program. Its output is appended to its log.
func (p *Processes) Start(name, path string, env []string, args ...string) (*Process, error) {
	log, err := os.OpenFile(p.LogPath(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the program has its own handle
	started := &Process{name: name, cmd: exec.Command(path, args...), done: make(chan struct{})}
	started.cmd.Env = env
	started.cmd.Stdout, started.cmd.Stderr = log, log

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return nil, errStopped
	}
	if err := startBound(started.cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.running = append(p.running, started)
	go p.wait(started)
	return started, nil
}

// Kill kills a program, and returns when it has ended.
func (s *Process) Kill() {
	s.asked.Store(true)
	s.Signal(syscall.SIGKILL)
	<-s.done
}

// Terminate asks a program to end, and does not wait for it.
func (s *Process) Terminate() {
	s.asked.Store(true)
	s.Signal(syscall.SIGTERM)
}

// Signal sends a signal to the program's process group, if it still runs.
func (s *Process) Signal(signal syscall.Signal) {
	select {
	case <-s.done:
		// Its process id may belong to another process by now.
	default:
		_ = syscall.Kill(-s.cmd.Process.Pid, signal) // it may just have ended
	}
}

// PID is the program's process id.
func (s *Process) PID() int { return s.cmd.Process.Pid }

// PIDs are the process ids of all programs that run, by their names. Of several with one name, it is that of the one
// that was started last.
func (p *Processes) PIDs() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := map[string]int{}
	for _, running := range p.running {
		ids[running.name] = running.PID()
	}
	return ids
}

// Done is closed when the program has ended.
func (s *Process) Done() <-chan struct{} { return s.done }

func (p *Processes) wait(started *Process) {
	err := started.cmd.Wait()
	close(started.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = slices.DeleteFunc(p.running, func(other *Process) bool { return other == started })
	if p.stopped || started.asked.Load() {
		return
	}
	how := "exit status 0"
	if err != nil {
		how = err.Error()
	}
	p.Ended(&EndedError{started.name, how})
}

// EndedError reports that a program ended that was not asked to.
type EndedError struct{ Name, How string }

func (e *EndedError) Error() string { return fmt.Sprintf("%s ended unexpectedly: %s", e.Name, e.How) }

// Stop asks all programs to end, waits for up to grace, and kills the others. Afterwards no program
// runs, and none can be started.
func (p *Processes) Stop(grace time.Duration) {
	running := p.Signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	for _, started := range running {
		select {
		case <-started.done:
		case <-timer.C:
			p.Signal(syscall.SIGKILL)
			<-started.done
		}
	}
}

// Signal sends a signal to every program's process group, and returns those programs. No program can
// be started afterwards.
func (p *Processes) Signal(signal syscall.Signal) []*Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	for _, started := range p.running {
		started.Signal(signal)
	}
	return slices.Clone(p.running)
}

// Run runs a program to its end and returns its standard output and error together.
func Run(ctx context.Context, path string, env []string, args ...string) (string, error) {
	var output bytes.Buffer
	err := runInto(ctx, &output, &output, path, env, args...)
	return output.String(), err
}

// RunApart is Run with standard output and error returned separately.
func RunApart(ctx context.Context, path string, env []string, args ...string) (stdout, stderr string, err error) {
	var out, notes bytes.Buffer
	err = runInto(ctx, &out, &notes, path, env, args...)
	return out.String(), notes.String(), err
}

func runInto(ctx context.Context, stdout, stderr io.Writer, path string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := startBound(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// LogPath returns the path of a program's log.
func (p *Processes) LogPath(name string) string { return filepath.Join(p.Dir, name+".log") }

// Log returns a program's log so far, "" if it was not started.
func (p *Processes) Log(name string) string {
	content, err := os.ReadFile(p.LogPath(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	return string(content)
}

// Tail returns the last lines of a program's log.
func (p *Processes) Tail(name string, lines int) string {
	all := strings.Split(strings.TrimRight(p.Log(name), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
