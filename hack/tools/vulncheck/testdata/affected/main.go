// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command affected calls what the database of this test calls vulnerable.
package main

import "container/list"

func main() { list.New().PushBack(nil) }
