// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command vulncheck is govulncheck that tells a database out of reach from a finding: with
// --skip-unreachable the former is no failure, except with --release: what is released has been
// checked. Whatever else goes wrong always is one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/vuln/scan"
)

// reachTime is how long the database may take to answer.
const reachTime = 20 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run scans the packages that the arguments name, and returns the exit code: 3, as that of
// govulncheck, for a vulnerability that the code calls.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("vulncheck", flag.ContinueOnError)
	set.SetOutput(stderr)
	database := set.String("db", "https://vuln.go.dev", "URL of the vulnerability database: https:// or file:///.")
	dir := set.String("C", ".", "Directory of the module.")
	skip := set.Bool("skip-unreachable", false, "Succeed when nothing can be checked, because no connection to the database can be made.")
	release := set.Bool("release", false, "Fail when nothing can be checked, whatever --skip-unreachable says.")
	if err := set.Parse(args); err != nil {
		return 2
	}
	err := reach(ctx, *database)
	if unreachable(err) && *skip && !*release {
		fmt.Fprintf(stdout, "skipped: nothing was checked for known vulnerabilities: %v\n", err)
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "error: reach the vulnerability database: %v\n", err)
		return 1
	}
	return check(ctx, append([]string{"-C", *dir, "-db", *database}, set.Args()...), stdout, stderr)
}

// reach asks the database for what govulncheck asks first; that one calls a database that
// does not answer one of an unknown format.
func reach(ctx context.Context, database string) error {
	if strings.HasPrefix(database, "file:") {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, database+"/index/modules.json.gz", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("HEAD %s: %s", request.URL, answer.Status)
	}
	return errors.Join(err, answer.Body.Close())
}

// unreachable reports whether no connection could be made: the name is unknown, the port is
// closed, or nothing answered. A server that answers wrongly was reached.
func unreachable(err error) bool {
	var failed *url.Error
	var operation *net.OpError
	return errors.As(err, &failed) && failed.Timeout() ||
		errors.As(err, &operation) && (operation.Op == "dial" || operation.Op == "proxyconnect")
}

func check(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	command := scan.Command(ctx, args...)
	command.Stdout, command.Stderr = stdout, stderr
	err := command.Start()
	if err == nil {
		err = command.Wait()
	}
	var exit interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		fmt.Fprintln(stderr, "error:", err)
		return 1
	}
}
