// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package drift compares a declared JSON document with a remote one, and merges the two for a write.
// It is pure: it uses no clock, no network and no Kubernetes.
//
// The rules:
//
//   - Fields that are not declared are not compared: declared ⊆ remote, key by key.
//   - An array is declared as a whole: it must have the same length, and every element must be equal
//     in both directions. So a field that was added inside a declared array is a difference.
//   - An absent or null value equals an empty one: false, "", [] and {}. Servers drop these, and
//     add them as defaults.
//   - Numbers are equal by value, at any precision: 1, 1.0 and 1e0 are the same.
//   - What is ignored is not compared, and stays as the remote document has it.
//   - Text must be identical. Where the table of package fields says so, the API stores it in lower
//     case or another type, or in a second field as well; and it may drop the white space around it.
//     Ids are the same in upper and lower case.
//   - The _id that the API gives to an element of an array is no difference.
//   - Text that is not Unicode is kept: see json.go.
//   - A write starts with the remote document. Fields that were applied last and are no longer
//     declared are removed, and then the declared values are set.
package drift
