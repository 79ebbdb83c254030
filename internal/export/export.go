// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package export makes an Import manifest from a document of the API ([Make]), and the name of its
// object ([Names]). All of it is pure: no network, no clock, no client of Kubernetes. The command
// "manager export" (internal/command) reads the account and prints the manifests.
//
// A manifest declares all of the document that can be declared in another account: no field that
// the server sets, no copy that it makes of another field, no secret, and aliases instead of ids.
// Applied, it creates the same import again, or, with Adopt, agrees with the one that exists.
package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/drift"
)

// Options say what the manifests are for.
type Options struct {
	// Account is the name to refer to; "default" is left out, because it is the default.
	Account string
	// Aliases are the Account's aliases.
	Aliases map[string]v1alpha1.ID
	// Adopt makes manifests that take over the imports they were made of, with this mode. Otherwise
	// they make copies.
	Adopt v1alpha1.AdoptionMode
	// ByExternalID names the import to take over by its externalId, which other accounts may have
	// too, instead of its id.
	ByExternalID bool
}

// Manifest is one import as an Import.
type Manifest struct {
	// YAML is the document with its comments, ending in a line break, without separator.
	YAML []byte
	// Definition is spec.definition.
	Definition map[string]any
}

// Make makes the manifest of a document of the API. name is the name of the Import.
func Make(raw json.RawMessage, name string, options Options) (Manifest, error) {
	document, err := drift.Parse(raw)
	if err != nil {
		return Manifest{}, fmt.Errorf("the import's document is %w", err)
	}
	adopted := pair{"id", document["_id"]}
	if externalID := document["externalId"]; options.ByExternalID && isUnicode(externalID) {
		adopted = pair{"externalId", externalID}
	}
	c := converter{adopt: options.Adopt != "", aliases: reversed(options.Aliases)}
	document = c.definition(document)

	spec := pairs{}
	if options.Account != "" && options.Account != "default" {
		spec = append(spec, pair{"accountRef", pairs{{"name", options.Account}}})
	}
	if options.Adopt != "" {
		// What existed before its manifest stays when the manifest goes.
		spec = append(spec, pair{"adopt", pairs{adopted, {"mode", string(options.Adopt)}}}, pair{"deletionPolicy", string(v1alpha1.DeletionPolicyOrphan)})
	}
	body, err := toYAML(pairs{
		{"apiVersion", v1alpha1.GroupVersion.String()},
		{"kind", "Import"},
		{"metadata", pairs{{"name", name}}},
		{"spec", append(spec, pair{"definition", document})},
	})
	if err != nil {
		return Manifest{}, err
	}
	return Manifest{YAML: append(c.comments(), body...), Definition: document}, nil
}

// reversed gives the alias of each id, the first in alphabetical order where there are several.
func reversed(ids map[string]v1alpha1.ID) map[string]string {
	aliases := make(map[string]string, len(ids))
	for _, alias := range slices.Sorted(maps.Keys(ids)) {
		if id := strings.ToLower(string(ids[alias])); aliases[id] == "" {
			aliases[id] = alias
		}
	}
	return aliases
}

// Remarks on paths, in the comments above a manifest.
const (
	secret     = "Secret, so the API does not show it. It is left out, and stays as it is where this import is taken over:"
	plain      = "Looks like a credential in plain text. Think twice before it goes into Git:"
	notAlias   = "Left out: it begins with @ and would be read as an alias:"
	tooPrecise = "Left out: Kubernetes cannot hold this number to its last digit:"
	notUnicode = "Left out: Kubernetes cannot hold this text, because it is not Unicode (an unpaired surrogate or bytes that are not UTF-8):"
	rounded    = "Kubernetes rounds this number when the manifest is applied:"
)

// comments are the lines above the document.
func (c *converter) comments() []byte {
	var text strings.Builder
	for _, why := range []string{secret, plain, notAlias, notUnicode, tooPrecise, rounded} {
		if paths := c.remarks[why]; len(paths) > 0 {
			slices.Sort(paths)
			text.WriteString("# " + why + "\n")
			for _, path := range slices.Compact(paths) {
				text.WriteString("#   " + oneLine(drift.Cut(path, math.MaxInt)) + "\n")
			}
		}
	}
	return []byte(text.String())
}

// oneLine keeps a path, which may contain anything, inside its comment.
func oneLine(path string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffd {
			return '?'
		}
		return r
	}, path)
}
