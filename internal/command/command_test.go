// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"bytes"
	"context"
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExecute: which command the arguments of a process name, and when the operator runs.
func TestExecute(t *testing.T) {
	type result struct {
		Ran            bool
		Code           int
		Stdout, Stderr string // how they begin
	}
	const usage = "Usage: manager [flags] "
	for _, tc := range []struct {
		reason string
		args   []string
		want   result
	}{
		{"a name alone runs the operator", []string{"/manager"}, result{}},
		{"so do flags", []string{"/manager", "--leader-elect"}, result{}},
		{"help of the operator's flags is the operator's", []string{"/manager", "--help"}, result{}},
		{"no arguments at all, as execve permits", nil, result{}},
		{"help lists the commands", []string{"/manager", "help"}, result{true, 0, usage, ""}},
		{"help of a command", []string{"/manager", "help", "export"}, result{true, 0, "Usage: manager export [flags] > imports.yaml\n", ""}},
		{"help of no command", []string{"/manager", "help", "nonsense"}, result{true, 1, "", "error: unknown command \"nonsense\"; see manager help\n"}},
		{"a command that there is not", []string{"/manager", "nonsense"}, result{true, 1, "", "error: unknown command \"nonsense\"; see manager help\n"}},
		{"a command, with a wrong flag", []string{"/manager", "export", "--nope"}, result{true, 1, "", "error: flag provided but not defined: -nope; see manager export --help\n"}},
		{"a command, with an argument", []string{"/manager", "version", "x"}, result{true, 1, "", "error: unexpected argument \"x\"; see manager version --help\n"}},
		{"a format that there is not", []string{"/manager", "version", "-o", "xml"}, result{true, 1, "", "error: --output is \"xml\"; it has to be json or empty; see manager version --help\n"}},
		{"the version", []string{"/manager", "version"}, result{true, 0, "manager ", ""}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			asked := false
			code, ran := Execute(func() context.Context { asked = true; return t.Context() }, tc.args, &stdout, &stderr)
			begin := func(got, want string) string {
				if want != "" && strings.HasPrefix(got, want) {
					return want
				}
				return got
			}
			got := result{ran, code, begin(stdout.String(), tc.want.Stdout), begin(stderr.String(), tc.want.Stderr)}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if asked && !ran {
				t.Error("the signals were asked for, and the operator asks for them too, which panics")
			}
		})
	}
}

// TestPluginArguments: when the program is kubectl integrator.
func TestPluginArguments(t *testing.T) {
	for _, tc := range []struct {
		reason string
		args   []string
		want   []string
		ok     bool
	}{
		{"no arguments at all, as execve permits", nil, nil, false},
		{"the operator", []string{"/manager", "--leader-elect"}, nil, false},
		{"the plug-in alone", []string{"kubectl-integrator"}, []string{}, true},
		{"the plug-in never runs the operator", []string{"/usr/bin/kubectl-integrator", "--leader-elect"}, []string{"--leader-elect"}, true},
		{"on Windows", []string{`C:\krew\bin\kubectl-integrator.exe`, "version"}, []string{"version"}, true},
		{"another program of a similar name", []string{"/usr/bin/kubectl-integrators", "plan"}, nil, false},
		{"as a command of the manager", []string{"/manager", "kubectl", "plan"}, []string{"plan"}, true},
	} {
		got, ok := PluginArguments(tc.args)
		if diff := cmp.Diff(tc.want, got); diff != "" || ok != tc.ok {
			t.Errorf("%s: %t (-want +got)\n%s", tc.reason, ok, diff)
		}
	}
}

// TestHelpListsCommands: each command is listed, and has a help of its own.
func TestHelpListsCommands(t *testing.T) {
	var usage bytes.Buffer
	PrintUsage(&usage, "manager")
	for _, command := range subcommands() {
		if !strings.Contains(usage.String(), "\n  "+command.name+" ") {
			t.Errorf("the help does not list %s:\n%s", command.name, usage.String())
		}
		var stdout, stderr bytes.Buffer
		code := command.run(t.Context(), call{program: "manager", args: []string{"--help"}, stdout: &stdout, stderr: &stderr})
		if code != 0 || stderr.Len() > 0 || !strings.HasPrefix(stdout.String(), "Usage: manager "+command.name+" ") {
			t.Errorf("help of %s: code %d: %s%s", command.name, code, stdout.String(), stderr.String())
		}
	}
}

func TestVersion(t *testing.T) {
	built := Version{GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	record := func(mainVersion string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: mainVersion}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "4b5d666"}
	at := debug.BuildSetting{Key: "vcs.time", Value: "2026-11-28T08:36:34Z"}
	for _, tc := range []struct {
		reason string
		linked [3]string
		info   *debug.BuildInfo
		want   [3]string // version, commit, date
	}{
		{"nothing is known", [3]string{}, nil, [3]string{"devel", "", ""}},
		{"a build without the repository", [3]string{}, record("(devel)"), [3]string{"devel", "", ""}},
		{"a build in the repository", [3]string{}, record("v0.0.0-20261128083634-4b5d666", revision, at, debug.BuildSetting{Key: "vcs.modified", Value: "false"}),
			[3]string{"v0.0.0-20261128083634-4b5d666", "4b5d666", "2026-11-28T08:36:34Z"}},
		{"with changes", [3]string{}, record("(devel)", revision, at, debug.BuildSetting{Key: "vcs.modified", Value: "true"}),
			[3]string{"devel", "4b5d666-dirty", "2026-11-28T08:36:34Z"}},
		{"go install of a version", [3]string{}, record("v0.1.0"), [3]string{"v0.1.0", "", ""}},
		{"what was linked counts", [3]string{"v0.1.0", "abc", "2026-01-01T00:00:00Z"}, record("v9.9.9", revision, at, debug.BuildSetting{Key: "vcs.modified", Value: "true"}),
			[3]string{"v0.1.0", "abc", "2026-01-01T00:00:00Z"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			version, commit, date = tc.linked[0], tc.linked[1], tc.linked[2]
			t.Cleanup(func() { version, commit, date = "", "", "" })
			want := built
			want.Version, want.Commit, want.Date = tc.want[0], tc.want[1], tc.want[2]
			if diff := cmp.Diff(want, versionOf(tc.info)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestVersionJSON: the form that programs read, which has what the linker set.
func TestVersionJSON(t *testing.T) {
	version, commit, date = "v0.1.0", "abc", "2026-01-01T00:00:00Z"
	t.Cleanup(func() { version, commit, date = "", "", "" })
	var stdout, stderr bytes.Buffer
	if code := runVersion(t.Context(), call{program: "manager", args: []string{"-o", "json"}, stdout: &stdout, stderr: &stderr}); code != 0 {
		t.Fatalf("code %d: %s", code, stderr.String())
	}
	var got map[string]string
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, stdout.String())
	}
	want := map[string]string{
		"version": "v0.1.0", "commit": "abc", "date": "2026-01-01T00:00:00Z",
		"goVersion": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	stdout.Reset()
	ThisVersion().writeTo(&stdout, "manager")
	text := "manager v0.1.0\n  commit:   abc\n  date:     2026-01-01T00:00:00Z\n  go:       " + runtime.Version() + "\n  platform: " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
	if diff := cmp.Diff(text, stdout.String()); diff != "" {
		t.Errorf("the form for people (-want +got)\n%s", diff)
	}
}
