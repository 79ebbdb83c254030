// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package sandbox

import "github.com/integrator-operator/integrator-operator/internal/simulator"

// What is in every account, or in the documents of scenarios.
const (
	AccountName = "acme"

	ShopConnection   = "5e8c41d29a7f3b0012ab77e1"
	DealerConnection = "5e8c41d29a7f3b0012ab77e2"

	// UnmanagedID is an import that nobody declares, OriginalID one that is copied or adopted.
	UnmanagedID = "61d4c0a7f2b95e0014b3c801"
	OriginalID  = "61d4c0a7f2b95e0014b3c802"

	// PageSize is how many imports a page of the list has: with few, a scenario may have an account that is scanned by
	// reads of single imports.
	PageSize = 5
)

var connections = []simulator.Connection{{ID: ShopConnection}, {ID: DealerConnection}}
