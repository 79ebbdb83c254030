// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/creack/pty"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// atTerminal runs the plug-in with a terminal as its input and outputs, and returns what that shows. It is
// closed when the program has ended.
func (w *world) atTerminal(ctx context.Context, env []string, args ...string) *gbytes.Buffer {
	GinkgoHelper()
	binary, err := program()
	Expect(err).NotTo(HaveOccurred())
	config := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(config, kubeconfig, 0o600)).To(Succeed())
	command := exec.CommandContext(ctx, binary, append([]string{"kubectl", "--kubeconfig", config, "--namespace", w.namespace}, args...)...) //nolint:gosec // the program under test
	command.Env = append(os.Environ(), env...)
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: 40, Cols: 160})
	Expect(err).NotTo(HaveOccurred())
	shown := gbytes.NewBuffer()
	go func() {
		_, _ = io.Copy(shown, terminal) // it ends with an error when the program has closed the terminal
		_ = command.Wait()              // the exit codes are for the stories without a terminal
		_ = terminal.Close()
		_ = shown.Close()
	}()
	return shown
}

// shownAtTerminal is what the terminal shows at the end.
func (w *world) shownAtTerminal(ctx context.Context, env []string, args ...string) string {
	GinkgoHelper()
	shown := w.atTerminal(ctx, env, args...)
	Eventually(shown.Closed).Should(BeTrue())
	return string(shown.Contents())
}

var _ = Describe("I work at a terminal", func() {
	It("shows colors there and not in a pipe, how far a run is, and completes what I type", func(ctx context.Context) {
		if _, err := os.Stat("/dev/ptmx"); errors.Is(err, os.ErrNotExist) {
			Skip("this machine has no pseudo-terminals")
		}
		w := newWorld(ctx)
		w.synced(ctx, w.httpImport("orders"))
		folder := inFolder(w.httpImport("created"))
		host := strings.TrimPrefix(simURL, "http://")
		plan := []string{"plan", "-f", folder, "--allow-http", "--allowed-api-hosts", host}
		const color = "\x1b[32m"
		Expect(w.shownAtTerminal(ctx, nil, plan...)).To(And(ContainSubstring(color), ContainSubstring("Plan: 1 to create")))
		Expect(w.shownAtTerminal(ctx, []string{"NO_COLOR=1"}, plan...)).NotTo(ContainSubstring(color))
		Expect(w.shownAtTerminal(ctx, nil, append(plan, "--color", "never")...)).NotTo(ContainSubstring(color))
		w.viewer(ctx)
		piped, _, _ := w.plugin(ctx, "plan", "-f", folder)
		Expect(piped).To(And(Not(ContainSubstring("\x1b")), ContainSubstring("Plan: 1 to create")))

		By("sending records")
		records := filepath.Join(GinkgoT().TempDir(), "orders.jsonl")
		Expect(os.WriteFile(records, []byte("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n"), 0o600)).To(Succeed())
		rule, err := sim.AddRule(simulator.Rule{Account: w.account, Route: "/v1/imports/{id}/invoke", Nth: 2, Count: 1, Phase: simulator.PhaseAfter,
			Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: time.Hour.Milliseconds()}})
		Expect(err).NotTo(HaveOccurred())
		shown := w.atTerminal(ctx, nil, "run", "orders", "-f", records, "--batch-size", "1")
		Eventually(shown).Should(gbytes.Say(`sending.*1/3`))
		Expect(sim.ReleaseRule(rule)).To(Succeed())
		Eventually(shown).Should(gbytes.Say("Succeeded"))

		By("completing")
		stdout, _, code := manager(ctx, "kubectl", "__complete", "re")
		Expect(code).To(BeZero())
		Expect(stdout).To(And(ContainSubstring("reconcile\t"), ContainSubstring("resume\t"), Not(ContainSubstring("plan\t"))))
	})
})
