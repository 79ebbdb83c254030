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

// Requests are requests for objects of some kinds.
type Requests struct{ Reads, Writes float64 }

// All of them.
func (r Requests) All() float64 { return r.Reads + r.Writes }

func (r Requests) minus(before Requests) Requests {
	return Requests{r.Reads - before.Reads, r.Writes - before.Writes}
}

func (r *Requests) add(verb string, count float64) {
	if verb == "GET" || verb == "LIST" {
		r.Reads += count
	} else {
		r.Writes += count
	}
}

// Kubernetes are the requests of the manager that the API server has counted, without watches. Nobody
// else works in the cluster but the benchmark, which creates objects and watches them.
type Kubernetes struct {
	// Imports are those for Imports, Runs those for ImportRuns, Accounts those for Accounts, Secrets those for
	// Secrets and ConfigMaps.
	Imports, Runs, Accounts, Secrets Requests
	// Polled are those for the objects of the poller.
	Polled Requests
	// Events are the events that were written.
	Events float64
}

// Minus is what was asked since.
func (k Kubernetes) Minus(before Kubernetes) Kubernetes {
	return Kubernetes{
		k.Imports.minus(before.Imports), k.Runs.minus(before.Runs), k.Accounts.minus(before.Accounts), k.Secrets.minus(before.Secrets),
		k.Polled.minus(before.Polled), k.Events - before.Events,
	}
}

// Others are the requests for other objects than Imports and runs.
func (k Kubernetes) Others() float64 { return k.Accounts.All() + k.Secrets.All() }

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
	verb, resource, ours := of["verb"], of["resource"], of["group"] == "integrator.io"
	switch {
	case verb == "WATCH" || verb == "CONNECT":
	case of["group"] == "events.k8s.io" || of["group"] == "" && resource == "events" && verb != "LIST":
		k.Events += count
	case of["group"] == "poller.integrator.io" && verb != "POST":
		k.Polled.add(verb, count)
	case ours && verb == "POST":
	case ours && resource == "imports":
		k.Imports.add(verb, count)
	case ours && resource == "importruns":
		k.Runs.add(verb, count)
	case ours:
		k.Accounts.add(verb, count)
	case verb == "GET" && (resource == "secrets" || resource == "configmaps"):
		k.Secrets.add(verb, count)
	}
}
