// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"iter"
)

// ListOptions narrows what a list answers of each import. Only one of the two may be set. Paths
// are dotted, of letters, digits, "." and "_".
type ListOptions struct {
	// Include asks for these paths, beside _id, name and adaptorType.
	Include []string
	// Exclude asks for all but these paths.
	Exclude []string
}

// ListImports lists all imports of the account, page by page.
func (c *Client) ListImports(ctx context.Context, opts ListOptions) iter.Seq2[Import, error] {
	return func(yield func(Import, error) bool) { yield(Import{}, errIncomplete) }
}
