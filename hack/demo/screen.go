// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// screen shows the story: chapters, explanations, commands and what they print. It has
// colours on a terminal only.
type screen struct {
	out    io.Writer
	colour bool
}

const (
	bold  = "\033[1m"
	green = "\033[32m"
	dim   = "\033[2m"
	plain = "\033[0m"
)

func newScreen(out *os.File) *screen {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &screen{out: out, colour: terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (s *screen) paint(colour, text string) string {
	if !s.colour {
		return text
	}
	return colour + text + plain
}

// chapter begins a part of the story.
func (s *screen) chapter(number int, title string) {
	fmt.Fprintf(s.out, "\n%s\n", s.paint(bold, fmt.Sprintf("%d. %s", number, title)))
}

// say explains, a line or more.
func (s *screen) say(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		fmt.Fprintln(s.out, s.paint(dim, "# "+strings.TrimRight(line, "\n")))
	}
}

// command shows a command as one would type it.
func (s *screen) command(name string, args ...string) {
	fmt.Fprintln(s.out, s.paint(green, "$ "+typed(name, args)))
}

// redirected shows a command whose output goes into a file.
func (s *screen) redirected(file, name string, args ...string) {
	fmt.Fprintln(s.out, s.paint(green, "$ "+typed(name, args)+" > "+quoted(file)))
}

// output shows what a command printed.
func (s *screen) output(text string) {
	fmt.Fprintln(s.out, strings.TrimRight(text, "\n"))
}

// typed is a command as one would type it.
func typed(name string, args []string) string {
	line := name
	for _, arg := range args {
		line += " " + quoted(arg)
	}
	return line
}

// quoted is an argument as a shell takes it.
func quoted(arg string) string {
	if arg != "" && !strings.ContainsAny(arg, " \t\n'\"\\$`!*?[](){}<>|&;#~") {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
