// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package plan says what applying manifests would do to the platform. It reads only: the operator's
// own reconcilers work, each Import in a dry run, on a copy of the cluster in memory, with clients
// that refuse every call that writes.
package plan

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// Manifest is an object that would be applied.
type Manifest struct {
	Object *unstructured.Unstructured
	// Source says where it stands, such as a file.
	Source string
}

// Options say how a plan is made.
type Options struct {
	// Cluster is read with the rights of the caller; nil makes a plan without one.
	Cluster client.Reader
	// Namespace is that of manifests that name none.
	Namespace string
	// Account has what an Account would: for Imports whose Account is neither among the manifests nor
	// in the cluster. Its Token also stands for every Secret of a token that cannot be read.
	Account Account
	// AllowedHosts and Network say where a token may be sent, and how.
	AllowedHosts []string
	Network      integrator.Config
	// Owner is that of the operator in the cluster.
	Owner ownership.Owner
	// Prune includes the Imports of the cluster that are not among the manifests, in the namespaces of
	// the manifests. PruneLabels, if not empty, leaves out those without these labels.
	Prune       bool
	PruneLabels map[string]string
	// Timeout bounds the whole plan.
	Timeout time.Duration
}

// Account stands for Accounts that are not there.
type Account struct {
	BaseURL string
	Token   string
	Aliases map[string]v1alpha1.ID
}

// Action is what would happen to the object that a manifest declares.
type Action string

// Actions.
const (
	// Create, Update, Adopt and Delete change the platform, or what is managed there.
	Create Action = "create"
	Update Action = "update"
	Adopt  Action = "adopt"
	Delete Action = "delete"
	// Release lets an Import go and leaves its remote import.
	Release Action = "release"
	// Invoke sends records.
	Invoke Action = "invoke"
	// Apply changes an object of the cluster, and nothing on the platform.
	Apply Action = "apply"
	// None: everything is as declared.
	None Action = "none"
	// Wait: what would happen cannot be said yet, for example because the object waits for another.
	Wait Action = "wait"
	// Fail: the object would be refused, or would end Stalled.
	Fail Action = "fail"
)

// Changes reports whether the action changes something.
func (a Action) Changes() bool {
	switch a {
	case Create, Update, Adopt, Delete, Release, Invoke, Apply:
		return true
	case None, Wait, Fail:
	}
	return false
}

// Item is what would happen for one object.
type Item struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Source    string `json:"source,omitempty"`
	Action    Action `json:"action"`
	// ID is the id of the remote import, if there is one.
	ID string `json:"id,omitempty"`
	// Calls are the writing calls, in order.
	Calls []string `json:"calls,omitempty"`
	// Differences are fields that would change: 16 at most.
	Differences []v1alpha1.Difference `json:"differences,omitempty"`
	// Drift are the differences that would be left, because they are only reported.
	Drift []v1alpha1.Difference `json:"drift,omitempty"`
	// UsedBy are the flows and others that use a remote import that would be written to or deleted: 16 at
	// most. UsedByUnknown says why that could not be read.
	UsedBy        []v1alpha1.ResourceUse `json:"usedBy,omitempty"`
	UsedByUnknown string                 `json:"usedByUnknown,omitempty"`
	// Reason and Message say why an object fails or waits, as its condition would.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Warnings are probable mistakes, and IgnoredFields what of the definition is left out.
	Warnings      []string `json:"warnings,omitempty"`
	IgnoredFields []string `json:"ignoredFields,omitempty"`
}

// Plan is what would happen, in the order of the manifests.
type Plan struct {
	Items []Item `json:"items"`
	// Notes are about the plan as a whole, such as what could not be read.
	Notes []string `json:"notes,omitempty"`
}

// Count returns how many items have the action.
func (p *Plan) Count(action Action) (count int) {
	for i := range p.Items {
		if p.Items[i].Action == action {
			count++
		}
	}
	return count
}

// Changes reports whether applying the manifests would change something.
func (p *Plan) Changes() bool {
	for i := range p.Items {
		if p.Items[i].Action.Changes() {
			return true
		}
	}
	return false
}

// Failed reports whether an object would fail, or cannot be planned.
func (p *Plan) Failed() bool { return p.Count(Fail)+p.Count(Wait) > 0 }

// Make makes the plan of manifests. Its clients make no call that writes.
func Make(ctx context.Context, manifests []Manifest, options Options) (*Plan, error) {
	if options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, options.Timeout, fmt.Errorf("there was no answer within %s", options.Timeout))
		defer cancel()
	}
	options.Network.ReadOnly = true
	w, err := newWorld(ctx, manifests, options)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if err := w.run(ctx); err != nil {
		return nil, fmt.Errorf("make the plan: %w", err)
	}
	return w.plan(ctx)
}
