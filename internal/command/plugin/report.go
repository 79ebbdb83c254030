// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/integrator-operator/integrator-operator/internal/report"
)

const reportLong = `Prints what an auditor asks for, as one file: the Accounts, the Imports, who changed what by the platform's
audit log, drift that was found and corrected, and the runs. It says where each part comes from, and how far
back that reaches. The page needs no server, no script and no network.

It reads only. Values of Secrets and ConfigMaps, and those of imports that other Imports manage, are
redacted, as they are in status and events.

Exit codes: 0 everything was read, 1 something could not be read; the report says what, and has the rest.`

const reportExample = `  kubectl integrator report --since 720h > report.html
  kubectl integrator report -A --since 2160h -o csv > report.csv`

type reportFlags struct {
	networkFlags
	everywhere     bool
	since, timeout time.Duration
	output         string
}

func newReport(c *cmd) *cobra.Command {
	var f reportFlags
	made := &cobra.Command{
		Use: "report", Short: "Print who changed what, drift and runs, as a page or a table", Long: reportLong, Example: reportExample, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.audit(cmd.Context(), &f) },
	}
	set := made.Flags()
	set.BoolVarP(&f.everywhere, "all-namespaces", "A", false, "Report on all namespaces.")
	set.DurationVar(&f.since, "since", 30*24*time.Hour, "How far back, such as 720h.")
	set.StringVarP(&f.output, "output", "o", "html", "Format: html, csv or json.")
	set.DurationVar(&f.timeout, "timeout", 30*time.Minute, "How long it may take.")
	f.register(set)
	return made
}

func (c *cmd) audit(ctx context.Context, f *reportFlags) error {
	if report.Formats[f.output] == nil {
		return fmt.Errorf("--output %s: it is html, csv or json", f.output)
	}
	if f.since <= 0 {
		return fmt.Errorf("--since %s: it has to be more than nothing", f.since)
	}
	cluster, namespace, err := c.clusterOf(f.everywhere)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	now := clock.RealClock{}.Now()
	made, err := report.Collect(ctx, report.Options{
		Cluster: cluster, Namespace: namespace, Now: now, Since: now.Add(-f.since),
		Connect: f.connector(cluster),
	})
	if err != nil {
		return err
	}
	if err := report.Write(c.Out, f.output, made); err != nil {
		return err
	}
	for _, problem := range made.Problems {
		fmt.Fprintf(c.ErrOut, "error: %s: %s\n", problem.Object, problem.Message)
	}
	return exitOf(!made.Complete(), false)
}
