// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import "testing"

func TestLedgerForgetsTheOldest(t *testing.T) {
	l := Ledger{Limit: 20}
	for range 25 {
		l.Open(Entry{})
	}
	if len(l.entries) > 20 || l.entries[len(l.entries)-1].Seq != 25 || l.entries[0].Seq < 5 {
		t.Errorf("%d entries, from %d", len(l.entries), l.entries[0].Seq)
	}
	l.Update(1, func(*Entry) { t.Error("a forgotten entry was edited") })
	l.Update(25, func(e *Entry) { e.Status = 200 })
	if l.entries[len(l.entries)-1].Status != 200 {
		t.Error("the last entry was not edited")
	}
}
