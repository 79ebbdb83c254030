// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"io"
)

// Seed is what a simulator starts with.
type Seed struct {
	Accounts []AccountSpec `json:"accounts"`
}

// ReadSeed reads a seed from JSON.
func ReadSeed(from io.Reader) (Seed, error) {
	var seed Seed
	data, err := io.ReadAll(from)
	if err == nil {
		err = decodeStrict(data, &seed)
	}
	if err != nil {
		return Seed{}, fmt.Errorf("seed: %w", err)
	}
	return seed, nil
}

// Plant adds the accounts of a seed.
func (s *Server) Plant(seed Seed) error {
	for _, spec := range seed.Accounts {
		if err := s.AddAccount(spec); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}
