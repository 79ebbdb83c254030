// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/account"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// defaultHosts are those of the operator without --allowed-api-hosts.
var defaultHosts = []string{"api.integrator.io", "api.eu.integrator.io"}

// account checks one Account.
func (d *doctor) account(ctx context.Context, object *v1alpha1.Account) {
	name := object.Namespace + "/" + object.Name
	if object.Spec.Suspend {
		d.add(nameAccount, name, Warning, "set it to false, if calls are to go on", "spec.suspend is true: no call is made for it")
		return
	}
	if d.baseURL(name, object) {
		d.token(ctx, name, object)
	}
	if d.state(name, object) {
		d.scan(name, object)
	}
}

// baseURL checks the URL by the rules of the operator, and reports whether it may be called from here.
func (d *doctor) baseURL(name string, object *v1alpha1.Account) bool {
	hosts, allowHTTP, whose := defaultHosts, false, "the hosts that the operator allows by default"
	switch {
	case d.operator != nil && d.operator.hosts != nil:
		hosts, allowHTTP, whose = d.operator.hosts, d.operator.allowHTTP, "what the operator allows"
	case d.operator != nil:
		allowHTTP = d.operator.allowHTTP
	default:
		hosts, allowHTTP, whose = d.Hosts, d.AllowHTTP, "the flags of this command; those of the operator are not known"
	}
	if err := account.CheckHost(hosts, allowHTTP, object.Spec.BaseURL); err != nil {
		d.add(nameBaseURL, name, Failed, "correct spec.baseURL, or start the operator with its host in --allowed-api-hosts", "by %s: %s", whose, messageOf(err))
		return false
	}
	d.add(nameBaseURL, name, OK, "", "%s may be called, by %s", object.Spec.BaseURL, whose)
	return true
}

// token checks the Secret, and asks the platform whose token it has.
func (d *doctor) token(ctx context.Context, name string, object *v1alpha1.Account) {
	advice := "put the API token, alone, into the Secret that spec.tokenSecretRef names"
	_, _, err := account.ReadToken(ctx, d.Cluster, object)
	if err == nil {
		advice = "put certificates in PEM, alone, into what spec.caBundleRef names"
		_, err = account.ReadTrust(ctx, d.Cluster, object)
	}
	switch {
	case problem.As(err) != nil:
		d.add(nameToken, name, Failed, advice, "%s", messageOf(err))
		return
	case err != nil:
		d.unread(nameToken, name, "read the Secret of the token, or what spec.caBundleRef names", err)
		return
	}
	if err := account.CheckHost(d.Hosts, d.AllowHTTP, object.Spec.BaseURL); err != nil {
		d.add(nameToken, name, Skipped, "", "it is there; it was not sent from here, because this command allows other hosts: see --allowed-api-hosts and --allow-http")
		return
	}
	remote, _, err := d.Connect(ctx, client.ObjectKeyFromObject(object))
	if err != nil {
		d.add(nameToken, name, Warning, "see the flags for the network, such as --ca-file and --https-proxy", "it was not sent from here: %s", messageOf(err))
		return
	}
	defer remote.Close()
	d.answer(ctx, name, object, remote)
}

// answer asks the platform whose token it is.
func (d *doctor) answer(ctx context.Context, name string, object *v1alpha1.Account, remote *integrator.Client) {
	info, err := remote.TokenInfo(ctx)
	p := problem.FromAPI(err, "check the token")
	switch {
	case err != nil && p != nil && p.Reason() == v1alpha1.ReasonTokenRejected:
		d.add(nameToken, name, Failed, "put a valid token into Secret "+object.Spec.TokenSecretRef.Name, "the API rejects it")
	case err != nil:
		d.add(nameToken, name, Warning, "look whether the API can be reached from here", "the API was asked from here, and did not say whose it is: %s", messageOf(problem.Wrap(err, "check the token")))
	case object.Status.UserID != "" && object.Status.UserID != info.UserID:
		d.add(nameToken, name, Warning, "look whether the token is one of the same account, see docs/accounts.md", "it is of user %s, and the operator last used one of user %s", info.UserID, object.Status.UserID)
	default:
		d.add(nameToken, name, OK, "", "the API accepts it; it is of user %s", info.UserID)
	}
}

// state checks what the operator says of an Account, and reports whether that is of its present spec.
func (d *doctor) state(name string, object *v1alpha1.Account) bool {
	ready := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil || object.Status.ObservedGeneration < object.Generation:
		d.add(nameAccount, name, Failed, "see whether the operator runs, and looks after this namespace", "the operator has not looked at its present spec")
		return false
	case ready.Status == metav1.ConditionTrue:
		d.add(nameAccount, name, OK, "", "%s: %s", ready.Reason, ready.Message)
	case ready.Reason == v1alpha1.ReasonScanFailing: // see scan
	case apimeta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ConditionStalled):
		d.add(nameAccount, name, Failed, "see docs/accounts.md for the reason", "%s: %s", ready.Reason, ready.Message)
	default:
		d.add(nameAccount, name, Warning, "wait; if it stays so, see docs/accounts.md for the reason", "%s: %s", ready.Reason, ready.Message)
	}
	return true
}

// scan checks how old the last scan is. The time is not in the status: the operator says when there
// was none for three intervals, and for three minutes at least.
func (d *doctor) scan(name string, object *v1alpha1.Account) {
	ready := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
	longest := max(3*account.ScanInterval(&object.Spec), account.DefaultScanPatience)
	switch {
	case ready.Reason == v1alpha1.ReasonScanFailing:
		d.add(nameScan, name, Failed, "see docs/runbooks.md#integratorscanstale", "%s", ready.Message)
	case d.operator != nil && !d.operator.ready:
		d.add(nameScan, name, Failed, "see the check of the operator", "no scan is made, because the operator does not run")
	case object.Status.Imports == nil:
		d.add(nameScan, name, Warning, "wait; if it stays so, see docs/accounts.md", "no scan has reached its end yet")
	case d.operator == nil:
		d.add(nameScan, name, Skipped, "", "a scan has found %d imports; whether that is long ago cannot be said, because the operator was not found", *object.Status.Imports)
	default:
		d.add(nameScan, name, OK, "", "the last one found %d imports, at most %s ago%s", *object.Status.Imports, duration.HumanDuration(longest), d.readsAlone(object))
	}
}

// readsAlone says that most scans read single imports instead of the list, where that takes fewer requests. The
// Imports of other Accounts with the same token count too, and are not known here.
func (d *doctor) readsAlone(object *v1alpha1.Account) string {
	ids := map[string]bool{}
	for i := range d.imports {
		if one := &d.imports[i]; one.Namespace == object.Namespace && one.Spec.AccountRef.Name == object.Name && one.Status.ID != "" {
			ids[one.Status.ID] = true
		}
	}
	pages := ptr.Deref(object.Status.Pages, 0)
	if len(ids) == 0 || len(ids) >= int(pages) {
		return ""
	}
	return fmt.Sprintf("; most read the %d imports that have an Import, not the %d pages of the list", len(ids), pages)
}

// values checks that what the Imports name of Secrets and ConfigMaps is there.
func (d *doctor) values(ctx context.Context) {
	named, missing, unread := 0, 0, 0
	for i := range d.imports {
		object := &d.imports[i]
		if len(object.Spec.ValuesFrom) == 0 {
			continue
		}
		named++
		_, err := definition.ReadValues(ctx, d.Cluster, object)
		switch {
		case err == nil:
		case apierrors.IsForbidden(err):
			unread++
		case problem.As(err) != nil:
			missing++
			d.add(nameValues, "Import "+object.Namespace+"/"+object.Name, Failed, "create what is missing, or correct spec.valuesFrom", "%s", messageOf(err))
		default:
			missing++
			d.unread(nameValues, "Import "+object.Namespace+"/"+object.Name, "read them", err)
		}
	}
	switch {
	case unread > 0:
		d.add(nameValues, "", Skipped, "", "you may not read those of %d of %d Imports that name some", unread, named)
	case missing == 0:
		d.add(nameValues, "", OK, "", "those that %d Imports name are there", named)
	}
}

// longWait is how long an Import may work or wait before that is a warning.
const longWait = 10 * time.Minute

// waiting checks the Imports that are not Ready.
func (d *doctor) waiting() {
	sound, before := 0, len(d.checks)
	for i := range d.imports {
		object := &d.imports[i]
		name := object.Namespace + "/" + object.Name
		conditions := object.Status.Conditions
		ready := apimeta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
		switch {
		case apimeta.IsStatusConditionTrue(conditions, v1alpha1.ConditionSuspended):
			condition := apimeta.FindStatusCondition(conditions, v1alpha1.ConditionSuspended)
			d.add(nameImports, name, Warning, "see docs/imports.md", "%s: %s", condition.Reason, condition.Message)
		case ready == nil || object.Status.ObservedGeneration < object.Generation:
			if d.Now.Sub(object.CreationTimestamp.Time) > longWait {
				d.add(nameImports, name, Failed, "see whether the operator runs, and looks after this namespace", "the operator has not looked at its present spec")
			}
		case apimeta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled):
			d.add(nameImports, name, Failed, "see docs/conditions.md for the reason", "%s: %s", ready.Reason, ready.Message)
		case ready.Status != metav1.ConditionTrue:
			since := d.Now.Sub(ready.LastTransitionTime.Time)
			if since > longWait {
				d.add(nameImports, name, Warning, "see docs/conditions.md for the reason", "%s for %s: %s", ready.Reason, duration.HumanDuration(since), ready.Message)
			}
		default:
			sound++
		}
	}
	if len(d.checks) == before {
		d.add(nameImports, "", OK, "", "%d of %d are as declared, and none waits for long", sound, len(d.imports))
	}
}
