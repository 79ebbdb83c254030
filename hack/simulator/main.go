// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command simulator serves the simulated integrator.io API and, on a second port, its admin
// interface. internal/simulator describes both.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
	"github.com/integrator-operator/integrator-operator/internal/simulator/admin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

type config struct {
	listen, adminListen string
	state, seed         string
	options             simulator.Options
}

func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("simulator", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.listen, "listen", "127.0.0.1:8383", "address of the API; port 0 takes a free one")
	flags.StringVar(&c.adminListen, "admin-listen", "127.0.0.1:8384", "address of the admin interface, which needs no credentials")
	flags.StringVar(&c.state, "state", "", "file that keeps accounts and imports across restarts; none by default")
	flags.StringVar(&c.seed, "seed", "", "JSON file of the accounts to start with; not read if --state has accounts already")
	flags.IntVar(&c.options.PageSize, "page-size", 3, "entries in a page of a list")
	flags.Float64Var(&c.options.RequestsPerSecond, "rate", 300, "requests that drain from an account's bucket per second")
	flags.IntVar(&c.options.Burst, "burst", 1000, "requests that an account's bucket holds")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if c.options.PageSize <= 0 || c.options.RequestsPerSecond <= 0 || c.options.Burst <= 0 {
		return c, errors.New("--page-size, --rate and --burst must be above 0")
	}
	return c, nil
}

// run serves until ctx ends. Once both ports are open it prints their URLs to stdout, one per line:
// "api <url>" and "admin <url>".
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	sim := simulator.New(c.options)
	if err := fill(sim, c); err != nil {
		return err
	}
	apiURL, stopAPI, err := sim.Start(c.listen)
	if err != nil {
		return fmt.Errorf("api: %w", err)
	}
	defer func() {
		sim.Close()
		err = errors.Join(err, stopAPI())
	}()
	adminURL, stopAdmin, err := admin.Start(sim, c.adminListen)
	if err != nil {
		return fmt.Errorf("admin interface: %w", err)
	}
	defer func() { err = errors.Join(err, stopAdmin()) }()
	if _, err := fmt.Fprintf(stdout, "api %s\nadmin %s\n", apiURL, adminURL); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// fill loads the state, or the seed if there is no state yet.
func fill(sim *simulator.Server, c config) error {
	if c.state != "" {
		loaded, err := sim.KeepState(c.state)
		if err != nil || loaded {
			return err
		}
	}
	if c.seed == "" {
		return nil
	}
	file, err := os.Open(c.seed)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	defer func() { _ = file.Close() }()
	seed, err := simulator.ReadSeed(file)
	if err != nil {
		return err
	}
	return sim.Plant(seed)
}
