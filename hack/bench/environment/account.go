// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
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
	// PageSize is how many imports a page of a list has.
	PageSize = 100
	// RequestsPerSecond is what the platform allows at most: the operator is to be measured, and not the
	// rate that it keeps to by default. Burst is how many requests of an Account may go at once, and InFlight how
	// many may be open: the defaults.
	RequestsPerSecond = 300
	Burst             = 100
	InFlight          = 16
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
	value := tokenOf(name)
	if err := e.addRemote(ctx, name, remote, imports); err != nil {
		return err
	}
	if err := e.Objects.Create(ctx, &corev1.Secret{ObjectMeta: Meta("token-" + name), StringData: map[string]string{"token": value}}); err != nil {
		return err
	}
	object := &v1alpha1.Account{ObjectMeta: Meta(name), Spec: v1alpha1.AccountSpec{
		BaseURL: e.api, TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token-" + name}, RequestsPerSecond: RequestsPerSecond,
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

// AddPlain makes an account in the API that only plain clients use.
func (e *Environment) AddPlain(ctx context.Context, name string) error {
	return e.addRemote(ctx, name, name, nil)
}

func (e *Environment) addRemote(ctx context.Context, name, remote string, imports []json.RawMessage) error {
	return local.CallSimulator(ctx, http.MethodPost, e.admin+"/accounts", nil, simulator.AccountSpec{
		Name: remote, Tokens: []simulator.Token{{Token: tokenOf(name)}}, Connections: []simulator.Connection{{ID: Connection}}, Imports: imports,
	}, nil)
}

func tokenOf(name string) string { return token + "-" + name }

// Latency has the API take that long for each answer, whatever the account.
func (e *Environment) Latency(ctx context.Context, delay time.Duration) error {
	if delay == 0 {
		return nil
	}
	return local.CallSimulator(ctx, http.MethodPost, e.admin+"/rules", nil, simulator.Rule{
		Phase: simulator.PhaseBefore, Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: delay.Milliseconds()},
	}, nil)
}

// Suspend has the Account permit no calls, or all of them again. What is waited for is the user's word only: the
// operator may see it later.
func (e *Environment) Suspend(ctx context.Context, suspended bool) error {
	return e.patchAccount(ctx, fmt.Sprintf(`{"spec":{"suspend":%t}}`, suspended))
}

// SuspendUntilSeen has the Account permit no calls, and waits until the operator says so.
func (e *Environment) SuspendUntilSeen(ctx context.Context) error {
	if err := e.Suspend(ctx, true); err != nil {
		return err
	}
	object := &v1alpha1.Account{}
	return local.Await(ctx, local.Patience, "the Account to be suspended", func(ctx context.Context) error {
		if err := e.Objects.Get(ctx, clientKey("default"), object); err != nil {
			return err
		}
		if !apimeta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ConditionSuspended) {
			return fmt.Errorf("its conditions are %+v", object.Status.Conditions)
		}
		return nil
	})
}

// ScanEvery sets the time between two scans.
func (e *Environment) ScanEvery(ctx context.Context, interval time.Duration) error {
	return e.patchAccount(ctx, fmt.Sprintf(`{"spec":{"scanInterval":"%.0fs"}}`, interval.Seconds()))
}

func (e *Environment) patchAccount(ctx context.Context, patch string) error {
	return e.Objects.Patch(ctx, &v1alpha1.Account{ObjectMeta: Meta("default")}, client.RawPatch(types.MergePatchType, []byte(patch)))
}

// Seed makes imports in the account as others have made them, without a request to the API.
func (e *Environment) Seed(ctx context.Context, imports []json.RawMessage) error {
	return parallel(ctx, writers, imports, func(one json.RawMessage) error {
		return local.CallSimulator(ctx, http.MethodPost, e.admin+"/accounts/"+AccountName+"/imports", nil, one, nil)
	})
}

// Ledger are the requests to the account in the API after one of them, oldest first.
func (e *Environment) Ledger(ctx context.Context, after int64) (entries []simulator.Entry, err error) {
	query := url.Values{"account": {AccountName}, "after": {strconv.FormatInt(after, 10)}}
	err = local.CallSimulator(ctx, http.MethodGet, e.admin+"/ledger?"+query.Encode(), nil, nil, &entries)
	return entries, err
}

// IsPage reports whether a request is for a page of the list of imports.
func IsPage(entry simulator.Entry) bool {
	return entry.Method == http.MethodGet && entry.Route == "/v1/imports"
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
		if IsPage(entry) {
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
