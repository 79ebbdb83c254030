// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Session is a usable account: what one reconcile works with. It is a snapshot of its own, so its
// fields may be set.
type Session struct {
	Key    types.NamespacedName
	Client *integrator.Client
	// Aliases are those of the Account's spec.
	Aliases      map[string]v1alpha1.ID
	Observations *Observations
	// UserID is the user whose token it is; the audit log has the operator's own calls under it.
	UserID string
	// Unverified: the credential may be of another account than before.
	Unverified bool
	// Changed: it is Unverified, and a scan that reached its end found none of the managed imports.
	Changed bool
	// Scanned: a scan with this credential has reached its end.
	Scanned bool
	// ScanProblem is why the last scan did not reach its end, nil if it did or there was none.
	ScanProblem *problem.Problem
	// Overdue: for longer than this no scan has reached its end; 0 if that is not so.
	Overdue time.Duration
	// Deleting: the Account is being deleted. It serves the Imports that it has, and nothing new is
	// created in it.
	Deleting bool
	// ShowsForeignValues: spec.foreignValues is Shown.
	ShowsForeignValues bool
}

// RequireVerified refuses to take a missing import for a deleted one, and to create, where the
// token may be of another account: there, every import would be missing.
func (s *Session) RequireVerified() error {
	switch {
	case !s.Unverified:
		return nil
	case !s.Changed:
		return problem.Waitingf(v1alpha1.ReasonAccountNotReady, "the Account has a new token: the first scan with it shows whether it is of the same account%s", s.WhyNotScanned())
	default:
		return problem.Terminalf(v1alpha1.ReasonAccountChanged, "the Account has a new token, and none of its managed imports is found with it: put a token of the same account into the Secret, or delete this Import with deletionPolicy Orphan to leave its import alone")
	}
}

// WhyNotScanned ends a message of what waits for a scan: why that has not reached its end, "" if it is
// not known to fail.
func (s *Session) WhyNotScanned() string {
	switch {
	case s.ScanProblem != nil:
		return "; the scan fails: " + s.ScanProblem.Error()
	case s.Overdue > 0:
		return fmt.Sprintf("; no scan has reached its end for more than %s", duration.HumanDuration(s.Overdue))
	default:
		return ""
	}
}

// Unwatched ends the message of an Import in sync while no scan reaches its end; otherwise it is "". It
// does not say why: the Account does, and thousands of Imports need not be written when that changes.
func (s *Session) Unwatched() string {
	if s == nil || s.Overdue == 0 {
		return ""
	}
	return fmt.Sprintf("; drift is not being watched: no scan of Account %q has reached its end for more than %s", s.Key.Name, duration.HumanDuration(s.Overdue))
}

// Causes of a blocked account that only its user can end. ErrSecretDeleted: what the Account needs for
// calls was deleted, which is the Secret with the token, or what spec.caBundleRef names.
var (
	ErrSecretDeleted = errors.New("the Secret was deleted")
	ErrTokenRevoked  = errors.New("the check of the token was answered with 401")
)

// errRejected is why an account is blocked when a call of another Account with its token was answered
// with 401. It says nothing of that.
var errRejected = problem.Terminalf(v1alpha1.ReasonTokenRejected, "the API rejects the token (401); put a valid token into the Account's Secret")

// BeingDeleted refuses what an Account that is being deleted no longer gets. name is the Account's.
func BeingDeleted(name string) *problem.Problem {
	return problem.Terminalf(v1alpha1.ReasonAccountNotReady,
		"Account %q is being deleted: nothing new is created in it; create the Account again once it is deleted, or delete this Import", name)
}
