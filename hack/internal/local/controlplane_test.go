// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

func TestReservePort(t *testing.T) {
	first, release, err := reservePort()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	second, releaseSecond, err := reservePort()
	if err != nil {
		t.Fatal(err)
	}
	defer releaseSecond()
	if first == second {
		t.Errorf("both got port %d", first)
	}
	if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first)); err == nil {
		_ = listener.Close()
		t.Errorf("port %d is reserved and was given away", first)
	}
}

func TestAwaitReturnsTheLastError(t *testing.T) {
	err := Await(t.Context(), 10*time.Millisecond, "the moon", func(context.Context) error { return errors.New("a street lamp") })
	if err == nil || !strings.Contains(err.Error(), "expected the moon within 10ms; found: a street lamp") {
		t.Errorf("error %v", err)
	}
}
