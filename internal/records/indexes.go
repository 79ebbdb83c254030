// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Indexes are positions of records, in ascending order, as ranges that do not touch each other. The zero
// value has none.
type Indexes []Range

// Range is the positions from First to Last, both included.
type Range struct{ First, Last int }

var errNoIndexes = errors.New(`not ranges of positions, as "0-4,7,9-12"`)

// ParseIndexes reads what String writes.
func ParseIndexes(text string) (Indexes, error) {
	var all Indexes
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 31)
		to, err2 := strconv.ParseUint(last, 10, 31)
		next := Range{int(from), int(to)}
		if err != nil || err2 != nil || next.Last < next.First || len(all) > 0 && next.First <= all[len(all)-1].Last {
			return nil, errNoIndexes
		}
		all = append(all, next)
	}
	return all, nil
}

// String writes the ranges, as "0-4,7,9-12".
func (s Indexes) String() string {
	var text strings.Builder
	for i, part := range s {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(part.String())
	}
	return text.String()
}

func (r Range) String() string {
	if r.First == r.Last {
		return strconv.Itoa(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// Add is the indexes with a position after all of them; another is not added. It may change what s has.
func (s Indexes) Add(position int) Indexes {
	last := len(s) - 1
	switch {
	case last < 0 || position > s[last].Last+1:
		return append(s, Range{position, position})
	case position == s[last].Last+1:
		s[last].Last = position
	}
	return s
}

// Within is the first ranges of the indexes, as many as a text of so many bytes has room for, and whether
// that is all.
func (s Indexes) Within(size int) (fitting Indexes, all bool) {
	used := -len(",")
	for i, part := range s {
		if used += len(",") + len(part.String()); used > size {
			return s[:i], false
		}
	}
	return s, true
}

// Count is how many positions there are.
func (s Indexes) Count() (n int) {
	for _, part := range s {
		n += part.Last - part.First + 1
	}
	return n
}

// All goes through the positions in order.
func (s Indexes) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, part := range s {
			for position := part.First; position <= part.Last; position++ {
				if !yield(position) {
					return
				}
			}
		}
	}
}
