// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// Selector is the value of --watch-label-selector, nil without the flag.
type Selector struct{ labels.Selector }

func (s *Selector) String() string {
	if s.Selector == nil {
		return ""
	}
	return s.Selector.String()
}

// Set reads a selector as kubectl does. An empty one is an error: without the flag, all objects are
// reconciled, which an empty variable must not lead to.
func (s *Selector) Set(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("it selects everything: name a label, as in shard=a or '!shard', or leave the flag out")
	}
	parsed, err := labels.Parse(text)
	if err != nil {
		return fmt.Errorf("it has to be a label selector, such as shard=a, 'shard in (a,b)' or '!shard': %w", err)
	}
	s.Selector = parsed
	return nil
}

// Share is the value of --account-share, 0 without the flag.
type Share float64

func (s *Share) String() string {
	if *s == 0 {
		return "1"
	}
	return strconv.FormatFloat(float64(*s), 'g', 4, 64)
}

// Set reads a fraction, as 1/3 or 0.25.
func (s *Share) Set(text string) error {
	above, below, fraction := strings.Cut(text, "/")
	value, err := strconv.ParseFloat(strings.TrimSpace(above), 64)
	if fraction && err == nil {
		var of float64
		of, err = strconv.ParseFloat(strings.TrimSpace(below), 64)
		value /= of
	}
	if err != nil || !(value > 0 && value <= 1) { // also catches NaN
		return errors.New("it has to be a fraction above 0 and up to 1, such as 1/3 or 0.25")
	}
	*s = Share(value)
	return nil
}
