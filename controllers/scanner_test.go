// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import "testing"

func TestObservations(t *testing.T) {
	cases := map[string]struct {
		reason string
		play   func(*observations)
		known  string
		want   bool
	}{
		"Unseen": {"what nobody looked at is taken as unchanged: the first scan tells",
			func(*observations) {}, "t1", false},
		"SeenAsKnown": {"a scan that saw what we know changes nothing",
			func(o *observations) { o.complete(o.begin(), []string{"a"}, map[string]string{"a": "t1"}) }, "t1", false},
		"SeenOtherwise": {"another lastModified is a change",
			func(o *observations) { o.complete(o.begin(), []string{"a"}, map[string]string{"a": "t2"}) }, "t1", true},
		"NotListed": {"absence is a reason to look",
			func(o *observations) { o.complete(o.begin(), []string{"a"}, nil) }, "t1", true},
		"WrittenDuringScan": {"a scan that began before our write is older than it",
			func(o *observations) {
				scan := o.begin()
				o.note("a", "t3")
				o.complete(scan, []string{"a"}, map[string]string{"a": "t2"})
			}, "t3", false},
		"CreatedDuringScan": {"an import made while the list was read is not missed in it",
			func(o *observations) {
				scan := o.begin()
				o.note("a", "t1")
				o.complete(scan, []string{"a"}, nil)
			}, "t1", false},
		"WrittenBeforeScan": {"a scan that began after our write is newer than it",
			func(o *observations) {
				o.note("a", "t3")
				o.complete(o.begin(), []string{"a"}, map[string]string{"a": "t4"})
			}, "t3", true},
		"UnmanagedForgotten": {"what is managed no more is not remembered",
			func(o *observations) {
				o.note("a", "t2")
				o.complete(o.begin(), nil, map[string]string{"a": "t2"})
			}, "t1", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := newObservations()
			tc.play(o)
			if got := o.changed("a", tc.known); got != tc.want {
				t.Errorf("%s: changed = %t", tc.reason, got)
			}
		})
	}
}
