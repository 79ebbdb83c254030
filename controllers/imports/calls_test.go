// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package imports

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

func TestCallsFor(t *testing.T) {
	cases := map[string]struct {
		reason   string
		found    []string
		released []string
		rewrite  bool
		want     []string
	}{
		"Nothing":      {reason: "never a PUT when nothing differs"},
		"Field":        {reason: "a field goes by PUT", found: []string{"/name"}, want: []string{callPut}},
		"Connection":   {reason: "the connection alone has a call of its own", found: []string{"/_connectionId"}, want: []string{callReplaceConnection}},
		"ConnectionTo": {reason: "together with others it goes by PUT", found: []string{"/_connectionId", "/name"}, want: []string{callPut}},
		"Released":     {reason: "what is taken back needs a PUT", found: []string{"/_connectionId"}, released: []string{"/description"}, want: []string{callPut}},
		"Rewrite":      {reason: "what cannot be compared is written", rewrite: true, want: []string{callPut}},
		"Assistant":    {reason: "assistantMetadata alone goes by PATCH", found: []string{"/assistantMetadata/a", "/assistantMetadata"}, want: []string{callPatch}},
		"Namesake":     {reason: "a field that only begins alike does not", found: []string{"/assistantMetadata2"}, want: []string{callPut}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var found []drift.Difference
			for _, path := range tc.found {
				found = append(found, drift.Difference{Path: path})
			}
			if diff := cmp.Diff(tc.want, callsFor(found, tc.released, tc.rewrite)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDebugChange(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) *metav1.Time {
		moment := metav1.NewTime(now.Add(time.Duration(minutes) * time.Minute))
		return &moment
	}
	cases := map[string]struct {
		reason         string
		declared, last *metav1.Time
		remote         time.Time
		want           string
		set            *metav1.Time
	}{
		"None":          {reason: "nothing declared, nothing set"},
		"Set":           {reason: "a time ahead is set", declared: at(30), want: "add", set: at(30)},
		"Same":          {reason: "what is set is not set again", declared: at(30), remote: at(30).Add(123 * time.Millisecond), set: at(30)},
		"Moved":         {reason: "another time replaces it", declared: at(45), last: at(30), remote: at(30).Time, want: "add", set: at(45)},
		"Expired":       {reason: "a time that has passed means nothing", declared: at(-1), remote: at(-1).Time},
		"ExpiredRemote": {reason: "nor does one that was taken away and has passed", last: at(-1), remote: at(-1).Time},
		"TooFar":        {reason: "one that the API would refuse waits", declared: at(61)},
		"MovedTooFar":   {reason: "and what was set before stays known meanwhile", declared: at(61), last: at(30), remote: at(30).Time, set: at(30)},
		"Latest":        {reason: "an hour is not too far", declared: at(60), want: "add", set: at(60)},
		"Removed":       {reason: "what we set we take back", last: at(30), remote: at(30).Time, want: "remove"},
		"Theirs":        {reason: "what others set is theirs", last: at(30), remote: at(50).Time},
		"TheirsAlone":   {reason: "and is not touched without a declaration", remote: at(50).Time},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			operation, set := debugChange(tc.declared, tc.last, tc.remote, now)
			got := ""
			if operation != nil {
				got = operation.Op
			}
			if got != tc.want {
				t.Errorf("%s: operation %q, want %q", tc.reason, got, tc.want)
			}
			if diff := cmp.Diff(tc.set, set); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

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
