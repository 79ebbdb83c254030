// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/integrator-operator/integrator-operator/internal/admission"
	"github.com/integrator-operator/integrator-operator/internal/definition"
	"github.com/integrator-operator/integrator-operator/internal/plan"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

const lintLong = `Checks manifests without a cluster and without the platform: the schemas and rules of the kinds, and
what is probably a mistake in a definition, such as a field that the API does not know.

Exit codes: 0 nothing is wrong, 2 there are warnings, 1 something would be refused.`

func newLint(c *cmd) *cobra.Command {
	var f files
	made := &cobra.Command{
		Use: "lint (-f FILE | -k FOLDER)", Short: "Check manifests without a cluster", Long: lintLong, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			manifests, err := f.read(c.In)
			if err != nil {
				return err
			}
			return lint(c, manifests)
		},
	}
	f.register(made.Flags())
	return made
}

func lint(c *cmd, manifests []plan.Manifest) error {
	colors, err := c.palette()
	if err != nil {
		return err
	}
	kinds, err := admission.Load()
	if err != nil {
		return err
	}
	w := &textWriter{out: c.Out}
	checked, errors, warnings := 0, 0, 0
	for _, manifest := range manifests {
		object := manifest.Object
		if !kinds.Knows(object.GroupVersionKind()) {
			continue
		}
		checked++
		at := fmt.Sprintf("%s: %s %s", manifest.Source, object.GetKind(), cmp.Or(object.GetName(), object.GetGenerateName()))
		refused, doubtful := judge(kinds, object)
		for _, text := range refused {
			w.line("%serror%s   %s: %s", colors.red, colors.reset, at, text)
		}
		for _, text := range doubtful {
			w.line("%swarning%s %s: %s", colors.yellow, colors.reset, at, text)
		}
		errors, warnings = errors+len(refused), warnings+len(doubtful)
	}
	w.line("%s checked: %s, %s", count(checked, "object", "objects"), count(errors, "error", "errors"), count(warnings, "warning", "warnings"))
	if w.err != nil {
		return w.err
	}
	return exitOf(errors > 0, warnings > 0)
}

// judge returns what an API server would refuse, and what is probably a mistake.
func judge(kinds *admission.Kinds, object *unstructured.Unstructured) (refused, doubtful []string) {
	if object.GetNamespace() == "" {
		object = object.DeepCopy()
		object.SetNamespace("default")
	}
	_, refused = kinds.Admit(object, nil)
	declared, ok, _ := unstructured.NestedMap(object.Object, "spec", "definition")
	if object.GetKind() != "Import" || !ok {
		return refused, nil
	}
	raw, err := json.Marshal(declared)
	if err != nil {
		return append(refused, "spec.definition: "+err.Error()), nil
	}
	_, mistakes, err := definition.Lint(raw)
	if err != nil {
		text := err.Error()
		if p := problem.As(err); p != nil {
			text = p.Message()
		}
		return append(refused, text), nil
	}
	for _, text := range mistakes {
		doubtful = append(doubtful, "spec.definition"+text)
	}
	return refused, doubtful
}
