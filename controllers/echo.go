// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// echoes are pairs of fields of which the API fills in the one from the other. When only
// one is declared, the other is a copy of what was declared before: sent back, it would
// stand against the new value.
var echoes = [][2]string{
	{"/filter/rules", "/filter/expression/rules"},
	{"/rest", "/http"},
	{"/lookups", "/http/lookups"},
	{"/lookups", "/rest/lookups"},
	{"/lookups", "/netsuite_da/lookups"},
	{"/lookups", "/netsuite/lookups"},
	{"/lookups", "/salesforce/lookups"},
	{"/lookups", "/wrapper/lookups"},
}

// dropEchoes takes the copies of declared fields out of a document to write. remote tells
// what is a copy: a field that says something else was set by somebody, and stays.
func dropEchoes(document, declared, remote map[string]any) {
	for _, pair := range echoes {
		first, second := drift.Has(declared, pair[0]), drift.Has(declared, pair[1])
		if first == second || !drift.Equal(remote, pair[0], pair[1]) {
			continue
		}
		if first {
			drift.Remove(document, pair[1])
		} else {
			drift.Remove(document, pair[0])
		}
	}
}
