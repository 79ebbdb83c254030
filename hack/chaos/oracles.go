// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// The invariants, by what the ledger of the account and the objects say once a scenario is
// over. They are numbered as in docs/reliability.md.

// judge returns what is violated, by how the scenario ended and how it does undisturbed.
func (s *stage) judge(ctx context.Context, found, reference *ending) (violations []string) {
	complain := func(format string, args ...any) { violations = append(violations, fmt.Sprintf(format, args...)) }
	violations = append(violations, s.creations()...)
	violations = append(violations, s.orphans(found)...)
	violations = append(violations, s.invocations(found)...)
	violations = append(violations, s.history.regressions()...)
	violations = append(violations, s.losses(found)...)
	violations = append(violations, s.leaks(ctx, found)...)
	if n := s.trap.caught.Load(); n > 0 {
		complain("I7: a redirect was followed %d times", n)
	}
	s.mu.Lock()
	from, to := s.quietFrom, s.quietUntil
	s.mu.Unlock()
	if times := s.trace.between(from, to); len(times) > 0 && !s.plan.kills() {
		complain("I10: %d requests within the pause that the API asked for, the first %s before its end", len(times), to.Sub(times[0]))
	}
	if refused := s.trace.refusals(); len(refused) > 0 {
		complain("RBAC: not permitted: %s", strings.Join(slices.Compact(refused), ", "))
	}
	if reference != nil && s.plan.after == nil {
		if diff := found.differ(reference); diff != "" {
			complain("end: it is not that of the reference: %s", diff)
		}
	}
	return violations
}

// applied counts the requests of the manager that were applied.
func (s *stage) applied(method string, routes ...string) int {
	yes := true
	n := 0
	for _, route := range routes {
		n += len(s.sim.Ledger(simulator.Filter{Account: accountName, Method: method, Route: route, Source: "api", Applied: &yes}))
	}
	return n
}

const (
	collection = "/v1/imports"
	single     = "/v1/imports/{id}"
	copies     = "/v1/imports/{id}/clone"
)

// creations checks I1 and I7: nothing is made twice, and nothing is deleted but once.
func (s *stage) creations() (violations []string) {
	if n := s.applied(http.MethodPost, collection, copies); n != s.scenario.creates {
		violations = append(violations, fmt.Sprintf("I1: %d imports were created, %d are right", n, s.scenario.creates))
	}
	if n := s.applied(http.MethodDelete, single); n != s.scenario.deletes {
		violations = append(violations, fmt.Sprintf("I7: %d imports were deleted, %d are right", n, s.scenario.deletes))
	}
	return violations
}

// orphans checks I2: what was made is known to an Import.
func (s *stage) orphans(end *ending) (violations []string) {
	for _, document := range s.sim.Imports(accountName) {
		id, _ := document["_id"].(string)
		switch {
		case id == bystanderID, id == originalID, s.strangers[id], s.scenario.orphans:
		case end.id() != id:
			violations = append(violations, fmt.Sprintf("I2: nobody knows the import %s", id))
		}
	}
	return violations
}

// invocations checks I3 and I4: no record is sent twice, and a run tells the truth.
func (s *stage) invocations(end *ending) (violations []string) {
	complain := func(format string, args ...any) { violations = append(violations, fmt.Sprintf(format, args...)) }
	sent := 0
	if id := end.id(); id != "" {
		records, count := s.sim.Written(accountName, id)
		sent = count
		seen := map[string]bool{}
		for _, record := range records {
			if text := string(record); seen[text] {
				complain("I3: the record %s was sent twice", text)
			} else {
				seen[text] = true
			}
		}
	}
	if end.run == nil {
		return violations
	}
	phase := end.run.Status.Phase
	usual := cmp.Or(s.scenario.ends, v1alpha1.RunSucceeded)
	told := 0
	if end.run.Status.Records != nil {
		told = int(end.run.Status.Records.Succeeded)
	}
	switch {
	case phase == usual:
		if sent != s.scenario.records && phase == v1alpha1.RunSucceeded {
			complain("I4: the run is %s, and %d of %d records were sent", phase, sent, s.scenario.records)
		}
		if told != sent {
			complain("I4: the run tells of %d records, %d were sent", told, sent)
		}
	case s.plan.must:
		complain("I4: the run is %s, nothing was in the way of %s: %s", phase, usual, described(end.run.Status.Conditions))
	case phase == v1alpha1.RunFailed && told != sent:
		complain("I4: the run is Failed and tells of %d records, %d were sent", told, sent)
	case phase == v1alpha1.RunUnknown && told > sent:
		complain("I4: the run is Unknown and tells of %d records, %d were sent", told, sent)
	case phase != v1alpha1.RunFailed && phase != v1alpha1.RunUnknown:
		complain("I4: the run is %q", phase)
	}
	return violations
}

// losses checks I6: what others wrote is still there.
func (s *stage) losses(end *ending) (violations []string) {
	complain := func(format string, args ...any) { violations = append(violations, fmt.Sprintf(format, args...)) }
	if document, ok := s.sim.Import(accountName, bystanderID); !ok || fmt.Sprint(document) != s.bystander {
		complain("I6: the import of somebody else was changed")
	}
	s.mu.Lock()
	specs := s.specs
	s.mu.Unlock()
	for _, object := range end.objects() {
		if want, ok := specs[object.GetName()]; ok && !bytes.Equal(want, specOf(object)) {
			complain("I6: the spec of %s is %s, its user wrote %s", object.GetName(), specOf(object), want)
		}
		if s.weather.conflicts > 0 && object.GetLabels()["touched"] == "" {
			complain("I6: the label of %s is gone", object.GetName())
		}
	}
	return violations
}

// leaks checks I9: nothing secret is in a log, an event, a status or an annotation.
func (s *stage) leaks(ctx context.Context, end *ending) (violations []string) {
	const canary = "canary-"
	places := map[string]string{"the log": s.log()}
	events := &eventsv1.EventList{}
	if err := s.objects.List(ctx, events, client.InNamespace(s.namespace)); err != nil {
		return []string{err.Error()}
	}
	for _, event := range events.Items {
		places["an event"] += event.Note + "\n"
	}
	configMaps := &corev1.ConfigMapList{}
	if err := s.objects.List(ctx, configMaps, client.InNamespace(s.namespace)); err != nil {
		return []string{err.Error()}
	}
	for _, configMap := range configMaps.Items {
		places["a ConfigMap"] += fmt.Sprint(configMap.Data, configMap.Annotations)
	}
	for _, object := range end.objects() {
		places["an annotation"] += fmt.Sprint(object.GetAnnotations())
		places["a status"] += string(statusOf(object))
	}
	for place, text := range places {
		if i := strings.Index(text, canary); i >= 0 {
			violations = append(violations, fmt.Sprintf("I9: %s has %q", place, text[max(0, i-60):min(len(text), i+30)]))
		}
	}
	if panicked(places["the log"]) {
		violations = append(violations, "the manager panicked")
	}
	return violations
}
