// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// What is in every environment.
const (
	// Namespace has the Account, which is named default, and all Imports.
	Namespace = "default"
	// AccountName is the account of that Account in the API.
	AccountName = "acme"
	// Connection is what imports are sent over.
	Connection = "5e8c41d29a7f3b0012ab77e1"

	token = "token-of-the-benchmark"
	// pageSize is how many imports a page of a list has.
	pageSize = 100
	// requestsPerSecond is what the platform allows at most: the operator is to be measured, and not the
	// rate that it keeps to by default.
	requestsPerSecond = 300
)

// AddAccount makes the account, with imports in it that others have made, and the Account, and waits
// until the operator has read all of it.
func (e *Environment) AddAccount(ctx context.Context, imports []json.RawMessage) error {
	return e.addAccount(ctx, "default", AccountName, imports)
}

// AddNeighbour makes another account, and its Account of the same name.
func (e *Environment) AddNeighbour(ctx context.Context, name string) error {
	return e.addAccount(ctx, name, name, nil)
}

func (e *Environment) addAccount(ctx context.Context, name, remote string, imports []json.RawMessage) error {
	value := token + "-" + name
	if err := local.CallSimulator(ctx, http.MethodPost, e.admin+"/accounts", nil, simulator.AccountSpec{
		Name: remote, Tokens: []simulator.Token{{Token: value}}, Connections: []simulator.Connection{{ID: Connection}}, Imports: imports,
	}, nil); err != nil {
		return err
	}
	if err := e.Objects.Create(ctx, &corev1.Secret{ObjectMeta: Meta("token-" + name), StringData: map[string]string{"token": value}}); err != nil {
		return err
	}
	object := &v1alpha1.Account{ObjectMeta: Meta(name), Spec: v1alpha1.AccountSpec{
		BaseURL: e.api, TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token-" + name}, RequestsPerSecond: requestsPerSecond,
	}}
	if err := e.Objects.Create(ctx, object); err != nil {
		return err
	}
	return local.Await(ctx, local.Patience, "the Account to show what the account has", func(ctx context.Context) error {
		if err := e.Objects.Get(ctx, clientKey(name), object); err != nil {
			return err
		}
		if !ready(object.Status.Conditions, object.Generation) || object.Status.Imports == nil {
			return fmt.Errorf("its status is %+v", object.Status)
		}
		return nil
	})
}

// Slow has the Account of a neighbour permit one request a second.
func (e *Environment) Slow(ctx context.Context, name string) error {
	object := &v1alpha1.Account{ObjectMeta: Meta(name)}
	return e.Objects.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"requestsPerSecond":1}}`)))
}

// Silence has the API accept the requests of a neighbour, and never answer them.
func (e *Environment) Silence(ctx context.Context, name string) error {
	return local.CallSimulator(ctx, http.MethodPost, e.admin+"/rules", nil, simulator.Rule{
		Account: name, Phase: simulator.PhaseBefore, Action: simulator.Action{Kind: simulator.ActionHang},
	}, nil)
}

// Requests are the operator's requests to the API so far: those about one import, and the pages of
// lists.
func (e *Environment) Requests(ctx context.Context) (single, pages int, err error) {
	var entries []simulator.Entry
	query := url.Values{"account": {AccountName}, "source": {"api"}}
	if err := local.CallSimulator(ctx, http.MethodGet, e.admin+"/ledger?"+query.Encode(), nil, nil, &entries); err != nil {
		return 0, 0, err
	}
	for _, entry := range entries {
		if entry.Method == http.MethodGet && entry.Route == "/v1/imports" {
			pages++
		} else {
			single++
		}
	}
	return single, pages, nil
}

// Meta is the metadata of an object.
func Meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: Namespace, Name: name}
}
