// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxName is the longest name that can also be the value of a label.
const maxName = 63

// Names gives each import a unique name for its object, a DNS-1123 label made from the import's name.
// The same imports in the same order get the same names. Another import at the end changes no other
// name.
type Names struct {
	byID map[string]string
	used map[string]bool
}

// NewNames returns an empty register of names.
func NewNames() *Names {
	return &Names{byID: map[string]string{}, used: map[string]bool{}}
}

// Reserve makes sure that a name is not given to an import.
func (n *Names) Reserve(name string) { n.used[name] = true }

// Fix sets the name of an import that has an object already.
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
	// The id itself: nothing else can have this name.
	n.Fix(id, strings.ToLower(id))
	return n.byID[id]
}

// letters replaces the letters that NFKD does not decompose into ASCII.
var letters = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "þ", "th", "ı", "i")

// slug returns a name in lower-case letters and digits, with single hyphens between them.
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
