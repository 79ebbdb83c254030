// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNumbers(t *testing.T) {
	tests := []struct {
		reason, text string
		want         numbers
		fails        bool
	}{
		{"the smallest comes first", "1000,200", numbers{200, 1000}, false},
		{"nothing is no number", "0", nil, true},
		{"a word is none", "200,many", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			got := numbers{1}
			err := got.Set(tt.text)
			if (err != nil) != tt.fails {
				t.Fatalf("%v; want an error: %t", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got); err == nil && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	tests := []struct {
		reason string
		names  []string
		poller bool
		want   []string
		fails  bool
	}{
		{"those that are named, in that order", []string{"storm", "counts"}, false, []string{"storm", "counts"}, false},
		{"one that there is not", []string{"storms"}, true, nil, true},
		{"all of them", nil, true, []string{"counts", "adoption", "memory", "operations", "knee", "storm", "standing", "poller", "neighbours", "handover", "runs"}, false},
		{"without its program, the poller is left out", nil, false, []string{"counts", "adoption", "memory", "operations", "knee", "storm", "standing", "neighbours", "handover", "runs"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			chosen, err := choose(tt.names, tt.poller)
			if (err != nil) != tt.fails {
				t.Fatalf("%v; want an error: %t", err, tt.fails)
			}
			var names []string
			for _, m := range chosen {
				names = append(names, m.Name)
			}
			if diff := cmp.Diff(tt.want, names); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFlagsOf: where programs are differs from machine to machine, and says nothing about the figures.
func TestFlagsOf(t *testing.T) {
	got := flagsOf([]string{"--assets=/cache/x", "--manager=bin/manager", "--repeat=5", "-poller=bin/poller", "--sizes=200"})
	if diff := cmp.Diff([]string{"--repeat=5", "--sizes=200"}, got); diff != "" {
		t.Error(diff)
	}
}
