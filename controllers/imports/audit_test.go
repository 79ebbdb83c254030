// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestDigestAudit(t *testing.T) {
	entry := func(minute, source, user string) integrator.AuditEntry {
		return integrator.AuditEntry{ID: minute, Source: source, Event: "update", Time: "2026-03-01T12:" + minute + ":00.000Z",
			ByUser: integrator.AuditUser{ID: user, Email: user + "@example.com"}}
	}
	const seenUntil = "2026-03-01T12:10:00.000Z"
	cases := map[string]struct {
		reason  string
		entries []integrator.AuditEntry
		last    string
		want    []string // times of the external changes
	}{
		"Empty": {reason: "a log that tells nothing"},
		"AnyOrder": {reason: "the newest is found in whatever order they come", last: "15",
			entries: []integrator.AuditEntry{entry("05", "ui", "jane"), entry("15", "ui", "jane"), entry("09", "ui", "bob")}, want: []string{"15", "09", "05"}},
		"Ours": {reason: "what we wrote is told apart", last: "15",
			entries: []integrator.AuditEntry{entry("09", "api", "us"), entry("15", "ui", "jane")}, want: []string{"15"}},
		"OurUserInTheUI": {reason: "the token's user in the UI is not the operator", last: "09",
			entries: []integrator.AuditEntry{entry("09", "ui", "us")}, want: []string{"09"}},
		"AfterOurLastWrite": {reason: "another program with our token is not the operator either", last: "15",
			entries: []integrator.AuditEntry{entry("15", "api", "us")}, want: []string{"15"}},
		"Most": {reason: "five at most", last: "09",
			entries: []integrator.AuditEntry{entry("04", "ui", "a"), entry("05", "ui", "a"), entry("06", "ui", "a"), entry("07", "ui", "a"), entry("08", "ui", "a"), entry("09", "ui", "a")},
			want:    []string{"09", "08", "07", "06", "05"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			audit := digestAudit(tc.entries, "us", seenUntil)
			if audit == nil {
				if tc.last != "" {
					t.Fatalf("%s: no audit", tc.reason)
				}
				return
			}
			minute := func(event v1alpha1.AuditEvent) string { return event.Time[14:16] }
			var got []string
			for _, event := range audit.ExternalChanges {
				got = append(got, minute(event))
			}
			if diff := cmp.Diff(append([]string{tc.last}, tc.want...), append([]string{minute(*audit.LastEvent)}, got...)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestNewestFirst(t *testing.T) {
	entry := func(id, minute string) integrator.AuditEntry {
		return integrator.AuditEntry{ID: id, Time: "2026-03-01T12:" + minute + ":00.000Z"}
	}
	cases := map[string]struct {
		reason  string
		entries []integrator.AuditEntry
		want    bool
	}{
		"Empty":        {"nothing shows the order", nil, false},
		"One":          {"nor does one entry", []integrator.AuditEntry{entry("1", "05")}, false},
		"Newest":       {"the first is the newest", []integrator.AuditEntry{entry("1", "09"), entry("2", "05")}, true},
		"Oldest":       {"the first is the oldest", []integrator.AuditEntry{entry("2", "05"), entry("1", "09")}, false},
		"SameTime":     {"nor do entries of one moment", []integrator.AuditEntry{entry("2", "05"), entry("1", "05")}, false},
		"NoTime":       {"a time that cannot be read is the oldest", []integrator.AuditEntry{{ID: "1"}, entry("2", "05")}, false},
		"NoTimeOfLast": {"wherever it is", []integrator.AuditEntry{entry("2", "05"), {ID: "3"}}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := newestFirst(tc.entries); got != tc.want {
				t.Errorf("%s: %t", tc.reason, got)
			}
		})
	}
}
