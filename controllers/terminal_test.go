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

// terminal is a program that runs at a terminal.
type terminal struct {
	// shown is what the terminal shows. It is closed when the program has ended.
	shown  *gbytes.Buffer
	typing io.Writer
	// code is the exit code, once shown is closed.
	code *int
}

// atTerminal runs the plug-in with a terminal as its input and outputs.
func (w *world) atTerminal(ctx context.Context, env []string, args ...string) terminal {
	GinkgoHelper()
	binary, err := program()
	Expect(err).NotTo(HaveOccurred())
	config := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(config, kubeconfig, 0o600)).To(Succeed())
	command := exec.CommandContext(ctx, binary, append([]string{"kubectl", "--kubeconfig", config, "--namespace", w.namespace}, args...)...) //nolint:gosec // the program under test
	command.Env = append(os.Environ(), env...)
	file, err := pty.StartWithSize(command, &pty.Winsize{Rows: 40, Cols: 160})
	Expect(err).NotTo(HaveOccurred())
	t := terminal{shown: gbytes.NewBuffer(), typing: file, code: new(int)}
	go func() {
		_, _ = io.Copy(t.shown, file) // it ends with an error when the program has closed the terminal
		_ = command.Wait()            // the error is that of the exit code
		*t.code = command.ProcessState.ExitCode()
		_ = file.Close()
		_ = t.shown.Close()
	}()
	return t
}

// types types something once the terminal shows a text, and returns the exit code.
func (t terminal) types(after, what string) int {
	GinkgoHelper()
	Eventually(t.shown).Should(gbytes.Say(after))
	_, err := io.WriteString(t.typing, what)
	Expect(err).NotTo(HaveOccurred())
	Eventually(t.shown.Closed).Should(BeTrue())
	return *t.code
}

// shownAtTerminal is what the terminal shows at the end.
func (w *world) shownAtTerminal(ctx context.Context, env []string, args ...string) string {
	GinkgoHelper()
	shown := w.atTerminal(ctx, env, args...).shown
	Eventually(shown.Closed).Should(BeTrue())
	return string(shown.Contents())
}

func skipWithoutTerminals() {
	if _, err := os.Stat("/dev/ptmx"); errors.Is(err, os.ErrNotExist) {
		Skip("this machine has no pseudo-terminals")
	}
}

var _ = Describe("I work at a terminal", func() {
	It("shows colors there and not in a pipe, how far a run is, and completes what I type", func(ctx context.Context) {
		skipWithoutTerminals()
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
		shown := w.atTerminal(ctx, nil, "run", "orders", "-f", records, "--batch-size", "1").shown
		Eventually(shown).Should(gbytes.Say(`sending.*1/3`))
		Expect(sim.ReleaseRule(rule)).To(Succeed())
		Eventually(shown).Should(gbytes.Say("Succeeded"))

		By("completing")
		stdout, _, code := manager(ctx, "kubectl", "__complete", "re")
		Expect(code).To(BeZero())
		Expect(stdout).To(And(ContainSubstring("reconcile\t"), ContainSubstring("resume\t"), Not(ContainSubstring("plan\t"))))
	})
	It("asks before it takes imports over, and does nothing unless I say yes", func(ctx context.Context) {
		skipWithoutTerminals()
		w := newWorld(ctx)
		const lost = "k8s/00000000-0000-0000-0000-000000000000"
		id := w.seed("prices", `{"externalId": "`+lost+`", "description": "old"}`)
		w.scans(1)
		object := w.httpImport("prices", `{"description": "declared"}`)
		Expect(k8s.Create(ctx, object)).To(Succeed())
		w.eventually(ctx, object, "prices", "Failed False/OwnershipConflict")
		const question = `Take over 1 import\? No other cluster may manage what is taken over\. \[y/N\] `
		takeover := []string{"takeover", "--allow-http", "--allowed-api-hosts", strings.TrimPrefix(simURL, "http://")}
		before := get(ctx, w, object, "prices").DeepCopy()
		unchanged := func(why string) {
			GinkgoHelper()
			Expect(w.writes()).To(BeEmpty(), why)
			Expect(get(ctx, w, object, "prices")).To(And(HaveField("ResourceVersion", before.ResourceVersion), HaveField("Spec.Adopt", BeNil())), why)
		}
		for _, answer := range []struct {
			name, typed, says string
			code              int
		}{
			{"no", "no\n", "Nothing was taken over.", 2},
			{"nothing", "\n", "Nothing was taken over.", 2},
			{"another word", "yesterday\n", "Nothing was taken over.", 2},
			{"end of file", "\x04", "Nothing was taken over.", 2},
			{"Ctrl-C", "\x03", "error: interrupted: nothing was taken over", 1},
		} {
			asked := w.atTerminal(ctx, nil, takeover...)
			Expect(asked.types(question, answer.typed)).To(Equal(answer.code), answer.name)
			Expect(string(asked.shown.Contents())).To(ContainSubstring(answer.says), answer.name)
			unchanged(answer.name)
		}

		By("asking nobody in a pipe")
		stdout, stderr, code := w.plugin(ctx, append([]string{"takeover", administrator}, takeover[1:]...)...)
		Expect(code).To(Equal(2), stderr)
		Expect(stdout).To(ContainSubstring("Takeover: 1 to take over, 0 passed over."))
		Expect(stderr).To(Equal("note: nothing was taken over: standard input is no terminal, so nobody can be asked; repeat the command with --yes to take over what is listed\n"))
		unchanged("a pipe")

		By("saying yes")
		asked := w.atTerminal(ctx, nil, takeover...)
		Expect(asked.types(question, "yes\n")).To(BeZero())
		Expect(string(asked.shown.Contents())).To(ContainSubstring("Import " + w.namespace + "/prices: took over " + id))
		w.eventuallyReady(ctx, object, "prices")
		Expect(object.Status.ID).To(Equal(id))
		Expect(w.writes()).To(Equal(map[string]int{put: 1}))
	})
})
