// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integrator-operator/integrator-operator/internal/simulator"
)

func TestScanStarts(t *testing.T) {
	entries := []simulator.Entry{
		{Method: "GET", Route: "/v1/imports", Query: "include=lastModified"},
		{Method: "GET", Route: "/v1/imports", Query: "include=lastModified&limit=3&skip=3"},
		{Method: "PUT", Route: "/v1/imports/{id}", Path: "/v1/imports/1", Status: 422},
		{Method: "GET", Route: "/v1/imports", Query: "include=lastModified"},
	}
	if diff := cmp.Diff([]int{0, 3}, scanStarts(entries)); diff != "" {
		t.Error(diff)
	}
}
