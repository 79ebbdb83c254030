// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestBody(t *testing.T) {
	for _, tc := range []struct {
		size int
		want error
	}{{0, nil}, {9, nil}, {10, nil}, {11, ErrTooLarge}, {1000, ErrTooLarge}} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "data with EOF": iotest.DataErrReader,
		} {
			b := &Body{r: wrap(strings.NewReader(strings.Repeat("x", tc.size))), left: 10}
			got, err := io.ReadAll(b)
			if !errors.Is(err, tc.want) || len(got) != min(tc.size, 10) || !errors.Is(b.Err(), tc.want) {
				t.Errorf("%d of 10, %s: %d bytes, %v, %v", tc.size, name, len(got), err, b.Err())
			}
		}
	}
	b := &Body{r: iotest.ErrReader(io.ErrClosedPipe), left: 10}
	if _, err := io.ReadAll(b); !errors.Is(err, io.ErrClosedPipe) || !errors.Is(b.Err(), io.ErrClosedPipe) {
		t.Errorf("a lost connection: %v, %v", err, b.Err())
	}
}
