// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package drift compares a declared JSON document with a remote one and merges the two
// for a write. It is pure: no clock, no network, no Kubernetes.
//
// The rules:
//
//   - What is not declared is not compared: declared ⊆ remote, key by key.
//   - An array is declared whole: same length, and every element equal in both
//     directions, so that a field which somebody added inside a declared array shows.
//   - An absent or null value equals an empty one: false, "", [] and {}. Servers drop
//     these and add them as defaults.
//   - Numbers are equal by value: 1, 1.0 and 1e0 are the same, at any precision.
//   - Text is equal to the letter, but for the few fields of fields.go that the API stores
//     in another spelling than it is sent.
//   - A write starts from the remote document. What was applied last and is declared no
//     more is dropped, then the declared values are laid over it.
package drift
