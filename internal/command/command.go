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
// another name. As such it never runs the operator. pluginCommand does the same for the manager.
const plugin, pluginCommand = "kubectl-integrator", "kubectl"

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
	switch {
	case named == "" || strings.HasPrefix(named, "-"):
		return 0, false
	case named == "help":
		return help(c), true
	default:
		return run(signals, named, c), true
	}
}

// RunAs runs a command under the name of another program, and returns its exit code.
func RunAs(ctx context.Context, program, name string, args []string, stdout, stderr io.Writer) int {
	return run(func() context.Context { return ctx }, name, call{program: program, args: args, stdout: stdout, stderr: stderr})
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

// PluginArguments returns the arguments of kubectl integrator: kubectl runs the program by the name that
// it was started with, or the manager is started with the command kubectl. That name is a path, on
// Windows with backslashes and an extension. ok is false if neither is so.
func PluginArguments(args []string) (arguments []string, ok bool) {
	if len(args) == 0 {
		return nil, false
	}
	name := path.Base(strings.ReplaceAll(args[0], `\`, "/"))
	if strings.TrimSuffix(name, ".exe") == plugin {
		return args[1:], true
	}
	if len(args) > 1 && args[1] == pluginCommand {
		return args[2:], true
	}
	return nil, false
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
	fmt.Fprintf(out, "Usage: %[1]s [flags]             run the operator; %[1]s --help lists the flags\n"+
		"       %[1]s COMMAND [flags]     run a command\n", program)
	fmt.Fprint(out, "\nCommands:\n")
	for _, command := range subcommands() {
		fmt.Fprintf(out, "  %-10s %s\n", command.name, command.about)
	}
	fmt.Fprintf(out, "  %-10s %s\n", pluginCommand, "Run kubectl integrator: plan, lint, status and more.")
	fmt.Fprintf(out, "\n%s COMMAND --help prints the flags of a command.\n", program)
}
