// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/csv"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// columns are those of the one table that a CSV file has: section says what a row is about.
var columns = []string{
	"section", "time", "namespace", "account", "object", "id", "state", "event", "via", "user", "operator", "fields", "declared", "remote",
	"corrected", "total", "sent", "succeeded", "failed", "ignored", "unknown", "reason", "message", "from",
}

// row is a row by the names of its columns.
type row map[string]string

func writeCSV(out io.Writer, r *Report) error {
	writer := csv.NewWriter(out)
	writer.UseCRLF = true // as RFC 4180 has it
	if err := writer.Write(columns); err != nil {
		return err
	}
	for _, one := range r.rows() {
		cells := make([]string, len(columns))
		for i, column := range columns {
			cells[i] = harmless(one[column])
		}
		if err := writer.Write(cells); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}

// formula is the beginning of a cell that a spreadsheet would evaluate, also after white space and in
// full width, and the same after a character that a spreadsheet may take for the end of a cell.
var formula = regexp.MustCompile(`(^|[;|\t\r\n])([\s\p{Z}\p{Cf}]*)([=+@＝＋－＠-])`)

// harmless is a text as a spreadsheet shows it and does not evaluate it: with an apostrophe before
// what begins a formula.
func harmless(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == 0 {
			return -1
		}
		return r
	}, text)
	text = formula.ReplaceAllString(text, "$1'$2$3")
	if strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "\r") || strings.HasPrefix(text, "\n") {
		text = "'" + text
	}
	return text
}

func (r *Report) rows() []row {
	rows := []row{{"section": "report", "time": stamp(&r.Made), "object": r.Scope, "message": "since " + stamp(&r.Since)}}
	for _, source := range r.Sources {
		rows = append(rows, row{"section": "source", "time": stamp(source.Oldest), "object": source.Name, "total": strconv.Itoa(source.Entries), "message": source.Reach})
	}
	for _, problem := range r.Problems {
		rows = append(rows, row{"section": "problem", "object": problem.Object, "message": problem.Message})
	}
	for _, account := range r.Accounts {
		rows = append(rows, row{"section": "account", "namespace": account.Namespace, "account": account.Name, "object": account.Name, "id": account.UserID,
			"state": account.Ready, "total": number(account.Imports), "remote": account.BaseURL, "reason": account.Reason, "message": account.Message})
	}
	for i := range r.Imports {
		object := &r.Imports[i]
		rows = append(rows, row{"section": "import", "time": object.LastModified, "namespace": object.Namespace, "account": object.Account, "object": object.Name,
			"id": object.ID, "state": object.Ready, "reason": object.Reason, "message": object.Message})
	}
	for i := range r.Changes {
		change := &r.Changes[i]
		rows = append(rows, row{"section": "change", "time": stamp(&change.Time), "namespace": change.Namespace, "account": change.Account, "object": change.Import,
			"id": change.ID, "event": change.Event, "via": change.Via, "user": change.User, "operator": strconv.FormatBool(change.Operator),
			"fields": strings.Join(change.Fields, ", "), "from": change.From})
	}
	for i := range r.Drift {
		found := &r.Drift[i]
		rows = append(rows, row{"section": "drift", "time": stamp(found.Time), "namespace": found.Namespace, "object": found.Import, "id": found.ID,
			"state": found.State, "user": found.User, "fields": strings.Join(found.Fields, ", "), "declared": found.Declared, "remote": found.Remote,
			"corrected": stamp(found.Corrected), "message": found.Message, "from": found.From})
	}
	for i := range r.Runs {
		run := &r.Runs[i]
		at := run.At()
		rows = append(rows, row{"section": "run", "time": stamp(&at), "namespace": run.Namespace, "object": run.Name, "id": run.Import, "state": run.Phase,
			"total": decimal(run.Total), "sent": decimal(run.Sent), "succeeded": decimal(run.Succeeded), "failed": decimal(run.Failed),
			"ignored": decimal(run.Ignored), "unknown": decimal(run.Unknown), "reason": run.Reason, "message": run.Message})
	}
	return rows
}

func decimal(n int32) string { return strconv.Itoa(int(n)) }

func number(n *int32) string {
	if n == nil {
		return ""
	}
	return decimal(*n)
}

// stamp is a time as the tables show it, "" for none.
func stamp(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
