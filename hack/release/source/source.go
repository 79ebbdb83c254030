// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package source knows what is released: the commit of a checkout, and the programs that are built
// of it.
package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Module is the path of the module that is released, and its package with the version.
const (
	Module  = "github.com/integrator-operator/integrator-operator"
	URL     = "https://" + Module
	stamped = Module + "/internal/command"
)

// Stamp is what a build says of itself.
type Stamp struct {
	// Version is semantic, with a v: a release, or one that is made of the commit.
	Version string
	Commit  string
	// Date is the commit's: that of the build would differ in each.
	Date time.Time
}

// RFC3339 is the date as programs and images have it.
func (s Stamp) RFC3339() string { return s.Date.UTC().Format(time.RFC3339) }

// Prerelease reports whether the version is one before a release, such as v0.1.0-rc1.
func (s Stamp) Prerelease() bool { return semver.Prerelease(s.Version) != "" }

// Bare is the version without its v, as charts and images of some registries have it.
func (s Stamp) Bare() string { return strings.TrimPrefix(s.Version, "v") }

// Describe completes what the caller knows from git: commit and date, and a version if there is
// none. SOURCE_DATE_EPOCH counts for the date. A checkout with changes is described as such.
func Describe(ctx context.Context, dir string, known Stamp) (Stamp, error) {
	s := known
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" && s.Date.IsZero() {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return s, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		s.Date = time.Unix(seconds, 0)
	}
	dirty := ""
	if s.Commit == "" {
		commit, err := git(ctx, dir, "rev-parse", "HEAD")
		if err != nil {
			return s, fmt.Errorf("find the commit; name it with --commit where there is no repository: %w", err)
		}
		changes, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=no")
		if err != nil {
			return s, err
		}
		if s.Commit = commit; changes != "" {
			dirty = "-dirty"
		}
	}
	if s.Date.IsZero() {
		date, err := git(ctx, dir, "show", "--no-patch", "--format=%cI", s.Commit)
		if err != nil {
			return s, fmt.Errorf("find the commit's date; set SOURCE_DATE_EPOCH where there is no repository: %w", err)
		}
		if s.Date, err = time.Parse(time.RFC3339, date); err != nil {
			return s, err
		}
	}
	if s.Version == "" {
		s.Version = module.PseudoVersion("v0", "", s.Date, s.Commit[:min(12, len(s.Commit))]) + dirty
	}
	s.Commit += dirty
	return s, nil
}

// CheckVersion refuses what is no version of a release.
func CheckVersion(version string) error {
	if version == "" {
		return errors.New("a release needs a version, such as VERSION=v0.1.0")
	}
	// Canonical leaves out what follows a plus, which no tag of an image can have.
	if !semver.IsValid(version) || semver.Canonical(version) != version {
		return fmt.Errorf("the version %q is not a semantic one with a v, such as v0.1.0 or v0.1.0-rc1", version)
	}
	return nil
}

// CheckCommit refuses what a release must not be made of: changes that no commit has, and a commit
// that is not the one of the version's tag.
func CheckCommit(ctx context.Context, dir string, s Stamp) error {
	if strings.HasSuffix(s.Commit, "-dirty") {
		return errors.New("there are changes that are not committed: commit them, or put them aside with git stash")
	}
	tagged, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "refs/tags/"+s.Version+"^{commit}")
	if err == nil && tagged != s.Commit {
		return fmt.Errorf("the tag %s is the commit %s, and what is built is %s", s.Version, tagged, s.Commit)
	}
	return nil
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	output, err := run(ctx, dir, nil, "git", args...)
	return strings.TrimSpace(string(output)), err
}

// Platform is what a program is built for.
type Platform struct{ OS, Arch string }

func (p Platform) String() string { return p.OS + "/" + p.Arch }

// Released are the platforms of a release, in its order.
var Released = []Platform{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
}

// ParsePlatforms reads a list separated by commas, such as linux/amd64,darwin/arm64.
func ParsePlatforms(list string) ([]Platform, error) {
	var platforms []Platform
	for named := range strings.SplitSeq(list, ",") {
		found := false
		for _, p := range Released {
			if p.String() == strings.TrimSpace(named) {
				platforms, found = append(platforms, p), true
			}
		}
		if !found {
			return nil, fmt.Errorf("%q is none of the platforms of a release: %v", named, Released)
		}
	}
	return platforms, nil
}

// environment is the one that Go builds in for a platform: nothing that changes the program is left
// to the caller's.
func (p Platform) environment() []string {
	return append(os.Environ(), "GOOS="+p.OS, "GOARCH="+p.Arch, "CGO_ENABLED=0",
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOWORK=off", "GOFLAGS=-mod=readonly")
}

// Build builds the manager for a platform into the directory, and returns its path. The program
// depends on the code, the modules, the version of Go and the stamp, and not on where or when it is
// built.
func Build(ctx context.Context, dir string, s Stamp, p Platform, into string) (program string, err error) {
	program, err = filepath.Abs(filepath.Join(into, "manager_"+p.OS+"_"+p.Arch))
	if err != nil {
		return "", err
	}
	linked := "-s -w"
	for name, value := range map[string]string{"version": s.Version, "commit": s.Commit, "date": s.RFC3339()} {
		if value == "" || strings.ContainsAny(value, " '\"") {
			return "", fmt.Errorf("the %s %q cannot be linked", name, value)
		}
	}
	linked += " -X " + stamped + ".version=" + s.Version + " -X " + stamped + ".commit=" + s.Commit + " -X " + stamped + ".date=" + s.RFC3339()
	_, err = run(ctx, dir, p.environment(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags="+linked, "-o", program, ".")
	return program, err
}

// Used is a package of another module that the program has.
type Used struct{ Module, Version, ModuleDir, Dir string }

// Packages lists the packages of other modules that the program of a platform has.
func Packages(ctx context.Context, dir string, p Platform) ([]Used, error) {
	const format = `{{with .Module}}{{if not .Main}}{{.Path}}{{"\t"}}{{with .Replace}}{{.Version}}{{else}}{{.Version}}{{end}}{{"\t"}}{{.Dir}}{{"\t"}}{{$.Dir}}{{end}}{{end}}`
	output, err := run(ctx, dir, p.environment(), "go", "list", "-deps", "-f", format, ".")
	if err != nil {
		return nil, err
	}
	var used []Used
	for line := range strings.Lines(string(output)) {
		if fields := strings.Split(strings.TrimSpace(line), "\t"); len(fields) == 4 {
			used = append(used, Used{fields[0], fields[1], fields[2], fields[3]})
		}
	}
	return used, nil
}

// GoRoot is the directory of Go itself.
func GoRoot(ctx context.Context, dir string) (string, error) {
	output, err := run(ctx, dir, nil, "go", "env", "GOROOT")
	return strings.TrimSpace(string(output)), err
}

func run(ctx context.Context, dir string, environment []string, name string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir, command.Env = dir, environment
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", name, args[0], err, cmp.Or(strings.TrimSpace(stderr.String()), "it printed nothing"))
	}
	return output, nil
}
