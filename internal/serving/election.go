// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/leaderelection"
)

// Election says whether the manager works only while it holds the lease, and how it keeps it. The flags
// are named as those of kube-controller-manager.
type Election struct {
	Enabled   bool
	Namespace string
	// ID is the name of the lease; see Lease.
	ID string
	// LeaseDuration is how long others wait after the last renewal, RenewDeadline how long the leader
	// tries to renew, and RetryPeriod the pause between two attempts of either.
	LeaseDuration, RenewDeadline, RetryPeriod time.Duration
}

// Register adds the flags.
func (e *Election) Register(set *flag.FlagSet) {
	set.BoolVar(&e.Enabled, "leader-elect", false, "Work only while holding the lease, so that several replicas can run.")
	set.StringVar(&e.Namespace, "leader-election-namespace", "", "Namespace of the lease; by default the one that the operator runs in.")
	set.StringVar(&e.ID, "leader-election-id", "", "Name of the lease; by default one for all objects, and another for each list of --watch-namespaces and each --watch-label-selector.")
	set.DurationVar(&e.LeaseDuration, "leader-elect-lease-duration", 15*time.Second, "How long after its last renewal a lease that was not released is taken over.")
	set.DurationVar(&e.RenewDeadline, "leader-elect-renew-deadline", 10*time.Second, "How long the leader tries to renew the lease before it stops leading; less than the lease duration.")
	set.DurationVar(&e.RetryPeriod, "leader-elect-retry-period", time.Second, "How long to wait between two attempts to get or renew the lease; 1.2 times this is less than the renew deadline.")
}

// Lease is the name of the lease. Operators that watch other namespaces, or select other objects, do not wait
// for each other, also where their leases are in one namespace. The order of the namespaces does not matter,
// and neither does that of what a selector requires, which labels.Selector sorts.
func (e *Election) Lease(watched []string, selector string) string {
	const name, domain = "integrator-operator", ".integrator.io"
	switch {
	case e.ID != "":
		return e.ID
	case len(watched) == 0 && selector == "":
		return name + domain
	default:
		content := strings.Join(slices.Sorted(slices.Values(watched)), ",")
		if selector != "" {
			content += " " + selector
		}
		sum := sha256.Sum256([]byte(content))
		return fmt.Sprintf("%s-%x%s", name, sum[:5], domain)
	}
}

// Validate refuses durations with which no lease could be kept, and a name that no lease can have.
func (e *Election) Validate() error {
	const atLeast = "--leader-elect-lease-duration"
	switch {
	case !e.Enabled:
		return nil
	case len(validation.IsDNS1123Subdomain(e.Lease(nil, ""))) > 0:
		return fmt.Errorf("--leader-election-id is %q and has to be the name of a lease: %s", e.ID, validation.IsDNS1123Subdomain(e.ID)[0])
	case e.LeaseDuration < time.Second:
		return fmt.Errorf("%s is %s and has to be 1s or more: a lease is kept in whole seconds", atLeast, e.LeaseDuration)
	case e.RetryPeriod <= 0:
		return fmt.Errorf("--leader-elect-retry-period is %s and has to be more than 0", e.RetryPeriod)
	case e.LeaseDuration <= e.RenewDeadline:
		return fmt.Errorf("%s is %s and has to be more than --leader-elect-renew-deadline, which is %s: otherwise another replica takes the lease while the leader still works", atLeast, e.LeaseDuration, e.RenewDeadline)
	case float64(e.RenewDeadline) <= leaderelection.JitterFactor*float64(e.RetryPeriod):
		return fmt.Errorf("--leader-elect-renew-deadline is %s and has to be more than %g times --leader-elect-retry-period, which is %s: otherwise there is no time for a second attempt", e.RenewDeadline, leaderelection.JitterFactor, e.RetryPeriod)
	default:
		return nil
	}
}
