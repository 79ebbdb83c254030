// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package mutant is the mutation test of the campaign: each mutant is built into the manager, and
// the campaign has to detect it. The files in the checkout stay as they are.
package mutant

// Mutant is the manager with one mistake in it.
type Mutant struct {
	Name string
	// Belief is what a programmer may have thought who makes this mistake.
	Belief string
	// Edits put it into the code, Scenarios are those that have to detect it.
	Edits     []Edit
	Scenarios []string
}

// Edit changes one place of one function. It is anchored in the syntax tree, so that it survives
// a change of everything else.
type Edit struct {
	// Package is a directory below the top of the checkout.
	Package string
	// Function is the name of a function of the package, for a method with that of its receiver:
	// "Pass.timeLeft".
	Function string
	// Find finds the place, which must be exactly one.
	Find Finder
	// With replaces it. $0 is the source of what was found; of a call, $fun is the function, $recv
	// what it is a method of, and $1 the first argument.
	With string
	// Imports are added to the file.
	Imports []string
}
