// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/docs/page"
	"github.com/integrator-operator/integrator-operator/hack/docs/stack"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// report says what was run of one or more pages.
type report struct {
	verbose bool

	pages, blocks, compared, failed int
	// notRun has a line for each block that was not run.
	notRun []string
	// text is what is printed of the pages.
	text strings.Builder
}

// follower runs the blocks of one page.
type follower struct {
	*report
	file   string
	reader *stack.Reader
	block  page.Block
}

// follow runs a page. A block that fails ends it, because the blocks after it follow from that.
func follow(ctx context.Context, s *stack.Stack, file string, blocks []page.Block, verbose bool) (*report, error) {
	r := &report{pages: 1, verbose: verbose}
	start := time.Now()
	reader, err := s.NewReader(ctx, "docs-"+strings.ToLower(nameOf(file)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, block := range blocks {
		f := &follower{report: r, file: file, reader: reader, block: block}
		if err := f.follow(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			r.failed++
			fmt.Fprintf(&r.text, "FAILED %s:%d: %v\nThe end of the manager's log:\n%s\n\n", file, block.Line, err, s.ManagerLog())
			break
		}
	}
	fmt.Fprintf(&r.text, "%-32s %3d blocks %6.1fs\n", file, r.blocks, time.Since(start).Seconds())
	return r, nil
}

// ready makes the operator run.
func ready(ctx context.Context, s *stack.Stack) error {
	installed, err := s.Installed(ctx)
	if err != nil {
		return err
	}
	if !installed {
		return s.Install(ctx)
	}
	return s.Manager(ctx, stack.Running)
}

// follow runs a block.
func (f *follower) follow(ctx context.Context) error {
	b := f.block
	if reason := f.reasonNotToRun(); reason != "" {
		f.notRun = append(f.notRun, fmt.Sprintf("%s:%d: %s", f.file, b.Line, reason))
		return nil
	}
	if f.verbose {
		start := time.Now()
		defer func() { fmt.Fprintf(&f.text, "%s:%d %.1fs\n", f.file, b.Line, time.Since(start).Seconds()) }()
	}
	for _, step := range b.Before {
		if err := f.before(ctx, step); err != nil {
			return err
		}
	}
	if err := f.commands(ctx); err != nil {
		return err
	}
	for _, script := range b.After {
		if err := f.reader.Prepare(ctx, script); err != nil {
			return fmt.Errorf("<!-- after: -->: %w", err)
		}
	}
	return nil
}

func (f *follower) before(ctx context.Context, step page.Step) error {
	if step.Manager != "" {
		return f.reader.Manager(ctx, step.Manager)
	}
	if err := f.reader.Prepare(ctx, step.Script); err != nil {
		return fmt.Errorf("<!-- before: -->: %w", err)
	}
	return nil
}

func (f *follower) commands(ctx context.Context) error {
	b := f.block
	if err := b.Replace(f.reader.Expand); err != nil {
		return err
	}
	if b.File != "" {
		return f.reader.Write(f.reader.Expand(b.File), b.Content)
	}
	f.blocks++
	for _, command := range b.Commands {
		if err := f.command(ctx, command); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) reasonNotToRun() string {
	if f.block.NotRun != "" {
		return f.block.NotRun
	}
	for _, program := range f.block.Needs {
		if _, err := exec.LookPath(program); err != nil {
			return "needs " + program + ", which is not installed"
		}
	}
	return ""
}

// patience is how long a command may take to print what is shown.
const patience = 45 * time.Second

func (f *follower) command(ctx context.Context, command page.Command) error {
	run := func(ctx context.Context) error { return f.once(ctx, command.Script, command.Output) }
	if command.Output != nil {
		f.compared++
	}
	if command.Output == nil || !command.Again {
		return run(ctx)
	}
	return local.Await(ctx, patience, "the command to print what the page shows", run)
}

// once runs a command, and compares its output with what is shown.
func (f *follower) once(ctx context.Context, script string, shown *string) error {
	output, err := f.reader.Run(ctx, script)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code, err = exit.ExitCode(), nil
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w\n%s\n%s", err, script, output)
	case code != f.block.Exit:
		return fmt.Errorf("exit code %d, want %d\n%s\n%s", code, f.block.Exit, script, output)
	case shown != nil && !page.Matches(*shown, output):
		return fmt.Errorf("the output is not what the page shows\n%s\n--- the page shows\n%s\n--- it is\n%s", script, *shown, output)
	default:
		return nil
	}
}

// add adds a page, and prints it.
func (r *report) add(out io.Writer, page *report) {
	r.pages += page.pages
	r.blocks += page.blocks
	r.compared += page.compared
	r.failed += page.failed
	r.notRun = append(r.notRun, page.notRun...)
	fmt.Fprint(out, page.text.String())
}

// end prints what was run, and returns an error if a page failed.
func (r *report) end(out io.Writer) error {
	fmt.Fprintf(out, "\n%d pages, %d blocks run, %d outputs compared, %d blocks not run\n", r.pages, r.blocks, r.compared, len(r.notRun))
	slices.Sort(r.notRun)
	for _, line := range r.notRun {
		fmt.Fprintln(out, "  not run: "+line)
	}
	if r.failed > 0 {
		return fmt.Errorf("%d pages failed", r.failed)
	}
	return nil
}
