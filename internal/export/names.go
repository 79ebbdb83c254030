// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxName keeps names short enough to be labels, which some tools make of them.
const maxName = 63

// Names gives each import a name for its object: DNS-1123, made of the import's own, and
// unique. The same imports, asked for in the same order, get the same names; one more at the
// end changes none of the others.
type Names struct {
	byID map[string]string
	used map[string]bool
}

// NewNames returns an empty register of names.
func NewNames() *Names {
	return &Names{byID: map[string]string{}, used: map[string]bool{}}
}

// Reserve keeps a name from being given.
func (n *Names) Reserve(name string) { n.used[name] = true }

// Fix gives an import the name of the object that it has already.
func (n *Names) Fix(id, name string) {
	n.byID[id], n.used[name] = name, true
}

// Of returns the name of the import with this id and name.
func (n *Names) Of(id, name string) string {
	if given := n.byID[id]; given != "" {
		return given
	}
	base, id8 := slug(name), strings.ToLower(id)
	candidates := []string{cut(base, maxName)}
	if len(id8) > 8 {
		id8 = id8[len(id8)-8:]
	}
	for _, suffix := range []string{id8, strings.ToLower(id)} {
		candidates = append(candidates, cut(base, maxName-len(suffix)-1)+"-"+suffix)
	}
	for _, candidate := range candidates {
		if !n.used[candidate] {
			n.Fix(id, candidate)
			return candidate
		}
	}
	// The id itself, which nothing else can be called.
	n.Fix(id, strings.ToLower(id))
	return n.byID[id]
}

// letters that no decomposition makes plain.
var letters = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "þ", "th", "ı", "i")

// slug is a name in small letters, digits and single hyphens between them.
func slug(name string) string {
	var text strings.Builder
	hyphen := false
	for _, r := range norm.NFKD.String(letters.Replace(strings.ToLower(name))) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			if hyphen && text.Len() > 0 {
				text.WriteByte('-')
			}
			hyphen = false
			text.WriteRune(r)
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’':
		default:
			hyphen = true
		}
	}
	if text.Len() == 0 {
		return "import"
	}
	return text.String()
}

func cut(name string, limit int) string {
	if len(name) > limit {
		name = name[:max(0, limit)]
	}
	return strings.TrimRight(name, "-")
}
