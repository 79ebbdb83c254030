// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

// calls returns what the operator asked of the API, oldest first, leaving out the entries
// up to number after.
func (a *remoteAccount) calls(ctx context.Context, after int64) ([]simulator.Entry, error) {
	query := url.Values{"account": {a.name}, "source": {"api"}, "after": {fmt.Sprint(after)}}
	var entries []simulator.Entry
	err := a.platform.call(ctx, http.MethodGet, a.platform.admin+"/ledger?"+query.Encode(), a.token, nil, &entries)
	return entries, err
}

// last is the number of the newest entry of the account.
func (a *remoteAccount) last(ctx context.Context) (int64, error) {
	entries, err := a.calls(ctx, 0)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	return entries[len(entries)-1].Seq, nil
}

// wrote complains unless the calls that write, since the entry of number after, are those
// expected and no other.
func (a *remoteAccount) wrote(ctx context.Context, after int64, expected map[call]int) error {
	entries, err := a.calls(ctx, after)
	if err != nil {
		return err
	}
	if found := writes(count(entries)); !reflect.DeepEqual(found, expected) {
		return fmt.Errorf("expected the operator's writes in the account %s to be\n%sfound\n%s", a.name, table(expected), table(found))
	}
	return nil
}

// untouched complains unless the account's imports are as they were before, and nothing was
// written since the entry of number after.
func (a *remoteAccount) untouched(ctx context.Context, after int64, before map[string]map[string]any) error {
	stored, err := a.stored(ctx)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(stored, before) {
		return fmt.Errorf("expected the account %s to be as it was: %v; it is %v", a.name, before, stored)
	}
	return a.wrote(ctx, after, map[call]int{})
}

// call is one kind of call: method and route.
type call struct{ method, route string }

// The calls that write.
var (
	create = call{http.MethodPost, "/v1/imports"}
	update = call{http.MethodPut, "/v1/imports/{id}"}
	remove = call{http.MethodDelete, "/v1/imports/{id}"}
	clone  = call{http.MethodPost, "/v1/imports/{id}/clone"}
	invoke = call{http.MethodPost, "/v1/imports/{id}/invoke"}
)

// count counts calls by kind.
func count(entries []simulator.Entry) map[call]int {
	counts := map[call]int{}
	for _, entry := range entries {
		counts[call{entry.Method, entry.Route}]++
	}
	return counts
}

// writes are the counted calls that can change something.
func writes(counts map[call]int) map[call]int {
	found := map[call]int{}
	for kind, number := range counts {
		if kind.method != http.MethodGet {
			found[kind] = number
		}
	}
	return found
}

// table shows counted calls, reading ones first.
func table(counts map[call]int) string {
	kinds := make([]call, 0, len(counts))
	for kind := range counts {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b call) int {
		return cmp.Or(cmp.Compare(a.method, b.method), cmp.Compare(a.route, b.route))
	})
	var text strings.Builder
	for _, kind := range kinds {
		fmt.Fprintf(&text, "%-7s %-32s %5d\n", kind.method, kind.route, counts[kind])
	}
	return text.String()
}

// failures names the calls that the API did not answer with success.
func failures(entries []simulator.Entry) error {
	var failed []error
	for _, entry := range entries {
		if entry.Status >= http.StatusBadRequest {
			failed = append(failed, fmt.Errorf("%s %s was answered with %d", entry.Method, entry.Path, entry.Status))
		}
	}
	return errors.Join(failed...)
}
