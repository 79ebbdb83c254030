// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Terminal shows the scenarios: headings, explanations, commands and their output. It uses
// colours only if its output is a terminal.
type Terminal struct {
	out    io.Writer
	colour bool
}

const (
	bold  = "\033[1m"
	green = "\033[32m"
	dim   = "\033[2m"
	plain = "\033[0m"
)

// NewTerminal returns a Terminal that writes to out.
func NewTerminal(out *os.File) *Terminal {
	info, err := out.Stat()
	interactive := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &Terminal{out: out, colour: interactive && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (t *Terminal) paint(colour, text string) string {
	if !t.colour {
		return text
	}
	return colour + text + plain
}

// Heading shows the title of a scenario.
func (t *Terminal) Heading(number int, title string) {
	fmt.Fprintf(t.out, "\n%s\n", t.paint(bold, fmt.Sprintf("%d. %s", number, title)))
}

// Explain shows an explanation of one or more lines.
func (t *Terminal) Explain(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		fmt.Fprintln(t.out, t.paint(dim, "# "+strings.TrimRight(line, "\n")))
	}
}

// Command shows a command as a user would type it.
func (t *Terminal) Command(name string, args ...string) {
	fmt.Fprintln(t.out, t.paint(green, "$ "+commandLine(name, args)))
}

// CommandToFile shows a command whose output is redirected to a file.
func (t *Terminal) CommandToFile(file, name string, args ...string) {
	fmt.Fprintln(t.out, t.paint(green, "$ "+commandLine(name, args)+" > "+quote(file)))
}

// Output shows the output of a command.
func (t *Terminal) Output(text string) {
	fmt.Fprintln(t.out, strings.TrimRight(text, "\n"))
}

// commandLine returns a command as a user would type it.
func commandLine(name string, args []string) string {
	line := name
	for _, arg := range args {
		line += " " + quote(arg)
	}
	return line
}

// quote returns an argument as a shell takes it.
func quote(arg string) string {
	if arg != "" && !strings.ContainsAny(arg, " \t\n'\"\\$`!*?[](){}<>|&;#~") {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
