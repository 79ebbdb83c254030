// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCheckVersion(t *testing.T) {
	for _, tc := range []struct {
		version string
		valid   bool
	}{
		{"v0.1.0", true},
		{"v1.20.3", true},
		{"v0.1.0-rc1", true},
		{"v0.1.0-alpha.1", true},
		{"", false},
		{"0.1.0", false},
		{"v0.1", false},
		{"v1", false},
		{"v0.1.0+build", false},
		{"v00.1.0", false},
		{"v0.1.0-", false},
		{"v0.1.0 ", false},
		{"latest", false},
		{"v0.1.0/../x", false},
	} {
		if err := CheckVersion(tc.version); (err == nil) != tc.valid {
			t.Errorf("%q: %v", tc.version, err)
		}
	}
}

// repository makes one with a commit, and returns its directory and a function that runs git there.
func repository(t *testing.T) (dir string, git func(...string) string) {
	t.Helper()
	dir = t.TempDir()
	git = func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "git", args...)
		command.Dir = dir
		command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
			"GIT_AUTHOR_DATE=2026-01-02T03:04:05+02:00", "GIT_COMMITTER_DATE=2026-01-02T03:04:05+02:00")
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, output)
		}
		return strings.TrimSpace(string(output))
	}
	git("init", "--quiet")
	write(t, dir, "one")
	git("add", "file")
	git("commit", "--quiet", "--message=one")
	return dir, git
}

func write(t *testing.T, dir, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDescribe: what git knows, and what the caller knows better.
func TestDescribe(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	dir, git := repository(t)
	commit := git("rev-parse", "HEAD")
	at := time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC)
	pseudo := "v0.0.0-20260102010405-" + commit[:12]

	check := func(reason string, known, want Stamp) {
		t.Helper()
		got, err := Describe(t.Context(), dir, known)
		if err != nil {
			t.Errorf("%s: %v", reason, err)
		}
		got.Date = got.Date.UTC()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", reason, diff)
		}
	}
	check("a commit", Stamp{}, Stamp{pseudo, commit, at})
	check("a version", Stamp{Version: "v0.1.0"}, Stamp{"v0.1.0", commit, at})
	if err := os.WriteFile(filepath.Join(dir, "new"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	check("a file that git does not know", Stamp{}, Stamp{pseudo, commit, at})
	write(t, dir, "two")
	check("a change", Stamp{Version: "v0.1.0"}, Stamp{"v0.1.0", commit + "-dirty", at})
	check("a change, and no version", Stamp{}, Stamp{pseudo + "-dirty", commit + "-dirty", at})
	check("a commit that the caller names", Stamp{Commit: commit}, Stamp{pseudo, commit, at})
	t.Setenv("SOURCE_DATE_EPOCH", "1000000000")
	check("another time", Stamp{Version: "v0.1.0", Commit: "abc"}, Stamp{"v0.1.0", "abc", time.Unix(1000000000, 0).UTC()})
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if _, err := Describe(t.Context(), dir, Stamp{}); err == nil {
		t.Error("a time that is no number was taken")
	}
	t.Setenv("SOURCE_DATE_EPOCH", "")
	t.Setenv("GIT_CEILING_DIRECTORIES", "/")
	if _, err := Describe(t.Context(), t.TempDir(), Stamp{}); err == nil || !strings.HasPrefix(err.Error(), "find the commit; name it with --commit where there is no repository: ") {
		t.Errorf("without a repository: %v", err)
	}
}

// TestCheckCommit: what a release must not be made of.
func TestCheckCommit(t *testing.T) {
	dir, git := repository(t)
	commit := git("rev-parse", "HEAD")
	check := func(reason string, s Stamp, says string) {
		t.Helper()
		err := CheckCommit(t.Context(), dir, s)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", reason, err, says)
		}
	}
	check("no tag yet", Stamp{Version: "v0.1.0", Commit: commit}, "")
	check("changes", Stamp{Version: "v0.1.0", Commit: commit + "-dirty"}, "there are changes that are not committed")
	git("tag", "--annotate", "--message=x", "v0.1.0")
	check("its tag", Stamp{Version: "v0.1.0", Commit: commit}, "")
	write(t, dir, "two")
	git("commit", "--quiet", "--all", "--message=two")
	check("another commit's tag", Stamp{Version: "v0.1.0", Commit: git("rev-parse", "HEAD")}, "the tag v0.1.0 is the commit "+commit)
}

func TestParsePlatforms(t *testing.T) {
	got, err := ParsePlatforms("linux/arm64, windows/amd64")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Platform{{"linux", "arm64"}, {"windows", "amd64"}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, wrong := range []string{"", "linux", "linux/amd64,", "linux/386"} {
		if _, err := ParsePlatforms(wrong); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

// TestBuildRefuses: a value that the linker would read as another flag.
func TestBuildRefuses(t *testing.T) {
	at := time.Unix(0, 0)
	for _, s := range []Stamp{{"v0.1.0 -X main.x=y", "abc", at}, {"v0.1.0", "", at}, {"v0.1.0", "a'b", at}} {
		if _, err := Build(t.Context(), t.TempDir(), s, Released[0], t.TempDir()); err == nil || !strings.Contains(err.Error(), "cannot be linked") {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
