// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"
	"strings"

	"github.com/integrator-operator/integrator-operator/api/v1alpha1"
	"github.com/integrator-operator/integrator-operator/internal/plan"
)

// marks has the sign before each action, and how it is counted.
var marks = []struct {
	action     plan.Action
	mark, noun string
}{
	{plan.Create, "+", "to create"},
	{plan.Update, "~", "to update"},
	{plan.Adopt, ">", "to adopt"},
	{plan.Delete, "-", "to delete"},
	{plan.Release, "<", "to release"},
	{plan.Invoke, "!", "to run"},
	{plan.Apply, "=", "to apply without a call"},
	{differs, "*", "differing, and left so"},
	{plan.None, " ", "unchanged"},
	{plan.Wait, "?", "waiting"},
	{plan.Fail, "x", "failing"},
}

// differs stands for what is as it would be and differs: nothing would change, and it is not as declared.
const differs plan.Action = "differs"

// shown is the action of an item as people read it.
func shown(item *plan.Item) plan.Action {
	if item.Action == plan.None && len(item.Drift) > 0 {
		return differs
	}
	return item.Action
}

// word is an action as a word of a heading.
func word(action plan.Action) string {
	if action == plan.None {
		return "unchanged"
	}
	return string(action)
}

func mark(action plan.Action) string {
	for _, known := range marks {
		if known.action == action {
			return known.mark
		}
	}
	return "?"
}

// summary is a plan in one line.
func summary(made *plan.Plan) string {
	var counts []string
	for _, known := range marks {
		count := 0
		for i := range made.Items {
			if shown(&made.Items[i]) == known.action {
				count++
			}
		}
		if count > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", count, known.noun))
		}
	}
	if len(counts) == 0 {
		return "Plan: there are no objects of integrator.io among the manifests."
	}
	return "Plan: " + strings.Join(counts, ", ") + "."
}

// name is the object of an item, as kubectl names it.
func name(item *plan.Item) string { return item.Kind + " " + item.Namespace + "/" + item.Name }

// textWriter writes lines, and keeps the first error.
type textWriter struct {
	out    io.Writer
	indent string
	err    error
}

func (w *textWriter) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format+"\n", args...)
	}
}

func (w *textWriter) detail(format string, args ...any) { w.line(w.indent+format, args...) }

// writeText writes a plan for a terminal.
func writeText(out io.Writer, made *plan.Plan, colors palette) error {
	w := &textWriter{out: out, indent: "    "}
	for i := range made.Items {
		item := &made.Items[i]
		if item.Action == plan.None && len(item.Drift)+len(item.Warnings) == 0 && item.Message == "" {
			continue
		}
		action := shown(item)
		w.line("%s%s %s%s: %s%s", colorOf(action, colors), mark(action), name(item), inParentheses(item.ID), word(action), colors.reset)
		writeDetails(w, item, colors)
	}
	w.line("%s%s%s", colors.bold, summary(made), colors.reset)
	return w.err
}

func inParentheses(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func colorOf(action plan.Action, colors palette) string {
	switch action {
	case plan.Create, plan.Adopt:
		return colors.green
	case plan.Delete, plan.Fail:
		return colors.red
	case plan.Update, plan.Release, plan.Invoke, plan.Wait, differs:
		return colors.yellow
	case plan.Apply, plan.None:
	}
	return ""
}

func writeDetails(w *textWriter, item *plan.Item, colors palette) {
	if item.Source != "" && (item.Action == plan.Fail || item.Action == plan.Wait) {
		w.detail("in %s", item.Source)
	}
	if item.Message != "" {
		w.detail("%s", because(item))
	}
	for _, call := range item.Calls {
		w.detail("%s", call)
	}
	for _, difference := range item.Differences {
		for _, line := range changed(difference) {
			color := map[byte]string{'-': colors.red, '+': colors.green}[line[0]]
			w.detail("%s%s%s", color, line, colors.reset)
		}
	}
	for _, difference := range item.Drift {
		w.detail("differs, and is left so: %s (declared %s, remote %s)", difference.Path, orNothing(difference.Declared), orNothing(difference.Remote))
	}
	for _, use := range item.UsedBy {
		w.detail("used by %s %q", use.Kind, use.Name)
	}
	if item.UsedByUnknown != "" {
		w.detail("used by: it could not be read: %s", item.UsedByUnknown)
	}
	for _, warning := range item.Warnings {
		w.detail("%swarning: spec.definition%s%s", colors.yellow, warning, colors.reset)
	}
}

// because is the reason and the message of an item.
func because(item *plan.Item) string {
	if item.Reason == "" {
		return item.Message
	}
	return item.Reason + ": " + item.Message
}

// changed are the lines of one difference: what is there, and what would be there.
func changed(difference v1alpha1.Difference) (lines []string) {
	if difference.Remote != "" {
		lines = append(lines, "- "+difference.Path+": "+difference.Remote)
	}
	if difference.Declared != "" {
		lines = append(lines, "+ "+difference.Path+": "+difference.Declared)
	}
	if len(lines) == 0 {
		lines = append(lines, "- "+difference.Path+": removed")
	}
	return lines
}

func orNothing(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}

// writeMarkdown writes a plan as a comment for a pull request.
func writeMarkdown(out io.Writer, made *plan.Plan, _ palette) error {
	w := &textWriter{out: out}
	w.line("### %s", strings.TrimSuffix(summary(made), "."))
	w.line("")
	w.line("| | Object | Action | |\n|---|---|---|---|")
	for i := range made.Items {
		item := &made.Items[i]
		if action := shown(item); action != plan.None {
			w.line("| `%s` | %s | %s | %s |", mark(action), cell(name(item)), action, cell(because(item)))
		}
	}
	for i := range made.Items {
		item := &made.Items[i]
		if len(item.Calls)+len(item.Differences)+len(item.Drift)+len(item.Warnings)+len(item.UsedBy) == 0 && item.UsedByUnknown == "" {
			continue
		}
		w.line("\n<details><summary>%s%s</summary>\n\n```diff", name(item), inParentheses(item.ID))
		writeDetails(w, item, palette{})
		w.line("```\n</details>")
	}
	for _, note := range made.Notes {
		w.line("\n%s", note)
	}
	return w.err
}

// cell is a text in a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(text)
}
