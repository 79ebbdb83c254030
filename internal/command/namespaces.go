// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Namespaces are the value of --watch-namespaces: names that are separated by commas, each once, sorted.
// The flag may be repeated.
type Namespaces []string

func (n *Namespaces) String() string { return strings.Join(*n, ",") }

// Set adds the names of a list. One without a name is an error: without the flag, all namespaces are
// watched, which an empty variable must not lead to.
func (n *Namespaces) Set(list string) error {
	names := List(list)
	if len(names) == 0 {
		return errors.New("it names no namespace: name at least one, or leave the flag out to watch all")
	}
	for _, name := range names {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return fmt.Errorf("%q is not the name of a namespace: %s", name, problems[0])
		}
	}
	all := append(*n, names...)
	slices.Sort(all)
	*n = slices.Compact(all)
	return nil
}
