// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// record is what hack/bench/report writes, as far as it is shown.
type record struct {
	header
	// Later are runs that measured rows of some tables anew.
	Later []struct {
		header
		Tables []string `json:"tables"`
	} `json:"later"`
	Figures []figure `json:"figures"`
}

// header is when, how and where figures were measured.
type header struct {
	Date    string `json:"date"`
	Command string `json:"command"`
	Machine struct {
		CPU       string  `json:"cpu"`
		Cores     int     `json:"cores"`
		MemoryGiB float64 `json:"memoryGiB"`
		System    string  `json:"system"`
		Load      string  `json:"load"`
	} `json:"machine"`
	Versions struct {
		Go         string `json:"go"`
		Kubernetes string `json:"kubernetes"`
		Commit     string `json:"commit"`
		Poller     string `json:"poller"`
	} `json:"versions"`
}

type figure struct {
	Table   string    `json:"table"`
	Row     string    `json:"row"`
	System  string    `json:"system"`
	Name    string    `json:"name"`
	Objects int       `json:"objects"`
	Unit    string    `json:"unit"`
	Values  []float64 `json:"values"`
	BoundOf string    `json:"boundOf"`
	Target  *struct {
		Ratio   bool    `json:"ratio"`
		AtLeast bool    `json:"atLeast"`
		Value   float64 `json:"value"`
	} `json:"target"`
	Summary struct {
		Median float64  `json:"median"`
		Min    float64  `json:"min"`
		Max    float64  `json:"max"`
		Bound  *float64 `json:"bound"`
		Ratio  *float64 `json:"ratio"`
		Met    *bool    `json:"met"`
	} `json:"summary"`
}

func readRecord(file string) (*record, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(content, r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// of are the figures of a table, in their order.
func (r *record) of(table string) (found []figure) {
	for _, f := range r.Figures {
		if f.Table == table {
			found = append(found, f)
		}
	}
	return found
}

// number has as many digits as say something.
func number(n float64) string {
	switch abs := max(n, -n); {
	case abs == float64(int64(abs)):
		return fmt.Sprintf("%.0f", n)
	case abs < 0.1:
		return fmt.Sprintf("%.3f", n)
	case abs < 10:
		return fmt.Sprintf("%.2f", n)
	case abs < 100:
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.0f", n)
}
