// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package keyref

import (
	"bytes"
	"errors"
)

// byteOrderMark is what some editors and shells, above all those of Windows, write in front of a text
// in UTF-8.
const byteOrderMark = "\ufeff"

var (
	errUTF16 = errors.New("in UTF-16, as some programs of Windows write text: save it as UTF-8")
	errUTF32 = errors.New("in UTF-32: save it as UTF-8")
)

// Text returns a text in UTF-8 without its byte order mark, as a part of content. It fails if the text
// is in another Unicode encoding; the error follows "is", and repeats nothing of the text.
func Text(content []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(content, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(content, []byte{0, 0, 0xfe, 0xff}):
		return nil, errUTF32
	case bytes.HasPrefix(content, []byte{0xff, 0xfe}), bytes.HasPrefix(content, []byte{0xfe, 0xff}), unmarkedUTF16(content):
		return nil, errUTF16
	}
	for bytes.HasPrefix(content, []byte(byteOrderMark)) {
		content = content[len(byteOrderMark):]
	}
	return content, nil
}

// unmarkedUTF16 reports whether content begins as a text in UTF-16 does that has no byte order mark:
// every other byte is 0. Text in UTF-8 has none.
func unmarkedUTF16(content []byte) bool {
	const looked = 16
	if len(content) < 2 || len(content)%2 != 0 {
		return false
	}
	big, little := true, true
	for i, b := range content[:min(len(content), looked)] {
		zero := b == 0
		big = big && zero == (i%2 == 0)
		little = little && zero == (i%2 == 1)
	}
	return big || little
}
