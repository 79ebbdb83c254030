// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

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
			func(o *observations) { o.complete(o.begin(), []string{"a"}, map[string]string{"a": "t1"}, nil) }, "t1", false},
		"SeenOtherwise": {"another lastModified is a change",
			func(o *observations) { o.complete(o.begin(), []string{"a"}, map[string]string{"a": "t2"}, nil) }, "t1", true},
		"NotListed": {"absence is a reason to look",
			func(o *observations) { o.complete(o.begin(), []string{"a"}, nil, nil) }, "t1", true},
		"WrittenDuringScan": {"a scan that began before our write is older than it",
			func(o *observations) {
				scan := o.begin()
				o.note("a", "t3")
				o.complete(scan, []string{"a"}, map[string]string{"a": "t2"}, nil)
			}, "t3", false},
		"CreatedDuringScan": {"an import made while the list was read is not missed in it",
			func(o *observations) {
				scan := o.begin()
				o.note("a", "t1")
				o.complete(scan, []string{"a"}, nil, nil)
			}, "t1", false},
		"WrittenBeforeScan": {"a scan that began after our write is newer than it",
			func(o *observations) {
				o.note("a", "t3")
				o.complete(o.begin(), []string{"a"}, map[string]string{"a": "t4"}, nil)
			}, "t3", true},
		"UnmanagedForgotten": {"what is managed no more is not remembered",
			func(o *observations) {
				o.note("a", "t2")
				o.complete(o.begin(), nil, map[string]string{"a": "t2"}, nil)
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

func TestNews(t *testing.T) {
	object, other := &v1alpha1.Import{}, &v1alpha1.Import{}
	object.UID, object.Status.LastModified = "1", "t1"
	other.UID, other.Status.LastModified = "2", "t1"
	scan := func(o *observations, listed map[string]string) { o.complete(o.begin(), []string{"a"}, listed, nil) }
	cases := map[string]struct {
		reason string
		play   func(*observations)
		want   bool
	}{
		"Absent": {"absence is a reason to look", func(o *observations) { scan(o, nil) }, true},
		"Missed": {"once", func(o *observations) {
			scan(o, nil)
			o.look(object, "a", false)
			scan(o, nil)
		}, false},
		"MissedByAnother": {"for each Import that names it", func(o *observations) {
			o.look(other, "a", false)
			scan(o, nil)
		}, true},
		"MissedAnother": {"and for each id that it names", func(o *observations) {
			o.look(object, "b", false)
			scan(o, nil)
		}, true},
		"BackChanged": {"what is there again is looked at", func(o *observations) {
			o.look(object, "a", false)
			scan(o, map[string]string{"a": "t2"})
		}, true},
		"BackUnchanged": {"also when it is as it was", func(o *observations) {
			o.look(object, "a", false)
			scan(o, map[string]string{"a": "t1"})
		}, true},
		"Seen": {"once", func(o *observations) {
			o.look(object, "a", false)
			o.look(object, "a", true)
			scan(o, map[string]string{"a": "t1"})
		}, false},
		"GoneAgain": {"and so is its second absence", func(o *observations) {
			o.look(object, "a", false)
			o.look(object, "a", true)
			scan(o, nil)
		}, true},
		"Changed": {"a change is told", func(o *observations) { scan(o, map[string]string{"a": "t2"}) }, true},
		"Known":   {"what is known is not", func(o *observations) { scan(o, map[string]string{"a": "t1"}) }, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := newObservations()
			tc.play(o)
			if got := o.news(object, "a"); got != tc.want {
				t.Errorf("%s: news = %t", tc.reason, got)
			}
		})
	}
}

func TestMarks(t *testing.T) {
	object := &v1alpha1.Import{}
	object.UID = "u1"
	mark := marker(object)
	for name, test := range map[string]struct {
		reason string
		play   func(*observations)
		want   bool
	}{
		"unseen":         {"nobody saw it", func(*observations) {}, false},
		"listed":         {"the scan saw it", func(o *observations) { o.complete(o.begin(), nil, nil, []string{mark}) }, true},
		"made":           {"our own call saw it, before any scan", func(o *observations) { o.noteMark(mark) }, true},
		"made meanwhile": {"a scan that began before is older", func(o *observations) { scan := o.begin(); o.noteMark(mark); o.complete(scan, nil, nil, nil) }, true},
		"gone": {"a later scan does not see it", func(o *observations) {
			o.complete(o.begin(), nil, nil, []string{mark})
			o.complete(o.begin(), nil, nil, nil)
		}, false},
		"another's":  {"it is of another Import", func(o *observations) { o.noteMark(mark + "0") }, false},
		"not a mark": {"a user's externalId is none", func(o *observations) { o.noteMark("u1") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := newObservations()
			test.play(o)
			if got := o.marked(object); got != test.want {
				t.Errorf("%t, want %t: %s", got, test.want, test.reason)
			}
		})
	}
}
