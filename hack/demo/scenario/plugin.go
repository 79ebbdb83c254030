// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/integrator-operator/integrator-operator/hack/demo/platform"
	"github.com/integrator-operator/integrator-operator/hack/demo/runner"
)

// The exit code of the plug-in where something would change, or is not as it should be.
const exitChanges = 2

// plan shows what a changed manifest would do, without applying it.
func plan(ctx context.Context, r *runner.Runner) error {
	last, err := r.Platform.Production.LastRequest(ctx)
	if err != nil {
		return err
	}
	before, err := r.ResourceVersions(ctx)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(runner.Samples, "import_netsuite.yaml"))
	if err != nil {
		return err
	}
	changed := bytes.Replace(content, []byte("batchSize: 50"), []byte("batchSize: 100"), 1)
	if bytes.Equal(changed, content) {
		return fmt.Errorf("the sample of %s has no batchSize of 50", netsuiteImport)
	}
	file := filepath.Join(r.Dir, "changed.yaml")
	if err := os.WriteFile(file, changed, 0o600); err != nil {
		return err
	}
	r.Terminal.Explain("a pull request changes batchSize from 50 to 100; nothing is applied. The last two flags are for\n" +
		"the simulator, which is on this machine")
	output, err := r.Kubectl.ShowExit(ctx, exitChanges, append([]string{"integrator", "plan", "-f", file}, r.Platform.Flags()...)...)
	if err != nil {
		return err
	}
	for _, text := range []string{"~ Import " + runner.Namespace + "/" + netsuiteImport, "PUT /v1/imports/{id}", "/netsuite_da/batchSize", "Plan: 1 to update."} {
		if !strings.Contains(output, text) {
			return fmt.Errorf("expected the plan to have %q", text)
		}
	}
	after, err := r.ResourceVersions(ctx)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(before, after) {
		return fmt.Errorf("expected no object to be written; resourceVersions were %v and are %v", before, after)
	}
	return r.Platform.Production.CheckWrites(ctx, last, map[platform.Endpoint]int{})
}

// mayOrders are the records of sendFile.
const mayOrders = `{"number": "SO-4001", "customer": {"email": "ada@example.com"}, "lines": [{"sku": "LAMP-3", "qty": 1}]}
{"number": "SO-4002", "customer": {"email": "alan@example.com"}, "lines": [{"sku": "DESK-1", "qty": 2}]}
`

// sendFile sends the records of a file with the plug-in, twice with the same key.
func sendFile(ctx context.Context, r *runner.Runner) error {
	last, err := r.Platform.Production.LastRequest(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(r.Dir, "orders.jsonl")
	if err := os.WriteFile(file, []byte(mayOrders), 0o600); err != nil {
		return err
	}
	r.Terminal.Explain("two orders from a file; the second time, their key has succeeded already")
	for _, message := range []string{"2 records", "nothing was sent"} {
		output, err := r.Kubectl.ShowOutput(ctx, "integrator", "run", shopImport, "-f", file, "--key=may-orders")
		if err != nil {
			return err
		}
		if !strings.Contains(output, message) {
			return fmt.Errorf("expected the output to have %q", message)
		}
	}
	return r.Platform.Production.CheckWrites(ctx, last, map[platform.Endpoint]int{platform.Invoke: 1})
}

// status shows what is not as it should be: the run whose records failed.
func status(ctx context.Context, r *runner.Runner) error {
	r.Terminal.Explain("what is as declared, and what has succeeded, is only counted")
	output, err := r.Kubectl.ShowExit(ctx, exitChanges, "integrator", "status")
	if err != nil {
		return err
	}
	if managed := fmt.Sprintf("%d of %d imports managed", len(sampleImports), r.Platform.Production.Imports+len(sampleImports)); !strings.Contains(output, managed) {
		return fmt.Errorf("expected %q", managed)
	}
	if !strings.Contains(output, failingRun) || strings.Contains(output, netsuiteImport) {
		return fmt.Errorf("expected the run %s, and not the Import %s, which is as declared", failingRun, netsuiteImport)
	}
	return nil
}
