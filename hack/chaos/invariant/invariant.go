// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package invariant checks what must be true after every plan, on the ledger of the account and
// on the objects. The invariants are numbered as in docs/reliability.md.
package invariant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
	"github.com/integrator-operator/integrator-operator/hack/chaos/scenario"
)

// Case is one scenario that was played.
type Case struct {
	*scenario.Execution

	// Found is what is left; Reference, if any, what is left when nothing goes wrong.
	Found, Reference *scenario.EndState
	// MustSucceed is true when nothing obscures what became of a run: it has to finish as usual.
	MustSucceed bool
	// Kills is true when a process was killed, or frozen.
	Kills bool
	// Restored is true when the objects were replaced by those of a backup.
	Restored bool
}

// violations collects what is wrong.
type violations []string

func (v *violations) add(format string, args ...any) { *v = append(*v, fmt.Sprintf(format, args...)) }

// Check returns the violated invariants.
func Check(ctx context.Context, c Case) []string {
	var v violations
	c.creations(&v)
	c.orphans(&v)
	c.runs(&v)
	v = append(v, Regressions(c.History.Phases())...)
	c.losses(&v)
	c.leaks(ctx, &v)
	if n := c.RedirectsFollowed(); n > 0 {
		v.add("I7: a redirect was followed %d times", n)
	}
	from, until := c.Quiet()
	if times := c.Recorder().RequestsBetween(from, until); len(times) > 0 && !c.Kills {
		v.add("I10: %d requests within the pause that the API asked for, the first %s before its end", len(times), until.Sub(times[0]))
	}
	if object, n := busiest(c.Recorder().Since(0)); n > busy {
		v.add("I11: %s was written to %d times within %s", object, n, busyTime)
	}
	if refused := c.Recorder().Refusals(); len(refused) > 0 {
		v.add("RBAC: not permitted: %s", strings.Join(slices.Compact(refused), ", "))
	}
	if c.Reference != nil {
		if diff := c.Found.Diff(c.Reference); diff != "" {
			v.add("end: it differs from the reference: %s", diff)
		}
	}
	return v
}

// busy is how many writes to one object within busyTime are no loop: several steps, each refused and retried while
// others write to it too.
const (
	busy     = 30
	busyTime = 2 * time.Second
)

// busiest is the object to which the most writes came within busyTime, and how many. The writes are in their order.
func busiest(writes []proxy.Write) (object string, most int) {
	times := map[string][]time.Time{}
	for _, w := range writes {
		if w.Remote() {
			continue
		}
		key := strings.TrimSuffix(w.Key, ".status")
		last := append(times[key], w.At)
		for w.At.Sub(last[0]) > busyTime {
			last = last[1:]
		}
		if times[key] = last; len(last) > most {
			object, most = key, len(last)
		}
	}
	return object, most
}
