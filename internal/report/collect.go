// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
)

// pageSize is how many objects one request reads.
const pageSize = 200

// Options say what a report is of.
type Options struct {
	// Cluster is read with the rights of the caller.
	Cluster client.Reader
	// Namespace is the one that is reported on, "" for all.
	Namespace  string
	Now, Since time.Time
	// Connect returns a client for an Account that makes no call that writes.
	Connect func(context.Context, client.ObjectKey) (*integrator.Client, *v1alpha1.Account, error)
}

// collector gathers a report.
type collector struct {
	Options
	report   *Report
	guard    *guard
	accounts map[client.ObjectKey]*v1alpha1.Account
	imports  []*v1alpha1.Import
}

// Collect reads everything. What cannot be read is a problem of the report; an error is that the
// objects themselves cannot be listed.
func Collect(ctx context.Context, options Options) (*Report, error) {
	c := &collector{Options: options, guard: newGuard(), accounts: map[client.ObjectKey]*v1alpha1.Account{}}
	scope := "all namespaces"
	if options.Namespace != "" {
		scope = "namespace " + options.Namespace
	}
	c.report = &Report{
		Made: options.Now.UTC(), Since: options.Since.UTC(), Scope: scope, Sources: []Source{}, Problems: []Problem{},
		Accounts: []Account{}, Imports: []Import{}, Changes: []Change{}, Drift: []Drift{}, Runs: []Run{},
	}
	if err := c.objects(ctx); err != nil {
		return nil, err
	}
	c.events(ctx)
	for _, key := range c.accountKeys() {
		c.audit(ctx, key)
	}
	c.corrections()
	c.sort()
	return c.report, nil
}

// each reads a list page by page.
func each[L client.ObjectList](ctx context.Context, reader client.Reader, list L, do func(L), options ...client.ListOption) error {
	for {
		if err := reader.List(ctx, list, append(options, client.Limit(pageSize), client.Continue(list.GetContinue()))...); err != nil {
			return err
		}
		do(list)
		if list.GetContinue() == "" {
			return nil
		}
	}
}

// objects reads the objects of the cluster.
func (c *collector) objects(ctx context.Context) error {
	within := client.InNamespace(c.Namespace)
	err := each(ctx, c.Cluster, &v1alpha1.AccountList{}, func(page *v1alpha1.AccountList) {
		for i := range page.Items {
			object := page.Items[i].DeepCopy()
			c.accounts[client.ObjectKeyFromObject(object)] = object
			c.guard.learnToken(ctx, c.Cluster, object)
		}
	}, within)
	if err != nil {
		return fmt.Errorf("list the Accounts: %w", err)
	}
	if err := c.readImports(ctx); err != nil {
		return fmt.Errorf("list the Imports: %w", err)
	}
	for _, object := range c.accounts {
		c.report.Accounts = append(c.report.Accounts, c.account(object))
	}
	for _, object := range c.imports {
		c.report.Imports = append(c.report.Imports, c.importOf(object))
		c.present(object)
	}
	c.source("Accounts and Imports", "what the cluster has now: objects that were deleted are not in it", len(c.accounts)+len(c.imports), time.Time{})
	return c.runs(ctx)
}

// readImports reads the Imports. Those of other namespaces say what may not be shown; who may not list
// them sees those of the namespace.
func (c *collector) readImports(ctx context.Context) error {
	add := func(page *v1alpha1.ImportList) {
		for i := range page.Items {
			object := page.Items[i].DeepCopy()
			if c.Namespace != "" && object.Namespace != c.Namespace {
				for _, id := range ownership.NamedIDs(object) {
					c.guard.byID[id] = append(c.guard.byID[id], object)
				}
				continue
			}
			c.imports = append(c.imports, object)
			c.guard.learn(ctx, c.Cluster, object)
		}
	}
	err := each(ctx, c.Cluster, &v1alpha1.ImportList{}, add)
	if c.Namespace != "" && apierrors.IsForbidden(err) {
		err = each(ctx, c.Cluster, &v1alpha1.ImportList{}, add, client.InNamespace(c.Namespace))
	}
	return err
}

func (c *collector) account(object *v1alpha1.Account) Account {
	made := Account{
		Namespace: object.Namespace, Name: object.Name, BaseURL: object.Spec.BaseURL, UserID: object.Status.UserID,
		Imports: object.Status.Imports, Managed: object.Status.Managed,
	}
	made.Ready, made.Reason, made.Message = c.ready(client.ObjectKey{}, object.Status.Conditions)
	return made
}

func (c *collector) importOf(object *v1alpha1.Import) Import {
	made := Import{
		Namespace: object.Namespace, Name: object.Name, Account: object.Spec.AccountRef.Name, ID: ownership.RemoteID(object),
		Management: string(object.Status.Management), DriftPolicy: string(object.Spec.DriftPolicy),
		CreatedAt: object.Status.CreatedAt, LastModified: object.Status.LastModified,
	}
	if ownership.Observes(object) {
		made.DriftPolicy = "Observe"
	}
	made.Ready, made.Reason, made.Message = c.ready(client.ObjectKeyFromObject(object), object.Status.Conditions)
	return made
}

// ready is the condition Ready of an object.
func (c *collector) ready(object client.ObjectKey, conditions []metav1.Condition) (status, reason, message string) {
	condition := apimeta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if condition == nil {
		return string(metav1.ConditionUnknown), "", "the operator has not looked at it yet"
	}
	return string(condition.Status), condition.Reason, c.guard.note(object, condition.Message)
}

// runs reads the ImportRuns of the time that is reported on.
func (c *collector) runs(ctx context.Context) error {
	oldest := c.Now
	err := each(ctx, c.Cluster, &v1alpha1.ImportRunList{}, func(page *v1alpha1.ImportRunList) {
		for i := range page.Items {
			run := c.run(&page.Items[i])
			oldest = earlier(oldest, run.Created)
			if run.Completed == nil || !run.Completed.Before(c.Since) {
				c.report.Runs = append(c.report.Runs, run)
			}
		}
	}, client.InNamespace(c.Namespace))
	if err != nil {
		return fmt.Errorf("list the ImportRuns: %w", err)
	}
	c.source("ImportRuns", "what the cluster has now: runs that were deleted, by hand or by ttlSecondsAfterFinished, are not in it", len(c.report.Runs), oldest)
	return nil
}

func (c *collector) run(object *v1alpha1.ImportRun) Run {
	state := &object.Status
	run := Run{
		Namespace: object.Namespace, Name: object.Name, Import: state.ImportID, Phase: string(cmp.Or(state.Phase, v1alpha1.RunPending)),
		Created: object.CreationTimestamp.UTC(), Started: timeOf(state.StartTime), Completed: timeOf(state.CompletionTime),
	}
	if ref := object.Spec.ImportRef; ref != nil {
		run.Import = ref.Name
	}
	if counts := state.Records; counts != nil {
		run.Total, run.Sent, run.Succeeded, run.Failed, run.Ignored = counts.Total, counts.Sent, counts.Succeeded, counts.Failed, counts.Ignored
	}
	if run.Completed != nil {
		run.Unknown = max(0, run.Sent-run.Succeeded-run.Failed-run.Ignored)
	}
	if condition := apimeta.FindStatusCondition(state.Conditions, v1alpha1.ConditionSucceeded); condition != nil {
		run.Reason, run.Message = condition.Reason, c.guard.text(condition.Message)
	}
	return run
}

// events reads what the operator recorded of drift. Kubernetes keeps events for a short time.
func (c *collector) events(ctx context.Context) {
	states := map[string]string{
		v1alpha1.ReasonDriftDetected: DriftDetected, v1alpha1.ReasonDriftCorrected: DriftCorrected, v1alpha1.ReasonRemoteDeleted: DriftDeleted,
	}
	read, oldest := 0, c.Now
	err := each(ctx, c.Cluster, &eventsv1.EventList{}, func(page *eventsv1.EventList) {
		for i := range page.Items {
			event := &page.Items[i]
			state, wanted := states[event.Reason]
			about := event.Regarding
			if !wanted || about.Kind != "Import" || about.APIVersion != v1alpha1.GroupVersion.String() || event.EventTime.Time.Before(c.Since) {
				continue
			}
			read, oldest = read+1, earlier(oldest, event.EventTime.Time)
			c.report.Drift = append(c.report.Drift, Drift{
				Time: ptr.To(event.EventTime.UTC()), Namespace: about.Namespace, Import: about.Name, State: state,
				Message: c.guard.note(client.ObjectKey{Namespace: about.Namespace, Name: about.Name}, event.Note), From: "event",
			})
		}
	}, client.InNamespace(c.Namespace))
	if err != nil {
		c.problem("events", "cannot list the events, which say what the operator corrected: "+err.Error())
		return
	}
	c.source("events of Kubernetes", "the API server deletes events after its --event-ttl, an hour by default", read, oldest)
}

func (c *collector) problem(object, message string) {
	c.report.Problems = append(c.report.Problems, Problem{Object: object, Message: c.guard.text(message)})
}

// source records where entries come from. oldest is the time of the oldest one.
func (c *collector) source(name, reach string, entries int, oldest time.Time) {
	made := Source{Name: name, Entries: entries, Reach: reach}
	if entries > 0 && !oldest.IsZero() {
		made.Oldest = ptr.To(oldest.UTC())
	}
	c.report.Sources = append(c.report.Sources, made)
}

// sort puts objects in the order of their names, and what happened in that of time, the newest first.
func (c *collector) sort() {
	r := c.report
	slices.SortFunc(r.Accounts, func(a, b Account) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(r.Imports, func(a, b Import) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(r.Changes, func(a, b Change) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Import, b.Import), cmp.Compare(a.Event, b.Event))
	})
	slices.SortStableFunc(r.Drift, func(a, b Drift) int {
		at, bt := ptr.Deref(a.Time, c.Now), ptr.Deref(b.Time, c.Now)
		return cmp.Or(bt.Compare(at), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Import, b.Import),
			cmp.Compare(a.State, b.State), cmp.Compare(a.From, b.From), slices.Compare(a.Fields, b.Fields))
	})
	slices.SortFunc(r.Runs, func(a, b Run) int {
		return cmp.Or(b.At().Compare(a.At()), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}

func earlier(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func timeOf(t *metav1.Time) *time.Time {
	if t == nil {
		return nil
	}
	return ptr.To(t.UTC())
}
