// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strconv"
)

// Digest is a hash of several parts that depends on where each part ends. Make one with
// [NewDigest].
type Digest struct{ state hash.Hash }

// NewDigest makes the digest of no parts.
func NewDigest() Digest { return Digest{sha256.New()} }

// Add adds a part.
func (d Digest) Add(part []byte) {
	_, _ = io.WriteString(d.state, strconv.Itoa(len(part))+"\n")
	_, _ = d.state.Write(part)
}

// Sum is the hash of the parts that were added, 16 bytes in hexadecimal.
func (d Digest) Sum() string { return hex.EncodeToString(d.state.Sum(nil)[:16]) }
