// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/integrator-operator/integrator-operator/internal/command"
	"github.com/integrator-operator/integrator-operator/internal/doctor"
)

const doctorLong = `Checks the installation, your rights and those of the operator, the Accounts with their tokens, the Secrets that
Imports name, and the Imports that wait, and says what to do about what is wrong.

It changes nothing. A check that you may not make says so.

Exit codes: 0 no check failed, 1 one did, or the checks cannot be made.`

type doctorFlags struct {
	networkFlags
	everywhere                bool
	operatorNamespace, output string
	timeout                   time.Duration
}

func newDoctor(c *cmd) *cobra.Command {
	var f doctorFlags
	made := &cobra.Command{
		Use: "doctor", Short: "Check the installation, rights, tokens and Imports, and say what to do", Long: doctorLong, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.doctor(cmd.Context(), &f) },
	}
	set := made.Flags()
	set.BoolVarP(&f.everywhere, "all-namespaces", "A", false, "Check the objects of all namespaces.")
	set.StringVar(&f.operatorNamespace, "operator-namespace", "", "Namespace of the operator; by default it is looked for.")
	set.StringVarP(&f.output, "output", "o", "text", "Format: text or json.")
	set.DurationVar(&f.timeout, "timeout", 5*time.Minute, "How long it may take.")
	f.register(set)
	return made
}

func (c *cmd) doctor(ctx context.Context, f *doctorFlags) error {
	if f.output != "text" && f.output != "json" {
		return fmt.Errorf("--output %s: it is text or json", f.output)
	}
	colors, err := c.palette()
	if err != nil {
		return err
	}
	cluster, namespace, err := c.clusterOf(f.everywhere)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	checks := doctor.Run(ctx, doctor.Options{
		Cluster: cluster, Namespace: namespace, OperatorNamespace: f.operatorNamespace, Version: command.ThisVersion().Version,
		Hosts: f.hosts(), AllowHTTP: f.network.AllowHTTP, Now: clock.RealClock{}.Now(),
		Connect: f.connector(cluster),
	})
	if f.output == "json" {
		encoder := json.NewEncoder(c.Out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(map[string]any{"sound": doctor.Sound(checks), "checks": checks})
	} else {
		err = c.writeChecks(checks, colors)
	}
	if err != nil {
		return err
	}
	return exitOf(!doctor.Sound(checks), false)
}

// writeChecks writes a line for each check, and below it what to do.
func (c *cmd) writeChecks(checks []doctor.Check, colors palette) error {
	color := map[doctor.Result]string{doctor.OK: colors.green, doctor.Warning: colors.yellow, doctor.Failed: colors.red, doctor.Skipped: ""}
	counts := make(map[doctor.Result]int, len(color))
	w := &textWriter{out: c.Out, indent: "         "}
	for _, check := range checks {
		counts[check.Result]++
		object := check.Object
		if object != "" {
			object = " of " + object
		}
		w.line("%s%-8s%s %s%s: %s", color[check.Result], check.Result, colors.reset, check.Name, object, check.Message)
		if check.Advice != "" {
			w.detail("%s", check.Advice)
		}
	}
	w.line("%s: %d ok, %s, %d failed, %d skipped", count(len(checks), "check", "checks"), counts[doctor.OK],
		count(counts[doctor.Warning], "warning", "warnings"), counts[doctor.Failed], counts[doctor.Skipped])
	return w.err
}
