// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/integrator-operator/integrator-operator/hack/chaos/sandbox"
)

// canary begins every token, record and secret value of a scenario.
const canary = "canary-"

// leaks checks I9: nothing secret is in a log, an event, a status, an annotation or a ConfigMap.
func (c Case) leaks(ctx context.Context, v *violations) {
	places := map[string]string{"the log": c.Log()}
	for _, namespace := range c.Namespaces() {
		events, configMaps := &eventsv1.EventList{}, &corev1.ConfigMapList{}
		if err := errors.Join(c.Objects.List(ctx, events, client.InNamespace(namespace)), c.Objects.List(ctx, configMaps, client.InNamespace(namespace))); err != nil {
			v.add("%s", err)
			return
		}
		for _, event := range events.Items {
			places["an event"] += event.Note + "\n"
		}
		for _, configMap := range configMaps.Items {
			places["a ConfigMap"] += fmt.Sprint(configMap.Data, configMap.Annotations)
		}
	}
	for _, object := range c.Found.Objects() {
		places["an annotation"] += fmt.Sprint(object.GetAnnotations())
		places["a status"] += string(sandbox.StatusOf(object))
	}
	for place, text := range places {
		if i := strings.Index(text, canary); i >= 0 {
			v.add("I9: %s has %q", place, text[max(0, i-60):min(len(text), i+30)])
		}
	}
	if Panicked(places["the log"]) {
		v.add("the manager panicked")
	}
}

// Panicked reports whether a log has a panic.
func Panicked(log string) bool {
	return strings.Contains(log, "Observed a panic") || strings.Contains(log, "panic:")
}
