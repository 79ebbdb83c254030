// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

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
	leaseName    = "integrator-operator.integrator.io"
	electionRole = "integrator-operator-leader-election-role"
	// takeOverTimeout is longer than it takes for a lease to expire that is not renewed.
	takeOverTimeout = time.Minute
	// soloTime is how long the new leader works before the old one wakes up.
	soloTime = 8 * time.Second
)

// allowLeases gives the manager's ServiceAccount the permissions on leases in the sandbox's
// namespace that it has in its own.
func (s *Sandbox) allowLeases(ctx context.Context) error {
	role := &rbacv1.Role{}
	if err := s.Objects.Get(ctx, client.ObjectKey{Namespace: local.OperatorNamespace, Name: electionRole}, role); err != nil {
		return err
	}
	return errors.Join(
		s.Objects.Create(ctx, &rbacv1.Role{ObjectMeta: s.Meta("leader"), Rules: role.Rules}),
		s.Objects.Create(ctx, &rbacv1.RoleBinding{ObjectMeta: s.Meta("leader"),
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "leader"},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: s.cluster.User}},
		}))
}

// LeaseHolder is who holds the lease, "" when nobody does.
func (s *Sandbox) LeaseHolder(ctx context.Context) (string, error) {
	lease := &coordinationv1.Lease{}
	err := s.Objects.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: leaseName}, lease)
	return ptr.Deref(lease.Spec.HolderIdentity, ""), err
}

// TakeOver freezes a leader, has the other manager take over and work for a while, and lets the
// first one go on: it still assumes that it leads.
func (s *Sandbox) TakeOver(number int) {
	ctx := context.Background()
	s.Freeze(number)
	defer s.thaw(number)
	before, err := s.LeaseHolder(ctx)
	if err != nil {
		s.Fail(err)
		return
	}
	s.Fail(local.Await(ctx, takeOverTimeout, "another manager to lead", func(ctx context.Context) error {
		now, err := s.LeaseHolder(ctx)
		if err == nil && now == before {
			err = fmt.Errorf("%s leads", now)
		}
		return err
	}))
	time.Sleep(soloTime)
}
