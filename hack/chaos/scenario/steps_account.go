// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
)

// Steps with the Account and its token.

// CreateAccount is what every scenario begins with: an Account with its token.
var CreateAccount = Step{
	Do: func(ctx context.Context, x *Execution) error {
		for _, namespace := range x.Namespaces() {
			if err := createAccount(ctx, x, namespace); err != nil {
				return err
			}
		}
		return nil
	},
	Until: func(ctx context.Context, x *Execution) error {
		for _, namespace := range x.Namespaces() {
			if err := x.Ready(ctx, &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"}}); err != nil {
				return err
			}
		}
		return nil
	},
}

func createAccount(ctx context.Context, x *Execution, namespace string) error {
	object := &v1alpha1.Account{ObjectMeta: x.Meta("default"), Spec: v1alpha1.AccountSpec{
		BaseURL:        "http://" + x.RemoteAddress(),
		TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token"},
		Aliases:        map[string]v1alpha1.ID{"shop": sandbox.ShopConnection, "dealers": sandbox.DealerConnection},
		ScanInterval:   "1s",
	}}
	secret := x.TokenSecret(x.Token())
	object.Namespace, secret.Namespace = namespace, namespace
	return x.Create(ctx, secret, object)
}

func rotateToken(ctx context.Context, x *Execution) error {
	x.RotateToken()
	x.AwaitToken()
	return noteScans(ctx, x)
}

// nextScans waits until the Account shows what is in the account now. Otherwise it may leave out a
// number, and so a write, that it shows another time.
var nextScans = Step{noteScans, scannedAgain}

func noteScans(_ context.Context, x *Execution) error {
	_, x.scansBefore = x.Recorder().Counts()
	return nil
}

func scannedAgain(ctx context.Context, x *Execution) error {
	if _, scans := x.Recorder().Counts(); scans < x.scansBefore+2 {
		return errors.New("the account is not scanned")
	}
	return errors.Join(x.Ready(ctx, &v1alpha1.Account{ObjectMeta: x.Meta("default")}), importReady(ctx, x))
}

func deleteSecret(ctx context.Context, x *Execution) error {
	return client.IgnoreNotFound(x.Objects.Delete(ctx, x.TokenSecret("")))
}

func createSecret(ctx context.Context, x *Execution) error {
	return x.Create(ctx, x.TokenSecret(x.Token()))
}

// accountNotReady succeeds once the Account has conditions and is not Ready.
func accountNotReady(ctx context.Context, x *Execution) error {
	object := &v1alpha1.Account{ObjectMeta: x.Meta("default")}
	if x.Ready(ctx, object) == nil {
		return errors.New("the Account is Ready")
	}
	if len(object.Status.Conditions) == 0 {
		return errors.New("the Account has no conditions")
	}
	return nil
}
