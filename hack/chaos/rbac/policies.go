// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/chaos/campaign"
	"github.com/integrator-operator/integrator-operator/hack/chaos/proxy"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
)

// userOf is who a ServiceAccount of the operator's namespace is to Kubernetes.
func userOf(account string) string {
	return "system:serviceaccount:" + local.OperatorNamespace + ":" + account
}

// restrict makes a ServiceAccount beside the manager's, to which each policy of that one is bound.
func restrict(ctx context.Context, objects client.Client, account string) error {
	made := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: local.OperatorNamespace, Name: account}}
	if err := objects.Create(ctx, made); err != nil {
		return err
	}
	var bindings admissionv1.ValidatingAdmissionPolicyBindingList
	if err := objects.List(ctx, &bindings); err != nil {
		return err
	}
	bound := 0
	for i := range bindings.Items {
		shipped := &bindings.Items[i]
		if shipped.Spec.ParamRef == nil || shipped.Spec.ParamRef.Name != local.OperatorServiceAccount {
			continue
		}
		bound++
		another := &admissionv1.ValidatingAdmissionPolicyBinding{
			ObjectMeta: metav1.ObjectMeta{Name: account + "." + shipped.Name}, Spec: *shipped.Spec.DeepCopy()}
		another.Spec.ParamRef.Name = account
		if err := objects.Create(ctx, another); err != nil {
			return err
		}
	}
	if bound == 0 {
		return errors.New("no policy is bound to the manager's ServiceAccount")
	}
	return nil
}

// policyTime is how long a new binding of a policy may take to count.
const policyTime = time.Minute

// restricted waits until the policies bind a user: a Secret that belongs to no run is denied.
func restricted(ctx context.Context, c *campaign.Campaign, namespace, user string) error {
	as := rest.CopyConfig(c.Cluster.Plane.Config)
	as.Impersonate.UserName = user
	objects, err := client.New(as, client.Options{Scheme: c.Cluster.Objects.Scheme()})
	if err != nil {
		return err
	}
	for end := time.Now().Add(policyTime); ; sandbox.Pause(ctx, 100*time.Millisecond) {
		forged := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "of-nobody"}}
		err := objects.Create(ctx, forged, client.DryRunAll)
		if err != nil && strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("the policies of the manager do not bind %s: %w", user, err)
		}
	}
}

// refusals parts what the role denied from what a policy did.
func refusals(all []string) (byRole, byPolicy []string) {
	for _, refused := range all {
		if strings.HasSuffix(refused, proxy.ByPolicy) {
			byPolicy = append(byPolicy, refused)
		} else {
			byRole = append(byRole, refused)
		}
	}
	return byRole, byPolicy
}
