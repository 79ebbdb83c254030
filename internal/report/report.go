// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package report makes what an auditor asks for: accounts, imports, who changed what, drift, and runs,
// as one file. It reads only.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Report is everything that was read, each list in the order in which it is shown.
type Report struct {
	// Made is when, Since how far back it looks, Scope of which namespaces it is.
	Made  time.Time `json:"made"`
	Since time.Time `json:"since"`
	Scope string    `json:"scope"`
	// Sources say where what is shown comes from, and how far back each reaches.
	Sources []Source `json:"sources"`
	// Problems are what could not be read: the report lacks it.
	Problems []Problem `json:"problems"`
	Accounts []Account `json:"accounts"`
	Imports  []Import  `json:"imports"`
	Changes  []Change  `json:"changes"`
	Drift    []Drift   `json:"drift"`
	Runs     []Run     `json:"runs"`
}

// Complete reports whether everything was read.
func (r *Report) Complete() bool { return len(r.Problems) == 0 }

// Source is where a part of the report comes from.
type Source struct {
	Name string `json:"name"`
	// Entries is how many were read, Oldest the time of the oldest one, Reach what cannot be in it.
	Entries int        `json:"entries"`
	Oldest  *time.Time `json:"oldest,omitempty"`
	Reach   string     `json:"reach"`
}

// Problem is what could not be read.
type Problem struct {
	Object  string `json:"object"`
	Message string `json:"message"`
}

// Account is one Account.
type Account struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	BaseURL   string `json:"baseURL"`
	UserID    string `json:"userID,omitempty"`
	Imports   *int32 `json:"imports,omitempty"`
	Managed   *int32 `json:"managed,omitempty"`
	Ready     string `json:"ready"`
	Reason    string `json:"reason,omitempty"`
	Message   string `json:"message,omitempty"`
}

// Import is one Import.
type Import struct {
	Namespace    string `json:"namespace"`
	Name         string `json:"name"`
	Account      string `json:"account"`
	ID           string `json:"id,omitempty"`
	Management   string `json:"management,omitempty"`
	DriftPolicy  string `json:"driftPolicy"`
	CreatedAt    string `json:"createdAt,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
	Ready        string `json:"ready"`
	Reason       string `json:"reason,omitempty"`
	Message      string `json:"message,omitempty"`
}

// Change is one entry of the platform's audit log.
type Change struct {
	Time      time.Time `json:"time"`
	Namespace string    `json:"namespace"`
	Account   string    `json:"account"`
	Import    string    `json:"import"`
	ID        string    `json:"id"`
	Event     string    `json:"event"`
	Via       string    `json:"via"`
	User      string    `json:"user"`
	// Operator: the change was made with the token of the Account.
	Operator bool     `json:"operator"`
	Fields   []string `json:"fields,omitempty"`
	From     string   `json:"from"`
}

// What happened to drift.
const (
	DriftPresent     = "present"
	DriftNotAccepted = "not accepted"
	DriftDetected    = "detected"
	DriftCorrected   = "corrected"
	DriftDeleted     = "deleted on the platform"
)

// Drift is a difference between what is declared and what the platform had.
type Drift struct {
	// Time is that of the change or, for what is present, since when the Import reports it; nil where
	// nothing says so.
	Time      *time.Time `json:"time,omitempty"`
	Namespace string     `json:"namespace"`
	Import    string     `json:"import"`
	ID        string     `json:"id,omitempty"`
	State     string     `json:"state"`
	Fields    []string   `json:"fields,omitempty"`
	Declared  string     `json:"declared,omitempty"`
	Remote    string     `json:"remote,omitempty"`
	User      string     `json:"user,omitempty"`
	Corrected *time.Time `json:"corrected,omitempty"`
	Message   string     `json:"message,omitempty"`
	From      string     `json:"from"`
}

// Run is one ImportRun.
type Run struct {
	Namespace string     `json:"namespace"`
	Name      string     `json:"name"`
	Import    string     `json:"import"`
	Phase     string     `json:"phase"`
	Created   time.Time  `json:"created"`
	Started   *time.Time `json:"started,omitempty"`
	Completed *time.Time `json:"completed,omitempty"`
	Total     int32      `json:"total"`
	Sent      int32      `json:"sent"`
	Succeeded int32      `json:"succeeded"`
	Failed    int32      `json:"failed"`
	Ignored   int32      `json:"ignored"`
	// Unknown is how many records may or may not have been written.
	Unknown int32  `json:"unknown"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// At is when the run is shown in the timeline.
func (r *Run) At() time.Time {
	switch {
	case r.Completed != nil:
		return *r.Completed
	case r.Started != nil:
		return *r.Started
	default:
		return r.Created
	}
}

// Formats are the forms in which a report is written.
var Formats = map[string]func(io.Writer, *Report) error{"html": writeHTML, "csv": writeCSV, "json": writeJSON}

func writeJSON(out io.Writer, r *Report) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// Write writes a report in one of the formats.
func Write(out io.Writer, format string, r *Report) error {
	write, ok := Formats[format]
	if !ok {
		return fmt.Errorf("--output %s: it is html, csv or json", format)
	}
	return write(out, r)
}
