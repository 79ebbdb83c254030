// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/records"
)

// maxRunData is how much of a run fits into one object, with room for the rest of it, in bytes.
const maxRunData = 1 << 20

const runLong = `Creates an ImportRun that sends the records of a file, a JSON array or JSON Lines, and waits for its end.
With --retry-of, it sends the records that failed in another run.

Records that failed are listed on standard error. With --failed-only they are printed on standard
output, as JSON Lines, to be corrected and sent again.

Exit codes: 0 all records were accepted, 2 the run failed, or its outcome is unknown, 1 an error.`

const runExample = `  kubectl integrator run orders -f orders.jsonl --key orders-2026-11-28
  kubectl integrator run orders -f orders.jsonl --failed-only > again.jsonl`

type runFlags struct {
	file, retryOf, settings, key string
	batchSize                    int32
	waits, failedOnly            bool
	timeout                      time.Duration
}

func newRun(c *cmd) *cobra.Command {
	var f runFlags
	made := &cobra.Command{
		Use: "run IMPORT (-f FILE | --retry-of RUN)", Short: "Send records through an Import, once", Long: runLong, Example: runExample, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), &f, args[0]) },
	}
	set := made.Flags()
	set.StringVarP(&f.file, "filename", "f", "", "A file with the records; - is standard input.")
	set.StringVar(&f.retryOf, "retry-of", "", "Name of a run whose failed records are sent.")
	set.StringVar(&f.settings, "settings", "", "Settings for the scripts and hooks of the import, as a JSON object.")
	set.Int32Var(&f.batchSize, "batch-size", 0, "Records in one call; by default all.")
	set.StringVar(&f.key, "key", "", "Idempotency key: records with the same key are not sent twice.")
	set.BoolVar(&f.waits, "wait", true, "Wait for the end of the run.")
	set.DurationVar(&f.timeout, "timeout", time.Hour, "How long to wait. The run goes on.")
	set.BoolVar(&f.failedOnly, "failed-only", false, "Print the records that failed, as JSON Lines.")
	made.MarkFlagsMutuallyExclusive("filename", "retry-of")
	made.MarkFlagsOneRequired("filename", "retry-of")
	made.MarkFlagsMutuallyExclusive("failed-only", "retry-of")
	return made
}

func (c *cmd) run(ctx context.Context, f *runFlags, name string) error {
	run, sent, err := f.object(c.In, name)
	if err != nil {
		return err
	}
	cluster, namespace, err := c.cluster()
	if err != nil {
		return err
	}
	run.Namespace = namespace
	if err := cluster.Create(ctx, run); err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOut, "importrun/%s created\n", run.Name)
	if !f.waits {
		return nil
	}
	if err := c.awaitRun(ctx, cluster, run, f.timeout); err != nil {
		return err
	}
	return c.report(run, sent, f.failedOnly)
}

// object is the run to create, and the records of its file.
func (f *runFlags) object(in io.Reader, name string) (run *v1alpha1.ImportRun, sent []json.RawMessage, err error) {
	run = &v1alpha1.ImportRun{}
	run.GenerateName = name + "-"
	run.Spec.ImportRef = &v1alpha1.LocalReference{Name: name}
	run.Spec.IdempotencyKey = f.key
	if f.batchSize > 0 {
		run.Spec.BatchSize = &f.batchSize
	}
	if f.settings != "" {
		var settings map[string]json.RawMessage
		if err := json.Unmarshal([]byte(f.settings), &settings); err != nil {
			return nil, nil, fmt.Errorf("--settings: it has to be a JSON object: %w", err)
		}
		run.Spec.Settings = &v1alpha1.JSON{Raw: []byte(f.settings)}
	}
	if f.retryOf != "" {
		run.Spec.RetryOf = &v1alpha1.LocalReference{Name: f.retryOf}
		return run, nil, nil
	}
	content, err := readFile(f.file, in)
	if err != nil {
		return nil, nil, err
	}
	if sent, err = records.Parse(content, maxRunData); err != nil {
		return nil, nil, fmt.Errorf("%s, %s: %w", f.file, records.Position(content, err), err)
	}
	size := 0
	for _, record := range sent {
		size += len(record)
		run.Spec.Data = append(run.Spec.Data, v1alpha1.JSON{Raw: record})
	}
	if size > maxRunData {
		return nil, nil, fmt.Errorf("%s has %d bytes of records, and a run of this command at most %d: use several, or an ImportRun with dataFrom", f.file, size, maxRunData)
	}
	return run, sent, nil
}

// awaitRun waits for the end of a run, and shows how far it is on a terminal.
func (c *cmd) awaitRun(ctx context.Context, cluster client.Client, run *v1alpha1.ImportRun, timeout time.Duration) error {
	var bar *progressbar.ProgressBar
	if isTerminal(c.ErrOut) {
		bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(c.ErrOut), progressbar.OptionSetDescription("sending"),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
	}
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, timeout, true, func(ctx context.Context) (bool, error) {
		if err := cluster.Get(ctx, client.ObjectKeyFromObject(run), run); err != nil {
			return false, err
		}
		if counts := run.Status.Records; bar != nil && counts != nil && counts.Total > 0 {
			bar.ChangeMax(int(counts.Total))
			_ = bar.Set(int(counts.Sent))
		}
		return run.Status.CompletionTime != nil, nil
	})
	if bar != nil {
		_ = bar.Finish()
	}
	if wait.Interrupted(err) && ctx.Err() == nil {
		return fmt.Errorf("importrun/%s has not ended within %s, and goes on: see kubectl get importrun %s", run.Name, timeout, run.Name)
	}
	return interrupted(ctx, err, fmt.Sprintf("importrun/%s goes on: see kubectl get importrun %s", run.Name, run.Name))
}

// report says how a run ended.
func (c *cmd) report(run *v1alpha1.ImportRun, sent []json.RawMessage, failedOnly bool) error {
	message := string(run.Status.Phase)
	if condition := apimeta.FindStatusCondition(run.Status.Conditions, v1alpha1.ConditionSucceeded); condition != nil {
		message += ": " + condition.Message
	}
	fmt.Fprintf(c.ErrOut, "importrun/%s %s\n", run.Name, message)
	if len(run.Status.Failures) > 0 {
		table := tabwriter.NewWriter(c.ErrOut, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "RECORD\tSTATUS\tCODE\tMESSAGE")
		for _, failure := range run.Status.Failures {
			fmt.Fprintf(table, "%d\t%d\t%s\t%s\n", failure.Index, failure.StatusCode, failure.Code, failure.Message)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if failedOnly {
		if err := c.printFailed(run, sent); err != nil {
			return err
		}
	}
	if run.Status.Phase != v1alpha1.RunSucceeded {
		return exit(ExitChanges)
	}
	return nil
}

// printFailed prints the records that failed.
func (c *cmd) printFailed(run *v1alpha1.ImportRun, sent []json.RawMessage) error {
	if run.Status.FailedRecordsTruncated {
		return errors.New("more records failed than the status of the run has room for: those after the last one listed are not known")
	}
	failed, err := records.ParseIndexes(run.Status.FailedRecords)
	if err != nil {
		return fmt.Errorf("status.failedRecords: %w", err)
	}
	for index := range failed.All() {
		if index >= len(sent) {
			return fmt.Errorf("the run has no record %d", index)
		}
		var line bytes.Buffer
		if err := json.Compact(&line, sent[index]); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(c.Out, line.String()); err != nil {
			return err
		}
	}
	return nil
}
