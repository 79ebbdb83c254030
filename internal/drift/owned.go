// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of Owned. Together they are less than 200 KiB, however many fields a document has.
const (
	// MaxPath is how long a pointer of Owned.Fields may be, in bytes.
	MaxPath = 512
	// hashSize is the size of a hash, in bytes.
	hashSize = 8
)

// room is how much there is room for: pointers, their length together as JSON, and hashes.
type room struct{ pointers, bytes, hashes int }

// inStatus is the room in the status of an Import. The hashes are 128 KiB as base64.
var inStatus = room{pointers: 4096, bytes: 64 << 10, hashes: 12288}

// Owned are the fields that were applied last, in a bounded form: those near the root of the document
// by their pointers, and the others, where there is no room for pointers, by hashes of these. A hash is
// enough to recognise the field in a remote document. A pointer that is no Unicode text has a hash too,
// because Kubernetes could not store it.
type Owned struct {
	// Fields are JSON pointers, sorted.
	Fields []string
	// Hashes are the first eight bytes of the SHA-256 of further JSON pointers, sorted.
	Hashes []byte
	// Untracked is how many further fields there are. There was no room for them.
	Untracked int
}

// Track makes the bounded form of fields, which are JSON pointers. Fields at or under a pattern of ignore
// come last: they are not released while they are ignored.
func Track(fields, ignore []string) Owned {
	return inStatus.track(nil, fields, ignore)
}

// With adds fields to those that are owned already.
func (o Owned) With(fields, ignore []string) Owned {
	return inStatus.add(o, fields, ignore)
}

func (r room) add(o Owned, fields, ignore []string) Owned {
	hashes := o.hashes()
	fresh := slices.DeleteFunc(slices.Clone(fields), func(path string) bool { return hashes[hashOf(path)] })
	all := r.track(hashes, slices.Concat(o.Fields, fresh), ignore)
	all.Untracked += o.Untracked
	return all
}

// Count is how many fields are owned.
func (o Owned) Count() int { return len(o.Fields) + len(o.Hashes)/hashSize + o.Untracked }

// Has reports whether a field is known to be owned. path is its JSON pointer.
func (o Owned) Has(path string) bool {
	return slices.Contains(o.Fields, path) || o.hashes()[hashOf(path)]
}

// Among returns the JSON pointers of all owned fields that a document may have: those which are known by
// their pointers, and the leaves of the document which are known by their hashes.
func (o Owned) Among(document map[string]any) []string {
	hashes := o.hashes()
	if len(hashes) == 0 {
		return o.Fields
	}
	leaves := slices.DeleteFunc(Fields(document), func(path string) bool { return !hashes[hashOf(path)] })
	all := slices.Concat(o.Fields, leaves)
	slices.Sort(all)
	return slices.Compact(all)
}

type pathHash [hashSize]byte

func hashOf(path string) pathHash {
	sum := sha256.Sum256([]byte(path))
	return pathHash(sum[:hashSize])
}

func (o Owned) hashes() map[pathHash]bool {
	found := map[pathHash]bool{}
	for chunk := range slices.Chunk(o.Hashes, hashSize) {
		if len(chunk) == hashSize {
			found[pathHash(chunk)] = true
		}
	}
	return found
}

// track gives each field a pointer, a hash beside those that are there, or nothing, as long as there is
// room. The order is that of importance: what is not ignored, then what is near the root.
func (r room) track(hashes map[pathHash]bool, fields, ignore []string) Owned {
	ordered := slices.Clone(fields)
	slices.SortFunc(ordered, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a, ignore), rank(b, ignore)), cmp.Compare(strings.Count(a, "/"), strings.Count(b, "/")), cmp.Compare(a, b))
	})
	if hashes == nil {
		hashes = map[pathHash]bool{}
	}
	var owned Owned
	size := 0
	for _, path := range slices.Compact(ordered) {
		length := encodedLength(path)
		switch {
		case len(path) <= MaxPath && utf8.ValidString(path) && len(owned.Fields) < r.pointers && size+length <= r.bytes:
			owned.Fields, size = append(owned.Fields, path), size+length
		case hashes[hashOf(path)]:
		case len(hashes) < r.hashes:
			hashes[hashOf(path)] = true
		default:
			owned.Untracked++
		}
	}
	slices.Sort(owned.Fields)
	sorted := slices.SortedFunc(maps.Keys(hashes), func(a, b pathHash) int { return bytes.Compare(a[:], b[:]) })
	for _, hash := range sorted {
		owned.Hashes = append(owned.Hashes, hash[:]...)
	}
	return owned
}

func rank(path string, ignore []string) int {
	if Ignores(path, ignore) {
		return 1
	}
	return 0
}

// encodedLength is how long a text is as an element of a JSON array.
func encodedLength(text string) int {
	// A string can always be encoded.
	encoded, _ := json.Marshal(text)
	return len(encoded) + len(",")
}
