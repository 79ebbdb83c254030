// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"cmp"
	"image/color"
	"maps"
	"slices"
)

// mostOf are the colors that there is most of.
func mostOf(count map[color.RGBA]int, most int) color.Palette {
	key := func(c color.RGBA) int { return int(c.R)<<16 | int(c.G)<<8 | int(c.B) }
	sorted := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(key(a), key(b)))
	})
	var palette color.Palette
	for _, c := range sorted[:min(len(sorted), most)] {
		palette = append(palette, c)
	}
	return palette
}
