// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestElection(t *testing.T) {
	for reason, tc := range map[string]struct{ args, says string }{
		"the defaults fit":                      {"--leader-elect", ""},
		"a short lease is fine":                 {"--leader-elect --leader-elect-lease-duration=3s --leader-elect-renew-deadline=2s --leader-elect-retry-period=500ms", ""},
		"without an election nothing matters":   {"--leader-elect-lease-duration=0s", ""},
		"a lease has whole seconds":             {"--leader-elect --leader-elect-lease-duration=500ms", "--leader-elect-lease-duration is 500ms and has to be 1s or more"},
		"a pause has to be one":                 {"--leader-elect --leader-elect-retry-period=0s", "--leader-elect-retry-period is 0s and has to be more than 0"},
		"the leader stops before others begin":  {"--leader-elect --leader-elect-lease-duration=10s", "--leader-elect-lease-duration is 10s and has to be more than --leader-elect-renew-deadline, which is 10s"},
		"a renewal can be tried a second time":  {"--leader-elect --leader-elect-retry-period=9s", "--leader-elect-renew-deadline is 10s and has to be more than 1.2 times --leader-elect-retry-period, which is 9s"},
		"a lease of one's own":                  {"--leader-elect --leader-election-id=integrator-operator-team-a", ""},
		"a lease has a name":                    {"--leader-elect --leader-election-id=team_a", "--leader-election-id is \"team_a\" and has to be the name of a lease: a lowercase RFC 1123 subdomain"},
		"no deadline at all leaves no attempts": {"--leader-elect --leader-elect-renew-deadline=0s", "--leader-elect-renew-deadline is 0s"},
	} {
		t.Run(reason, func(t *testing.T) {
			var e Election
			set := flag.NewFlagSet("manager", flag.ContinueOnError)
			e.Register(set)
			if err := set.Parse(strings.Fields(tc.args)); err != nil {
				t.Fatal(err)
			}
			err := e.Validate()
			if (err == nil) != (tc.says == "") || err != nil && !strings.HasPrefix(err.Error(), tc.says) {
				t.Errorf("%s: got %v, want %q", reason, err, tc.says)
			}
		})
	}
}

func TestLease(t *testing.T) {
	all, some := (&Election{}).Lease(nil, ""), (&Election{}).Lease([]string{"a", "b"}, "")
	for reason, tc := range map[string]struct {
		id      string
		watched []string
		selects string
		want    string
	}{
		"one name for all namespaces":          {watched: nil, want: "integrator-operator.integrator.io"},
		"the order is not part of the list":    {watched: []string{"b", "a"}, want: some},
		"a name that was given is taken":       {id: "mine", watched: []string{"a"}, want: "mine"},
		"a name that was given for all too":    {id: "mine", want: "mine"},
		"replicas of one operator have a name": {watched: []string{"a", "b"}, want: "integrator-operator-1eb7c54d52.integrator.io"},
		"a name that was given for a selector": {id: "mine", selects: "shard=a", want: "mine"},
		"so have those with a selector":        {selects: "shard=a", want: "integrator-operator-ff0c07def5.integrator.io"},
	} {
		if got := (&Election{ID: tc.id}).Lease(tc.watched, tc.selects); got != tc.want {
			t.Errorf("%s: got %q, want %q", reason, got, tc.want)
		}
	}
	seen := map[string]string{all: "all"}
	for _, watched := range [][]string{nil, {"a"}, {"b"}, {"a", "b"}, {"a-b"}, {"ab"}} {
		for _, selector := range []string{"", "a", "b", "!a", "a=b"} {
			if watched == nil && selector == "" {
				continue
			}
			lease, what := (&Election{}).Lease(watched, selector), fmt.Sprint(watched, selector)
			if other, taken := seen[lease]; taken {
				t.Errorf("%s and %s have the lease %s", what, other, lease)
			}
			seen[lease] = what
		}
	}
}

// filled is a cache that is filled after a while.
type filled struct{ after time.Duration }

func (f filled) WaitForCacheSync(ctx context.Context) bool {
	select {
	case <-time.After(f.after):
		return true
	case <-ctx.Done():
		return false
	}
}

func TestReady(t *testing.T) {
	for reason, tc := range map[string]struct {
		after time.Duration
		want  error
	}{"ready once the caches are filled": {0, nil}, "not ready before": {time.Hour, ErrNotFilled}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if got := Ready(filled{tc.after})(req); !errors.Is(got, tc.want) {
			t.Errorf("%s: got %v", reason, got)
		}
	}
}
