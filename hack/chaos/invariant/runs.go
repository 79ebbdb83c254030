// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

// runs checks I3 and I4: no record is sent twice, and a run's status is true.
func (c Case) runs(v *violations) {
	sent := 0
	for _, id := range c.Found.IDs() {
		records, count := c.API.Written(sandbox.AccountName, id)
		sent += count
		seen := map[string]bool{}
		for _, record := range records {
			if text := string(record); seen[text] {
				v.add("I3: the record %s was sent twice", text)
			} else {
				seen[text] = true
			}
		}
	}
	if c.Found.Run != nil {
		c.phase(v, c.Found.Run, sent)
	}
}

// phase checks I4 for a run. sent is how many of its records reached their destination.
func (c Case) phase(v *violations, run *v1alpha1.ImportRun, sent int) {
	phase := run.Status.Phase
	usual := cmp.Or(c.Scenario.Phase, v1alpha1.RunSucceeded)
	reported := 0
	if run.Status.Records != nil {
		reported = int(run.Status.Records.Succeeded)
	}
	switch {
	case phase == usual:
		if sent != c.Scenario.Records && phase == v1alpha1.RunSucceeded {
			v.add("I4: the run is %s, and %d of %d records were sent", phase, sent, c.Scenario.Records)
		}
		if reported != sent && (!c.Scenario.Repeats || reported > 0) {
			v.add("I4: the run reports %d records, %d were sent", reported, sent)
		}
	case c.MustSucceed:
		v.add("I4: the run is %s, but nothing prevented %s: %s", phase, usual, sandbox.Describe(run.Status.Conditions))
	case phase == v1alpha1.RunFailed && reported != sent && !c.Scenario.Repeats:
		v.add("I4: the run is Failed and reports %d records, %d were sent", reported, sent)
	case phase == v1alpha1.RunUnknown && reported > sent:
		v.add("I4: the run is Unknown and reports %d records, %d were sent", reported, sent)
	case c.Restored && scenario.WaitsForTakeover(run):
	case phase != v1alpha1.RunFailed && phase != v1alpha1.RunUnknown:
		v.add("I4: the run is %q", phase)
	}
}

// Regressions checks I5: it names the runs that left a final phase, or went back to the beginning
// after a call may have been made. Between two batches a run may have to wait.
func Regressions(history map[string][]v1alpha1.RunPhase) (out []string) {
	for uid, phases := range history {
		for i := 1; i < len(phases); i++ {
			before, after := phases[i-1], phases[i]
			if sandbox.Finished(before) || before == v1alpha1.RunRunning && (after == "" || after == v1alpha1.RunPending) {
				out = append(out, fmt.Sprintf("I5: run %s went from %q to %q", uid, before, after))
			}
		}
	}
	return out
}
