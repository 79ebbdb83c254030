// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
)

// These are read when they are asked for: what they count is in the cache, or in memory, anyway.
var (
	leader = scraped("integrator_leader",
		"1 in the process that works, 0 in one that waits for the lease.")
	memoryLimit = scraped("integrator_memory_limit_bytes",
		"The memory limit of the container that the operator runs in. Absent without a limit.")
	accountStatus = scraped("integrator_account_status",
		"1 for the state and the reason of the condition Ready that an Account has: Ready, Reconciling, Stalled or Suspended.",
		"namespace", "name", "state", "reason")
	scanInterval = scraped("integrator_account_scan_interval_seconds",
		"spec.scanInterval of the Account, in seconds.", "namespace", "name")
	permits = scraped("integrator_api_permits",
		"Permits of an Account's requests by state: used, waiting (requests that wait for one), or limit (spec.maxInFlight).",
		"namespace", "name", "state")
	circuitOpen = scraped("integrator_api_circuit_open",
		"1 while the API does not answer: one request at a time shows whether it answers again, and all others wait. Otherwise 0.",
		"namespace", "name")
	imports = scraped("integrator_imports",
		"Imports by Account, state (Ready, Reconciling, Stalled or Suspended) and reason of the condition Ready.",
		"namespace", "name", "state", "reason")
	importsDrifted = scraped("integrator_imports_drifted",
		"Imports whose remote import differs, and is left as it is.", "namespace", "name")
	runs = scraped("integrator_importruns",
		"ImportRuns that exist, by their namespace and phase.", "namespace", "phase")
	cacheObjects = scraped("integrator_cache_objects",
		"Objects in the cache, by kind.", "kind")
)

// scrapeTimeout bounds the time for which a scrape waits for a cache that is not filled yet.
const scrapeTimeout = 5 * time.Second

// Permits are those of one account's requests. CircuitOpen: none but one is given, because the API does not
// answer.
type Permits struct {
	Used, Waiting, Limit int
	CircuitOpen          bool
}

// scrape collects what is read at each scrape.
var scrape = &collector{permits: map[types.NamespacedName]func() Permits{}, limitFiles: []string{
	"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
}}

type collector struct {
	limitFiles []string

	mu      sync.Mutex
	objects client.Reader
	list    ListImports
	elected <-chan struct{}
	has     func(client.Object) bool
	permits map[types.NamespacedName]func() Permits
}

// ServeObjects has the objects of the cache counted at each scrape, once this process works: another one
// that waits for the lease would count them twice. has says which of them are this operator's.
func ServeObjects(objects client.Reader, list ListImports, elected <-chan struct{}, has func(client.Object) bool) {
	scrape.mu.Lock()
	defer scrape.mu.Unlock()
	scrape.objects, scrape.list, scrape.elected, scrape.has = objects, list, elected, has
}

// ListImports lists the Imports of a namespace, "" for all, which are not changed.
type ListImports func(ctx context.Context, namespace string, options ...client.ListOption) ([]*v1alpha1.Import, error)

// ServePermits has the Account's permits read at each scrape, until ForgetAccount.
func ServePermits(account types.NamespacedName, read func() Permits) {
	scrape.mu.Lock()
	defer scrape.mu.Unlock()
	scrape.permits[account] = read
}

func (c *collector) forget(account types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.permits, account)
}

// Describe describes what is collected.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{leader, memoryLimit, accountStatus, scanInterval, permits, circuitOpen, imports, importsDrifted, runs, cacheObjects} {
		to <- desc
	}
}

// Collect collects. What cannot be read is left out: an error would leave out everything.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	s := series{to: to, has: c.has}
	objects, list, elected := c.objects, c.list, c.elected
	for account, read := range c.permits {
		now := read()
		s.gauge(permits, float64(now.Used), account.Namespace, account.Name, "used")
		s.gauge(permits, float64(now.Waiting), account.Namespace, account.Name, "waiting")
		s.gauge(permits, float64(now.Limit), account.Namespace, account.Name, "limit")
		open := 0.0
		if now.CircuitOpen {
			open = 1
		}
		s.gauge(circuitOpen, open, account.Namespace, account.Name)
	}
	c.mu.Unlock()
	if limit, ok := readLimit(c.limitFiles); ok {
		s.gauge(memoryLimit, limit)
	}
	if objects == nil {
		return
	}
	select {
	case <-elected:
		s.gauge(leader, 1)
	default:
		s.gauge(leader, 0)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	s.accounts(ctx, objects)
	s.imports(ctx, list)
	s.runs(ctx, objects)
}

// series sends series of gauges.
type series struct {
	to  chan<- prometheus.Metric
	has func(client.Object) bool
}

func (s series) gauge(desc *prometheus.Desc, value float64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func (s series) accounts(ctx context.Context, objects client.Reader) {
	var list v1alpha1.AccountList
	if objects.List(ctx, &list, client.UnsafeDisableDeepCopy) != nil {
		return
	}
	for i := range list.Items {
		object := &list.Items[i]
		if !s.has(object) {
			continue
		}
		state, reason := stateOf(object.Status.Conditions)
		s.gauge(accountStatus, 1, object.Namespace, object.Name, state, reason)
		if interval, err := time.ParseDuration(object.Spec.ScanInterval); err == nil {
			s.gauge(scanInterval, interval.Seconds(), object.Namespace, object.Name)
		}
	}
	s.gauge(cacheObjects, float64(len(list.Items)), "Account")
}

func (s series) imports(ctx context.Context, list ListImports) {
	all, err := list(ctx, metav1.NamespaceAll)
	if err != nil {
		return
	}
	byReason, drifted := counts[[4]string]{}, counts[[2]string]{}
	for _, object := range all {
		if !s.has(object) {
			continue
		}
		state, reason := stateOf(object.Status.Conditions)
		byReason[[4]string{object.Namespace, object.Spec.AccountRef.Name, state, reason}]++
		account := [2]string{object.Namespace, object.Spec.AccountRef.Name}
		drifted[account] += 0
		if apimeta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ConditionDrifted) {
			drifted[account]++
		}
	}
	for labels, count := range byReason {
		s.gauge(imports, count, labels[:]...)
	}
	for labels, count := range drifted {
		s.gauge(importsDrifted, count, labels[:]...)
	}
	s.gauge(cacheObjects, float64(len(all)), "Import")
}

func (s series) runs(ctx context.Context, objects client.Reader) {
	var list v1alpha1.ImportRunList
	if objects.List(ctx, &list, client.UnsafeDisableDeepCopy) != nil {
		return
	}
	byPhase := counts[[2]string]{}
	for i := range list.Items {
		if !s.has(&list.Items[i]) {
			continue
		}
		phase := list.Items[i].Status.Phase
		if phase == "" {
			phase = v1alpha1.RunPending
		}
		byPhase[[2]string{list.Items[i].Namespace, string(phase)}]++
	}
	for labels, count := range byPhase {
		s.gauge(runs, count, labels[:]...)
	}
	s.gauge(cacheObjects, float64(len(list.Items)), "ImportRun")
}

type counts[K comparable] map[K]float64

// stateOf returns what the conditions of an object say, with the reason of Ready. An object that was not
// processed yet is Reconciling.
func stateOf(conditions []metav1.Condition) (state, reason string) {
	ready := apimeta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	reason = v1alpha1.ReasonProgressing
	if ready != nil {
		reason = ready.Reason
	}
	for _, condition := range []string{v1alpha1.ConditionSuspended, v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling} {
		if apimeta.IsStatusConditionTrue(conditions, condition) {
			return condition, reason
		}
	}
	if ready == nil || ready.Status != metav1.ConditionTrue {
		return v1alpha1.ConditionReconciling, reason
	}
	return v1alpha1.ConditionReady, reason
}

// readLimit reads the memory limit of the container from the first of these files that exists.
func readLimit(files []string) (bytes float64, ok bool) {
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // files of the kernel
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		// Without a limit the older kernels say the largest number of whole pages.
		return float64(limit), err == nil && limit < math.MaxInt64-1<<20
	}
	return 0, false
}
