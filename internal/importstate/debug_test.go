// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

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
			operation, set := DebugChange(tc.declared, tc.last, tc.remote, now)
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
