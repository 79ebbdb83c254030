// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importruns

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strconv"
)

// digest is a hash of several parts that depends on where each part ends. Make one with newDigest.
type digest struct{ state hash.Hash }

// newDigest makes the digest of no parts.
func newDigest() digest { return digest{sha256.New()} }

// add adds a part.
func (d digest) add(part []byte) {
	_, _ = io.WriteString(d.state, strconv.Itoa(len(part))+"\n")
	_, _ = d.state.Write(part)
}

// sum is the hash of the parts that were added, 16 bytes in hexadecimal.
func (d digest) sum() string { return hex.EncodeToString(d.state.Sum(nil)[:16]) }
