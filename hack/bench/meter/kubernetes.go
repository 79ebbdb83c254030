// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/client-go/rest"
)

// Kubernetes are the requests of the manager that the API server has counted, without watches. Nobody
// else works in the cluster but the benchmark, which creates objects and watches them.
type Kubernetes struct {
	// Imports are those for Imports, Runs those for ImportRuns, Events the events that were written, Others
	// all other ones: for Accounts, Secrets and ConfigMaps.
	Imports, Runs, Events, Others float64
}

// Minus is what was asked since.
func (k Kubernetes) Minus(before Kubernetes) Kubernetes {
	return Kubernetes{k.Imports - before.Imports, k.Runs - before.Runs, k.Events - before.Events, k.Others - before.Others}
}

// ReadKubernetes reads the counts.
func ReadKubernetes(ctx context.Context, server rest.Interface) (Kubernetes, error) {
	text, err := server.Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return Kubernetes{}, fmt.Errorf("read the API server's metrics: %w", err)
	}
	return parseMetrics(text)
}

var label = regexp.MustCompile(`(\w+)="([^"]*)"`)

func parseMetrics(text []byte) (all Kubernetes, err error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		labels, number, found := strings.Cut(strings.TrimPrefix(lines.Text(), "apiserver_request_total{"), "} ")
		if !found || !strings.HasPrefix(lines.Text(), "apiserver_request_total{") {
			continue
		}
		count, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return all, fmt.Errorf("the API server's metrics: %w", err)
		}
		all.add(labels, count)
	}
	return all, lines.Err()
}

// add counts requests of one kind, unless the benchmark makes such, or the API server itself.
func (k *Kubernetes) add(labels string, count float64) {
	of := map[string]string{}
	for _, pair := range label.FindAllStringSubmatch(labels, -1) {
		of[pair[1]] = pair[2]
	}
	switch verb := of["verb"]; {
	case verb == "WATCH" || verb == "CONNECT":
	case of["group"] == "events.k8s.io":
		k.Events += count
	case of["group"] == "integrator.io" && verb == "POST":
	case of["group"] == "integrator.io" && of["resource"] == "imports":
		k.Imports += count
	case of["group"] == "integrator.io" && of["resource"] == "importruns":
		k.Runs += count
	case of["group"] == "integrator.io", verb == "GET" && (of["resource"] == "secrets" || of["resource"] == "configmaps"):
		k.Others += count
	}
}
