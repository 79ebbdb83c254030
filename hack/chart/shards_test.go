// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/hack/internal/local"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

const (
	shardLabel     = "shard"
	shardNamespace = "shared"
	invoked        = "/v1/imports/{id}/invoke"
	createdAt      = "/v1/imports"
)

// shardSelectors are those of the operators, by the name of the program of each.
var shardSelectors = map[string]string{"shard-a": "shard in (a)", "shard-b": "shard=b", "shard-rest": "!shard"}

// shards are several operators that share the Imports of a namespace.
type shards struct {
	*cluster
	running map[string]*local.Process
	// starts makes names of logs.
	starts int
}

// TestShards is three operators that share 60 Imports and some runs by a label, as processes with the rights
// of the chart: no object is done twice and none is left out, when one of them is killed in the middle, and
// when objects move from one to another.
func TestShards(t *testing.T) {
	s := &shards{cluster: newCluster(t), running: map[string]*local.Process{}}
	s.install(t, load(t, directory), nil, false)
	s.account(t)
	for name := range shardSelectors {
		s.start(t, name)
	}
	// So that there is a middle.
	_, err := s.sim.AddRule(simulator.Rule{Account: shardNamespace, Method: "POST", Route: createdAt, Phase: simulator.PhaseAfter,
		Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: 300}})
	must(t, err)
	const count = 60
	want := map[string]string{}
	for i := range count {
		name := fmt.Sprintf("import-%02d", i)
		want[name] = slices.Sorted(maps.Keys(shardSelectors))[i%len(shardSelectors)]
		s.create(t, name, want[name])
	}

	s.await(t, "the second operator to be in the middle", func(ctx context.Context) error {
		if ready := s.ready(ctx, want, "shard-b"); len(ready) < 3 {
			return fmt.Errorf("%d Imports of it are Ready", len(ready))
		}
		return nil
	})
	s.running["shard-b"].Kill()
	if ready := s.ready(t.Context(), want, "shard-b"); len(ready) == count/len(shardSelectors) {
		t.Error("all Imports of the second operator were Ready before it was killed")
	}
	moved := s.move(t, want)
	s.start(t, "shard-b")
	s.await(t, "all Imports to be Ready", func(ctx context.Context) error {
		if ready := s.ready(ctx, want, ""); len(ready) < count {
			return fmt.Errorf("%d are", len(ready))
		}
		return nil
	})
	s.createdOnce(t, count)
	s.writtenBy(t, want, moved)
	s.runs(t)
	s.createdOnce(t, count)
	s.leases(t)
	for _, operator := range s.running {
		operator.Kill()
	}
	for i := range s.starts {
		if log := s.processes.Log(logOfShard(i + 1)); strings.Contains(log, "is forbidden") {
			t.Errorf("an operator lacks a right: %s", log)
		}
	}
}

func logOfShard(number int) string { return fmt.Sprintf("shard-%d", number) }

func (s *shards) await(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	if err := local.Await(t.Context(), local.Patience, what, check); err != nil {
		for i := range s.starts {
			t.Logf("%s", s.processes.Tail(logOfShard(i+1), 5))
		}
		t.Fatal(err)
	}
}

// start starts an operator. Its program has a name of its own, which Kubernetes remembers of what it writes.
func (s *shards) start(t *testing.T, name string) {
	t.Helper()
	program := filepath.Join(programs, name)
	if err := os.Link(managerProgram(t), program); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	s.starts++
	started, ready, err := s.plane.StartDeployed(t.Context(), logOfShard(s.starts), program, s.deployed(t), nil, []string{
		"--watch-label-selector=" + shardSelectors[name], "--account-share=1/3", "--create-unconfirmed-timeout=4s",
		"--leader-elect-lease-duration=3s", "--leader-elect-renew-deadline=2s", "--leader-elect-retry-period=500ms",
	})
	must(t, err)
	s.running[name] = started
	s.await(t, name+" to be ready", ready)
}

// account makes the account, and its Account, which is the first operator's.
func (s *shards) account(t *testing.T) {
	t.Helper()
	must(t, s.sim.AddAccount(simulator.AccountSpec{Name: shardNamespace, Tokens: []simulator.Token{{Token: "token"}}, Connections: []simulator.Connection{{ID: connection}}}))
	must(t, s.objects.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: shardNamespace}}))
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: shardNamespace, Name: name, Labels: map[string]string{shardLabel: "a"}}
	}
	must(t, s.objects.Create(t.Context(), &corev1.Secret{ObjectMeta: meta("token"), StringData: map[string]string{"token": "token"}}))
	must(t, s.objects.Create(t.Context(), &v1alpha1.Account{ObjectMeta: meta("default"), Spec: v1alpha1.AccountSpec{
		BaseURL: s.api, TokenSecretRef: v1alpha1.TokenSecretReference{Name: "token", Key: "token"}, ScanInterval: "5s", MaxInFlight: 6,
	}}))
}

// labelsOf are those with which an operator selects an object.
func labelsOf(operator string) map[string]string {
	if operator == "shard-rest" {
		return nil
	}
	return map[string]string{shardLabel: strings.TrimPrefix(operator, "shard-")}
}

func (s *shards) create(t *testing.T, name, operator string) {
	t.Helper()
	object := &v1alpha1.Import{ObjectMeta: metav1.ObjectMeta{Namespace: shardNamespace, Name: name, Labels: labelsOf(operator)}}
	object.Spec.Definition.Raw = fmt.Appendf(nil, `{"name":%q,"adaptorType":"HTTPImport","_connectionId":%q,"http":{"method":["POST"],"relativeURI":["/items"],"body":[null]}}`, name, connection)
	must(t, s.objects.Create(t.Context(), object))
}

// ready are the Imports that are Ready, of one operator or of all.
func (s *shards) ready(ctx context.Context, of map[string]string, operator string) (ready []string) {
	var list v1alpha1.ImportList
	if s.objects.List(ctx, &list, client.InNamespace(shardNamespace)) != nil {
		return nil
	}
	for i := range list.Items {
		object := &list.Items[i]
		if (operator == "" || of[object.Name] == operator) && apimeta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ConditionReady) {
			ready = append(ready, object.Name)
		}
	}
	return ready
}

// move has Imports of the first operator move to the others: while they are being created, and before.
func (s *shards) move(t *testing.T, want map[string]string) (moved map[string]bool) {
	t.Helper()
	moved = map[string]bool{}
	to := []string{"shard-b", "shard-rest"}
	middle, before := 0, 0
	for _, next := range []struct {
		count *int
		isIt  func(*v1alpha1.Import) bool
	}{
		{&middle, func(object *v1alpha1.Import) bool { return object.Annotations[v1alpha1.AnnotationCreatePending] != "" }},
		{&before, func(object *v1alpha1.Import) bool { return len(object.Finalizers) == 0 }},
	} {
		s.await(t, "Imports to move", func(ctx context.Context) error {
			var list v1alpha1.ImportList
			if err := s.objects.List(ctx, &list, client.InNamespace(shardNamespace), client.MatchingLabels(labelsOf("shard-a"))); err != nil {
				return err
			}
			for i := range list.Items {
				object := &list.Items[i]
				if *next.count == 4 || !next.isIt(object) {
					continue
				}
				operator := to[*next.count%len(to)]
				if err := s.relabel(ctx, object, operator); err != nil {
					return err
				}
				want[object.Name], moved[object.Name] = operator, true
				if next.isIt(object) {
					*next.count++
				}
			}
			if *next.count < 4 {
				return fmt.Errorf("%d were moved", *next.count)
			}
			return nil
		})
	}
	return moved
}

// relabel gives an object to an operator. The object is then as it was at that moment.
func (s *shards) relabel(ctx context.Context, object client.Object, operator string) error {
	before, _ := object.DeepCopyObject().(client.Object)
	all := maps.Clone(object.GetLabels())
	delete(all, shardLabel)
	maps.Copy(all, labelsOf(operator))
	object.SetLabels(all)
	return s.objects.Patch(ctx, object, client.MergeFrom(before))
}

// createdOnce checks what the account has.
func (s *shards) createdOnce(t *testing.T, count int) {
	t.Helper()
	names := map[any]int{}
	for _, remote := range s.sim.Imports(shardNamespace) {
		names[remote["name"]]++
	}
	posts := s.sim.Ledger(simulator.Filter{Account: shardNamespace, Method: "POST", Route: createdAt, Applied: new(true)})
	if len(names) != count || len(posts) != count {
		t.Errorf("the account has imports of %d names, made with %d calls, want %d: %v", len(names), len(posts), count, names)
	}
	for name, n := range names {
		if n != 1 {
			t.Errorf("the account has %d imports named %v", n, name)
		}
	}
}

// writtenBy checks which operator wrote the objects.
func (s *shards) writtenBy(t *testing.T, want map[string]string, moved map[string]bool) {
	t.Helper()
	var list v1alpha1.ImportList
	must(t, s.objects.List(t.Context(), &list, client.InNamespace(shardNamespace)))
	for i := range list.Items {
		object := &list.Items[i]
		writers := writersOf(object)
		// One that has moved may need nothing more.
		if !moved[object.Name] && !slices.Equal(writers, []string{want[object.Name]}) {
			t.Errorf("%s of %s was written by %v", object.Name, want[object.Name], writers)
		}
	}
	account := &v1alpha1.Account{}
	s.await(t, "the Account to have all Imports", func(ctx context.Context) error {
		err := s.objects.Get(ctx, client.ObjectKey{Namespace: shardNamespace, Name: "default"}, account)
		if managed := account.Status.Managed; err == nil && (managed == nil || int(*managed) != len(list.Items)) {
			err = fmt.Errorf("the status is %+v", account.Status)
		}
		return err
	})
	if writers := writersOf(account); !slices.Equal(writers, []string{"shard-a"}) {
		t.Errorf("the Account was written by %v", writers)
	}
}

// writersOf are the operators that have written an object or its status.
func writersOf(object client.Object) (writers []string) {
	for _, entry := range object.GetManagedFields() {
		if _, operator := shardSelectors[entry.Manager]; operator && !slices.Contains(writers, entry.Manager) {
			writers = append(writers, entry.Manager)
		}
	}
	return writers
}

// runs has each operator run an Import of another, and moves a run while its call is under way.
func (s *shards) runs(t *testing.T) {
	t.Helper()
	before := s.now()
	hold, err := s.sim.AddRule(simulator.Rule{Account: shardNamespace, Route: invoked, Count: 1, Phase: simulator.PhaseAfter,
		Action: simulator.Action{Kind: simulator.ActionLatency, DelayMillis: 60_000}})
	must(t, err)
	run := func(name, operator, target string) {
		must(t, s.objects.Create(t.Context(), &v1alpha1.ImportRun{
			ObjectMeta: metav1.ObjectMeta{Namespace: shardNamespace, Name: name, Labels: labelsOf(operator)},
			Spec: v1alpha1.ImportRunSpec{ImportRef: &v1alpha1.LocalReference{Name: target}, BatchSize: new(int32(1)),
				Data: []v1alpha1.JSON{{Raw: []byte(`{"id":1}`)}, {Raw: []byte(`{"id":2}`)}, {Raw: []byte(`{"id":3}`)}}},
		}))
	}
	calls := func() []simulator.Entry {
		return s.sim.Ledger(simulator.Filter{Account: shardNamespace, Route: invoked, AfterSeq: before})
	}
	run("moved", "shard-a", "import-30")
	s.await(t, "the call of the run", func(context.Context) error {
		if n := len(calls()); n != 1 {
			return fmt.Errorf("%d calls", n)
		}
		return nil
	})
	begun := &v1alpha1.ImportRun{}
	must(t, s.objects.Get(t.Context(), client.ObjectKey{Namespace: shardNamespace, Name: "moved"}, begun))
	must(t, s.relabel(t.Context(), begun, "shard-b"))
	names := []string{"moved"}
	for operator := range shardSelectors {
		name := "run-of-" + operator
		names = append(names, name)
		run(name, operator, "import-31")
	}
	s.await(t, "the other operator to see the run", func(ctx context.Context) error {
		object := &v1alpha1.ImportRun{}
		if err := s.objects.Get(ctx, client.ObjectKey{Namespace: shardNamespace, Name: "moved"}, object); err != nil {
			return err
		}
		if ready := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady); ready == nil || !strings.HasPrefix(ready.Message, "another process has claimed the call") {
			return fmt.Errorf("status %+v", object.Status)
		}
		return nil
	})
	must(t, s.sim.ReleaseRule(hold))
	s.await(t, "the runs to succeed", func(ctx context.Context) error {
		for _, name := range names {
			object := &v1alpha1.ImportRun{}
			if err := s.objects.Get(ctx, client.ObjectKey{Namespace: shardNamespace, Name: name}, object); err != nil {
				return err
			}
			if object.Status.Phase != v1alpha1.RunSucceeded || object.Status.Records.Succeeded != 3 {
				return fmt.Errorf("%s: %+v", name, object.Status)
			}
			if operator, own := strings.CutPrefix(name, "run-of-"); own && !slices.Equal(writersOf(object), []string{operator}) {
				return fmt.Errorf("%s was written by %v", name, writersOf(object))
			}
		}
		return nil
	})
	if n := len(calls()); n != 3*len(names) {
		t.Errorf("%d calls for %d records", n, 3*len(names))
	}
}

// leases checks that each operator has its own, of the name that it makes of its selector.
func (s *shards) leases(t *testing.T) {
	t.Helper()
	list, err := s.plane.Clients.CoordinationV1().Leases(releaseNamespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	var got []string
	for i := range list.Items {
		got = append(got, list.Items[i].Name)
	}
	derived := regexp.MustCompile(`^integrator-operator-[0-9a-f]{10}\.integrator\.io$`)
	if len(got) != len(shardSelectors) || slices.ContainsFunc(got, func(name string) bool { return !derived.MatchString(name) }) {
		t.Errorf("the leases are %v", got)
	}
}
