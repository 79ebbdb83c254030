// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
	"github.com/integrator-operator/integrator-operator/internal/ownership"
	"github.com/integrator-operator/integrator-operator/internal/plan"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// Options say which Imports are looked at, and what is known of others.
type Options struct {
	Cluster client.Client
	// Namespace is the one that is looked at, "" for all. Names and Selector restrict the Imports.
	Namespace string
	Names     []string
	Selector  labels.Selector
	// Lost are the owner ids of clusters that are gone.
	Lost []string
	// Idle is for how long nobody may have written to an import through the API; 0 does not ask.
	Idle time.Duration
	Now  time.Time
	// Connect returns a client for an Account that makes no call that writes.
	Connect func(context.Context, types.NamespacedName) (*integrator.Client, *v1alpha1.Account, error)
	// Plan is how it is found out what would be done; Owner is that of the operator.
	Plan plan.Options
}

// Takeover is what would be taken over, and what is passed over.
type Takeover struct {
	Candidates []*Candidate
	// Notes are about the whole, such as what could not be read.
	Notes []string
}

// ToTake are the candidates whose imports are taken over.
func (t *Takeover) ToTake() (found []*Candidate) {
	for _, c := range t.Candidates {
		if c.Passed == "" {
			found = append(found, c)
		}
	}
	return found
}

// Find finds the Imports, and what would be done for each. It writes nothing.
func Find(ctx context.Context, options Options) (*Takeover, error) {
	t, k := &Takeover{}, &knowledge{owner: options.Plan.Owner, lost: options.Lost, now: options.Now, idle: options.Idle}
	if err := t.list(ctx, options, k); err != nil {
		return nil, err
	}
	byAccount := map[types.NamespacedName][]*Candidate{}
	var accounts []types.NamespacedName
	for _, c := range t.ToTake() {
		account := types.NamespacedName{Namespace: c.Object.Namespace, Name: c.Object.Spec.AccountRef.Name}
		if byAccount[account] == nil {
			accounts = append(accounts, account)
		}
		byAccount[account] = append(byAccount[account], c)
	}
	for _, account := range accounts {
		look(ctx, options, k, account, byAccount[account])
	}
	passTwins(t.Candidates)
	return t, t.plan(ctx, options)
}

// list lists the Imports: those of all namespaces, because one of them may have an import. Who may not
// do that sees those of the namespace.
func (t *Takeover) list(ctx context.Context, options Options, k *knowledge) error {
	all := func(within ...client.ListOption) error {
		k.imports = nil
		var page v1alpha1.ImportList
		for {
			if err := options.Cluster.List(ctx, &page, append(within, client.Limit(200), client.Continue(page.Continue))...); err != nil {
				return err
			}
			for i := range page.Items {
				k.imports = append(k.imports, *page.Items[i].DeepCopy())
			}
			if page.Continue == "" {
				return nil
			}
		}
	}
	err := all()
	if options.Namespace != "" && apierrors.IsForbidden(err) {
		t.Notes = append(t.Notes, "Imports of other namespaces cannot be listed: what is managed from there is not recognised before the operator refuses it")
		err = all(client.InNamespace(options.Namespace))
	}
	if err != nil {
		return fmt.Errorf("list the Imports: %w", err)
	}
	missing := slices.Clone(options.Names)
	for i := range k.imports {
		object := &k.imports[i]
		if options.Namespace != "" && object.Namespace != options.Namespace || options.Selector != nil && !options.Selector.Matches(labels.Set(object.Labels)) {
			continue
		}
		if len(options.Names) > 0 && !slices.Contains(options.Names, object.Name) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == object.Name })
		if refused(object) {
			t.Candidates = append(t.Candidates, &Candidate{Object: object, ID: ownership.RemoteID(object), Passed: impossible(object)})
		} else if len(options.Names) > 0 {
			t.Notes = append(t.Notes, "Import "+object.Namespace+"/"+object.Name+" has no ownership conflict")
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("there is no Import %s", strings.Join(missing, ", "))
	}
	return nil
}

// look finds out about the remote imports of an account.
func look(ctx context.Context, options Options, k *knowledge, account types.NamespacedName, candidates []*Candidate) {
	pass := func(why string) {
		for _, c := range candidates {
			c.Passed = why
		}
	}
	remote, _, err := options.Connect(ctx, account)
	if err != nil {
		pass("its account cannot be asked: " + plain(err))
		return
	}
	defer remote.Close()
	var all []integrator.Import
	if slices.ContainsFunc(candidates, func(c *Candidate) bool { return c.wantedID() == "" }) {
		for document, err := range remote.ListImports(ctx, integrator.ListOptions{Include: []string{"externalId"}, UnlimitedWait: true}) {
			if err != nil {
				pass("the imports of its account cannot be listed: " + plain(err))
				return
			}
			document.Raw = nil
			all = append(all, document)
		}
	}
	for _, c := range candidates {
		c.Passed = c.look(ctx, k, remote, all)
	}
}

// wantedID is the remote import that the Import remembers, or names with spec.adopt.
func (c *Candidate) wantedID() string {
	if adopt := c.Object.Spec.Adopt; adopt != nil && adopt.ID != "" {
		return strings.ToLower(string(adopt.ID))
	}
	return ownership.RemoteID(c.Object)
}

// look finds the remote import of one Import, and says why it is not taken over.
func (c *Candidate) look(ctx context.Context, k *knowledge, remote *integrator.Client, all []integrator.Import) string {
	c.ID = c.wantedID()
	namesake := c.ID == ""
	if namesake {
		ids := k.namesakes(c.Object, all)
		switch len(ids) {
		case 0:
			return "no import of the account is found for it: see the message of the Import"
		case 1:
			c.ID = ids[0]
		default:
			return fmt.Sprintf("several imports may be its own, %s: set spec.adopt with mode Override, and with the id of one of them", problem.SomeOf(ids, 4))
		}
	}
	found, err := remote.GetImport(ctx, c.ID)
	if integrator.IsNotFound(err) {
		return "the account has no import " + c.ID
	}
	if err != nil {
		return "its import cannot be read: " + plain(err)
	}
	c.ExternalID = found.ExternalID
	if namesake {
		namesake = k.resembles(c.Object, found) == ownership.SameExternalID
	}
	var log []integrator.AuditEntry
	for entry, err := range remote.ListAudit(ctx, c.ID) {
		if k.idle <= 0 {
			break
		}
		if err != nil {
			return "its audit log cannot be read, so nobody can say whether another operator writes to it (--idle=0 does not ask): " + plain(err)
		}
		log = append(log, entry)
	}
	return k.judge(c.Object, found, namesake, log)
}

// namesakes are the imports of the account that were created from the same manifest, as the operator
// finds them before it creates one.
func (k *knowledge) namesakes(object *v1alpha1.Import, all []integrator.Import) (ids []string) {
	for _, remote := range all {
		if k.resembles(object, remote) != ownership.Distinct && len(k.others(object, remote.ID)) == 0 {
			ids = append(ids, remote.ID)
		}
	}
	return ids
}

func (k *knowledge) resembles(object *v1alpha1.Import, remote integrator.Import) ownership.Resemblance {
	var declared struct {
		Name       string `json:"name"`
		ExternalID string `json:"externalId"`
	}
	_ = json.Unmarshal(object.Spec.Definition.Raw, &declared) // what is none resembles nothing
	if declared.ExternalID == "" {
		declared.ExternalID = k.owner.Marker(object)
	}
	return k.owner.Resembles(object, declared.Name, declared.ExternalID, remote)
}

func plain(err error) string {
	if p := problem.FromAPI(err, "ask the account"); p != nil {
		return p.Message()
	}
	return err.Error()
}

// plan finds out what the operator would do for each, by its own code. What it would refuse is passed over.
func (t *Takeover) plan(ctx context.Context, options Options) error {
	taking := t.ToTake()
	if len(taking) == 0 {
		return nil
	}
	emptied := map[types.NamespacedName]bool{}
	var manifests []plan.Manifest
	for _, c := range taking {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c.adopting())
		if err != nil {
			return err
		}
		object := &unstructured.Unstructured{Object: content}
		object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Import"))
		unstructured.RemoveNestedField(object.Object, "status")
		manifests = append(manifests, plan.Manifest{Object: object, Source: "the cluster"})
		emptied[c.key()] = c.EmptiesStatus()
	}
	how := options.Plan
	how.Cluster, how.Namespace = withoutStatus{options.Cluster, emptied}, options.Namespace
	made, err := plan.Make(ctx, manifests, how)
	if err != nil {
		return err
	}
	for i := range made.Items {
		item := &made.Items[i]
		at := slices.IndexFunc(taking, func(c *Candidate) bool { return c.Object.Namespace == item.Namespace && c.Object.Name == item.Name })
		if at < 0 {
			continue
		}
		// An Import that is suspended has a reason too.
		if c := taking[at]; item.Action == plan.Fail || item.Action == plan.Wait || item.Reason != "" {
			c.Passed = "the operator would not do it: " + item.Message
		} else {
			c.Item = item
		}
	}
	return nil
}

// adopting is the Import as it takes its import over.
func (c *Candidate) adopting() *v1alpha1.Import {
	object := c.Object.DeepCopy()
	if object.Spec.Adopt == nil {
		object.Spec.Adopt = &v1alpha1.AdoptSpec{ID: v1alpha1.ID(c.ID), Mode: v1alpha1.AdoptionModeOverride}
	}
	object.ManagedFields = nil
	return object
}

// withoutStatus reads a cluster as it will be once statuses are emptied.
type withoutStatus struct {
	client.Reader
	emptied map[types.NamespacedName]bool
}

// Get reads an object.
func (r withoutStatus) Get(ctx context.Context, name types.NamespacedName, into client.Object, options ...client.GetOption) error {
	err := r.Reader.Get(ctx, name, into, options...)
	if object, ok := into.(*unstructured.Unstructured); ok && err == nil && object.GetKind() == "Import" && r.emptied[name] {
		unstructured.RemoveNestedField(object.Object, "status")
	}
	return err
}

// Take has an Import take its import over: it sets spec.adopt, unless it is set, and empties a status
// that was restored. It refuses an Import that was changed since it was looked at.
func Take(ctx context.Context, cluster client.Client, c *Candidate) error {
	object := c.Object
	if object.Spec.Adopt == nil {
		patch, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"uid": object.UID, "resourceVersion": object.ResourceVersion},
			"spec":     map[string]any{"adopt": v1alpha1.AdoptSpec{ID: v1alpha1.ID(c.ID), Mode: v1alpha1.AdoptionModeOverride}},
		})
		if err != nil {
			return err
		}
		empties := c.EmptiesStatus()
		if err := cluster.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch)); err != nil || !empties {
			return err
		}
	}
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q},"status":null}`, object.UID)
	return cluster.Status().Patch(ctx, object, client.RawPatch(types.MergePatchType, patch))
}
