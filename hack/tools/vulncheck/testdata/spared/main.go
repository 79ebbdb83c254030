// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command spared uses a package that has a vulnerability, but does not call that.
package main

import "container/list"

func main() { new(list.List).PushBack(nil) }
