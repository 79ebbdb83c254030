// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/integrator"
)

// One scanner runs per Account: it reads the account's list of imports page by page and
// hands each Import whose remote changed, or is not in the list, to the Import
// controller, which looks for itself. A scan that does not reach the end says nothing,
// and no scan is ever a reason to create.

// scanSummary is the outcome of a scan.
type scanSummary struct {
	imports, managed int32
	// familiar tells that some of the managed imports are there, or that there are none.
	familiar bool
	// problem is why the scan did not reach its end; the counts are then those before.
	problem *problem
}

// sighting is what the last complete scan, or a later call of our own, saw of an import.
type sighting struct {
	// lastModified as the API gave it; "" when the import was not in the list.
	lastModified string
	scan         int
}

// observations remembers the sightings of an account's managed imports by id.
type observations struct {
	mu   sync.Mutex
	scan int
	byID map[string]sighting
	// marks are those of Imports that the account has, with the number of the scan that saw them,
	// or that was the last when a call of our own did.
	marks map[string]int
	// missing are the Imports that have looked for their import themselves, and were told last
	// that there is none of this id.
	missing map[types.UID]string
	// awaiting are the Imports that are made only once a scan has ended.
	awaiting map[types.NamespacedName]bool
}

func newObservations() *observations {
	return &observations{byID: map[string]sighting{}, marks: map[string]int{}, missing: map[types.UID]string{}, awaiting: map[types.NamespacedName]bool{}}
}

// begin starts a scan and returns its number. What is noted from now on is newer than
// what the scan reads.
func (o *observations) begin() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.scan++
	return o.scan
}

// note records what a call of our own saw.
func (o *observations) note(id, lastModified string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byID[id] = sighting{lastModified: lastModified, scan: o.scan}
}

// noteMark records that a call of our own saw the mark of an Import.
func (o *observations) noteMark(text string) {
	if !strings.HasPrefix(text, v1alpha1.MarkerPrefix) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.marks[text] = o.scan
}

// marked tells that the account was last seen to have an import that was made for the Import.
func (o *observations) marked(object *v1alpha1.Import) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.marks[marker(object)]
	return ok
}

// changed tells whether the import was last seen otherwise than with lastModified. An
// import that nobody looked at since the start is taken as unchanged: the first scan tells.
func (o *observations) changed(id, lastModified string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen, ok := o.byID[id]
	return ok && seen.lastModified != lastModified
}

// look records that an Import has looked for its import itself, and whether it is there.
func (o *observations) look(object *v1alpha1.Import, id string, there bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if there {
		delete(o.missing, object.UID)
	} else {
		o.missing[object.UID] = id
	}
}

// missed tells that the Import found its import missing when it looked last.
func (o *observations) missed(object *v1alpha1.Import, id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.missing[object.UID] == id
}

// news tells whether the scanner has something to tell an Import: what it has not seen itself
// when it looked last. What was deleted and restored has the lastModified that it had.
func (o *observations) news(object *v1alpha1.Import, id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen, ok := o.byID[id]
	missed := o.missing[object.UID] == id
	if !ok || seen.lastModified == "" {
		return ok && !missed && object.Status.LastModified != ""
	}
	return missed || seen.lastModified != object.Status.LastModified
}

// awaitScan has the end of the next scan told to an Import; takeAwaiting are those to tell.
func (o *observations) awaitScan(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.awaiting[key] = true
}

func (o *observations) takeAwaiting() []types.NamespacedName {
	o.mu.Lock()
	defer o.mu.Unlock()
	keys := slices.Collect(maps.Keys(o.awaiting))
	clear(o.awaiting)
	return keys
}

// complete takes over what scan number scan saw of the managed ids, and of marks. What was noted
// since it began keeps the newer note; all that is managed no more is forgotten.
func (o *observations) complete(scan int, managed []string, listed map[string]string, marks []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	byID := make(map[string]sighting, len(managed))
	for _, id := range managed {
		if noted, ok := o.byID[id]; ok && noted.scan >= scan {
			byID[id] = noted
			continue
		}
		byID[id] = sighting{lastModified: listed[id], scan: scan}
	}
	o.byID = byID
	maps.DeleteFunc(o.marks, func(_ string, noted int) bool { return noted < scan })
	for _, mark := range marks {
		o.marks[mark] = scan
	}
	maps.DeleteFunc(o.missing, func(_ types.UID, id string) bool { _, managed := byID[id]; return !managed })
}

// scanJitter spreads the scans of several Accounts: an interval is up to a tenth longer.
const scanJitter = 0.1

// startScanner runs scans until the account stops. Accounts.mu is held.
func (a *Accounts) startScanner(key types.NamespacedName, entry *account) {
	ctx, cancel := context.WithCancel(a.ctx)
	entry.stopScanner = cancel
	s := &session{key: key, client: entry.client, observed: entry.observed}
	interval := entry.interval
	go func() {
		for {
			if summary := a.scan(ctx, s); ctx.Err() == nil {
				a.scanned(s, summary)
			}
			timer := a.clock.NewTimer(wait.Jitter(interval, scanJitter))
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C():
			}
		}
	}()
}

// scan reads the whole list once and enqueues the Imports that have to look.
func (a *Accounts) scan(ctx context.Context, s *session) scanSummary {
	started := a.clock.Now()
	number := s.observed.begin()
	listed := map[string]string{}
	var marks []string
	for document, err := range s.client.ListImports(ctx, integrator.ListOptions{Include: []string{"lastModified", "externalId"}, Patient: true}) {
		if err != nil {
			return scanSummary{problem: a.scanProblem(ctx, s, err)}
		}
		listed[document.ID] = document.LastModified
		for _, text := range []string{document.ExternalID, document.Name} {
			if strings.HasPrefix(text, v1alpha1.MarkerPrefix) {
				marks = append(marks, text)
			}
		}
	}

	var imports v1alpha1.ImportList
	if err := a.reader.List(ctx, &imports, client.InNamespace(s.key.Namespace),
		client.MatchingFields{indexImportAccount: s.key.Name}, client.UnsafeDisableDeepCopy); err != nil {
		return scanSummary{problem: a.scanProblem(ctx, s, err)}
	}
	var ids []string
	found := 0
	for i := range imports.Items {
		if id := remoteID(&imports.Items[i]); id != "" {
			ids = append(ids, id)
			if _, ok := listed[id]; ok {
				found++
			}
		}
	}
	s.observed.complete(number, ids, listed, marks)
	for i := range imports.Items {
		item := &imports.Items[i]
		if id := remoteID(item); id != "" && !item.Spec.Suspend && s.observed.news(item, id) {
			a.send(a.importEvents, importNamed(client.ObjectKeyFromObject(item)))
		}
	}
	observeScan(s.key, len(listed), a.clock.Since(started))
	//nolint:gosec // an account's list is far below 2^31
	return scanSummary{imports: int32(len(listed)), managed: int32(len(ids)), familiar: found > 0 || len(ids) == 0}
}

func (a *Accounts) scanProblem(ctx context.Context, s *session, err error) *problem {
	p := classify(err, "list the account's imports")
	if p == nil {
		p = &problem{class: transient, reason: reasonUnexpectedResponse, message: "cannot list the account's imports: " + err.Error()}
	}
	log.FromContext(ctx).WithName("scanner").V(1).Info("scan did not reach the end", "account", s.key, "reason", p.reason, "message", p.message)
	return p
}

// scanned keeps the outcome of a scan and has the Account's status follow when it changed.
func (a *Accounts) scanned(s *session, summary scanSummary) {
	a.mu.Lock()
	entry, ok := a.byKey[s.key]
	if !ok || entry.client != s.client {
		a.mu.Unlock()
		return
	}
	before, doubted := entry.scan, entry.doubted
	if summary.problem != nil && before != nil {
		summary.imports, summary.managed = before.imports, before.managed
	}
	entry.scan = &summary
	changed := before == nil || before.imports != summary.imports || before.managed != summary.managed ||
		(before.problem == nil) != (summary.problem == nil) ||
		before.problem != nil && before.problem.Error() != summary.problem.Error()
	if summary.problem == nil {
		if entry.doubted && summary.familiar {
			entry.doubted, entry.trusted = false, entry.credential
		}
		entry.rejections = 0
	}
	trusted := doubted && !entry.doubted
	firstWord := doubted && summary.problem == nil && (before == nil || before.problem != nil)
	a.mu.Unlock()

	if trusted || firstWord {
		a.publish(s.key)
	}
	if summary.problem == nil {
		for _, key := range s.observed.takeAwaiting() {
			a.send(a.importEvents, importNamed(key))
		}
	}
	if summary.problem != nil && summary.problem.reason == reasonTokenRejected {
		a.rejected(s, summary.problem)
		return
	}
	if changed || trusted {
		a.send(a.accountEvents, accountObject(s.key))
	}
}

// duration reads a scan interval, such as 60s; the CRD's pattern admits no other form.
func duration(text string) time.Duration {
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed <= 0 {
		return time.Minute
	}
	return parsed
}
