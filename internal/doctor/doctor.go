// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package doctor checks the installation, the rights, the Accounts and the Imports, and says what to do
// about what is wrong. It reads only, with the rights of the caller: a check that may not be made says so.
package doctor

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Result is what a check came to.
type Result string

// Results.
const (
	OK      Result = "ok"
	Warning Result = "warning"
	Failed  Result = "failed"
	// Skipped: the check could not be made, for lack of a right or of what it depends on.
	Skipped Result = "skipped"
)

// Check is one check of one object.
type Check struct {
	Name   string `json:"name"`
	Object string `json:"object,omitempty"`
	Result Result `json:"result"`
	// Message is what was found.
	Message string `json:"message"`
	// Advice is what to do, where something is wrong.
	Advice string `json:"advice,omitempty"`
}

// Names of checks.
const (
	nameKinds     = "kinds"
	nameOperator  = "operator"
	nameYours     = "your rights"
	nameOperators = "rights of the operator"
	nameBaseURL   = "base URL"
	nameToken     = "token"
	nameAccount   = "account"
	nameScan      = "scan"
	nameValues    = "Secrets and ConfigMaps"
	nameImports   = "imports"
)

// Options say what is checked.
type Options struct {
	// Cluster is read with the rights of the caller. What it creates are reviews of access, which are
	// not stored.
	Cluster client.Client
	// Namespace is the one whose objects are checked, "" for all.
	Namespace string
	// OperatorNamespace is where the operator is looked for; "" for all namespaces or, for lack of that
	// right, the one of a usual installation.
	OperatorNamespace string
	// Version is that of this program.
	Version string
	// Hosts are those that may be called from here, and AllowHTTP whether without TLS.
	Hosts     []string
	AllowHTTP bool
	// Connect returns a client for an Account that makes no call that writes.
	Connect func(context.Context, types.NamespacedName) (*integrator.Client, *v1alpha1.Account, error)
	Now     time.Time
}

// doctor has what the checks found out for each other.
type doctor struct {
	Options
	checks []Check
	// operator is the Deployment of the operator, nil if it was not found.
	operator *operator
	// operators are all that were found.
	operators []*operator
	accounts  []v1alpha1.Account
	imports   []v1alpha1.Import
}

// Run makes all checks.
func Run(ctx context.Context, options Options) []Check {
	d := &doctor{Options: options}
	if !d.kinds(ctx) {
		return d.checks
	}
	d.deployment(ctx)
	d.yourRights(ctx)
	d.list(ctx)
	d.selected()
	d.operatorRights(ctx)
	for i := range d.accounts {
		d.account(ctx, &d.accounts[i])
	}
	d.values(ctx)
	d.waiting()
	return d.checks
}

// Sound reports whether no check failed.
func Sound(checks []Check) bool {
	for _, check := range checks {
		if check.Result == Failed {
			return false
		}
	}
	return true
}

func (d *doctor) add(name, object string, result Result, advice, message string, args ...any) {
	d.checks = append(d.checks, Check{Name: name, Object: object, Result: result, Message: fmt.Sprintf(message, args...), Advice: advice})
}

// unread is a check that could not be made because of err: for lack of a right it is skipped.
func (d *doctor) unread(name, object, what string, err error) {
	if apierrors.IsForbidden(err) {
		d.add(name, object, Skipped, "", "you may not %s", what)
		return
	}
	d.add(name, object, Warning, "try again, or look at the connection to the cluster", "cannot %s: %v", what, err)
}

// list reads the Accounts and Imports.
func (d *doctor) list(ctx context.Context) {
	var accounts v1alpha1.AccountList
	if err := d.Cluster.List(ctx, &accounts, client.InNamespace(d.Namespace)); err != nil {
		d.unread(nameAccount, "", "list the Accounts", err)
	}
	d.accounts = accounts.Items
	var page v1alpha1.ImportList
	for {
		if err := d.Cluster.List(ctx, &page, client.InNamespace(d.Namespace), client.Limit(200), client.Continue(page.Continue)); err != nil {
			d.unread(nameImports, "", "list the Imports", err)
			return
		}
		for i := range page.Items {
			d.imports = append(d.imports, *page.Items[i].DeepCopy())
		}
		if page.Continue == "" {
			return
		}
	}
}

// messageOf is an error in one line, without the reason, which is for conditions.
func messageOf(err error) string {
	if p := problem.As(err); p != nil {
		return p.Message()
	}
	return err.Error()
}
