// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"
)

//go:embed report.html.tmpl
var page string

// pageTemplate escapes everything by its place, as html/template does. The page has no script, and its
// policy permits none and no request.
var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"stamp": shownTime, "number": number, "join": func(names []string) string { return strings.Join(names, ", ") },
	"tone": tone, "plural": plural,
}).Parse(page))

func writeHTML(out io.Writer, r *Report) error {
	return pageTemplate.Execute(out, struct {
		*Report
		Summary  []figure
		Timeline timeline
	}{r, r.summary(), newTimeline(r)})
}

// figure is a number at the top of the page.
type figure struct {
	Number int
	Text   string
	// Tone is the class of its color.
	Tone string
}

// summary are the numbers at the top of the page.
func (r *Report) summary() []figure {
	byOthers, corrected, present, unknown, failed, notReady := 0, 0, 0, 0, 0, 0
	for i := range r.Changes {
		if !r.Changes[i].Operator {
			byOthers++
		}
	}
	for i := range r.Drift {
		switch r.Drift[i].State {
		case DriftCorrected:
			if r.Drift[i].From == fromLog {
				corrected++
			}
		case DriftPresent, DriftNotAccepted:
			present++
		}
	}
	for i := range r.Runs {
		switch tone(r.Runs[i].Phase) {
		case toneUnknown:
			unknown++
		case toneBad:
			failed++
		}
	}
	for i := range r.Imports {
		if r.Imports[i].Ready != "True" {
			notReady++
		}
	}
	warn := func(n int, class string) string {
		if n == 0 {
			return ""
		}
		return class
	}
	return []figure{
		{len(r.Accounts), plural(len(r.Accounts), "Account", "Accounts"), ""},
		{len(r.Imports), plural(len(r.Imports), "Import", "Imports"), ""},
		{notReady, plural(notReady, "Import not Ready", "Imports not Ready"), warn(notReady, toneBad)},
		{byOthers, plural(byOthers, "change by others", "changes by others"), warn(byOthers, toneWarn)},
		{corrected, plural(corrected, "change reverted", "changes reverted"), ""},
		{present, plural(present, "field differs now", "fields differ now"), warn(present, toneWarn)},
		{len(r.Runs), plural(len(r.Runs), "run", "runs"), ""},
		{failed, plural(failed, "run failed", "runs failed"), warn(failed, toneBad)},
		{unknown, plural(unknown, "run with unknown outcome", "runs with unknown outcome"), warn(unknown, toneUnknown)},
	}
}

// The classes of colors.
const (
	toneGood, toneWarn, toneBad, toneUnknown = "good", "warn", "bad", "unknown"
)

// tone is the class of the color of a state or phase.
func tone(state string) string {
	switch state {
	case "True", "Succeeded", DriftCorrected:
		return toneGood
	case "False", "Failed":
		return toneBad
	case "Unknown":
		return toneUnknown
	case DriftPresent, DriftNotAccepted, DriftDetected, DriftDeleted, "Canceled":
		return toneWarn
	default:
		return ""
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// shownTime is a time on the page. An entry of the audit log may have none that can be read.
func shownTime(value any) string {
	var t time.Time
	switch typed := value.(type) {
	case time.Time:
		t = typed
	case *time.Time:
		if typed == nil {
			return ""
		}
		t = *typed
	}
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// timeline is what happened in the time of the report, drawn in bands of bars.
type timeline struct {
	Width, Height int
	// Left and Right are where the bands begin and end.
	Left, Right int
	Bands       []band
	Ticks       []tick
}

type band struct {
	Name, Tone   string
	Y, Base, Sum int
	Bars         []bar
}

type bar struct {
	X, Y, Width, Height int
	Title               string
}

type tick struct {
	X, Shift     int
	Anchor, Text string
}

// The measures of the drawing, in its own units.
const (
	left, plotWidth, buckets = 214, 960, 96
	bandHeight, barHeight    = 46, 34
	top, bottom, ticks       = 8, 26, 6
)

// newTimeline draws the changes, the corrections and the runs of a report.
func newTimeline(r *Report) timeline {
	counts := [6][buckets]int{}
	span := r.Made.Sub(r.Since)
	count := func(band int, at time.Time) {
		if offset := at.Sub(r.Since); offset >= 0 && span > 0 {
			counts[band][min(buckets-1, int(int64(buckets)*int64(offset/time.Second)/max(1, int64(span/time.Second))))]++
		}
	}
	for i := range r.Changes {
		count(map[bool]int{false: 0, true: 1}[r.Changes[i].Operator], r.Changes[i].Time)
	}
	for i := range r.Drift {
		if corrected := r.Drift[i].Corrected; corrected != nil {
			count(2, *corrected)
		}
	}
	bands := map[string]int{toneGood: 3, toneBad: 4, toneUnknown: 5}
	for i := range r.Runs {
		if index, ok := bands[tone(r.Runs[i].Phase)]; ok {
			count(index, r.Runs[i].At())
		}
	}
	t := timeline{Width: left + plotWidth + 2, Left: left, Right: left + plotWidth}
	for i, name := range []band{
		{Name: "Changes by others", Tone: toneWarn}, {Name: "Changes by the operator"}, {Name: "Changes reverted", Tone: toneGood},
		{Name: "Runs that succeeded", Tone: toneGood}, {Name: "Runs that failed", Tone: toneBad}, {Name: "Runs, outcome unknown", Tone: toneUnknown},
	} {
		t.Bands = append(t.Bands, name.draw(i, counts[i], r.Since, span))
	}
	t.Height = top + len(t.Bands)*bandHeight + bottom
	for i := range ticks + 1 {
		at := r.Since.Add(span * time.Duration(i) / ticks)
		mark := tick{X: left + plotWidth*i/ticks, Shift: 4, Anchor: "start", Text: at.UTC().Format("Jan 2 15:04")}
		if i == ticks {
			mark.Shift, mark.Anchor = -4, "end"
		}
		t.Ticks = append(t.Ticks, mark)
	}
	return t
}

// draw draws one band. The highest bar is that of the part of the time with the most.
func (l band) draw(index int, counts [buckets]int, since time.Time, span time.Duration) band {
	l.Y = top + index*bandHeight
	l.Base = l.Y + bandHeight - 4
	most := 0
	for _, n := range counts {
		most, l.Sum = max(most, n), l.Sum+n
	}
	for i, n := range counts {
		if n == 0 {
			continue
		}
		height := max(4, barHeight*n/most)
		from, to := since.Add(span*time.Duration(i)/buckets), since.Add(span*time.Duration(i+1)/buckets)
		l.Bars = append(l.Bars, bar{
			X: left + plotWidth*i/buckets, Y: l.Base - height, Width: plotWidth/buckets - 2, Height: height,
			Title: fmt.Sprintf("%s to %s: %d", shownTime(from), shownTime(to), n),
		})
	}
	return l
}
