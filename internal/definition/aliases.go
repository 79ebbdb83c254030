// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-openapi/jsonpointer"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
	"github.com/integrator-operator/integrator-operator/internal/fields"
	"github.com/integrator-operator/integrator-operator/internal/problem"
)

// maxAlias is how much of an unknown alias a message repeats, in bytes.
const maxAlias = 63

// resolver resolves the aliases of an Account.
type resolver struct {
	account string
	aliases map[string]v1alpha1.ID
	// secrets are the JSON pointers at and below which an error does not name an alias.
	secrets []string
	// resolved are the aliases that were resolved, by the JSON pointers of their ids.
	resolved map[string]string
}

// resolve replaces "@alias" in every id field, at any depth.
func (r resolver) resolve(path string, value any) error {
	switch typed := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(typed)) {
			child := typed[key]
			isID := strings.HasPrefix(key, "_") && drift.IDField.MatchString(key)
			if !isID && fields.IsScalar(child) {
				continue // most are, and need no pointer
			}
			below := path + "/" + jsonpointer.Escape(key)
			if !isID {
				if err := r.resolve(below, child); err != nil {
					return err
				}
				continue
			}
			resolved, err := r.resolveIDs(below, child)
			if err != nil {
				return err
			}
			typed[key] = resolved
		}
	case []any:
		for i, child := range typed {
			if err := r.resolve(path+"/"+strconv.Itoa(i), child); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolveIDs resolves the value of an id field: one id, an array of them, or something that has id
// fields itself.
func (r resolver) resolveIDs(path string, value any) (any, error) {
	switch typed := value.(type) {
	case string:
		return r.resolveID(path, typed)
	case []any:
		for i, child := range typed {
			resolved, err := r.resolveIDs(fmt.Sprintf("%s/%d", path, i), child)
			if err != nil {
				return nil, err
			}
			typed[i] = resolved
		}
		return typed, nil
	default:
		return value, r.resolve(path, value)
	}
}

func (r resolver) resolveID(path, text string) (any, error) {
	id, ok := ResolveAlias(r.aliases, text)
	switch {
	case ok && id != text:
		r.resolved[path] = strings.TrimPrefix(text, "@")
		return id, nil
	case ok:
		return id, nil
	case drift.Under(path, r.secrets):
		return nil, problem.Terminalf(v1alpha1.ReasonUnknownAlias, "definition%s: the value from spec.valuesFrom is an alias that Account %q does not have in spec.aliases; %s",
			path, r.account, ExistingAliases(r.aliases))
	default:
		return nil, problem.Terminalf(v1alpha1.ReasonUnknownAlias, "definition%s: Account %q has no alias %q in spec.aliases; %s",
			path, r.account, drift.Cut(strings.TrimPrefix(text, "@"), maxAlias), ExistingAliases(r.aliases))
	}
}

// ResolveAlias gives the id that "@alias" stands for; ok is false when the Account has no such
// alias. A text without "@" is an id already.
func ResolveAlias(aliases map[string]v1alpha1.ID, text string) (id string, ok bool) {
	alias, isAlias := strings.CutPrefix(text, "@")
	if !isAlias {
		return text, true
	}
	known, ok := aliases[alias]
	return string(known), ok
}

// ExistingAliases ends a message about an unknown alias: "it has a, b", or "it has none".
func ExistingAliases(aliases map[string]v1alpha1.ID) string {
	if len(aliases) == 0 {
		return "it has none"
	}
	return "it has " + drift.Cut(strings.Join(slices.Sorted(maps.Keys(aliases)), ", "), 300)
}
