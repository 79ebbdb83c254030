// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

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

// Requests returns the operator's requests to the API, oldest first, from the simulator's
// ledger. Entries up to the number after are left out.
func (a *Account) Requests(ctx context.Context, after int64) ([]simulator.Entry, error) {
	query := url.Values{"account": {a.Name}, "source": {"api"}, "after": {fmt.Sprint(after)}}
	var entries []simulator.Entry
	err := a.platform.call(ctx, http.MethodGet, a.platform.Admin+"/ledger?"+query.Encode(), a.Token, nil, &entries)
	return entries, err
}

// LastRequest returns the number of the operator's newest request, 0 if there is none.
func (a *Account) LastRequest(ctx context.Context) (int64, error) {
	entries, err := a.Requests(ctx, 0)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	return entries[len(entries)-1].Seq, nil
}

// CheckWrites returns an error unless the operator's writes after the request of that number are
// exactly those expected.
func (a *Account) CheckWrites(ctx context.Context, after int64, expected map[Endpoint]int) error {
	entries, err := a.Requests(ctx, after)
	if err != nil {
		return err
	}
	if found := writes(CountByEndpoint(entries)); !reflect.DeepEqual(found, expected) {
		return fmt.Errorf("expected the operator's writes in the account %s to be\n%sfound\n%s", a.Name, FormatCounts(expected), FormatCounts(found))
	}
	return nil
}

// CheckUntouched returns an error unless the account's imports are as before, and nothing was
// written after the request of that number.
func (a *Account) CheckUntouched(ctx context.Context, after int64, before map[string]map[string]any) error {
	stored, err := a.Stored(ctx)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(stored, before) {
		return fmt.Errorf("expected the account %s to be unchanged: %v; found %v", a.Name, before, stored)
	}
	return a.CheckWrites(ctx, after, map[Endpoint]int{})
}

// Endpoint is an endpoint of the API.
type Endpoint struct{ Method, Route string }

// The endpoints that write.
var (
	Create = Endpoint{http.MethodPost, "/v1/imports"}
	Update = Endpoint{http.MethodPut, "/v1/imports/{id}"}
	Delete = Endpoint{http.MethodDelete, "/v1/imports/{id}"}
	Clone  = Endpoint{http.MethodPost, "/v1/imports/{id}/clone"}
	Invoke = Endpoint{http.MethodPost, "/v1/imports/{id}/invoke"}
)

// CountByEndpoint counts requests by endpoint.
func CountByEndpoint(entries []simulator.Entry) map[Endpoint]int {
	counts := map[Endpoint]int{}
	for _, entry := range entries {
		counts[Endpoint{entry.Method, entry.Route}]++
	}
	return counts
}

// writes returns the counts of the endpoints that can change something.
func writes(counts map[Endpoint]int) map[Endpoint]int {
	found := map[Endpoint]int{}
	for endpoint, number := range counts {
		if endpoint.Method != http.MethodGet {
			found[endpoint] = number
		}
	}
	return found
}

// FormatCounts returns counts as a table, sorted by method and route.
func FormatCounts(counts map[Endpoint]int) string {
	endpoints := make([]Endpoint, 0, len(counts))
	for endpoint := range counts {
		endpoints = append(endpoints, endpoint)
	}
	slices.SortFunc(endpoints, func(a, b Endpoint) int {
		return cmp.Or(cmp.Compare(a.Method, b.Method), cmp.Compare(a.Route, b.Route))
	})
	var text strings.Builder
	for _, endpoint := range endpoints {
		fmt.Fprintf(&text, "%-7s %-32s %5d\n", endpoint.Method, endpoint.Route, counts[endpoint])
	}
	return text.String()
}

// CheckAnswers returns an error that names every request that was not answered with success.
func CheckAnswers(entries []simulator.Entry) error {
	var failed []error
	for _, entry := range entries {
		if entry.Status >= http.StatusBadRequest {
			failed = append(failed, fmt.Errorf("%s %s was answered with %d", entry.Method, entry.Path, entry.Status))
		}
	}
	return errors.Join(failed...)
}
