// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strconv"
)

// digest is a hash of several parts that tells where each ends.
type digest struct{ hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) add(part []byte) {
	_, _ = io.WriteString(d, strconv.Itoa(len(part))+"\n")
	_, _ = d.Write(part)
}

func (d digest) sum() string { return hex.EncodeToString(d.Sum(nil)[:16]) }
