// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// What the linker sets in a release and in an image (-ldflags="-X ..."). Without it, the build's own
// record of the repository answers.
var version, commit, date string

// Version is which build of the program this is.
type Version struct {
	Version string `json:"version"`
	// Commit is empty where the build does not know its repository.
	Commit string `json:"commit,omitempty"`
	// Date is that of the commit: that of the build would differ in each.
	Date      string `json:"date,omitempty"`
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
}

// ThisVersion is that of the running program.
func ThisVersion() Version {
	info, _ := debug.ReadBuildInfo()
	return versionOf(info)
}

// versionOf reads what the linker set, and what it did not set from the build's record, which may be
// missing.
func versionOf(info *debug.BuildInfo) Version {
	v := Version{
		Version: version, Commit: commit, Date: date,
		GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if info != nil {
		modified := ""
		for _, setting := range info.Settings {
			switch setting.Key {
			case "vcs.revision":
				v.Commit = cmp.Or(v.Commit, setting.Value)
			case "vcs.time":
				v.Date = cmp.Or(v.Date, setting.Value)
			case "vcs.modified":
				if setting.Value == "true" {
					modified = "-dirty"
				}
			}
		}
		if commit == "" && v.Commit != "" {
			v.Commit += modified
		}
		if info.Main.Version != "(devel)" {
			v.Version = cmp.Or(v.Version, info.Main.Version)
		}
	}
	v.Version = cmp.Or(v.Version, "devel")
	return v
}

// writeTo writes the version for people.
func (v Version) writeTo(out io.Writer, program string) {
	fmt.Fprintf(out, "%s %s\n", program, v.Version)
	for _, line := range [][2]string{{"commit", v.Commit}, {"date", v.Date}, {"go", v.GoVersion}, {"platform", v.Platform}} {
		fmt.Fprintf(out, "  %-9s %s\n", line[0]+":", cmp.Or(line[1], "unknown"))
	}
}

// PrintVersion prints the version of the manager for people.
func PrintVersion(out io.Writer) { ThisVersion().writeTo(out, "manager") }

const versionUsage = `Usage: %s version [flags]

Prints the version, the commit and its date, the version of Go, and the platform.

Flags:
`

// runVersion is the command "manager version".
func runVersion(_ context.Context, c call) int {
	output := ""
	set := flag.NewFlagSet("version", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&output, "output", "", "The format: json, or empty for people.")
	set.StringVar(&output, "o", "", "Short for --output.")
	err := set.Parse(c.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(c.stdout, versionUsage, c.program)
		set.SetOutput(c.stdout)
		set.PrintDefaults()
		return 0
	case err == nil && set.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", set.Arg(0))
	case err == nil && output != "" && output != "json":
		err = fmt.Errorf("--output is %q; it has to be json or empty", output)
	}
	if err == nil && output == "json" {
		encoder := json.NewEncoder(c.stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(ThisVersion())
	} else if err == nil {
		ThisVersion().writeTo(c.stdout, c.program)
	}
	if err != nil {
		fmt.Fprintf(c.stderr, "error: %v; see %s version --help\n", err, c.program)
		return 1
	}
	return 0
}
