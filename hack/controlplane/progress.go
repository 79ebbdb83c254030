// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// How often the line is renewed: in place on a terminal, as a further line in a log.
const (
	terminalInterval = time.Second
	logInterval      = 30 * time.Second
)

// keptLines bounds what is kept of the go command's messages for the case of failure.
const keptLines = 200

// progress reads what "go build -v" writes to stderr (a line for each module it fetches,
// each package it compiles and each message) and turns it into one line of progress.
type progress struct {
	out      *os.File
	label    string
	terminal bool
	start    time.Time
	stop     chan struct{}
	stopped  sync.WaitGroup

	mu       sync.Mutex
	partial  []byte   // an unfinished line
	fetched  int      // modules
	compiled int      // packages
	messages []string // everything else, the last keptLines
}

// newProgress starts showing progress on out until finish is called.
func newProgress(out *os.File, label string) *progress {
	p := &progress{out: out, label: label, start: time.Now(), stop: make(chan struct{})}
	if info, err := out.Stat(); err == nil {
		p.terminal = info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
	interval := logInterval
	if p.terminal {
		interval = terminalInterval
	}
	fmt.Fprint(out, p.line(""))
	p.stopped.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				fmt.Fprint(out, p.line(""))
			}
		}
	})
	return p
}

// Write takes the go command's stderr.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.partial = append(p.partial, b...)
	for {
		end := bytes.IndexByte(p.partial, '\n')
		if end < 0 {
			return len(b), nil
		}
		p.note(string(p.partial[:end]))
		p.partial = p.partial[end+1:]
	}
}

// note counts one line.
func (p *progress) note(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		p.fetched++
	case line != "" && !strings.ContainsAny(line, " \t:#"): // a package path alone
		p.compiled++
	default:
		p.messages = append(p.messages, line)
		if len(p.messages) > keptLines {
			p.messages = p.messages[len(p.messages)-keptLines:]
		}
	}
}

// line is how far the build is. On a terminal it is written over the one before, and
// only the last one, which has an outcome, ends the line.
func (p *progress) line(outcome string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf("%s  %s", p.label, time.Since(p.start).Round(time.Second))
	if p.fetched > 0 {
		text += fmt.Sprintf(", %d modules fetched", p.fetched)
	}
	if p.compiled > 0 {
		text += fmt.Sprintf(", %d packages compiled", p.compiled)
	}
	text += outcome
	if p.terminal {
		text = "\r\x1b[K" + text
	}
	if !p.terminal || outcome != "" {
		text += "\n"
	}
	return text
}

// finish writes the last line.
func (p *progress) finish(ok bool) {
	close(p.stop)
	p.stopped.Wait()
	outcome := ", failed"
	if ok {
		outcome = ", done"
	}
	fmt.Fprint(p.out, p.line(outcome))
}

// showOutput writes the messages of the go command.
func (p *progress) showOutput() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range append(p.messages, string(p.partial)) {
		if line != "" {
			fmt.Fprintln(p.out, line)
		}
	}
}
