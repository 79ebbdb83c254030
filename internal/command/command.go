// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
)

// plugin is the name of the program that kubectl runs for "kubectl integrator": the manager, under
// another name. As such it never runs the operator.
const plugin = "kubectl-integrator"

// call is what a command is called with.
type call struct {
	// program is what the user types before the command: manager, or kubectl integrator.
	program        string
	args           []string
	stdout, stderr io.Writer
}

// subcommand is one of the commands of the manager besides running the operator.
type subcommand struct {
	name, about string
	run         func(context.Context, call) int
}

// subcommands are all of them, in the order of the help.
func subcommands() []subcommand {
	return []subcommand{
		{"export", "Print the imports that exist in an account as Import manifests.", runExportCommand},
		{"version", "Print the version of this program.", runVersion},
	}
}

// Execute runs the command that the arguments of a process name, and returns its exit code. ran is
// false where they name none, so that the operator is to run. The context ends with a signal, and is
// only asked for by a command.
func Execute(signals func() context.Context, args []string, stdout, stderr io.Writer) (code int, ran bool) {
	c := call{program: "manager", stdout: stdout, stderr: stderr}
	named := ""
	if len(args) > 1 {
		named, c.args = args[1], args[2:]
	}
	if IsPlugin(args) {
		c.program = strings.Replace(plugin, "-", " ", 1)
		switch strings.TrimLeft(named, "-") {
		case "", "h", "help":
			return help(c), true
		case "version":
			named = "version"
		}
	} else if named == "" || strings.HasPrefix(named, "-") {
		return 0, false
	}
	if named == "help" {
		return help(c), true
	}
	return run(signals, named, c), true
}

// run runs a command by its name, and returns the exit code.
func run(signals func() context.Context, name string, c call) int {
	for _, command := range subcommands() {
		if command.name == name {
			return command.run(signals(), c)
		}
	}
	fmt.Fprintf(c.stderr, "error: unknown command %q; see %s help\n", name, c.program)
	return 1
}

// IsPlugin reports whether kubectl runs the program, by the name that it was started with. That is
// a path, on Windows with backslashes and the name's extension.
func IsPlugin(args []string) bool {
	if len(args) == 0 {
		return false
	}
	name := path.Base(strings.ReplaceAll(args[0], `\`, "/"))
	return strings.TrimSuffix(name, ".exe") == plugin
}

// help prints the commands, or with the name of a command that one's own help.
func help(c call) int {
	if len(c.args) > 0 {
		name := c.args[0]
		c.args = []string{"--help"}
		return run(context.Background, name, c)
	}
	PrintUsage(c.stdout, c.program)
	return 0
}

// PrintUsage prints how the program is called, and its commands.
func PrintUsage(out io.Writer, program string) {
	if program == "manager" {
		fmt.Fprint(out, "Usage: manager [flags]             run the operator; manager --help lists the flags\n"+
			"       manager COMMAND [flags]     run a command\n")
	} else {
		fmt.Fprintf(out, "Usage: %s COMMAND [flags]\n", program)
	}
	fmt.Fprint(out, "\nCommands:\n")
	for _, command := range subcommands() {
		fmt.Fprintf(out, "  %-10s %s\n", command.name, command.about)
	}
	fmt.Fprintf(out, "\n%s COMMAND --help prints the flags of a command.\n", program)
}
