// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

const (
	leaseName = "integrator-operator.integrator.io"
	// takeover is longer than a lease that is not renewed is waited for.
	takeover = time.Minute
	// alone is how long the new leader works before the old one wakes up.
	alone = 8 * time.Second
)

// letLead gives the manager's ServiceAccount the rights on leases in the stage's namespace that
// it has in its own.
func (s *stage) letLead(ctx context.Context) error {
	role := &rbacv1.Role{}
	if err := s.objects.Get(ctx, client.ObjectKey{Namespace: local.OperatorNamespace, Name: "integrator-operator-leader-election-role"}, role); err != nil {
		return err
	}
	return errors.Join(
		s.objects.Create(ctx, &rbacv1.Role{ObjectMeta: s.meta("leader"), Rules: role.Rules}),
		s.objects.Create(ctx, &rbacv1.RoleBinding{ObjectMeta: s.meta("leader"),
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "leader"},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: s.cluster.user}},
		}))
}

// holder is who holds the lease.
func (s *stage) holder(ctx context.Context) (string, error) {
	lease := &coordinationv1.Lease{}
	err := s.objects.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: leaseName}, lease)
	return ptr.Deref(lease.Spec.HolderIdentity, ""), err
}

// overtake freezes a leader, has the other manager take over and work for a while, and lets
// the first one go on: it still thinks that it leads.
func (s *stage) overtake(number int) {
	ctx := context.Background()
	s.freeze(number)
	defer s.thaw(number)
	before, err := s.holder(ctx)
	if err != nil {
		s.fail(err)
		return
	}
	s.fail(local.Await(ctx, takeover, "another manager to lead", func(ctx context.Context) error {
		now, err := s.holder(ctx)
		if err == nil && now == before {
			err = fmt.Errorf("%s leads", now)
		}
		return err
	}))
	time.Sleep(alone)
}

// leader is the number of the manager that was seen to write to Kubernetes last.
func (s *stage) leader() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastWriter
}

// wrote keeps which manager writes.
func (s *stage) wrote(g *gate) {
	if !g.kubernetes() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastWriter = g.manager
}
