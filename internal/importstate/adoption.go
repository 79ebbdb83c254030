// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importstate

import (
	"context"
	"fmt"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// AdoptionStep is the next effect of an Adoption, or its end.
type AdoptionStep int

const (
	// AdoptionCheck looks for a rival in the cache, before anything is written.
	AdoptionCheck AdoptionStep = iota + 1
	// AdoptionClaim writes the claim.
	AdoptionClaim
	// AdoptionConfirm looks for a rival past the cache, after the claim was written.
	AdoptionConfirm
	// AdoptionWithdraw removes the claim.
	AdoptionWithdraw
	// AdoptionTakeOver turns the claim into the id.
	AdoptionTakeOver
	// AdoptionDone is the end: the Import manages the remote import.
	AdoptionDone
)

// Adoption is the takeover of an existing remote import by one Import, and how far it has come.
// It is a value. Package ownership has the protocol and its proof.
type Adoption struct {
	ownership.Contest

	Step AdoptionStep

	// Rival is the Import for which the claim is withdrawn.
	Rival *v1alpha1.Import
}

// AdoptionEffects are what the steps of an adoption do to Kubernetes. An error ends the reconcile.
// Writes return the object as it is afterwards; each is refused if somebody else wrote the object
// meanwhile.
type AdoptionEffects interface {
	// KnownRival is the strongest rival that is known without a read past the cache, nil when there is none.
	KnownRival(ctx context.Context, a Adoption) (*v1alpha1.Import, error)
	// ListRivals is the strongest rival among the Imports that have the remote import's label, read
	// past the cache.
	ListRivals(ctx context.Context, a Adoption) (*v1alpha1.Import, error)
	WriteClaim(ctx context.Context, a Adoption) (*v1alpha1.Import, error)
	WithdrawClaim(ctx context.Context, a Adoption) (*v1alpha1.Import, error)
	TakeOver(ctx context.Context, a Adoption) (*v1alpha1.Import, error)
}

// AdoptionMachine makes the steps of an adoption. Its field is the decision that it asks.
type AdoptionMachine struct {
	DecideClaim func(c ownership.Contest, rival *v1alpha1.Import) ownership.ClaimStep
}

// NewAdoption returns the machine with its decision.
func NewAdoption() AdoptionMachine { return AdoptionMachine{DecideClaim: ownership.DecideClaim} }

// Start decides about the first step: a claim that an earlier reconcile has written is confirmed.
func (AdoptionMachine) Start(a Adoption) Adoption {
	a.Step = AdoptionCheck
	if a.Object.Annotations[v1alpha1.AnnotationAdoptPending] == a.Remote.ID {
		a.Step = AdoptionConfirm
	}
	return a
}

// Advance makes one step: its effect, and the decision about the next.
func (m AdoptionMachine) Advance(ctx context.Context, a Adoption, e AdoptionEffects) (Adoption, error) {
	switch a.Step {
	case AdoptionCheck:
		rival, err := e.KnownRival(ctx, a)
		if err != nil {
			return a, err
		}
		return m.decide(a, rival)
	case AdoptionClaim:
		object, err := e.WriteClaim(ctx, a)
		return a.then(AdoptionConfirm, object, err)
	case AdoptionConfirm:
		rival, err := e.ListRivals(ctx, a)
		if err != nil {
			return a, err
		}
		return m.decide(a, rival)
	case AdoptionWithdraw:
		if _, err := e.WithdrawClaim(ctx, a); err != nil {
			return a, err
		}
		return a, ownership.Contested(a.Contest, a.Rival)
	case AdoptionTakeOver:
		object, err := e.TakeOver(ctx, a)
		return a.then(AdoptionDone, object, err)
	case AdoptionDone:
		return a, nil
	default:
		return a, fmt.Errorf("importstate: unknown step %d of an adoption", a.Step)
	}
}

// then goes on with a step and the object that was written, unless the write failed.
func (a Adoption) then(next AdoptionStep, object *v1alpha1.Import, err error) (Adoption, error) {
	if err != nil {
		return a, err
	}
	a.Object, a.Step = object, next
	return a, nil
}

// decide follows the decision about the claim.
func (m AdoptionMachine) decide(a Adoption, rival *v1alpha1.Import) (Adoption, error) {
	switch step := m.DecideClaim(a.Contest, rival); step {
	case ownership.ClaimWrite:
		return a.then(AdoptionClaim, a.Object, nil)
	case ownership.ClaimTake:
		return a.then(AdoptionTakeOver, a.Object, nil)
	case ownership.ClaimWithdraw:
		a.Rival = rival
		return a.then(AdoptionWithdraw, a.Object, nil)
	case ownership.ClaimWait:
		return a, ownership.Contested(a.Contest, rival)
	default:
		return a, fmt.Errorf("importstate: unknown decision %d about a claim", step)
	}
}
